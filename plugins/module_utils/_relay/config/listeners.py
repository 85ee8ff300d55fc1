# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listeners of master.cf: what each offers, to whom. What holds for all of them stands in main.cf.

Private to the collection. Source: Postfix's master(5), postconf(5), TLS_README; tried with Postfix 3.7 and 3.10.
"""

from __future__ import annotations

from typing import Any

from ..agent.postfix.rewriting import REINJECT_PORT

CLIENTS = "check_client_access cidr:/etc/postfix/m365/clients"
USERS = "check_sasl_access texthash:/etc/postfix/m365/users"
SIGN_IN = "check_client_access static:{530 5.7.0 Sign in with the user name and password that relay_devices has for this device}"
STRANGER = "check_client_access static:{REJECT 5.7.1 This address is in no network of relay_devices}"
OLD_TLS = {"smtpd_tls_protocols": ">=TLSv1", "smtpd_tls_mandatory_protocols": ">=TLSv1"}
# A user is whoever signed in: where somebody connects from does not matter, unless Dovecot pins the user to networks.
SIGNED_IN = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_client_restrictions": f"permit_sasl_authenticated, {SIGN_IN}",
    "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
    "smtpd_sender_restrictions": f"{USERS}, reject",
}
EITHER = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_client_restrictions": f"permit_mynetworks, permit_sasl_authenticated, {SIGN_IN}",
    "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject",
    "smtpd_sender_restrictions": f"{USERS}, {CLIENTS}, reject",
}


def listeners(given: dict[str, Any], users: bool, rewrites: bool) -> list[dict[str, Any]]:
    """[{service: first column of master.cf, name: the word in the log, options: {parameter: value}}], in master.cf's order."""
    found = [_listener("smtp", "devices", {})]
    if users:
        found.append(_listener("submission", "submission", {"smtpd_tls_security_level": "encrypt", **SIGNED_IN}))
        found.append(_listener("submissions", "submissions", {"smtpd_tls_wrappermode": "yes", **SIGNED_IN}))
    if given.get("relay_legacy_address"):
        found.append(_legacy(given, users))
    if rewrites:
        # The limit was kept when the device sent it: a rewritten header must not push the message over.
        found.append(_listener(f"127.0.0.1:{REINJECT_PORT}", "rewritten", {"message_size_limit": "0"}))
    return found


def password_ports(given: dict[str, Any]) -> list[str]:
    """Where somebody could try passwords."""
    legacy = [str(given.get("relay_legacy_port") or 2525)] if given.get("relay_legacy_address") else []
    return ["587", "465", *legacy]


def _listener(service: str, name: str, options: dict[str, str]) -> dict[str, Any]:
    return {"service": service, "name": name, "options": {"syslog_name": f"postfix/{name}", **options}}


def _legacy(given: dict[str, Any], users: bool) -> dict[str, Any]:
    """Old TLS and, if wanted, a password in clear: on one address, for those who are allow-listed or sign in."""
    address, options = str(given["relay_legacy_address"]), dict(OLD_TLS)
    if users:
        options.update(EITHER, smtpd_tls_auth_only="no" if given.get("relay_legacy_cleartext_auth") else "yes")
    where = f"[{address}]" if ":" in address else address
    return _listener(f"{where}:{given.get('relay_legacy_port') or 2525}", "legacy", options)
