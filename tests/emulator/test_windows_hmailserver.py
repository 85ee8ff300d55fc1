"""hMailServer's COM interface: installed values, types of the IDL, collections with Save, the administrator password."""

from __future__ import annotations

import pytest

from emulator.state import WindowsHost
from emulator.windows import installer
from tests.emulator.test_windows_machine import error_ids, output, run, windows

APP = "$a = New-Object -ComObject hMailServer.Application; "
SETTINGS = APP + "$s = $a.Settings; "
RANGES = SETTINGS + "$r = $s.SecurityRanges; "


@pytest.fixture
def host() -> WindowsHost:
    made = windows()
    installer.install(made, "5.6.9-B2632")
    return made


def test_without_the_product_the_class_is_not_registered() -> None:
    assert error_ids(windows(), APP) == ["NoCOMClassIdentified,Microsoft.PowerShell.Commands.NewObjectCommand"]


class TestAdministrator:
    def test_a_silent_installation_leaves_no_password(self, host: WindowsHost) -> None:
        assert output(host, APP + "$a.Version; $a.Settings.SMTPRelayerPort") == ["5.6.9-B2632", 25]

    def test_a_password_is_needed_once_it_is_set(self, host: WindowsHost) -> None:
        output(host, SETTINGS + "$s.SetAdministratorPassword('Adm1n')")
        failure = run(host, APP + "$a.Version; $null = $a.Settings").errors[0]
        assert "Ensure that hMailServer.Application.Authenticate() is called" in failure.message
        assert output(host, APP + "$null -eq $a.Authenticate('Administrator', 'wrong')") == [True]
        assert output(host, APP + "$a.Authenticate('administrator', 'Adm1n').Address; $a.Settings.HostName") == ["Administrator", ""]


class TestTypes:
    def test_settings_are_stored_at_once(self, host: WindowsHost) -> None:
        script = "$s.SMTPRelayer = 'relay1.contoso.com'; $s.smtprelayerport = 587; $s.SMTPRelayerConnectionSecurity = 3; "
        script += "$n = 'SMTPRelayerUsername'; $s.$n = 'u'; $s.SetSMTPRelayerPassword('geheim')"
        output(host, SETTINGS + script)
        assert output(host, SETTINGS + "$s.SMTPRelayer; $s.SMTPRelayerPort") == ["relay1.contoso.com", 587]
        assert host.hmailserver is not None
        assert host.hmailserver.relayer_password == "geheim"

    @pytest.mark.parametrize(
        ("script", "refusal"),
        [
            ("$s.SMTPRelayHost = 'x'", "hMailServer's Settings has no member 'SMTPRelayHost'"),
            ("$s.SMTPRelayerPort = '587'", "Settings.SMTPRelayerPort is a int, not the string that was given"),
            ("$s.SMTPRelayerConnectionSecurity = 9", "Settings.SMTPRelayerConnectionSecurity is a enum:eConnectionSecurity"),
            (
                "$s.SMTPRelayerRequiresAuthentication = 1",
                "Settings.SMTPRelayerRequiresAuthentication is a bool, not the int that was given",
            ),
            ("$s.SetSMTPRelayerPassword()", "Settings.SetSMTPRelayerPassword with 0 arguments"),
            ("$s.SecurityRanges = 1", "Settings.SecurityRanges cannot be written"),
            ("$a.Version = '1'", "Application.Version cannot be written"),
            ("$s.AntiVirus", "Settings.AntiVirus is not emulated"),
        ],
    )
    def test_misspelt_names_and_other_types_are_refused(self, host: WindowsHost, script: str, refusal: str) -> None:
        assert error_ids(host, SETTINGS + script) == ["OutsideSubset"]
        assert host.refused[-1].startswith(refusal)


class TestCollections:
    def test_ranges_as_installed(self, host: WindowsHost) -> None:
        script = 'foreach ($i in 0..1) { $x = $r.Item($i); "$($x.Name) $($x.Priority) $($x.AllowDeliveryFromRemoteToRemote) '
        script += '$($x.RequireSMTPAuthExternalToExternal) $($x.RequireSMTPAuthLocalToExternal)" }'
        assert output(host, RANGES + script) == ["Internet 10 True True True", "My computer 30 True True False"]

    def test_an_element_exists_once_it_is_saved(self, host: WindowsHost) -> None:
        script = "$n = $r.Add(); $n.Name = 'Devices'; $n.LowerIP = '10.1.2.0'; $n.UpperIP = '10.1.2.255'; $n.Priority = 20; "
        assert output(host, RANGES + script + "$r.Count") == [2]
        assert output(host, RANGES + script + "$n.Save(); $r.Count; $r.ItemByName('devices').UpperIP; $n.ID") == [3, "10.1.2.255", 3]
        failure = run(host, RANGES + script + "$n.Save()").errors[0]
        assert "already exists" in failure.message

    def test_a_change_waits_for_save(self, host: WindowsHost) -> None:
        change = "$x = $r.ItemByName('Internet'); $x.AllowSMTPConnections = $false; "
        assert output(host, RANGES + change + "$r.ItemByName('Internet').AllowSMTPConnections") == [True]
        assert output(host, RANGES + change + "$x.Save(); $r.ItemByName('Internet').AllowSMTPConnections") == [False]

    def test_removal_and_defaults(self, host: WindowsHost) -> None:
        script = "$r.DeleteByDBID($r.ItemByName('Internet').ID); $r.Count; $r.Item(0).Delete(); $r.Count; $r.SetDefault(); $r.Count"
        assert output(host, RANGES + script) == [1, 0, 2]

    def test_an_index_that_does_not_exist(self, host: WindowsHost) -> None:
        failure = run(host, RANGES + "$r.ItemByName('Nothing')").errors[0]
        assert (failure.message, failure.hresult) == ("Invalid index.", -2147352565)

    def test_ports(self, host: WindowsHost) -> None:
        script = (
            SETTINGS
            + '$p = $s.TCPIPPorts; foreach ($i in 0..3) { $x = $p.Item($i); "$($x.Protocol) $($x.PortNumber)" }; $a.Stop(); $a.Start()'
        )
        assert output(host, script) == ["1 25", "1 587", "3 110", "5 143"]

    def test_accounts_of_a_domain(self, host: WindowsHost) -> None:
        script = "$d = $a.Domains.Add(); $d.Name = 'relay.internal'; $d.Active = $true; $d.Save(); $c = $d.Accounts.Add(); "
        script += "$c.Address = 'scanner@relay.internal'; $c.Password = 'geheim'; $c.Active = $true; $c.Save(); "
        script += "$x = $a.Domains.ItemByName('relay.internal').Accounts.ItemByAddress('scanner@relay.internal'); $x.Active; $x.Password"
        assert output(host, APP + script) == [True, ""]
        assert host.hmailserver is not None
        assert host.hmailserver.domains[0].accounts[0].properties["Password"] == "geheim"
