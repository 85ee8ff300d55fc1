"""What scripts read and change on a Windows host: version, features, services, firewall, registry, restart."""

from __future__ import annotations

import time
from typing import Any

import pytest
import winrm
from pypsrp.exceptions import WSManFaultError as PsrpFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from emulator.state import FirewallRule, RegistryValue, WindowsHost, WindowsService, WindowsUser
from emulator.windows.machine import Machine
from emulator.windows.runspaces import Runspaces
from tests.emulator.conftest import Start
from tests.emulator.windows_lab import PASSWORD, USER, Lab, Ran, host_document


def windows(**keys: Any) -> WindowsHost:
    return WindowsHost("win1", users=[WindowsUser(USER, PASSWORD)], **keys)


def run(host: WindowsHost, script: str, *lines: str) -> Ran:
    """Run a script on a host, without WinRM; `lines` are its input."""
    runspaces = Runspaces(Machine(host, time.time))
    session = runspaces.session(host.users[0])
    ran = Ran(0, [], session=session)
    session.input.extend(lines)
    session.write, session.write_text, session.write_error = ran.output.append, ran.output.append, ran.errors.append
    outcome = runspaces.run_script(script, session)
    ran.errors += [outcome.failure] if outcome.failure else []
    return ran


def output(host: WindowsHost, script: str) -> list[Any]:
    ran = run(host, script)
    assert ran.errors == []
    return ran.output


def error_ids(host: WindowsHost, script: str) -> list[str]:
    return [error.error_id for error in run(host, script).errors]


class TestVersion:
    """Win32_OperatingSystem class; InstallationType in the registry."""

    @pytest.mark.parametrize(
        ("build", "edition", "expected"),
        [
            (14393, "Server", ["Microsoft Windows Server 2016 Standard", "10.0.14393", 3, 7, "Server"]),
            (17763, "Server Core", ["Microsoft Windows Server 2019 Standard", "10.0.17763", 3, 13, "Server Core"]),
            (26100, "Server", ["Microsoft Windows Server 2025 Standard", "10.0.26100", 3, 7, "Server"]),
            (22631, "Client", ["Microsoft Windows 11 Pro", "10.0.22631", 1, 48, "Client"]),
        ],
    )
    def test_editions(self, build: int, edition: str, expected: list[Any]) -> None:
        script = "$os = Get-CimInstance Win32_OperatingSystem; $os.Caption; $os.Version; $os.ProductType; $os.OperatingSystemSKU;"
        script += r"Get-ItemPropertyValue 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion' InstallationType"
        assert output(windows(build=build, edition=edition), script) == expected

    @pytest.mark.parametrize(
        ("script", "error_id"),
        [
            ("Get-CimInstance Win32_Nothing", "HRESULT 0x80041010"),
            ("Get-CimInstance -Namespace root/nothing Win32_Service", "HRESULT 0x8004100e"),
        ],
    )
    def test_errors_of_wmi(self, script: str, error_id: str) -> None:
        assert error_ids(windows(), script) == [f"{error_id},Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand"]


class TestRegistry:
    """about_Registry_Provider."""

    KEY = r"'HKLM:\SOFTWARE\Mailops'"

    def test_values_are_written_and_read(self) -> None:
        host = windows(registry=[RegistryValue(r"HKLM:\SOFTWARE\Other\Key", "Text", text="x")])
        script = f"Test-Path {self.KEY}; $null = New-Item {self.KEY}; Test-Path {self.KEY}; "
        script += f"$null = New-ItemProperty {self.KEY} Number -Value 5 -PropertyType DWord; Set-ItemProperty {self.KEY} Text 'a'; "
        script += f"$p = Get-ItemProperty {self.KEY}; $p.Number; $p.Text; Remove-ItemProperty {self.KEY} Text; "
        script += f"(Get-ItemProperty {self.KEY}).Text; "
        script += r"(Get-ItemProperty 'HKLM:\software\other\key').text; Test-Path HKLM:\SOFTWARE\Other"
        assert output(host, script) == [False, True, 5, "a", None, "x", True]

    def test_errors(self) -> None:
        management = "Microsoft.PowerShell.Commands"
        assert error_ids(windows(), f"Get-ItemProperty {self.KEY}") == [f"PathNotFound,{management}.GetItemPropertyCommand"]
        missing = r"Get-ItemPropertyValue 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion' Nothing"
        assert error_ids(windows(), missing) == [
            f"System.Management.Automation.PSArgumentException,{management}.GetItemPropertyValueCommand"
        ]

    def test_a_value_of_another_type_is_refused(self) -> None:
        host = windows(registry_keys=[r"HKLM:\SOFTWARE\Mailops"])
        assert error_ids(host, f"New-ItemProperty {self.KEY} Number -Value '5' -PropertyType DWord") == ["OutsideSubset"]
        assert host.refused == ["a string as a DWord of the registry"]


class TestFeatures:
    """Get-WindowsFeature, Install-WindowsFeature, Uninstall-WindowsFeature."""

    INSTALL = "$r = Install-WindowsFeature 'SMTP-Server', 'Web-WMI'; $r.Success; \"$($r.RestartNeeded) $($r.ExitCode)\"; "
    INSTALL += "$r.FeatureResult.Name"

    def test_smtp_server_brings_its_service_which_is_manual(self) -> None:
        host = windows()
        assert output(host, 'Get-WindowsFeature SMTP-Server | ForEach-Object { $_.Installed; "$($_.InstallState)" }') == [
            False,
            "Available",
        ]
        assert output(host, self.INSTALL) == [True, "No Success", "Web-Metabase", "SMTP-Server", "Web-WMI"]
        assert output(host, '(Get-WindowsFeature smtp-server).Installed; $s = Get-Service SMTPSVC; "$($s.Status) $($s.StartType)"') == [
            True,
            "Stopped Manual",
        ]
        assert output(host, self.INSTALL) == [True, "No NoChangeNeeded"]

    def test_a_feature_that_needs_a_restart(self) -> None:
        host = windows(features_with_restart=["Web-WMI"])
        pending = r"Test-Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending'"
        assert output(host, f"{pending}; {self.INSTALL}; {pending}") == [
            False, True, "Yes SuccessRestartRequired", "Web-Metabase", "SMTP-Server", "Web-WMI", True,
        ]  # fmt: skip
        Machine(host, time.time).restart()
        assert output(host, pending) == [False]

    @pytest.mark.parametrize(("build", "edition"), [(26100, "Server"), (20348, "Server Core")])
    def test_versions_without_the_smtp_server(self, build: int, edition: str) -> None:
        host = windows(build=build, edition=edition)
        assert output(host, "@(Get-WindowsFeature SMTP-Server).Count; @(Get-WindowsFeature Web-Metabase).Count") == [0, 1]
        assert error_ids(host, self.INSTALL.partition(";")[0]) == [
            "NameDoesNotExist,Microsoft.Windows.ServerManager.Commands.AddWindowsFeatureCommand"
        ]

    def test_a_client_has_no_server_manager(self) -> None:
        assert error_ids(windows(edition="Client"), "Get-WindowsFeature") == ["CommandNotFoundException"]

    def test_uninstallation(self) -> None:
        host = windows()
        output(host, self.INSTALL)
        assert output(host, "(Uninstall-WindowsFeature SMTP-Server).ExitCode.value__; @(Get-Service -Name SMTP*).Count") == [3010, 0]
        assert host.reboot_pending
        assert host.features == ["Web-Metabase", "Web-WMI"]


def with_smtp(**keys: Any) -> WindowsHost:
    host = windows(**keys)
    output(host, "$null = Install-WindowsFeature 'SMTP-Server', 'Web-WMI'")
    return host


class TestServices:
    """Get-, Set-, Start-, Stop- and Restart-Service; Win32_Service class."""

    STATE = '$s = Get-Service SMTPSVC; "$($s.Status) $($s.StartType)"'

    def test_start_modes_and_states(self) -> None:
        host = with_smtp()
        script = "Set-Service SMTPSVC -StartupType Automatic; Start-Service SMTPSVC; (Get-Service SMTPSVC).Status -eq 'running'"
        assert output(host, f"{script}; {self.STATE}; Stop-Service SMTPSVC; {self.STATE}") == [
            True,
            "Running Automatic",
            "Stopped Automatic",
        ]

    def test_what_needs_it_is_stopped_only_by_force(self) -> None:
        host = with_smtp()
        output(host, "Start-Service SMTPSVC")
        assert error_ids(host, "Stop-Service IISADMIN") == ["ServiceHasDependentServices,Microsoft.PowerShell.Commands.StopServiceCommand"]
        assert output(host, "Restart-Service IISADMIN -Force; " + self.STATE) == ["Running Manual"]
        assert output(host, "Stop-Service IISADMIN -Force; " + self.STATE) == ["Stopped Manual"]
        assert output(host, 'Start-Service SMTPSVC; "$((Get-Service IISADMIN).Status)"') == ["Running"]

    @pytest.mark.parametrize(
        ("script", "error_id"),
        [
            ("Get-Service Nothing", "NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.GetServiceCommand"),
            (
                "Set-Service SMTPSVC -StartupType Disabled; Start-Service SMTPSVC",
                "CouldNotStartService,Microsoft.PowerShell.Commands.StartServiceCommand",
            ),
            ("Set-Service SMTPSVC -StartupType Auto", "CannotConvertArgumentNoMessage,Microsoft.PowerShell.Commands.SetServiceCommand"),
        ],
    )  # fmt: skip
    def test_errors(self, script: str, error_id: str) -> None:
        assert error_ids(with_smtp(), script) == [error_id]

    def test_error_action(self) -> None:
        """about_CommonParameters: a missing service is a non-terminating error."""
        assert output(windows(), "$s = Get-Service Nothing -ErrorAction SilentlyContinue; $null -eq $s") == [True]
        assert output(windows(), "try { Get-Service Nothing -ErrorAction Stop } catch { $_.CategoryInfo.Category }") == ["ObjectNotFound"]

    def test_by_wmi(self) -> None:
        host = with_smtp()
        get = "$s = Get-CimInstance Win32_Service -Filter \"Name='smtpsvc'\"; "
        assert output(host, get + "$s.StartMode; $s.State; $s.Started") == ["Manual", "Stopped", False]
        script = (
            get + "(Invoke-CimMethod -InputObject $s -MethodName ChangeStartMode -Arguments @{ StartMode = 'Automatic' }).ReturnValue; "
        )
        script += (
            "($s | Invoke-CimMethod -MethodName StartService).ReturnValue; ($s | Invoke-CimMethod -MethodName StartService).ReturnValue; "
        )
        assert output(host, script + get + "$s.StartMode; $s.State") == [0, 0, 10, "Auto", "Running"]

    @pytest.mark.parametrize(
        ("script", "refusal"),
        [
            ("(Get-Service WinRM).State", "System.ServiceProcess.ServiceController has no property 'State'"),
            ("(Get-CimInstance Win32_Service).Status", "Win32_Service has no property 'Status'"),
            ("Get-CimInstance Win32_Service -Filter \"Title='x'\"", "Win32_Service has no property 'Title'"),
            ('Get-CimInstance Win32_Service -Filter "Name=5"', "Win32_Service.Name compared with a int"),
            ("Get-CimInstance Win32_Service | Invoke-CimMethod -MethodName Start", "the method Start with 0 arguments"),
            ("Set-Service WinRM -StartupType Manual -WhatIf", "Set-Service -WhatIf True"),
        ],
    )
    def test_misspelt_names_are_refused(self, script: str, refusal: str) -> None:
        host = windows()
        assert error_ids(host, script)[-1] == "OutsideSubset"
        assert host.refused[-1] == refusal


class TestFirewall:
    """New-, Get-, Set- and Remove-NetFirewallRule, and the filters of a rule."""

    NEW = (
        "$null = New-NetFirewallRule -Name mailops-25 -DisplayName 'SMTP' -Group mailops -Direction Inbound -Action Allow -Protocol TCP "
        "-LocalPort '25' -RemoteAddress '10.1.2.0/24', '10.9.9.9' -Profile 'Domain', 'Private'"
    )
    READ = (
        "$r = Get-NetFirewallRule -Group mailops; $a = $r | Get-NetFirewallAddressFilter; "
        "$p = Get-NetFirewallPortFilter -AssociatedNetFirewallRule $r; "
        '"$($r.Name) $($r.Enabled) $($r.Direction) $($r.Action) $($r.Profile)"; "$($p.Protocol) $($p.LocalPort)"; $a.RemoteAddress'
    )

    def test_a_rule_with_its_filters(self) -> None:
        host = windows()
        expected = ["mailops-25 True Inbound Allow Domain, Private", "TCP 25", "10.1.2.0/255.255.255.0", "10.9.9.9"]
        assert output(host, f"{self.NEW}; {self.READ}") == expected

    def test_changes_and_removal(self) -> None:
        host = windows(firewall=[FirewallRule("other", "Other")])
        script = f"{self.NEW}; Set-NetFirewallRule -Name mailops-25 -RemoteAddress Any -LocalPort '25', '587' -Enabled False; {self.READ}"
        assert output(host, script) == ["mailops-25 False Inbound Allow Domain, Private", "TCP 25 587", "Any"]
        assert output(host, "Get-NetFirewallRule -Group mailops | Remove-NetFirewallRule; @(Get-NetFirewallRule).Count") == [1]

    def test_a_rule_that_is_off_is_still_true(self) -> None:
        """about_Booleans: Enabled is an enumeration whose member False is 2."""
        host = windows(firewall=[FirewallRule("r", "R", enabled=False)])
        assert output(host, "$r = Get-NetFirewallRule r; if ($r.Enabled) { 'true' }; $r.Enabled -eq 'False'") == ["true", True]

    @pytest.mark.parametrize(
        ("script", "error_id"),
        [
            ("Get-NetFirewallRule -Name none", "CmdletizationQuery_NotFound_InstanceID,Get-NetFirewallRule"),
            (f"{NEW}; {NEW}", "Windows System Error 183,New-NetFirewallRule"),
            ("New-NetFirewallRule -Name a -DisplayName b -RemoteAddress 10.1.2.3/24", "Windows System Error 87,New-NetFirewallRule"),
            ("New-NetFirewallRule -Name a -DisplayName b -Protocol TCP -LocalPort '70000'", "Windows System Error 87,New-NetFirewallRule"),
            ("New-NetFirewallRule -Name a -DisplayName b -LocalPort '25'", "Windows System Error 87,New-NetFirewallRule"),
            ("New-NetFirewallRule -Name a", "MissingMandatoryParameter,New-NetFirewallRule"),
        ],
    )
    def test_errors(self, script: str, error_id: str) -> None:
        assert error_ids(windows(), script) == [error_id]


class TestRestart:
    def script(self, lab: Lab, script: str) -> bytes:
        session = winrm.Session(lab.https, auth=(USER, PASSWORD), transport="basic", ca_trust_path=lab.ca_file)
        return bytes(session.run_ps(script).std_out)

    def test_services_start_by_their_start_modes(self, start: Start) -> None:
        """What is not automatic is stopped afterwards: SMTPSVC as it is installed."""
        services = [{"name": "RpcSs", "start_mode": "Auto", "state": "Running"}]
        services += [{"name": name, "start_mode": mode, "state": "Running"} for name, mode in (("Manual", "Manual"), ("Auto", "Auto"))]
        api = start(windows=[host_document(services=services, restart_seconds=60)])
        lab = Lab(api.emulator)
        api.admin.call("POST", "/clock", {"stopped": True})
        assert self.script(lab, "Restart-Computer -Force") == b""
        states = 'foreach ($s in Get-Service) { "$($s.Name) $($s.Status)" }'
        assert self.script(lab, states) == b"Auto Running\r\nManual Running\r\nRpcSs Running\r\n"
        api.admin.advance(6)
        with pytest.raises(OSError, match="Connection"):
            self.script(lab, states)
        api.admin.advance(60)
        assert self.script(lab, states) == b"Auto Running\r\nManual Stopped\r\nRpcSs Running\r\n"

    def test_shells_end(self, start: Start) -> None:
        api = start(windows=[host_document(winrm={})])
        lab = Lab(api.emulator)
        wsman = WSMan(lab.ports["address"], port=lab.ports["http_port"], ssl=False, username=USER, password=PASSWORD, auth="ntlm")
        with wsman:
            pool = RunspacePool(wsman)
            pool.open()
            lab.emulator.admin.change_windows_host("win1", restart_at=1)
            shell = PowerShell(pool)
            shell.add_script("1")
            with pytest.raises(PsrpFaultError) as error:
                shell.invoke()
            assert error.value.code == 2150858843

    def test_without_force_it_is_refused(self) -> None:
        assert error_ids(windows(), "Restart-Computer") == ["RestartcomputerFailed,Microsoft.PowerShell.Commands.RestartComputerCommand"]


def test_a_service_may_have_no_display_name() -> None:
    assert output(windows(services=[WindowsService("plain")]), "(Get-Service plain).DisplayName") == ["plain"]
