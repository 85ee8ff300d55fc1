"""The folders of IIS SMTP's mail root: one file a message, as Get-ChildItem has them.

Sources: the page of Get-ChildItem; "FileInfo Class" (.NET).
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
    folder_path, host = folder.rstrip("\\").lower(), machine.host
    for server in iis_smtp.servers(host):
        if folder_path in [str(iis_smtp.value_of(host, server, name)).lower() for name in iis_smtp.MESSAGE_FOLDERS]:
            every = iis_smtp.message_files(host, server)
            return [FileInfo(path, len(mail.raw), mail.arrived) for path, mail in every if path.rpartition("\\")[0].lower() == folder_path]
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
