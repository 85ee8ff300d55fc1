# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers that a relay hands its mail to: where each is, what it takes, and how Postfix speaks to it.

Private to the collection. Sources: the providers' own SMTP pages; "How to set up a multifunction device or application to send email
using Microsoft 365" for the connector; postconf(5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

BRIDGE = "[127.0.0.1]:2587"
TABLES = "/etc/postfix/m365"
# What the certificate of a tenant's MX endpoint names, a cloud; "global" also has the newer mx.microsoft.
CONNECTOR_NAMES = {
    "global": ("mail.protection.outlook.com", ".mail.protection.outlook.com", ".mx.microsoft"),
    "gcc-high": ("mail.protection.office365.us", ".mail.protection.office365.us"),
    "dod": ("mail.protection.office365.us", ".mail.protection.office365.us"),
    "china": ("mail.protection.partner.outlook.cn", ".mail.protection.partner.outlook.cn"),
}


# Ports that speak TLS from the first byte: RFC 8314, and SMTP2GO's own.
WRAPPED = (465, 8465, 443)


@dataclass(frozen=True)
class Upstream:
    """One kind. `recipients`: the most in one transaction. `services`: whose rows of the error table say what a refusal means."""

    host: str = ""
    port: int = 587
    username: str = ""
    recipients: int = 500
    services: tuple[str, ...] = ()


UPSTREAMS = {
    "oauth": Upstream(services=("smtp", "hve", "acs")),
    "connector": Upstream(port=25, recipients=200, services=("smtp",)),
    "smtp2go": Upstream("mail.smtp2go.com", recipients=100),
    "sendgrid": Upstream("smtp.sendgrid.net", username="apikey"),
    "mailgun": Upstream("smtp.mailgun.org"),
    "acs": Upstream("smtp.azurecomm.net", recipients=50, services=("acs", "smtp")),
    "smarthost": Upstream(),
}


def bracketed(host: str, port: int) -> str:
    """A next hop without a look-up of its MX."""
    return f"[{host}]:{port}"


def server(given: dict[str, Any]) -> tuple[str, int]:
    """Host and port of a server that takes submissions."""
    wanted, known = given.get("relay_smarthost") or {}, UPSTREAMS[given["relay_upstream"]]
    return str(wanted.get("host") or known.host), int(wanted.get("port") or known.port)


def connector_hop(given: dict[str, Any]) -> str:
    """The tenant's MX endpoint: the named one, the cloud's own, or the domain, whose MX Postfix looks up itself."""
    cloud = given.get("m365_cloud")
    if given.get("relay_connector_host"):
        return bracketed(given["relay_connector_host"], 25)
    if isinstance(cloud, dict) and cloud.get("mx_host"):
        return bracketed(cloud["mx_host"], int(cloud.get("mx_port") or 25))
    return f"{given['m365_tenant']}:25"


def next_hop(given: dict[str, Any]) -> str:
    """Postfix's next hop of all mail."""
    if given["relay_upstream"] == "oauth":
        return BRIDGE
    if given["relay_upstream"] == "connector":
        return connector_hop(given)
    return bracketed(*server(given))


def options(given: dict[str, Any], password_file: str) -> dict[str, str]:
    """Options of the smtp client in master.cf, for a transport whose password is in this file."""
    if given["relay_upstream"] == "connector":
        return _connector(given)
    signing_in = {
        "smtp_sasl_auth_enable": "yes",
        "smtp_sasl_password_maps": f"texthash:{password_file}",
        "smtp_sasl_security_options": "noanonymous",
        "smtp_sasl_mechanism_filter": "plain, login",
    }
    if given["relay_upstream"] == "oauth":
        # Used again always, not only while much waits: idle ones that nobody looks for count against Microsoft's three a mailbox.
        always = {"smtp_connection_cache_destinations": "127.0.0.1"}
        return {"smtp_tls_security_level": "none", **always, **signing_in}
    wanted = given.get("relay_smarthost") or {}
    level = {"verify": "secure", "encrypt": "encrypt", "none": "none"}[wanted.get("tls") or "verify"]
    found = {"smtp_tls_security_level": level, "smtp_address_preference": "ipv4"}
    if server(given)[1] in WRAPPED:
        found["smtp_tls_wrappermode"] = "yes"
    if given["relay_upstream"] == "smarthost":
        found["smtp_host_lookup"] = "dns, native"
    return found | (signing_in if credentials(given)[0] else {})


def _connector(given: dict[str, Any]) -> dict[str, str]:
    """By IPv4 only: connectors know no other addresses. The certificate is shown to Microsoft and to nobody else."""
    cloud = given.get("m365_cloud")
    names = CONNECTOR_NAMES.get(cloud if isinstance(cloud, str) else "", ())
    found = {"inet_protocols": "ipv4", "smtp_tls_security_level": "encrypt"}
    if given.get("relay_connector_tls") != "encrypt":
        found |= {
            "smtp_tls_security_level": "secure",
            "smtp_tls_secure_cert_match": ", ".join(names or ("hostname",)),
        }
    if given.get("relay_connector_certificate"):
        found["smtp_tls_chain_files"] = f"{given['relay_connector_key']}, {given['relay_connector_certificate']}"
    return found


def credentials(given: dict[str, Any]) -> tuple[str, str]:
    """User name and password of a server that takes submissions; both empty where it asks for none."""
    wanted = given.get("relay_smarthost") or {}
    return str(wanted.get("username") or UPSTREAMS[given["relay_upstream"]].username), str(wanted.get("password") or "")
