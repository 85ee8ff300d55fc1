# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of Postfix's smtp client towards an upstream, in master.cf. Source: postconf(5), TLS_README."""

from __future__ import annotations

from ..._hosted.providers import HOSTED_RELAYS
from .model import Upstream

# Ports with implicit TLS (RFC 8314, section 3), and those of the hosted relays.
IMPLICIT_TLS_PORTS = {465}.union(*(relay.tls_ports for relay in HOSTED_RELAYS.values()))
_LEVELS = {"verify": "secure", "encrypt": "encrypt", "none": "none"}


def options(upstream: Upstream, password_file: str) -> dict[str, str]:
    """Parameter -> value, for a transport whose password is in this file."""
    if upstream.name == "connector":
        return _connector(upstream)
    sasl = {
        "smtp_sasl_auth_enable": "yes",
        "smtp_sasl_password_maps": f"texthash:{password_file}",
        "smtp_sasl_security_options": "noanonymous",
        "smtp_sasl_mechanism_filter": "plain, login",
    }
    if upstream.oauth:
        # Connections are always reused, also without a backlog: an idle one that is not reused counts against the mailbox's three.
        return {"smtp_tls_security_level": "none", "smtp_connection_cache_destinations": "127.0.0.1", **sasl}
    result = {"smtp_tls_security_level": _LEVELS[upstream.tls], "smtp_address_preference": "ipv4"}
    if upstream.port in IMPLICIT_TLS_PORTS:
        result["smtp_tls_wrappermode"] = "yes"
    if upstream.name == "smarthost":
        result["smtp_host_lookup"] = "dns, native"
    return result | (sasl if upstream.username else {})


def _connector(upstream: Upstream) -> dict[str, str]:
    """IPv4 only: connectors match no other addresses. The client certificate is presented to Microsoft only."""
    result = {"inet_protocols": "ipv4", "smtp_tls_security_level": "encrypt"}
    if upstream.tls == "verify":
        result |= {"smtp_tls_security_level": "secure", "smtp_tls_secure_cert_match": ", ".join(upstream.certificate_names)}
    if upstream.client_certificate:
        result["smtp_tls_chain_files"] = f"{upstream.client_key}, {upstream.client_certificate}"
    return result
