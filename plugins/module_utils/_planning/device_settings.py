# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is typed into the device or the program: server, port, encryption, sign-in, sender.

Private to the collection. Source: "How to set up a multifunction device or application to send email using Microsoft
365".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._http.clouds import Cloud
from .context import Facts
from .decision import Decision

_COLUMNS = ("Sender", "Server", "Port", "Encryption", "Sign-in", "User name", "From", "How and why")


def settings(decision: Decision, facts: Facts, cloud: Cloud, app: str) -> dict[str, Any]:
    """A sender's settings; what only a person has (a password, a key) is named, never held."""
    sender = decision.sender
    found = {"server": "", "port": 25, "encryption": "STARTTLS where it can", "sign_in": "none", "user": "", "from": sender.address}
    mx = facts.mx_host or "the tenant's MX host"
    if decision.method == "relay" and decision.relay:
        return found | {"server": decision.relay.host} | _login(dict(decision.relay.users).get(sender.address))
    if decision.method == "hosted" and facts.hosted:
        hosted = facts.hosted
        return found | {"server": hosted.host, "port": hosted.port, "encryption": "STARTTLS", "sign_in": "password", "user": hosted.user}
    ways: dict[str, dict[str, Any]] = {
        "oauth": {
            "server": cloud.smtp_host,
            "port": cloud.smtp_port,
            "encryption": "STARTTLS, TLS 1.2",
            "sign_in": f"OAuth 2.0 (XOAUTH2), application {app}",
            "user": sender.mailbox,
        },
        "basic": {
            "server": cloud.smtp_host,
            "port": cloud.smtp_port,
            "encryption": "STARTTLS, TLS 1.2",
            "sign_in": "the mailbox's password",
            "user": sender.mailbox,
        },
        "relay": {
            "server": mx,
            "encryption": f"STARTTLS with the certificate {sender.certificate_name}" if sender.certificate_name else found["encryption"],
        },
        "direct_send": {"server": mx},
        "hve": {
            "server": cloud.hve_host or "the cloud's own server for High Volume Email",
            "port": cloud.hve_port,
            "encryption": "STARTTLS, TLS 1.2",
            "sign_in": f"OAuth 2.0 (XOAUTH2), application {app}" if sender.oauth else "the account's password",
            "user": sender.address,
        },
        "acs": {
            "server": cloud.acs_host or "the cloud's own server of Azure Communication Services",
            "port": cloud.acs_port,
            "encryption": "STARTTLS, TLS 1.2",
            "sign_in": "the application's client secret as the password",
            "user": sender.address,
        },
    }
    return found | ways[decision.method]


def _login(user: str | None) -> dict[str, Any]:
    """What a device types that logs in to its relay host."""
    if not user:
        return {}
    return {"port": 587, "encryption": "STARTTLS", "sign_in": "the device's own password at the relay host", "user": user}


def sheet(tenant: str, entries: Iterable[dict[str, Any]]) -> str:
    """The settings of all senders as a Markdown table, for whoever stands before the devices."""
    lines = [f"# Mail settings: {tenant}", "", _row(_COLUMNS), _row("---" for _column in _COLUMNS)]
    for entry in entries:
        what = entry["settings"]
        cells = [entry["name"], what["server"], what["port"], what["encryption"], what["sign_in"], what["user"] or "none", what["from"]]
        lines.append(_row([*cells, f"{entry['method']}: {entry['reason']}"]))
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[Any]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
