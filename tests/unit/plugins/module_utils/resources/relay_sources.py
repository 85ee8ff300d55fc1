# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay whose status the tests read: its files, its units, what openssl and fail2ban print, the time."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import config, status, status_text
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.state import MonitorState
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.store import MonitorStore
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.paths import Paths
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix.maillog import Delivery
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix.queue import Message
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.status_document import Status

MAILBOX, ERP = "scanner@contoso.com", "erp@contoso.com"
NOW = 1_795_600_000.0
UPTIME = 7000.0
CONFIG: dict[str, Any] = {
    "hostname": "relay1.contoso.com",
    "upstream": "oauth",
    "mailboxes": [
        {"address": MAILBOX, "transport": "m365-1", "senders": [MAILBOX], "recipients_per_day": 10},
        {"address": ERP, "transport": "m365-2", "senders": [ERP], "recipients_per_day": 10000},
    ],
}
OFF = (
    "SASL authentication failed; server 127.0.0.1[127.0.0.1] said: 535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is "
    "disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled for more information. [X]"
)
PROXY_REPLY = "SASL authentication failed; server 127.0.0.1[127.0.0.1] said: 454 4.7.0 Account is temporarily unavailable."
DENIED = "host 127.0.0.1[127.0.0.1] said: 550 5.2.252 SendAsDenied; x not allowed to send as y"
SERVER = "smtp.office365.com:587"
UNREACHABLE = "connect to smtp.office365.com[192.0.2.1]:587: Connection timed out"
SECRET = "eyJ0eXAiOiJKV1QiLCJhbGciOi"


def message(queue_id: str, sender: str, reason: str, queue: str = "deferred", age: float = 60) -> Message:
    return Message(queue_id, queue, NOW - age, 1000, sender, ("a@example.net",), reason)


def relay_paths(directory: Path) -> Paths:
    """The files of a relay whose token and certificate are valid."""
    result = Paths(directory / "etc", directory / "lib", directory / "run", directory / "check")
    for path in (result.configuration, result.state, result.run, result.check):
        path.mkdir()
    result.config_file.write_text(json.dumps(CONFIG))
    result.identity.mkdir()
    for name in ("cert.pem", "key.pem"):
        (result.identity / name).touch()
    result.token.write_text(json.dumps({"access_token": SECRET}))
    token(result)
    return result


def token(paths: Paths, failure: str = "", expires: float = NOW + 2400) -> None:
    since = NOW - 60 if failure else None
    paths.token_status.write_text(json.dumps({"issued": NOW - 60, "expires": expires, "failure": failure, "failing_since": since}))


def systemctl(*command: Any, **_options: Any) -> subprocess.CompletedProcess[str]:
    """Every unit runs, and every certificate is valid."""
    if command[0][:2] == ["openssl", "x509"]:
        return subprocess.CompletedProcess(command[0], 0, "notAfter=Nov 25 00:00:00 2027 GMT\n", "")
    block = "LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nResult=success\nNRestarts=0\n"
    units = [word for word in command[0][1:] if "." in word] if command[0][0] == "systemctl" else []
    return subprocess.CompletedProcess(command[0], 0, "\n".join(block for _unit in units), "")


def statvfs(free_bytes: int = 10 << 30, free_files: int = 10**6, of: str = "") -> Any:
    """A disk with much space; `of`: a part of the path whose disk has these numbers."""

    def read(path: Path) -> Any:
        here = of in str(path)
        return SimpleNamespace(
            f_bavail=(free_bytes if here else 10 << 30) // 4096, f_frsize=4096, f_files=10**7, f_favail=free_files if here else 10**6
        )

    return read


def collect(paths: Paths, *messages: Message, run: Any = systemctl, disk: Any = None) -> Status:
    return status.collect(
        status.Sources(
            MonitorStore(paths), lambda: list(messages), run, lambda: NOW, lambda: UPTIME, statvfs=disk or statvfs(), spool=paths.run
        )
    )


def monitor(paths: Paths, *events: Any) -> None:
    state = MonitorState(config.parse(CONFIG))
    for event in events:
        state.process(event)
    state.update(NOW)
    MonitorStore(paths).save(state, "s=1")


def delivery(label: str, outcome: str, text: str = "250 ok", queue_id: str = "A") -> Delivery:
    return Delivery(NOW - 30, label, "smtp", queue_id, "a@example.net", "x", "2.0.0", outcome, text, 1.0, (0.1, 0.0, 0.5, 0.4))


def text_of(document: Status) -> str:
    return "\n".join(line for line, _colour in status_text.lines(document, 120))


def check(paths: Paths, **values: Any) -> None:
    paths.upstream_check.write_text(json.dumps({"server": SERVER, "checked": NOW - 20, "contacted": NOW - 20} | values))
