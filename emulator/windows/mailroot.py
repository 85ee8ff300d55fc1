"""The folders of IIS SMTP's mail root: one file a message, as Get-ChildItem has them.

Sources: the page of Get-ChildItem; "FileInfo Class" (.NET). Names of files are those of published listings (NTFS_*.EML, *.BAD).
"""

from __future__ import annotations

from collections.abc import Iterable

from emulator.windows import certificate_store, iis_smtp
from emulator.windows.cim import WmiDateTime
from emulator.windows.files import Files
from emulator.windows.machine import Machine
from emulator.windows.powershell.binding import Call, Cmdlet, Parameter
from emulator.windows.powershell.errors import OutsideSubsetError
from emulator.windows.powershell.values import NetObject, Value


class FileInfo(NetObject):
    type_name = "System.IO.FileInfo"

    def __init__(self, path: str, size: int, written: float) -> None:
        self._members: dict[str, Value] = {
            "name": path.rpartition("\\")[2],
            "fullname": path,
            "length": size,
            "lastwritetimeutc": WmiDateTime(written),
        }

    def get(self, name: str) -> Value:
        return self._members[name.lower()] if name.lower() in self._members else super().get(name)


def _messages(machine: Machine, folder: str) -> list[FileInfo] | None:
    """The messages in a folder of a virtual server; None for any other folder."""
    for server in iis_smtp.servers(machine.host):
        for name, mails, ending in (("QueueDirectory", server.queue, "EML"), ("BadMailDirectory", server.bad_mail, "BAD")):
            path = iis_smtp.value_of(machine.host, server, name)
            if isinstance(path, str) and path and path.lower() == folder.rstrip("\\").lower():
                numbered = enumerate(mails)
                return [FileInfo(rf"{path}\NTFS_{number:08x}.{ending}", len(mail.raw), mail.arrived) for number, mail in numbered]
    return None


def cmdlets(machine: Machine) -> list[Cmdlet]:
    def files(call: Call) -> list[FileInfo]:
        path = call.get("LiteralPath")
        listed = _messages(machine, path)
        if listed is None:
            listed = [FileInfo(one.path, len(one.content), machine.now) for one in Files(machine).in_folder(path)]
            if not listed:
                message = f"Cannot find path '{path}' because it does not exist."
                call.report(message, "PathNotFound", category="ObjectNotFound", target=path, exception="ItemNotFoundException")
        return listed

    def children(call: Call) -> Iterable[Value]:
        if call.get("LiteralPath").rstrip("\\").lower() == certificate_store.STORE:
            return [certificate_store.CertificateObject(one) for one in machine.host.certificates]
        if not call.get("File", False):
            raise OutsideSubsetError("Get-ChildItem of a folder without -File")
        return files(call)

    return [Cmdlet("Get-ChildItem", children, (Parameter("LiteralPath", "string", mandatory=True), Parameter("File", "switch")))]
