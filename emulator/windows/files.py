"""Files of a Windows host: those of the state, and those that follow from it (hMailServer's INI file and log).

Sources: the pages of Get-FileHash, Get-Content, Remove-Item and Invoke-WebRequest; "File Class" (.NET).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from emulator.state.windows_files import WindowsFile
from emulator.windows import iis_log, iis_smtp, installer
from emulator.windows.cim import WmiDateTime
from emulator.windows.hmail_objects import log_path
from emulator.windows.machine import Machine
from emulator.windows.powershell.binding import Call, Cmdlet, Parameter
from emulator.windows.powershell.errors import OutsideSubsetError, ScriptError, script_error
from emulator.windows.powershell.values import NOTHING, Members, NetObject, NotedText, PSObject, Value

FIRST_WITH_TLS12 = 17763  # from then on Windows PowerShell negotiates TLS 1.2 unless it is told otherwise


class Files:
    """Paths without regard to case."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def _derived(self) -> list[WindowsFile]:
        return self._of_hmailserver() + self._of_iis()

    def _of_iis(self) -> list[WindowsFile]:
        servers = iis_smtp.servers(self._machine.host)
        logs = [WindowsFile(iis_log.path(self._machine, one), iis_log.content(one).encode()) for one in servers if one.log]
        return logs + [WindowsFile(path, mail.raw) for one in servers for path, mail in iis_smtp.message_files(self._machine.host, one)]

    def in_folder(self, folder: str) -> list[WindowsFile]:
        """The files of a folder, without those of its folders."""
        every = [*self._derived(), *self._machine.host.files]
        return [one for one in every if one.path.rpartition("\\")[0].lower() == folder.rstrip("\\").lower()]

    def _of_hmailserver(self) -> list[WindowsFile]:
        server = self._machine.host.hmailserver
        if server is None:
            return []
        log = "".join(f"{line}\r\n" for line in server.log).encode()
        ini = WindowsFile(installer.ini_path(server.version), installer.ini(server))
        return [ini, *([WindowsFile(log_path(self._machine, server), log)] if server.log else [])]

    def find(self, path: str) -> WindowsFile | None:
        return next((one for one in [*self._derived(), *self._machine.host.files] if one.path.lower() == path.lower()), None)

    def content(self, path: str) -> bytes:
        """Empty where there is no such file."""
        file = self.find(path)
        return file.content if file else b""

    def write(self, path: str, content: bytes, installs: str = "") -> None:
        self.remove(path)
        self._machine.host.files.append(WindowsFile(path, content, installs))

    def is_directory(self, path: str) -> bool:
        """Whether a file is below it."""
        return any(
            one.path.lower().startswith(f"{path.rstrip(chr(92))}\\".lower()) for one in [*self._derived(), *self._machine.host.files]
        )

    def remove_directory(self, path: str) -> None:
        beginning = f"{path.rstrip(chr(92))}\\".lower()
        self._machine.host.files = [one for one in self._machine.host.files if not one.path.lower().startswith(beginning)]

    def remove(self, path: str) -> bool:
        kept = [one for one in self._machine.host.files if one.path.lower() != path.lower()]
        removed = len(kept) < len(self._machine.host.files)
        self._machine.host.files = kept
        return removed


def _no_file(call: Call, path: str) -> ScriptError:
    message = f"Cannot find path '{path}' because it does not exist."
    return call.failure(message, "PathNotFound", category="ObjectNotFound", target=path, exception="ItemNotFoundException")


def statics(machine: Machine) -> dict[tuple[str, str], Callable[..., Value]]:
    """Static methods of System.IO.File and System.IO.Directory."""
    files = Files(machine)

    def read(path: str) -> str:
        file = files.find(path)
        if file is None:
            message = f'Exception calling "ReadAllText" with "1" argument(s): "Could not find file \'{path}\'."'
            raise script_error(message, "FileNotFoundException", exception="MethodInvocationException")
        return file.content.decode("utf-8", "replace")

    def write(path: str, text: str) -> Value:
        if not isinstance(text, str):
            raise OutsideSubsetError("WriteAllText of another value than a text")
        files.write(path, text.encode())
        return NOTHING

    def delete(path: str) -> Value:
        files.remove(path)
        return NOTHING

    def move(path: str, target: str) -> Value:
        if files.find(target):
            message = 'Exception calling "Move" with "2" argument(s): "Cannot create a file when that file already exists."'
            raise script_error(message, "IOException", exception="MethodInvocationException")
        files.write(target, read(path).encode())
        return delete(path)

    return {
        ("io.file", "exists"): lambda path: files.find(path) is not None,
        ("io.file", "readalltext"): read,
        ("io.file", "writealltext"): write,
        ("io.file", "delete"): delete,
        ("io.file", "move"): move,
        ("io.file", "getlastwritetimeutc"): lambda path: WmiDateTime(machine.now),
        ("io.directory", "exists"): files.is_directory,
        ("io.directory", "createdirectory"): lambda path: PSObject(Members({"FullName": path}), "System.IO.DirectoryInfo"),
    }


class CertificateObject(NetObject):
    """X509Certificate2 of a PEM file."""

    type_name = "System.Security.Cryptography.X509Certificates.X509Certificate2"

    def __init__(self, content: bytes) -> None:
        self._certificate = x509.load_pem_x509_certificate(content)

    def get(self, name: str) -> Value:
        members: dict[str, Value] = {
            "notafter": WmiDateTime(self._certificate.not_valid_after_utc.timestamp()),
            "thumbprint": self._certificate.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 (what Windows calls a thumbprint)
            "subject": self._certificate.subject.rfc4514_string(),
        }
        return members[name.lower()] if name.lower() in members else super().get(name)


def certificate(machine: Machine, path: str) -> NetObject:
    """New-Object X509Certificate2 -ArgumentList path."""
    try:
        return CertificateObject(Files(machine).content(path))
    except ValueError:
        message = 'Exception calling ".ctor" with "1" argument(s): "Cannot find the requested object."'
        raise script_error(
            message,
            "ConstructorInvokedThrowException,Microsoft.PowerShell.Commands.NewObjectCommand",
            exception="MethodInvocationException",
        ) from None


class FileCmdlets:
    def __init__(self, machine: Machine) -> None:
        self._machine, self._files = machine, Files(machine)

    def file_hash(self, call: Call) -> Iterable[Value]:
        file = self._files.find(call.get("LiteralPath"))
        if file is None:
            raise _no_file(call, call.get("LiteralPath"))
        values = {"Algorithm": "SHA256", "Hash": hashlib.sha256(file.content).hexdigest().upper(), "Path": file.path}
        return [PSObject(Members(values), "Microsoft.Powershell.Utility.FileHash")]

    def content(self, call: Call) -> Iterable[Value]:
        file = self._files.find(call.get("LiteralPath"))
        if file is None:
            raise _no_file(call, call.get("LiteralPath"))
        lines = [NotedText(line) for line in file.content.decode("utf-8", "replace").splitlines()]
        if call.has("TotalCount"):
            return lines[: call.get("TotalCount")]
        return lines[-call.get("Tail") :] if call.has("Tail") else lines

    def download(self, call: Call) -> Iterable[Value]:
        protocol = call.session.variables.get("_security_protocol", "")
        if self._machine.host.build < FIRST_WITH_TLS12 and protocol != "Tls12":
            message = "The request was aborted: Could not create SSL/TLS secure channel."
            raise call.failure(message, "WebCmdletWebResponseException", category="InvalidOperation", exception="WebException")
        file = self._files.find(call.get("Uri"))
        if file is None:
            message = "The remote server returned an error: (404) Not Found."
            raise call.failure(message, "WebCmdletWebResponseException", category="InvalidOperation", exception="WebException")
        if not call.get("UseBasicParsing", False):
            raise OutsideSubsetError("Invoke-WebRequest without -UseBasicParsing, which needs Internet Explorer")
        self._files.write(call.get("OutFile"), file.content, file.installs)
        return []

    def remove(self, call: Call) -> Iterable[Value]:
        path = call.get("LiteralPath")
        if not self._files.is_directory(path):
            raise _no_file(call, path)
        if not (call.get("Recurse", False) and call.get("Force", False)):
            raise OutsideSubsetError("Remove-Item of a directory without -Recurse and -Force")
        if path.rstrip("\\").count("\\") < 2:
            raise OutsideSubsetError(f"Remove-Item of {path}")
        self._files.remove_directory(path)
        return []


def cmdlets(machine: Machine) -> list[Cmdlet]:
    made = FileCmdlets(machine)
    literal = Parameter("LiteralPath", "string", mandatory=True)
    algorithm = Parameter("Algorithm", choices=("SHA256",))
    web = (Parameter("Uri", "string", 0, mandatory=True), Parameter("OutFile", mandatory=True), Parameter("UseBasicParsing", "switch"))
    return [
        Cmdlet("Get-FileHash", made.file_hash, (literal, algorithm)),
        Cmdlet(
            "Get-Content",
            made.content,
            (literal, Parameter("Tail", "int"), Parameter("TotalCount", "int"), Parameter("Encoding", choices=("UTF8", "Default"))),
        ),
        Cmdlet("Invoke-WebRequest", made.download, web),
        Cmdlet("Remove-Item", made.remove, (literal, Parameter("Recurse", "switch"), Parameter("Force", "switch"))),
    ]
