# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was read of a tenant, and what that cost, for the page."""

from __future__ import annotations

import re

from ...._core.json_types import JsonObject
from .evidence import as_text
from .plain_text import plain

_DEEPEST = 8  # levels
_LABELS = {
    "app_id": "Client ID",
    "date": "Date of the audit",
    "days": "Days of the sign-in log",
    "trace_days": "Days of the message trace",
    "direct_send_rejected": "Direct Send rejected",
    "ews": "Exchange Web Services",
    "ews_applications": "Applications that may use Exchange Web Services",
    "foreign": "Of another organization",
    "hve_accounts": "High Volume Email accounts",
    "idle_connectors": "Connectors without a message in the period",
    "key_id": "Key ID",
    "last_sign_in": "Last sign-in",
    "legacy_tls": "TLS 1.0 and 1.1 for SMTP AUTH",
    "mta_sts": "MTA-STS",
    "security_defaults_due": "Day on which Microsoft enables Security Defaults",
    "security_defaults": "Security Defaults",
    "sender_ip_addresses": "IP addresses",
    "smtp_auth": "SMTP AUTH of the organization",
    "smtp_send_as_app": "SMTP.SendAsApp",
    "spoofs": "Mail without authentication (spoof intelligence)",
    "tls_rpt": "TLS-RPT",
    "tls_sender_certificate_name": "Certificate name",
}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)")  # of which the day counts here
# What a setting means that the organization has not set.
_DEFAULTS = {("ews", "default"): "not set: blocked by default since 2026-10-01, except for the applications that may use it"}


def configuration(value: object, level: int = 0) -> object:
    """A value of the configuration with labels and plain texts. None was not read; "" and an empty list are nothing."""
    if isinstance(value, dict) and level < _DEEPEST:
        return {plain(_LABELS.get(name, name)): _named(name, part, level + 1) for name, part in value.items()}
    if isinstance(value, list) and level < _DEEPEST:
        return [configuration(part, level + 1) for part in value]
    if value is None or isinstance(value, bool | int):
        return value
    text = plain(as_text(value))
    return text[:10] if _MOMENT.fullmatch(text) else text


def _named(name: str, value: object, level: int) -> object:
    text = _DEFAULTS.get((name, value)) if isinstance(value, str) else None
    return text or configuration(value, level)


def cost_text(cost: JsonObject | None) -> str:
    """The cost of an audit in sentences; "" for a report that does not have it."""
    if not cost:
        return ""
    services = ", ".join(f"{number:,} to {service}" for service, number in cost["services"].items())
    retries = f", {cost['retries']:,} of them retries" if cost["retries"] else ""
    waited = f", of which {cost['waited']:,} waiting for a limit of a service" if cost["waited"] else ""
    requests, queries = f"{cost['requests']:,} HTTP requests ({services}){retries}", f"{cost['dns_queries']:,} DNS queries"
    return plain(f"{requests}; {queries}; {cost['seconds']:,} seconds{waited}.")
