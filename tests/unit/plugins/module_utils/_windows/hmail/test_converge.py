"""windows_hmailserver on a host of the emulator: what is written, that a second run changes nothing, and what a removal restores."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from emulator.state import HMailElement, QueuedMail, WindowsService
from emulator.state.windows_files import WindowsFile
from emulator.windows.hmail_com import com_error

from .conftest import Begin
from .hmail_lab import ADMIN, CONTENT, DIGEST, HMailHost

SCANNERS = {
    "listeners": [{"port": 25}, {"port": 587, "tls": "required"}, {"port": 465, "tls": "implicit"}],
    "certificate": {"certificate_file": r"C:\a.pem", "private_key_file": r"C:\a.key"},
    "ranges": [
        {"name": "printers", "networks": ["10.1.2.0/24", "10.1.4.9"]},
        {"name": "scanners", "networks": ["10.1.3.0/24"], "authenticate": True},
    ],
    "accounts": [{"address": "scanner@relay.internal", "password": "geheim-geheim"}],
    "upstream": {"host": "relay1.contoso.com", "port": 587, "username": "branch1", "password": "Upstream-Pa55"},
}


def unchanged(host: HMailHost, **options: Any) -> None:
    result = host.task(**options)
    assert (result.get("failed"), result["changed"]) == (None, False), result


class TestInstallation:
    @pytest.mark.parametrize("version", ["5.6.8-B2574", "5.6.9-B2632", "5.7.0-B2643", "6.3.8-B3100"])
    def test_each_version(self, begin: Begin, version: str) -> None:
        host = begin(version=version)
        result = host.task()
        assert (result["changed"], result["hmailserver"]["version"]) == (True, version)
        assert host.server.administrator_password == ADMIN
        unchanged(host)

    def test_from_a_url(self, begin: Begin) -> None:
        url = "https://files.contoso.com/hMailServer-5.6.9.exe?token=1"
        host = begin(build=14393, files=[WindowsFile(url, CONTENT, "5.6.9-B2632")])
        assert host.task(installer={"url": url, "sha256": DIGEST})["changed"]
        assert [one.path for one in host.state.files][1] == r"C:\ProgramData\mailops\hMailServer-5.6.9.exe"

    def test_a_wrong_file_at_the_url_is_not_run(self, begin: Begin) -> None:
        url = "https://files.contoso.com/h.exe"
        host = begin(files=[WindowsFile(url, b"other", "5.6.9-B2632")])
        assert "not installer.sha256" in host.task(installer={"url": url, "sha256": DIGEST})["msg"]
        assert host.state.hmailserver is None

    def test_check_mode_writes_nothing(self, begin: Begin) -> None:
        host = begin()
        predicted = host.task(check_mode=True)
        assert (predicted["changed"], predicted["diff"]["after"]["installed"]) == (True, True)
        assert "the plan assumes that none of its settings is right" in predicted["notes"][0]
        assert (host.state.hmailserver, len(host.state.files), host.journal.exists()) == (None, 1, False)

    def test_a_setup_program_that_waits_is_stopped(self, begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("emulator.windows.installer.obstacle", lambda *arguments: "a dialog that nobody knew")
        host = begin()
        result = host.task()
        assert "did not end within 600 seconds, probably because of a dialog, and was stopped." in result["msg"]
        assert host.state.processes == []


class TestSettings:
    def test_a_connector(self, begin: Begin) -> None:
        host = begin()
        host.task()
        properties = host.server.properties
        assert properties["HostName"] == "relay.contoso.com"
        assert properties["SMTPRelayer"] == "contoso-com.mail.protection.outlook.com"
        assert (properties["SMTPRelayerConnectionSecurity"], properties["MaxMessageSize"]) == (3, 35840)
        assert (properties["ServicePOP3"], properties["ServiceIMAP"]) == (False, False)
        ranges = host.ranges()
        assert set(ranges) == {"Internet", "My computer", "mailops printers"}
        assert not any(value is True for value in ranges["Internet"].values())
        printers = ranges["mailops printers"]
        assert (printers["LowerIP"], printers["UpperIP"], printers["Priority"]) == ("10.1.2.0", "10.1.2.255", 60)
        assert printers["AllowDeliveryFromRemoteToRemote"]
        assert not printers["RequireSMTPAuthExternalToExternal"]
        assert [one.properties["PortNumber"] for one in host.server.ports if one.properties["Protocol"] == 1] == [25]
        assert host.server.logging == {"Enabled": True, "LogSMTP": True, "LogApplication": True}
        unchanged(host)

    def test_accounts_tls_and_a_smart_host(self, begin: Begin) -> None:
        host = begin()
        host.task(**SCANNERS)
        server = host.server
        assert (server.relayer_password, server.properties["SMTPRelayerUsername"]) == ("Upstream-Pa55", "branch1")
        assert set(host.ranges()) >= {"mailops printers 10.1.2.0/24", "mailops printers 10.1.4.9", "mailops scanners"}
        assert host.ranges()["mailops scanners"]["RequireSMTPAuthLocalToExternal"]
        [domain] = server.domains
        assert (domain.properties["Name"], domain.accounts[0].properties["Password"]) == ("relay.internal", "geheim-geheim")
        ports = {one.properties["PortNumber"]: one.properties for one in server.ports if one.properties["Protocol"] == 1}
        assert {port: (one.get("ConnectionSecurity", 0), one.get("SSLCertificateID", 0)) for port, one in ports.items()} == {
            25: (0, 0), 587: (3, server.certificates[0].id), 465: (1, server.certificates[0].id)
        }  # fmt: skip
        unchanged(host, **SCANNERS)
        host.task(**SCANNERS | {"accounts": [], "ranges": SCANNERS["ranges"][:1]})
        assert (server.domains, set(host.ranges())) == (
            [], {"Internet", "My computer", "mailops printers 10.1.2.0/24", "mailops printers 10.1.4.9"}
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("change", "drifted"),
        [
            (lambda server: server.properties.update(SMTPRelayer="elsewhere.example.org"), "SMTPRelayer"),
            (lambda server: server.properties.update(ServicePOP3=True), "ServicePOP3"),
            (lambda server: server.logging.update(Enabled=False), "Logging.Enabled"),
            (lambda server: server.ranges[0].properties.update(AllowSMTPConnections=True), "Internet"),
            (lambda server: server.ranges[-1].properties.update(UpperIP="10.255.255.255"), "mailops printers"),
            (lambda server: server.ports.append(HMailElement(9, {"Protocol": 1, "PortNumber": 2525})), "2525"),
        ],
    )
    def test_drift_is_mended(self, begin: Begin, change: Any, drifted: str) -> None:
        host = begin()
        host.task()
        change(host.server)
        predicted, before = host.task(check_mode=True), copy.deepcopy(host.server)
        assert (predicted["changed"], drifted in json.dumps(predicted["diff"]["before"])) == (True, True)
        assert host.server == before
        assert host.task()["diff"] == predicted["diff"]
        unchanged(host)

    def test_the_server_is_restarted_for_ports_only(self, begin: Begin) -> None:
        host = begin()
        host.task()
        restarts = host.server.restarts
        host.task(hostname="relay2.contoso.com")
        assert host.server.restarts == restarts
        host.task(listeners=[{"port": 2525}])
        assert host.server.restarts == restarts + 1

    def test_a_stopped_service_is_started(self, begin: Begin) -> None:
        host = begin()
        host.task()
        service = next(one for one in host.state.services if one.name == "hMailServer")
        service.state, service.start_mode = "Stopped", "Manual"
        assert "is stopped on win1, so that its settings cannot be read" in host.task(check_mode=True)["notes"][0]
        assert host.task()["changed"]
        assert (service.state, service.start_mode) == ("Running", "Auto")

    def test_ranges_of_auto_ban_are_left_alone(self, begin: Begin) -> None:
        host = begin()
        host.task()
        ban = {"Name": "Auto-ban: x", "Priority": 100, "LowerIP": "10.1.2.5", "UpperIP": "10.1.2.5", "Expires": True}
        host.server.ranges.append(HMailElement(9, ban))
        unchanged(host, purge_ranges=True)
        assert "Auto-ban: x" in host.ranges()


class TestPasswords:
    def test_the_upstreams_is_written_where_it_has_changed(self, begin: Begin) -> None:
        host = begin()
        host.task(**SCANNERS)
        changed = SCANNERS | {"upstream": SCANNERS["upstream"] | {"password": "Another-Pa55"}}
        assert not host.task(**changed, update_password="on_create")["changed"]
        result = host.task(**changed)
        assert result["diff"]["after"] == {"upstream_password": "written"}
        assert host.server.relayer_password == "Another-Pa55"
        unchanged(host, **changed)
        assert host.task(**changed, update_password="always")["changed"]

    def test_an_accounts_is_compared_on_the_host(self, begin: Begin) -> None:
        host = begin()
        host.task(**SCANNERS)
        host.server.domains[0].accounts[0].properties["Password"] = "drifted"
        result = host.task(**SCANNERS)
        assert result["diff"]["before"]["elements"] == [{"account": "scanner@relay.internal", "password": "differs"}]
        unchanged(host, **SCANNERS)

    def test_quotes_umlauts_and_128_characters(self, begin: Begin) -> None:
        strange = ("\"'`$x ä€\\%" * 15)[:128]
        host = begin()
        host.task(admin_password=strange, **SCANNERS | {"upstream": SCANNERS["upstream"] | {"password": strange}})
        assert (host.server.administrator_password, host.server.relayer_password) == (strange, strange)
        unchanged(host, admin_password=strange, **SCANNERS | {"upstream": SCANNERS["upstream"] | {"password": strange}})

    def test_none_is_in_what_windows_logs_or_the_controller_keeps(self, begin: Begin) -> None:
        host = begin()
        for _ in range(2):
            result = host.task(**SCANNERS)
        result |= host.absent()
        canaries = [ADMIN, "geheim-geheim", "Upstream-Pa55"]
        kept = [one.message for one in host.state.events] + host.outputs + [json.dumps(result)]
        kept += [path.read_text() for path in host.journal.iterdir()]
        assert {one.id for one in host.state.events} == {4103, 4104, 4688}
        assert not [text for text in kept if any(one in text for one in canaries)]

    def test_none_is_in_an_error(self, begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
        host = begin()
        host.task(**SCANNERS)

        def failing(settings: object, name: str, arguments: list[str]) -> None:
            raise com_error(f"the password {arguments[0]} is refused")

        monkeypatch.setattr("emulator.windows.hmailserver.Settings.invoke", failing)
        result = host.task(**SCANNERS, update_password="always")
        assert result["failed"]
        assert "Upstream-Pa55" not in json.dumps(result)


class TestRemoval:
    def test_of_a_product_that_was_installed(self, begin: Begin) -> None:
        host = begin()
        host.task(**SCANNERS)
        predicted = host.absent(check_mode=True)
        assert (predicted["changed"], host.state.hmailserver is None) == (True, False)
        assert host.absent()["diff"] == predicted["diff"]
        assert (host.state.hmailserver, [one.path for one in host.state.files], host.state.registry) == (
            None, [host.state.files[0].path], []
        )  # fmt: skip
        assert not host.absent()["changed"]
        assert host.task()["changed"]

    def test_of_a_server_that_was_adopted(self, begin: Begin) -> None:
        host = begin().installed()
        host.server.properties.update(HostName="old.contoso.com", SMTPRelayer="old-relay.contoso.com", ServiceIMAP=True)
        host.server.domains.append(HMailElement(3, {"Name": "contoso.com", "Active": True}))
        host.server.ranges.append(HMailElement(5, {"Name": "Office", "LowerIP": "10.9.0.0", "UpperIP": "10.9.0.255", "Priority": 20}))
        host.server.administrator_password = "another-Pa55word"
        before = {name: copy.deepcopy(getattr(host.server, name)) for name in ("properties", "ranges", "ports", "domains")}
        result = host.task(previous_admin_password="another-Pa55word", installer=None, purge_ranges=True, **SCANNERS)
        assert "hMailServer keeps mail to its domains contoso.com on the host" in " ".join(result["notes"])
        unchanged(host, installer=None, purge_ranges=True, **SCANNERS)
        result = host.absent()
        assert result["changed"], result
        assert "The administrator password of hMailServer from before is not restored" in result["notes"][0]
        restored = host.server
        for name, value in before["properties"].items():
            assert restored.properties[name] == value
        assert {row.properties["Name"] for row in restored.ranges} == {"Internet", "My computer", "Office"}
        assert {str(one.properties["PortNumber"]) for one in restored.ports} == {"25", "587", "110", "143"}
        assert next(row for row in restored.ranges if row.properties["Name"] == "Internet").properties["AllowSMTPConnections"]
        assert [one.properties["Name"] for one in restored.domains] == ["contoso.com"]
        assert not host.absent()["changed"]

    def test_accounts_of_a_domain_that_was_there(self, begin: Begin) -> None:
        host = begin().installed()
        clerk = HMailElement(1, {"Address": "clerk@relay.internal", "Password": "unmanaged", "Active": True})
        host.server.domains.append(HMailElement(3, {"Name": "Relay.internal", "Active": True}, [clerk]))
        host.task(**SCANNERS)
        unchanged(host, **SCANNERS)
        [domain] = host.server.domains
        assert {one.properties["Address"] for one in domain.accounts} == {"clerk@relay.internal", "scanner@relay.internal"}
        assert host.absent()["changed"]
        assert [one.properties["Address"] for one in host.server.domains[0].accounts] == ["clerk@relay.internal"]

    def test_the_relayer_from_before_has_lost_its_password(self, begin: Begin) -> None:
        host = begin().installed()
        credential = {"SMTPRelayerRequiresAuthentication": True, "SMTPRelayerUsername": "old", "SMTPRelayer": "old.contoso.com"}
        host.server.properties.update(credential)
        host.task(**SCANNERS)
        result = host.absent()
        assert "The password of the SMTP relayer from before cannot be read" in result["notes"][1]
        assert {name: host.server.properties[name] for name in credential} == credential | {"SMTPRelayerRequiresAuthentication": False}

    def test_a_server_that_this_module_has_not_configured_stays(self, begin: Begin) -> None:
        host = begin().installed()
        assert not host.absent()["changed"]
        assert host.state.hmailserver is not None

    def test_a_queue_that_does_not_empty_keeps_the_relay_closed(self, begin: Begin) -> None:
        host = begin()
        host.task()
        host.server.queue.append(QueuedMail("7", "a@contoso.com", ["b@example.org"], b"", host.now))
        result = host.absent(drain_timeout=0)
        assert "hMailServer on win1 has 1 messages in its queue after 0 seconds." in result["msg"]
        assert not host.ranges()["mailops printers"]["AllowSMTPConnections"]
        host.server.queue.clear()
        assert host.absent()["changed"]


class TestServices:
    def test_of_iis_that_is_stopped_is_no_conflict(self, begin: Begin) -> None:
        host = begin()
        host.state.services.append(WindowsService("SMTPSVC"))
        assert host.task()["changed"]
