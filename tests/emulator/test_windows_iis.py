"""IIS SMTP's configuration by WMI and ADSI: installed values, types, the layout of the relay list, and what Windows refuses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.state import AddressList, SmtpVirtualServer, WindowsHost
from emulator.windows.relay_list import HOST_MASK, LayoutError, decode, encode
from tests.emulator.test_windows_machine import error_ids, output, run, windows

GET = "$s = Get-WmiObject -Namespace 'root\\MicrosoftIISv2' -Class IIsSmtpServerSetting -Filter \"Name='SmtpSvc/1'\"; "
ENTRY = "$e = New-Object System.DirectoryServices.DirectoryEntry('IIS://localhost/SmtpSvc/1'); "
FLAGS = "$get = [Reflection.BindingFlags]'Public, Instance, GetProperty'; $put = [Reflection.BindingFlags]'Public, Instance, SetProperty'; "


@pytest.fixture
def host() -> WindowsHost:
    result = windows()
    output(result, "$null = Install-WindowsFeature 'SMTP-Server', 'Web-WMI'")
    return result


def assigned(member: str, value: str, name: str = "RelayIpList") -> str:
    """A script that sets a member of an address list and commits."""
    return (
        f"{ENTRY}{FLAGS}$l = $e.Properties['{name}'].Value; [Object[]]$one = @(); $one += , {value}; "
        f"$null = $l.GetType().InvokeMember('{member}', $put, $null, $l, $one); $e.Properties['{name}'].Value = $l; $e.CommitChanges()"
    )


class TestRelayListLayout:
    """Arrays of this form were published for lists of hosts; bytes 36 and 44 hold the count."""

    def test_one_host(self) -> None:
        data = encode([f"10.20.3.7, {HOST_MASK}"])
        assert len(data) == 84
        assert (data[0:4], data[36], data[44], data[76:84]) == (b"\x18\0\0\x80", 1, 2, bytes([255, 255, 255, 255, 10, 20, 3, 7]))

    @given(st.lists(st.ip_addresses(v=4).map(lambda one: f"{one}, {HOST_MASK}"), max_size=20))
    def test_what_is_written_reads_back(self, entries: list[str]) -> None:
        assert decode(encode(entries)) == entries

    @pytest.mark.parametrize("data", [b"", bytes(84), b"\x18\0\0\x80" + bytes(80)])
    def test_other_bytes_are_refused(self, data: bytes) -> None:
        with pytest.raises(LayoutError):
            decode(data)

    def test_networks_have_no_published_layout(self) -> None:
        with pytest.raises(LayoutError):
            encode(["10.0.0.0, 255.0.0.0"])


class TestWmi:
    def test_values_as_installed(self, host: WindowsHost) -> None:
        script = "$s.SmartHost -eq ''; $s.RemoteSmtpPort; $s.MaxMessageSize; $s.FullyQualifiedDomainName; $null -eq $s.RelayIpList; "
        script += "$s.SmtpRemoteProgressiveRetry; $s.ServerBindings[0].Port; $s.MaxSmtpErrors; $s.Properties['HopCount'].Value"
        assert output(host, GET + script) == [True, 25, 2097152, "win1", True, "15,30,60,240", "25", -1, 15]

    def test_a_put_stores_what_was_assigned(self, host: WindowsHost) -> None:
        script = "$s.SmartHost = '[192.0.2.1]'; $s.Properties['RemoteSmtpPort'].Value = 587; $s.RoutePassword = 's'; $null = $s.Put(); "
        assert output(host, f"{GET}{script}{GET}$s.SmartHost; $s.RemoteSmtpPort") == ["[192.0.2.1]", 587]
        assert host.smtp_servers[0].properties == {"SmartHost": "[192.0.2.1]", "RemoteSmtpPort": 587, "RoutePassword": "s"}

    def test_without_a_put_nothing_is_stored(self, host: WindowsHost) -> None:
        assert output(host, f"{GET}$s.SmartHost = 'x'; {GET}$s.SmartHost") == [""]

    @pytest.mark.parametrize(
        ("script", "refusal"),
        [
            ("$s.SmartHosts = 'x'", "IIsSmtpServerSetting has no property 'SmartHosts'"),
            ("$s.Properties['Smarthst'].Value", "IIsSmtpServerSetting has no property 'Smarthst'"),
            ("$s.RemoteSmtpPort = '587'", "IIsSmtpServerSetting.RemoteSmtpPort is a sint32, not a string"),
            ("$s.AlwaysUseSsl = 1", "IIsSmtpServerSetting.AlwaysUseSsl is a boolean, not a int"),
            ("$s.MaxMessageSize = 4294967295", "IIsSmtpServerSetting.MaxMessageSize is a sint32, not a long"),
            ("$s.RelayIpList = @(1,256)", "IIsSmtpServerSetting.RelayIpList is a uint8[], not a object[]"),
            ("$s.Name = 'x'", "IIsSmtpServerSetting.Name cannot be written"),
            ("$s.Delete()", "has no method 'Delete'"),
        ],
    )
    def test_misspelt_names_and_other_types_are_refused(self, host: WindowsHost, script: str, refusal: str) -> None:
        assert error_ids(host, GET + script) == ["OutsideSubset"]
        assert refusal in host.refused[-1]

    def test_the_relay_list_of_hosts(self, host: WindowsHost) -> None:
        numbers = ",".join(str(one) for one in encode([f"127.0.0.1, {HOST_MASK}"]))
        assert output(host, f"{GET}$s.RelayIpList = [byte[]]@({numbers}); $null = $s.Put(); {GET}$s.RelayIpList.Count") == [84]
        assert host.smtp_servers[0].relay_list == AddressList(ip_grant=[f"127.0.0.1, {HOST_MASK}"])

    def test_an_empty_relay_list_is_an_open_relay(self, host: WindowsHost) -> None:
        output(host, f"{GET}$s.RelayIpList = [byte[]]@(); $null = $s.Put()")
        assert host.smtp_servers[0].relay_list == AddressList(grant_by_default=True)

    def test_malformed_bytes(self, host: WindowsHost) -> None:
        errors = run(host, f"{GET}$s.RelayIpList = [byte[]]@(1,2,3); $s.Put()").errors
        assert [(error.error_id, error.hresult) for error in errors] == [("DotNetMethodException", -2147217400)]
        assert host.smtp_servers[0].relay_list is None

    def test_bindings(self, host: WindowsHost) -> None:
        make = "$b = ([wmiclass]'root\\MicrosoftIISv2:ServerBinding').CreateInstance(); $b.IP = '192.0.2.5'; "
        make += "$b.Port = '587'; $b.Hostname = ''; "
        script = f"{GET}{make}$s.ServerBindings = @($b); $null = $s.Put(); {GET}$s.ServerBindings[0].IP; @($s.ServerBindings).Count"
        assert output(host, script) == ["192.0.2.5", 1]
        assert host.smtp_servers[0].bindings == ["192.0.2.5:587:"]

    @pytest.mark.parametrize(
        ("features", "message"), [([], 'Invalid namespace "root\\MicrosoftIISv2" '), (["Web-WMI", "Web-Metabase"], None)]
    )
    def test_without_features(self, features: list[str], message: str | None) -> None:
        host = windows(features=features)
        ran = run(host, f"{GET}$null -eq $s")
        if message:
            assert ran.errors[0].message == message
            assert ran.errors[0].error_id == "GetWMIManagementException,Microsoft.PowerShell.Commands.GetWmiObjectCommand"
        else:
            assert ran.output == [True]

    def test_domains(self, host: WindowsHost) -> None:
        host.smtp_servers[0].domains = {"contoso.com": 16}
        ran = run(host, "Get-WmiObject -Namespace root\\MicrosoftIISv2 IIsSmtpDomainSetting | ForEach-Object { $_.Name, $_.RouteAction }")
        assert ran.output == ["SmtpSvc/1/Domain/contoso.com", 16]

    def test_an_unknown_class(self, host: WindowsHost) -> None:
        failure = run(host, "Get-WmiObject -Namespace root\\MicrosoftIISv2 IIsSmtpServers").errors[0]
        assert failure.message == 'Invalid class "IIsSmtpServers" '

    def test_an_upgrade_that_lost_the_virtual_server(self, host: WindowsHost) -> None:
        host.smtp_servers.clear()
        assert output(host, f"{GET}$null -eq $s") == [True]

    def test_connection_control(self, host: WindowsHost) -> None:
        get = "$c = Get-WmiObject -Namespace root\\MicrosoftIISv2 IIsIPSecuritySetting; "
        script = f"{get}$c.GrantByDefault = $false; $c.IPGrant = [string[]]@('10.0.0.0, 255.0.0.0'); $null = $c.Put(); {get}$c.IPGrant"
        assert output(host, script) == ["10.0.0.0, 255.0.0.0"]
        assert host.smtp_servers[0].connections == AddressList(ip_grant=["10.0.0.0, 255.0.0.0"])


class TestAdsi:
    def test_networks_are_written_and_read_back_with_a_blank(self, host: WindowsHost) -> None:
        output(host, assigned("GrantByDefault", "$false"))
        output(host, assigned("IPGrant", "[string[]]@('10.1.2.0,255.255.255.0', '127.0.0.1, 255.255.255.255')"))
        read = f"{ENTRY}{FLAGS}$l = $e.Properties['RelayIpList'].Value; $l.GetType().InvokeMember('IPGrant', $get, $null, $l, $null)"
        assert output(host, read) == ["10.1.2.0, 255.255.255.0", "127.0.0.1, 255.255.255.255"]
        assert host.smtp_servers[0].relay_list == AddressList(ip_grant=["10.1.2.0, 255.255.255.0", "127.0.0.1, 255.255.255.255"])

    def test_without_a_commit_nothing_changes(self, host: WindowsHost) -> None:
        output(host, assigned("GrantByDefault", "$true").replace("; $e.CommitChanges()", ""))
        assert host.smtp_servers[0].relay_list is None

    def test_a_put_by_wmi_keeps_networks(self, host: WindowsHost) -> None:
        output(host, assigned("IPGrant", "[string[]]@('10.0.0.0, 255.0.0.0')"))
        output(host, f"{GET}$s.SmartHost = 'x'; $null = $s.Put()")
        assert host.smtp_servers[0].relay_list == AddressList(ip_grant=["10.0.0.0, 255.0.0.0"])
        assert error_ids(host, f"{GET}$s.RelayIpList") == ["OutsideSubset"]

    def test_connection_control(self, host: WindowsHost) -> None:
        output(host, assigned("GrantByDefault", "$false", "IPSecurity"))
        assert host.smtp_servers[0].connections == AddressList()

    @pytest.mark.parametrize(
        ("member", "value", "error_id"),
        [
            ("IPGrants", "[string[]]@('10.0.0.1, 255.255.255.255')", "COMException"),
            ("IPGrant", "[string[]]@('10.0.0.1,255.255.255.255', '10.0.0.1, 255.255.255.255')", "COMException"),
            ("IPGrant", "@('10.0.0.1, 255.255.255.255')", "OutsideSubset"),
            ("GrantByDefault", "0", "OutsideSubset"),
        ],
    )
    def test_members_and_types(self, host: WindowsHost, member: str, value: str, error_id: str) -> None:
        assert error_id in error_ids(host, "$ErrorActionPreference = 'Stop'; " + assigned(member, value))

    def test_the_values_are_an_array_of_one(self, host: WindowsHost) -> None:
        script = assigned("IPGrant", "1").replace(
            "$one += , 1", "$one = [string[]]@('10.0.0.1, 255.255.255.255', '10.0.0.2, 255.255.255.255')"
        )
        assert error_ids(host, script) == ["OutsideSubset"]

    def test_members_are_not_reached_directly(self, host: WindowsHost) -> None:
        assert error_ids(host, f"{ENTRY}$e.Properties['RelayIpList'].Value.IPGrant") == ["OutsideSubset"]

    def test_the_fault_of_server_2022(self, host: WindowsHost) -> None:
        """The metabase lacks RelayIpList; a list of 127.0.0.1 by WMI makes it."""
        host.smtp_servers[0].relay_list_missing = True
        read = f"{ENTRY}$null -eq $e.Properties['RelayIpList'].Value"
        assert output(host, read) == [True]
        numbers = ",".join(str(one) for one in encode([f"127.0.0.1, {HOST_MASK}"]))
        output(host, f"{GET}$s.RelayIpList = [byte[]]@({numbers}); $null = $s.Put()")
        assert output(host, read) == [False]

    def test_a_path_that_does_not_exist(self, host: WindowsHost) -> None:
        failure = run(host, ENTRY.replace("SmtpSvc/1", "SmtpSvc/2") + "$e.Properties").errors[0]
        assert "Unknown error (0x80005000)" in failure.message


SCRIPT = r"""
$ErrorActionPreference = 'Stop'
$lines = @($input)
$secret = $null
if ($lines[0]) { $secret = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($lines[0])) }
$request = ConvertFrom-Json -InputObject $lines[1]
try {
    $setting = Get-WmiObject -Namespace 'root\MicrosoftIISv2' -Class IIsSmtpServerSetting -Filter "Name='SmtpSvc/1'"
    if ($null -eq $setting) { throw 'no virtual server' }
    foreach ($change in @($request.set)) { $setting.Properties[$change.name].Value = $change.value }
    if ($null -ne $secret) { $setting.RoutePassword = $secret }
    $null = $setting.Put()
    $answer = @{ ok = $true; values = @{} }
    foreach ($name in @($request.get)) { $answer.values[$name] = $setting.Properties[$name].Value }
    ConvertTo-Json -InputObject $answer -Compress -Depth 5
} catch {
    ConvertTo-Json -Compress -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } }
}
"""


def sent(host: WindowsHost, lines: list[str]) -> list[Any]:
    ran = run(host, SCRIPT, *lines)
    assert ran.errors == []
    return ran.output


def test_a_whole_script_with_a_secret_as_a_line_of_input(host: WindowsHost) -> None:
    request = (
        '{"set": [{"name": "RouteAction", "value": 268}, {"name": "SmartHost", "value": "relay1.contoso.com"}], "get": ["RouteAction"]}'
    )
    assert sent(host, ["Y2FuYXJ5", request]) == ['{"ok":true,"values":{"RouteAction":268}}']
    assert host.smtp_servers[0].properties["RoutePassword"] == "canary"
    assert not any("canary" in event.message or "Y2FuYXJ5" in event.message for event in host.events)


def test_a_script_that_finds_no_virtual_server(host: WindowsHost) -> None:
    host.smtp_servers = []
    assert sent(host, ["", "{}"]) == ['{"error":{"id":"no virtual server","message":"no virtual server"}}']


def test_a_virtual_server_of_the_state() -> None:
    server = SmtpVirtualServer(properties={"SmartHost": "old.contoso.com"}, relay_list=AddressList(ip_grant=[f"10.0.0.9, {HOST_MASK}"]))
    host = windows(features=["SMTP-Server", "Web-WMI", "Web-Metabase"], smtp_servers=[server])
    assert output(host, f"{GET}$s.SmartHost; $s.RelayIpList.Count") == ["old.contoso.com", 84]
