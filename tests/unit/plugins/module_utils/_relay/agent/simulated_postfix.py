# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated Postfix queue for the tests of export, import, drain and deletion; tests/hosts has a real one."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix.queue import Message
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.transfer import TransferError

REFUSED = "connect to 198.51.100.10[198.51.100.10]:587: Connection refused"


class Postfix:
    """Messages by queue id; `flushes` empties it after so many flushes."""

    def __init__(self, *ids: str, reason: str = REFUSED, held: bool = False) -> None:
        kind = "hold" if held else "deferred"
        self.messages = {i: Message(i, kind, 1_795_611_340.0, 9, "scanner@contoso.com", ("a@example.net",), reason) for i in ids}
        self.calls: list[tuple[str, ...]] = []
        self.sent: list[tuple[tuple[str, ...], bytes]] = []
        self.flushes = 0
        self.broken = ""

    def read(self) -> list[Message]:
        return list(self.messages.values())

    def call(self, *command: str, stdin: bytes | None = None) -> bytes:
        self.calls.append(command)
        name = Path(command[0]).name
        if name == self.broken:
            raise TransferError(f"{name} failed.")
        if name == "postcat":
            return f"Subject: {command[-1]}\n\nhello".encode()
        if name == "postsuper":
            del self.messages[command[-1]]
        if name == "sendmail":
            self.sent.append((command[1:], stdin or b""))
        if name == "postqueue":
            self.flushes -= 1
            if not self.flushes:
                self.messages.clear()
        return b""
