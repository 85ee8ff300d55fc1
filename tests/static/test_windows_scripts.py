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
    "certificates": "5a5c997828a4632ac0ec102e0981956217cc1486a2a3a964a2114f8ee0adae2a",
    "firewall_read": "37e7e955ec9034ddb40e46fbc5c60cc74efca1cf3817ce7a2156f2868cf0d72f",
    "firewall_write": "62f89bc25cbff11c8206db1339c34d64c252003e212c9e0545fe0a247c7bf604",
    "hmail_host": "96883fae095985c5ca748ed1ce3f1ab724e7de32eb710b0b55389c0f24008885",
    "hmail_installer": "453b205c3f74f7b0284bd9441ebc658b15e18a0c37e1c70ca15102ed727b92d5",
    "hmail_message": "60a26789017ce9962336a9acd3025845011bd9e793eef03b9a7ea467f9cb1faa",
    "hmail_queue": "ccdc0f396bc24a3e15b17a9c00b6b66ea45dee9c8d6123644158f947eda334c7",
    "hmail_read": "ddfb84f7132ace9a6d48677626ea7cd77e9e121f8c552a975c1a60705b791004",
    "hmail_remove": "3620590fd7dcaad5e9f8e7557bb2f69a2b7c174b312d0cbe0133df0368f2d34a",
    "hmail_setup": "67dcdbe937847668572dc5966c849a4015c5a35174c2326c10087e0605b223ec",
    "hmail_write": "e310ac584458d614f8e7ddc02e8f8b778255d35f1b99e1d42d6a2a6d64b89432",
    "host_facts": "d11ca992f116b1018e0133b6dcdce124793856e091dfb91dbce4c2172431f016",
    "iis_create": "40abffd6aac86a68ff6a1843914bb7857ee654e558fa35fbe337b2e3a0d251ba",
    "iis_features": "f30522097936fa078a8bb6f9aebddd5756a7369273dc5c1603c93d4934a05350",
    "iis_host": "3f07865e43391c55fa09eb1cf5d22e8aeff64fe6a1e609e7276dfd80e4820640",
    "iis_lists": "7373f3aab519caed5ac9cb75d3a1b612d3f97fbb0d1b439943987f196d4bb84b",
    "iis_log": "ced1961c83ec65ab393a9e1fd5f1321dc6706035d7dbcb2ebc7c249fe827262e",
    "iis_messages": "d3b812d456817fd41fab379095c224e531758c12077cde678aac624f9a4299b0",
    "iis_pickup": "ce3b3978e61df9ce3e4f70520184139a1bccb369a543e1fb8daf03b45e988dd5",
    "iis_queue": "0c3f1439bd2d0e39d15f49b688e274507d0bd31f01c4a492dfd3991239631cd6",
    "iis_read": "ce404184c2fec7f3774aaf6c95009eb1d7cb4de3aeaaeea921d86bab4f20ceb4",
    "iis_seed": "f883827c55cc04ec1c8644d52d2878d464b3f3df391ff247abb574029d879af9",
    "iis_write": "eed3f4260a1f347e29640f5a7aa9736f6b9ff1b78f8dc7958a63f79da6f34055",
    "memory": "5dbbce5584be52b1c605c3ffefdb88f814f6401acd7e2fc8320130f9eaed6873",
    "service": "c077dd78b4a31ee84a1db9b35dcd992a6cdd6776083f8ad618dc23991bbbae03",
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


SECRET = re.compile(
    r" *\$\w+(\[\$\w+\])? = \[Text\.Encoding\]::UTF8\.GetString\(\[Convert\]::FromBase64String\((\[string\])?\$lines\[(\d|\$\w+)\]\)\)"
)


def test_input_is_read_once_as_the_request_and_secrets() -> None:
    """Windows logs the arguments of cmdlets: line 0 alone is JSON, the others are decoded by .NET."""
    for path in SCRIPTS:
        lines = [line for line in path.read_text(encoding="ascii").splitlines() if "$input" in line or "$lines" in line]
        if lines:
            assert lines[0] == "$lines = @($input)", path.name
            assert [line.strip() for line in lines[1:2]] == ["$request = ConvertFrom-Json -InputObject $lines[0]"], path.name
        for line in lines[2:]:
            assert SECRET.fullmatch(line), line
