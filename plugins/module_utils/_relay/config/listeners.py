# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listeners of master.cf: what each offers, to whom. main.cf holds what is the same for all of them.

Source: Postfix's master(5), postconf(5), TLS_README; tested with Postfix 3.7 and 3.10.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..agent.postfix import internal_listener
from .model import TABLES, LegacyListener, RelayConfig
from .plan import Listener

CLIENTS = f"check_client_access cidr:{TABLES}/clients"
USERS = f"check_sasl_access texthash:{TABLES}/users"
AUTHENTICATE = "check_client_access static:{530 5.7.0 Authenticate with the user name and password that relay_devices has for this device}"
# Postfix closes the connection after a reply 521: access(5).
UNKNOWN_CLIENT = "check_client_access static:{521 5.7.1 This address is in no network of relay_devices}"
KNOWN_CLIENTS_ONLY = f"check_client_access cidr:{TABLES}/networks, {UNKNOWN_CLIENT}"
OLD_TLS = {"smtpd_tls_protocols": ">=TLSv1", "smtpd_tls_mandatory_protocols": ">=TLSv1"}
# Of a recipient. `reject` alone is never reached; Postfix requires one.
SASL_ONLY = {"smtpd_sasl_auth_enable": "yes", "smtpd_relay_restrictions": f"{USERS}, {AUTHENTICATE}, reject"}
SASL_OR_NETWORK = {"smtpd_sasl_auth_enable": "yes", "smtpd_relay_restrictions": f"{USERS}, {CLIENTS}, {AUTHENTICATE}, reject"}


# Of the relay's own messages: a rewritten header may be longer than the device's, whose listener has checked the size.
INTERNAL_CLEANUP = "m365-internal-cleanup"
LOCAL = "m365_local"  # the restriction class of the relay itself


def listeners(config: RelayConfig) -> list[Listener]:
    """In the order of master.cf."""
    size = {"message_size_limit": str(config.message_size_limit)}  # advertised (RFC 1870); main.cf's also has room for added header fields
    result = [_listener("smtp", "devices", size)]
    sasl = {**_clients(config), **size}
    if config.has_sasl_users:
        result.append(_listener("submission", "submission", {"smtpd_tls_security_level": "encrypt", **SASL_ONLY, **sasl}))
        result.append(_listener("submissions", "submissions", {"smtpd_tls_wrappermode": "yes", **SASL_ONLY, **sasl}))
    if config.legacy:
        result.append(_legacy(config.legacy, config.has_sasl_users, sasl if config.has_sasl_users else size))
    return [*result, _internal()]


def _internal() -> Listener:
    """The Unix socket for the relay's own messages; who may connect is a matter of its directory's permissions."""
    options = {"smtpd_client_restrictions": "", "smtpd_relay_restrictions": f"{LOCAL}, reject"}
    options |= {"message_size_limit": "0", "cleanup_service_name": INTERNAL_CLEANUP}
    return replace(_listener(internal_listener.SERVICE, "internal", options), type="unix")


def _clients(config: RelayConfig) -> dict[str, str]:
    """Who may connect to the listeners for SASL users: any client, unless every user is limited to networks."""
    return {"smtpd_client_restrictions": "" if config.has_unknown_clients else KNOWN_CLIENTS_ONLY}


def password_ports(config: RelayConfig) -> list[str]:
    """The ports that accept passwords."""
    return ["587", "465", *([str(config.legacy.port)] if config.legacy else [])]


def _listener(service: str, name: str, options: dict[str, str]) -> Listener:
    return Listener(service, name, {"syslog_name": f"postfix/{name}", **options})


def _legacy(legacy: LegacyListener, sasl_users: bool, more: Mapping[str, str]) -> Listener:
    """Old TLS on one address, for network clients and SASL users."""
    options = {**OLD_TLS, **more}
    if sasl_users:
        options.update(SASL_OR_NETWORK, smtpd_tls_auth_only="no" if legacy.cleartext_auth else "yes")
    host = f"[{legacy.address}]" if ":" in legacy.address else legacy.address
    return _listener(f"{host}:{legacy.port}", "legacy", options)
