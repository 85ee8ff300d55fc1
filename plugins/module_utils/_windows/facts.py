# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Windows host is, and which products can relay mail there.

Sources: "Features removed or no longer developed starting with Windows Server 2025"; "Roles, role services, and features included in
Windows Server - Server Core"; "Windows Server release information" (builds).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .._core.errors import MailopsError
from .host import WindowsHost

# InstallationType in the registry.
INSTALLATIONS = {"Server": "desktop_experience", "Server Core": "server_core", "Client": "client"}
FIRST_WITHOUT_IIS_SMTP = 26100  # Windows Server 2025
OLDEST = 14393  # Windows Server 2016
_OTHERWISE = "use hMailServer on this host, or a relay host on Linux"


@dataclass(frozen=True)
class HostFacts:
    """`installation`: a value of INSTALLATIONS; `restart_pending`: an update or a feature waits for a restart."""

    name: str
    caption: str
    build: int
    installation: str
    restart_pending: bool
    exchange: bool

    def as_result(self) -> dict[str, object]:
        return {
            "name": self.name,
            "caption": self.caption,
            "build": self.build,
            "installation": self.installation,
            "restart_pending": self.restart_pending,
            "exchange": self.exchange,
        }

    def obstacles(self) -> dict[str, list[str]]:
        """Why a product cannot relay mail on this host, by product; empty where it can."""
        both = self._of_every_product()
        return {"iis_smtp": both + self._of_iis_smtp(), "hmailserver": both}

    def has_server_features(self) -> bool:
        """Whether the host has roles and features of Windows Server (module ServerManager)."""
        return self.installation != "client"

    def _of_every_product(self) -> list[str]:
        obstacles = []
        if self.build < OLDEST:
            obstacles.append(f"{self.caption} (build {self.build}) is older than Windows Server 2016 and Windows 10 1607: upgrade it.")
        if self.exchange:
            obstacles.append("Exchange Server is installed and uses port 25: choose another host, or let Exchange relay.")
        return obstacles

    def _of_iis_smtp(self) -> list[str]:
        if self.installation == "client":
            return [f"{self.caption} is a client edition, which has no feature SMTP-Server: {_OTHERWISE}."]
        obstacles = []
        if self.build >= FIRST_WITHOUT_IIS_SMTP:
            obstacles.append(f"Microsoft has removed the feature SMTP-Server from {self.caption}: {_OTHERWISE}.")
        if self.installation == "server_core":
            obstacles.append(f"{self.caption} is a Server Core installation, which has no feature SMTP-Server: {_OTHERWISE}.")
        return obstacles


def read(host: WindowsHost) -> HostFacts:
    """The facts, in one script. MailopsError names a value that Windows does not have."""
    document = host.run("host_facts", "read what the host is")
    values = _Values(host.name, document)
    installation = values.text("installation")
    if installation not in INSTALLATIONS:
        raise values.refusal("installation")
    build = values.text("build")
    if not build.isdecimal():
        raise values.refusal("build")
    restarts = document.get("restarts")
    if not isinstance(restarts, list):
        raise values.refusal("restarts")
    return HostFacts(
        values.text("name"),
        values.text("caption"),
        int(build),
        INSTALLATIONS[installation],
        any(restarts),
        document.get("exchange") is True,
    )


class _Values:
    def __init__(self, host: str, document: Mapping[str, object]) -> None:
        self._host, self._document = host, document

    def text(self, name: str) -> str:
        value = self._document.get(name)
        if not isinstance(value, str):
            raise self.refusal(name)
        return value.strip()

    def refusal(self, name: str) -> MailopsError:
        return MailopsError(f"{self._host} says {name} {self._document.get(name)!r}, which no version of Windows is known to have.")
