"""The folders of IIS SMTP's mail root: one file a message, as Get-ChildItem has them.

Sources: the page of Get-ChildItem; "FileInfo Class" (.NET). Names of files are those of published listings (NTFS_*.EML, *.BAD).
"""

from __future__ import annotations

from collections.abc import Iterable

from emulator.state import QueuedMail
from emulator.windows import iis_smtp
from emulator.windows.cim import WmiDateTime
from emulator.windows.machine import Machine
from emulator.windows.powershell.binding import Call, Cmdlet, Parameter
from emulator.windows.powershell.errors import OutsideSubsetError
from emulator.windows.powershell.values import NetObject, Value


class FileInfo(NetObject):
    type_name = "System.IO.FileInfo"

    def __init__(self, folder: str, name: str, mail: QueuedMail) -> None:
        self._members: dict[str, Value] = {
            "name": name,
            "fullname": rf"{folder}\{name}",
            "length": len(mail.raw),
            "lastwritetimeutc": WmiDateTime(mail.arrived),
        }

    def get(self, name: str) -> Value:
        return self._members[name.lower()] if name.lower() in self._members else super().get(name)


def _listed(machine: Machine, folder: str) -> list[FileInfo] | None:
    """The files of a folder of a virtual server; None for any other folder."""
    written = folder.rstrip("\\").lower()
    for server in iis_smtp.servers(machine.host):
        for name, mails, ending in (("QueueDirectory", server.queue, "EML"), ("BadMailDirectory", server.bad_mail, "BAD")):
            path = iis_smtp.value_of(machine.host, server, name)
            if isinstance(path, str) and path and path.lower() == written:
                return [FileInfo(path, f"NTFS_{number:08x}.{ending}", mail) for number, mail in enumerate(mails)]
    return None


def cmdlets(machine: Machine) -> list[Cmdlet]:
    def children(call: Call) -> Iterable[Value]:
        if not call.get("File", False):
            raise OutsideSubsetError("Get-ChildItem without -File")
        path = call.get("LiteralPath")
        files = _listed(machine, path)
        if files is None:
            message = f"Cannot find path '{path}' because it does not exist."
            call.report(message, "PathNotFound", category="ObjectNotFound", target=path, exception="ItemNotFoundException")
        return files or []

    return [Cmdlet("Get-ChildItem", children, (Parameter("LiteralPath", "string", mandatory=True), Parameter("File", "switch")))]
