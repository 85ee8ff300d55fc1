"""Command lines: cmd.exe, powershell.exe and a few programs."""

from __future__ import annotations

import base64
import binascii
import re
from collections import deque
from dataclasses import dataclass
from xml.sax.saxutils import escape

from emulator.state import WindowsUser
from emulator.windows.powershell.core_cmdlets import console_text
from emulator.windows.powershell.errors import Failure
from emulator.windows.powershell.values import Value
from emulator.windows.runspaces import Runspaces

# Microsoft: "Command prompt line string limitation".
CMD_LIMIT = 8191
SWITCHES = {"-noprofile", "-noninteractive", "-nologo"}
_POWERSHELL = re.compile(r"(?:.*\\)?powershell(?:\.exe)?", re.IGNORECASE)


@dataclass
class Done:
    stdout: bytes = b""
    stderr: bytes = b""
    exit_code: int = 0


class Process:
    """A command line of a shell. Its exit code is that of about_PowerShell_exe: of `exit`, 1 after an error of the last command.

    `piped`: its input is a pipe, else a console without input; `through_cmd`: cmd.exe /C runs it."""

    def __init__(self, runspaces: Runspaces, user: WindowsUser, line: str, encoding: str, *, piped: bool, through_cmd: bool) -> None:
        self._runspaces, self._user, self._line, self._encoding = runspaces, user, line, encoding
        self._piped, self._through_cmd = piped, through_cmd
        self._words = line.split()
        self._script = _script_of(self._words)

    @property
    def waits_for_input(self) -> bool:
        """Whether it can only run when its whole input is there: a script that names $input or [Console]::In, whose input is a pipe."""
        return (
            self._piped and self._script is not None and re.search(r"\$input\b|\[Console\]::In\b", self._script, re.IGNORECASE) is not None
        )

    def run(self, stdin: bytes) -> Done:
        if self._through_cmd:
            self._runspaces.machine.log(4688, rf"C:\Windows\system32\cmd.exe /C {self._line}")
            if len(self._line) > CMD_LIMIT:
                return Done(stderr=b"The command line is too long.\r\n", exit_code=1)
        if self._script is not None:
            self._runspaces.machine.log(4688, self._line)
            return self._run_script(self._script, stdin)
        if not self._words:
            return Done()
        known = self._runspaces.program(self._words[0], self._words[1:], self._user)
        if known is None:
            text = f"'{self._words[0]}' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n"
            return Done(stderr=self._encoded(text), exit_code=1)
        return Done(self._encoded("".join(f"{line}\r\n" for line in known[0])), b"", known[1])

    def _encoded(self, text: str) -> bytes:
        return text.encode(self._encoding, "replace")

    def _run_script(self, script: str, stdin: bytes) -> Done:
        noise = self._runspaces.machine.noise()
        output = [f"{noise}\r\n"] if noise else []
        errors: list[Failure] = []

        def write(value: Value) -> None:
            if value is not None:
                output.append(f"{console_text(value)}\r\n")

        lines = deque(stdin.decode(self._encoding, "replace").splitlines()) if self._piped else deque[str]()
        session = self._runspaces.session(self._user)
        session.input = session.console = lines  # one stream, whoever reads it first
        session.write, session.write_text, session.write_error = write, output.append, errors.append
        outcome = self._runspaces.run_script(script, session)
        code = int(session.failed) if outcome.exit_code is None else outcome.exit_code
        if outcome.failure:
            errors.append(outcome.failure)
            code = 1
        return Done(self._encoded("".join(output)), clixml(errors), code)


def clixml(errors: list[Failure]) -> bytes:
    """The error stream of powershell.exe -EncodedCommand where stderr is no console (MS-PSRP, serialization of strings)."""
    if not errors:
        return b""
    lines = [line for error in errors for line in error.described().splitlines(keepends=True)]
    inner = "".join(f'<S S="Error">{escape(line).replace(chr(13), "_x000D_").replace(chr(10), "_x000A_")}</S>' for line in lines)
    return f'#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">{inner}</Objs>'.encode()


def _script_of(words: list[str]) -> str | None:
    """The script of a command line of powershell.exe with -EncodedCommand or -Command (about_PowerShell_exe); None for other programs."""
    if not words or not _POWERSHELL.fullmatch(words[0]):
        return None
    rest = words[1:]
    while rest:
        option = rest.pop(0).lower()
        if option == "-executionpolicy" and rest:
            rest.pop(0)
        elif option == "-encodedcommand" and len(rest) == 1:
            try:
                return base64.b64decode(rest[0], validate=True).decode("utf-16-le")
            except (binascii.Error, UnicodeDecodeError):
                return None
        elif option == "-command" and rest:
            return " ".join(rest)
        elif option not in SWITCHES:
            return None
    return None
