"""What the tests of windows_hmailserver share: options, and hosts with a setup program or an installed server."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils.resources.windows_hmailserver import RESOURCE

from emulator.state import HMailServer
from emulator.state.windows_files import WindowsFile
from emulator.windows import installer

from ..emulated import EmulatedHost

CONTENT, SETUP = b"a setup program", r"C:\Setup\hMailServer.exe"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
ADMIN = "Adm1n-Pa55word"
OPTIONS: dict[str, Any] = {
    "installer": {"path": SETUP, "sha256": DIGEST},
    "admin_password": ADMIN,
    "hostname": "relay.contoso.com",
    "ranges": [{"name": "printers", "networks": ["10.1.2.0/24"]}],
    "upstream": {"host": "contoso-com.mail.protection.outlook.com"},
}


class HMailHost(EmulatedHost):
    """`journal`: the directory of the journal and of digests."""

    def __init__(self, journal: Path, version: str = "5.6.9-B2632", **keys: Any) -> None:
        super().__init__(**{"files": [WindowsFile(SETUP, CONTENT, version)]} | keys)
        self.journal = journal

    @property
    def server(self) -> HMailServer:
        assert self.state.hmailserver is not None
        return self.state.hmailserver

    def installed(self) -> HMailHost:
        installer.install(self.state, "5.6.9-B2632")
        return self

    def task(self, *, check_mode: bool = False, **changed: Any) -> dict[str, Any]:
        options = {name: value for name, value in (OPTIONS | changed).items() if value is not None}
        return self.run(RESOURCE, options | {"journal_dir": str(self.journal)}, check_mode=check_mode)

    def absent(self, *, check_mode: bool = False, **changed: Any) -> dict[str, Any]:
        options = {"state": "absent", "admin_password": ADMIN, "journal_dir": str(self.journal)} | changed
        return self.run(RESOURCE, options, check_mode=check_mode)

    def ranges(self) -> dict[str, dict[str, Any]]:
        return {str(row.properties["Name"]): row.properties for row in self.server.ranges}
