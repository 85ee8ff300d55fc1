"""The PowerShell scripts of Windows hosts: short enough for a command line, valid, and pinned.

A changed script has to run on a real Windows: the emulator's interpreter knows PowerShell by its documentation alone.
"""

from __future__ import annotations

import base64
import hashlib
import re

from emulator.windows.powershell.syntax import Script

from .tree import REPO

SCRIPTS = sorted((REPO / "plugins/module_utils/_windows/scripts").glob("*.ps1"))
MOST_CHARACTERS = 3000
CMD_LIMIT = 8191
PREFIX = "PowerShell -NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand "
# SHA-256 of each script's text. None of them has run on a real Windows yet.
PINNED = {
    "firewall_read": "37e7e955ec9034ddb40e46fbc5c60cc74efca1cf3817ce7a2156f2868cf0d72f",
    "firewall_write": "62f89bc25cbff11c8206db1339c34d64c252003e212c9e0545fe0a247c7bf604",
    "host_facts": "d11ca992f116b1018e0133b6dcdce124793856e091dfb91dbce4c2172431f016",
}


def test_every_script_is_pinned() -> None:
    texts = {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in SCRIPTS}
    assert texts == PINNED


def test_scripts_fit_into_a_command_line() -> None:
    sizes = {path.name: len(path.read_text(encoding="ascii")) for path in SCRIPTS}
    assert not {name: size for name, size in sizes.items() if size > MOST_CHARACTERS}
    lengths = {path.name: len(PREFIX) + len(base64.b64encode(path.read_text(encoding="ascii").encode("utf-16-le"))) for path in SCRIPTS}
    assert not {name: length for name, length in lengths.items() if length > CMD_LIMIT}


def test_scripts_parse() -> None:
    for path in SCRIPTS:
        Script(path.read_text(encoding="ascii"))


def test_scripts_stop_at_the_first_error_and_answer_in_json() -> None:
    for path in SCRIPTS:
        lines = path.read_text(encoding="ascii").splitlines()
        assert lines[:2] == ["$ErrorActionPreference = 'Stop'", "$ProgressPreference = 'SilentlyContinue'"], path.name
        assert lines[-3] == "} catch {", path.name
        assert lines[-2].strip().startswith("ConvertTo-Json -InputObject @{ error = @{ id = "), path.name


SECRET = re.compile(r" *\$\w+ = \[Text\.Encoding\]::UTF8\.GetString\(\[Convert\]::FromBase64String\(\$lines\[\d\]\)\)")


def test_input_is_read_once_as_the_request_and_secrets() -> None:
    """Windows logs the arguments of cmdlets: line 0 alone is JSON, the others are decoded by .NET."""
    for path in SCRIPTS:
        lines = [line for line in path.read_text(encoding="ascii").splitlines() if "$input" in line or "$lines" in line]
        if lines:
            assert lines[0] == "$lines = @($input)", path.name
            assert [line.strip() for line in lines[1:2]] == ["$request = ConvertFrom-Json -InputObject $lines[0]"], path.name
        for line in lines[2:]:
            assert SECRET.fullmatch(line), line
