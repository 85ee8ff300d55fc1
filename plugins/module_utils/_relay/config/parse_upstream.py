# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the upstream as an Upstream.

Sources: "How to set up a multifunction device or application to send email using Microsoft 365"; the certificates of
Microsoft's MX endpoints.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from ..._core.errors import InvalidInput
from ..._core.mail_addresses import DOMAIN
from ..._hosted.credential_store import Secret, open_store
from ..._hosted.providers import HOSTED_RELAYS, region_problems
from ..._http.clouds import CLOUDS, Cloud
from .model import UPSTREAM_TYPES, TlsLevel, Upstream
from .reader import HOST, Reader, is_integer

GUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_EXPECTED = "known-after-creation"
PROXY = "[127.0.0.1]:2587"  # the submission proxy
# Cloud -> the names in the certificates of its tenants' MX endpoints; global has also the newer mx.microsoft.
_MX_NAMES = {
    "global": ("mail.protection.outlook.com", ".mail.protection.outlook.com", ".mx.microsoft"),
    "gcc-high": ("mail.protection.office365.us", ".mail.protection.office365.us"),
    "dod": ("mail.protection.office365.us", ".mail.protection.office365.us"),
    "china": ("mail.protection.partner.outlook.cn", ".mail.protection.partner.outlook.cn"),
}


def parse_upstream(reader: Reader, name: str, cloud: Cloud) -> Upstream:
    host = reader.host("relay_connector_host")
    if name == "oauth":
        return _oauth(reader)
    return _connector(reader, cloud, host) if name == "connector" else _submission(reader, name)


def address(host: str, port: int) -> str:
    """A next hop without an MX lookup."""
    return f"[{host}]:{port}"


def _oauth(reader: Reader) -> Upstream:
    tenant, client_id = reader.text("m365_tenant"), reader.text("relay_client_id")
    if not GUID.fullmatch(tenant) and not DOMAIN.fullmatch(tenant):
        reader.report(f"m365_tenant is {tenant!r}: use the tenant ID (a GUID) or one of the tenant's domains.")
    if not GUID.fullmatch(client_id):
        reader.report(f"relay_client_id is {client_id!r}: use the client ID of the sender app, a GUID.")
    return Upstream("oauth", PROXY, tls="none")


def _connector(reader: Reader, cloud: Cloud, host: str) -> Upstream:
    """The next hop is relay_connector_host, the cloud's MX endpoint, or the domain, whose MX record Postfix looks up."""
    tenant = reader.text("m365_tenant")
    if not host and not cloud.mx_host and not DOMAIN.fullmatch(tenant):
        reader.report(f"m365_tenant is {tenant!r}, which has no MX record: use one of the tenant's domains, or set relay_connector_host.")
    own = address(cloud.mx_host, cloud.mx_port) if cloud.mx_host else f"{tenant}:25"
    cloud_name = next((name for name, known in CLOUDS.items() if known == cloud), "")
    return Upstream(
        "connector",
        address(host, 25) if host else own,
        port=25,
        smtputf8=UPSTREAM_TYPES["connector"].smtputf8,
        tls="encrypt" if reader.choice("relay_connector_tls", "verify", "encrypt") == "encrypt" else "verify",
        certificate_names=_MX_NAMES.get(cloud_name, ("hostname",)),
        client_certificate=reader.text("relay_connector_certificate"),
        client_key=reader.text("relay_connector_key"),
    )


def _submission(reader: Reader, name: str) -> Upstream:
    """A provider, or the server of relay_smarthost."""
    known, variable = UPSTREAM_TYPES[name], reader.value("relay_smarthost") or {}
    options: Mapping[str, Any] = variable if isinstance(variable, dict) else {}
    port, tls = options.get("port"), options.get("tls") or "verify"
    if port is not None and not (is_integer(port) and 0 < int(port) < 65536):
        reader.report(f"relay_smarthost.port is {port!r}: use a port from 1 to 65535.")
        port = None
    host, port = _endpoint(reader, name, options, int(port or 0))
    if not HOST.fullmatch(host):
        reader.report(f"relay_smarthost.host is {host!r}: use the server's name, without brackets or a port.")
    if tls not in ("verify", "encrypt", "none"):
        reader.report(f"relay_smarthost.tls is {tls!r}: use verify, encrypt or none.")
    username, password = _credential(reader, name, options)
    if password or not options.get("credential"):
        reader.report(*_credential_problems(name, username or known.username, password, tls))
    smtputf8 = options.get("smtputf8")
    if smtputf8 is None:
        smtputf8 = known.smtputf8
    elif not isinstance(smtputf8, bool):
        reader.report(f"relay_smarthost.smtputf8 is {smtputf8!r}: use true or false.")
    return Upstream(
        name,
        address(host, port),
        port=port,
        smtputf8=smtputf8 is True,
        tls=cast(TlsLevel, tls),
        username=username or known.username,
        password=password,
    )


def _endpoint(reader: Reader, name: str, options: Mapping[str, Any], port: int) -> tuple[str, int]:
    """Host and port of the options, else those of the hosted relay in its region, or of the upstream. `port`: 0 where it is not set.

    A credential of the tenant's account is one of the account's region.
    """
    known, host = UPSTREAM_TYPES[name], str(options.get("host") or "")
    variable, region = "relay_smarthost.region", str(options.get("region") or "")
    if not region and options.get("credential"):
        variable, region = "m365_hosted_relay_region", reader.text("m365_hosted_relay_region")
    problems = region_problems(variable, name, region)
    reader.report(*problems)
    if name in HOSTED_RELAYS and not problems:
        return HOSTED_RELAYS[name].smtp_endpoint(region, host, port)
    return host or known.host, port or known.port


def _credential(reader: Reader, name: str, options: Mapping[str, Any]) -> tuple[str, str]:
    """User name and password: those of the options, or those that module hosted_credential has stored on this controller."""
    credential = str(options.get("credential") or "")
    username, password = str(options.get("username") or ""), str(options.get("password") or "")
    if not credential:
        return username, password
    option = f"relay_smarthost.credential is {credential!r}"
    if name not in HOSTED_RELAYS:
        reader.report(f"{option}, and relay_upstream is {name}: credentials in the store are those of {', '.join(HOSTED_RELAYS)}.")
    elif username or password:
        reader.report(f"{option}, and relay_smarthost has a username or a password as well: leave these out.")
    elif stored := _stored(reader, name, credential, option):
        return stored.username, stored.password
    return "", ""


def _stored(reader: Reader, name: str, credential: str, option: str) -> Secret | None:
    """The current credential in the store of the tenant; None, and a problem, where there is none.

    In a check run, the tenant's part of the run may be what creates it.
    """
    tenant = reader.text("m365_tenant")
    if not tenant or not re.fullmatch(r"[a-z0-9-]+", credential):
        reader.report(f"{option}, and m365_tenant is {tenant!r}: name the tenant, and a credential of role hosted_relay.")
        return None
    vault = reader.text("m365_hosted_credential_vault_password_file") or None
    store = open_store(reader.text("m365_hosted_credential_store") or None, vault, tenant, name)
    try:
        stored = store.read(credential)
    except InvalidInput as error:
        reader.report(*error.problems)
        return None
    if stored is None or stored.current is None:
        if reader.value("credential_expected"):
            return Secret(credential, "", _EXPECTED, _EXPECTED)
        reader.report(
            f"{option}, and {store.location(credential)} has none: run role hosted_relay for the tenant on this controller first."
        )
        return None
    return stored.current


def _credential_problems(name: str, username: str, password: str, tls: str) -> list[str]:
    problems = []
    if name != "smarthost" and not (username and password):
        problems.append(f"relay_smarthost lacks a username or a password: {name} requires authentication; set both.")
    elif bool(username) != bool(password):
        problems.append("relay_smarthost has either a username or a password: set both, or neither.")
    elif password and tls == "none":
        problems.append("relay_smarthost.tls is none, which would send the password in clear text: use verify or encrypt.")
    if any(":" in username or character in username + password for character in "\r\n"):
        problems.append(
            "relay_smarthost has a username with a colon, or a line break in username or password: Postfix supports neither; change them."
        )
    return problems
