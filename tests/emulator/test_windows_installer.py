"""Setup programs of hMailServer on a Windows host: exit codes, what an installation leaves, and the dialogs that nobody answers."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from emulator.state import WindowsHost
from emulator.state.windows_files import WindowsFile, WindowsProcess
from tests.emulator.test_windows_machine import error_ids, output, windows

SETUP = r"C:\Setup\hMailServer.exe"
ARGUMENTS = "'/VERYSILENT', '/SUPPRESSMSGBOXES', '/NORESTART'"
START = f"$p = Start-Process -FilePath '{SETUP}' -ArgumentList {ARGUMENTS} -PassThru; $null = $p.Handle; "
REMOVE = r"$p = Start-Process -FilePath 'C:\Program Files (x86)\hMailServer\unins000.exe' -ArgumentList " + ARGUMENTS + " -PassThru; "
UNINSTALL = r"HKLM:\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall\hMailServer_is1"


def host(version: str = "5.6.9-B2632", **keys: Any) -> WindowsHost:
    return windows(**{"files": [WindowsFile(SETUP, b"setup", installs=version)]} | keys)


class TestInstallation:
    def test_a_silent_installation(self) -> None:
        made = host()
        assert output(made, START + "$p.WaitForExit(1000); $p.ExitCode") == [True, 0]
        assert output(made, '$s = Get-Service hMailServer; "$($s.Status) $($s.StartType)"') == ["Running Automatic"]
        script = f"$k = Get-ItemProperty -Path '{UNINSTALL}'; $k.DisplayVersion; $k.InstallLocation"
        assert output(made, script) == ["5.6.9.2632", "C:\\Program Files (x86)\\hMailServer\\"]
        ini = r"[IO.File]::ReadAllText('C:\Program Files (x86)\hMailServer\Bin\hMailServer.INI') -match 'd41d8cd98f00b204e9800998ecf8427e'"
        assert output(made, ini) == [True]
        assert output(made, "(New-Object -ComObject hMailServer.Application).Version") == ["5.6.9-B2632"]

    @pytest.mark.parametrize(
        ("version", "folder"), [("5.6.8-B2574", "Program Files (x86)"), ("5.7.0-B2643", "Program Files"), ("6.3.8-B3100", "Program Files")]
    )
    def test_versions_of_64_bits_are_elsewhere(self, version: str, folder: str) -> None:
        made = host(version)
        output(made, START)
        key = r"HKLM:\SOFTWARE\WOW6432Node\hMailServer"
        assert output(made, f"(Get-ItemProperty -Path '{key}').InstallLocation") == [f"C:\\{folder}\\hMailServer\\"]
        assert output(made, f"Test-Path -Path '{UNINSTALL}'") == [version.startswith("5.6")]

    def test_the_exit_code_needs_the_handle(self) -> None:
        assert output(host(), START.replace("$null = $p.Handle; ", "") + "$null -eq $p.ExitCode") == [True]

    def test_a_file_that_is_no_program(self) -> None:
        made = host(files=[WindowsFile(SETUP, b"text")])
        assert error_ids(made, "$ErrorActionPreference = 'Stop'; " + START) == [
            "InvalidOperationException,Microsoft.PowerShell.Commands.StartProcessCommand"
        ]

    def test_an_upgrade_keeps_the_settings(self) -> None:
        made = host()
        output(made, START + "$s = (New-Object -ComObject hMailServer.Application).Settings; $s.HostName = 'mail.contoso.com'")
        made.files[0].installs = "5.6.9-B2700"
        output(made, START)
        assert output(made, "$a = New-Object -ComObject hMailServer.Application; $a.Version; $a.Settings.HostName") == [
            "5.6.9-B2700", "mail.contoso.com"
        ]  # fmt: skip


class TestDialogs:
    @pytest.mark.parametrize(
        "keys",
        [
            {"processes": [WindowsProcess("othermail", ports=[25])]},
            {"processes": [WindowsProcess("othermail", ports=[143])]},
            {"processes": [WindowsProcess("hMailAdmin")]},
            {"dotnet_release": 378000},
        ],
    )
    def test_what_stops_an_installation(self, keys: dict[str, Any]) -> None:
        made = host(**keys)
        assert output(made, START + "$p.WaitForExit(1000); $p.HasExited") == [False, False]
        assert made.hmailserver is None

    def test_a_wizard(self) -> None:
        assert output(host(), START.replace(ARGUMENTS, "'/SILENT'") + "$p.WaitForExit(1000)") == [False]

    def test_a_password_that_an_earlier_installation_left(self) -> None:
        made = host()
        output(made, START + "(New-Object -ComObject hMailServer.Application).Settings.SetAdministratorPassword('Adm1n')")
        assert output(made, REMOVE + "$p.WaitForExit(1000)") == [True]
        assert made.hmailserver is None
        assert output(made, "@(Get-Service | Where-Object { $_.Name -eq 'hMailServer' }).Count") == [0]
        assert output(made, START + "$p.WaitForExit(1000); @(Get-Process -Name 'DBSetup*').Count") == [False, 1]

    def test_the_processes_of_a_setup_are_ended_by_their_parents(self) -> None:
        made = host(processes=[WindowsProcess("othermail", 4000, ports=[25])])
        children = 'Get-CimInstance -ClassName Win32_Process -Filter "ParentProcessId = $($p.Id)"'
        output(made, START + f"$null = {children} | Invoke-CimMethod -MethodName Terminate; $p.Kill()")
        assert [one.name for one in made.processes] == ["othermail"]


class TestFiles:
    def test_hash(self) -> None:
        script = f"(Get-FileHash -LiteralPath '{SETUP}' -Algorithm SHA256).Hash"
        assert output(host(), script) == [hashlib.sha256(b"setup").hexdigest().upper()]
        missing = "$h = Get-FileHash -LiteralPath 'C:\\none.exe'"
        assert error_ids(host(), missing) == ["PathNotFound,Microsoft.PowerShell.Commands.GetFileHashCommand"]

    def test_text(self) -> None:
        made = host()
        write = r"[IO.File]::WriteAllText('C:\ProgramData\a.txt', 'one'); [IO.File]::Exists('c:\programdata\A.TXT'); "
        assert output(made, write + r"Get-Content -LiteralPath 'C:\ProgramData\a.txt' -Tail 1") == [True, "one"]
        assert output(made, r"[IO.File]::Delete('C:\ProgramData\a.txt'); [IO.File]::Exists('C:\ProgramData\a.txt')") == [False]

    @pytest.mark.parametrize(("build", "tls"), [(14393, ""), (14393, "set"), (17763, "")])
    def test_downloads_need_tls_1_2(self, build: int, tls: str) -> None:
        made = host(build=build, files=[WindowsFile("https://files.contoso.com/h.exe", b"setup", "5.6.9-B2632")])
        script = "[Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12; " if tls else ""
        script += rf"Invoke-WebRequest -Uri 'https://files.contoso.com/h.exe' -OutFile '{SETUP}' -UseBasicParsing"
        expected = (
            ["WebCmdletWebResponseException,Microsoft.PowerShell.Commands.InvokeWebRequestCommand"] if build == 14393 and not tls else []
        )
        assert error_ids(made, script) == expected
        assert len(made.files) == (1 if expected else 2)


class TestPorts:
    def test_listening_processes(self) -> None:
        made = host(processes=[WindowsProcess("othermail", 4000, ports=[587])])
        output(made, START)
        script = "foreach ($c in @(Get-NetTCPConnection -State Listen | Where-Object { $_.LocalPort -in @(25, 587) })) { "
        assert output(made, script + '"$($c.LocalPort) $($c.OwningProcess)" }') == ["587 4000", "25 1300"]
