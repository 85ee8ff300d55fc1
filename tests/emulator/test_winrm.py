"""WinRM against pywinrm: shells, commands, input, faults. The first table of the reference MS-WSMV, as a client sees it."""

from __future__ import annotations

import base64
import select
import socket
import subprocess
import sys
import time
from typing import Any

import pytest
import requests
import winrm
from winrm.exceptions import InvalidCredentialsError, WinRMTransportError, WSManFaultError
from winrm.protocol import Protocol

from emulator.windows.faults import DEFINITIONS
from tests.emulator.conftest import Api, Start
from tests.emulator.windows_lab import PASSWORD, USER, Lab, encoded, host_document

BASIC_BY_HTTP = {"basic": True, "allow_unencrypted": True}
IDENTIFY = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>'
    '<i:Identify xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/></s:Body></s:Envelope>'
)


@pytest.fixture
def lab(start: Start) -> Lab:
    return Lab(start(windows=[host_document()]).emulator)


def session(lab: Lab, url: str = "", user: str = USER, password: str = PASSWORD, **options: Any) -> winrm.Session:
    return winrm.Session(url or lab.https, auth=(user, password), transport="basic", ca_trust_path=lab.ca_file, **options)


class TestAuthentication:
    def test_basic_by_https(self, lab: Lab) -> None:
        done = session(lab).run_cmd("hostname")
        assert (done.status_code, done.std_out, done.std_err) == (0, b"win1\r\n", b"")

    def test_basic_by_http_needs_allow_unencrypted(self, start: Start) -> None:
        closed = Lab(start(windows=[host_document()]).emulator)
        with pytest.raises(InvalidCredentialsError):
            session(closed, closed.http).run_cmd("hostname")
        opened = Lab(start(windows=[host_document(winrm=BASIC_BY_HTTP)]).emulator)
        assert session(opened, opened.http).run_cmd("whoami").std_out == b"win1\\ansible\r\n"

    def test_basic_is_off_by_default(self, start: Start) -> None:
        lab = Lab(start(windows=[host_document(winrm={})]).emulator)
        with pytest.raises(InvalidCredentialsError):
            session(lab).run_cmd("hostname")

    @pytest.mark.parametrize(("user", "password"), [(USER, "wrong"), ("nobody", PASSWORD), ("other\\ansible", PASSWORD)])
    def test_wrong_credentials(self, lab: Lab, user: str, password: str) -> None:
        with pytest.raises(InvalidCredentialsError, match="credentials were rejected"):
            session(lab, user=user, password=password).run_cmd("hostname")

    def test_the_name_of_the_computer_may_stand_before_the_user(self, lab: Lab) -> None:
        assert session(lab, user="WIN1\\Ansible").run_cmd("whoami").std_out == b"win1\\ansible\r\n"

    def test_users_who_are_no_administrators_are_denied(self, lab: Lab) -> None:
        with pytest.raises(WSManFaultError) as error:
            session(lab, user="clerk").run_cmd("hostname")
        assert error.value.wsman_fault_code == 5

    def test_an_untrusted_certificate_is_the_clients_refusal(self, lab: Lab) -> None:
        with pytest.raises(requests.exceptions.SSLError):
            winrm.Session(lab.https, auth=(USER, PASSWORD), transport="basic", ca_trust_path=None).run_cmd("hostname")

    def test_http_itself(self, lab: Lab) -> None:
        assert requests.get(lab.https, verify=lab.ca_file, timeout=10).status_code == 405
        assert requests.post(lab.https.replace("wsman", "other"), verify=lab.ca_file, timeout=10).status_code == 404
        refused = requests.post(lab.https, data=b"x", verify=lab.ca_file, timeout=10)
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, 'Negotiate, Basic realm="WSMAN"')
        assert requests.post(lab.https, data=b"<x/>", auth=(USER, PASSWORD.encode()), verify=lab.ca_file, timeout=10).status_code == 400

    def test_identify(self, lab: Lab) -> None:
        answer = requests.post(lab.https, data=IDENTIFY, auth=(USER, PASSWORD.encode()), verify=lab.ca_file, timeout=10)
        assert "OS: 10.0.20348 SP: 0.0 Stack: 3.0" in answer.text


class TestCommands:
    def test_powershell(self, lab: Lab) -> None:
        done = session(lab).run_ps("$os = Get-CimInstance Win32_OperatingSystem; $os.Caption; $env:COMPUTERNAME")
        assert (done.status_code, done.std_out) == (0, b"Microsoft Windows Server 2022 Standard\r\nWIN1\r\n")

    def test_errors_come_as_clixml(self, lab: Lab) -> None:
        done = session(lab).run_ps("throw 'ü <&> boom'")
        assert done.status_code == 1
        assert done.std_err.decode().startswith("ü <&> boom")

    def test_a_program_that_does_not_exist(self, lab: Lab) -> None:
        done = session(lab).run_cmd("nothing", ["/a"])
        assert (done.status_code, done.std_err.splitlines()[0]) == (1, b"'nothing' is not recognized as an internal or external command,")

    def test_a_command_line_is_limited(self, lab: Lab) -> None:
        done = session(lab).run_ps("#" + "x" * 4000)
        assert (done.status_code, done.std_err.strip()) == (1, b"The command line is too long.")

    @pytest.mark.parametrize("codepage", [65001, 437])
    def test_input_by_lines_and_code_pages(self, lab: Lab, codepage: int) -> None:
        protocol = Protocol(lab.https, transport="basic", username=USER, password=PASSWORD, ca_trust_path=lab.ca_file)
        shell = protocol.open_shell(codepage=codepage, noprofile=True)
        command = protocol.run_command(shell, "powershell.exe", encoded('foreach ($l in @($input)) { "<$l>" }'), console_mode_stdin=False)
        encoding = "utf-8" if codepage == 65001 else "cp437"
        protocol.send_command_input(shell, command, "ä\r\n".encode(encoding))
        protocol.send_command_input(shell, command, b"second\n", end=True)
        assert protocol.get_command_output(shell, command) == ("<ä>\r\n<second>\r\n".encode(encoding), b"", 0)
        protocol.cleanup_command(shell, command)
        protocol.close_shell(shell)

    def test_a_console_has_no_input(self, lab: Lab) -> None:
        assert session(lab).run_ps("@($input).Count").std_out == b"0\r\n"

    def test_output_larger_than_an_envelope_comes_in_pieces(self, lab: Lab) -> None:
        before = lab.emulator.admin.requests().get("win1", {}).get("windows_Receive", 0)
        done = session(lab).run_ps("foreach ($i in 1..5000) { 'sixty characters that fill a line of output of this test host' }")
        assert len(done.std_out) == 5000 * 63
        assert lab.emulator.admin.requests()["win1"]["windows_Receive"] - before >= 3

    def test_what_is_outside_of_the_subset_is_kept(self, lab: Lab) -> None:
        done = session(lab).run_ps("try { & hostname } catch { 'caught' }")
        assert done.status_code == 1
        assert b"outside of the emulator's subset" in done.std_err
        assert b"caught" not in done.std_out
        session(lab).run_ps("Get-Printer")
        assert lab.document["refused"] == ["the operator & at line 1, column 7: & hostname", "the command Get-Printer"]

    def test_misspelt_property_of_a_cim_instance(self, lab: Lab) -> None:
        assert session(lab).run_ps("(Get-CimInstance Win32_OperatingSystem).BuildNo").status_code == 1
        assert "Win32_OperatingSystem has no property 'BuildNo'" in lab.document["refused"][0]


class TestEvents:
    """What Windows logs of commands (events 4688, 4103, 4104): a secret given as a line of input is in none of them."""

    SECRET = "canary-5f0a"

    def test_command_lines_scripts_and_arguments_are_logged(self, lab: Lab) -> None:
        session(lab).run_ps(f'ConvertFrom-Json \'{{"a": "{self.SECRET}"}}\' | Out-Null')
        script = base64.b64decode(lab.events(4688)[-1].split()[-1]).decode("utf-16-le")
        assert self.SECRET in script
        assert self.SECRET in lab.events(4104)[-1]
        assert f'ParameterBinding(ConvertFrom-Json): name="InputObject"; value="{{"a": "{self.SECRET}"}}"' in lab.events(4103)[0]

    def test_input_is_logged_only_where_a_cmdlet_gets_it(self, lab: Lab) -> None:
        def send(script: str) -> None:
            protocol = Protocol(lab.https, transport="basic", username=USER, password=PASSWORD, ca_trust_path=lab.ca_file)
            shell = protocol.open_shell(codepage=65001)
            command = protocol.run_command(shell, "powershell", encoded(script), console_mode_stdin=False)
            protocol.send_command_input(shell, command, f"{self.SECRET}\n".encode(), end=True)
            assert protocol.get_command_output(shell, command) == (b"11\r\n", b"", 0)
            protocol.close_shell(shell)

        send("$lines = @($input); $lines[0].Length")
        assert not any(self.SECRET in event["message"] for event in lab.document["events"])
        send("$lines = @($input); (Write-Output $lines[0]).Length")
        assert [self.SECRET in event for event in lab.events(4103)] == [True]


class TestQuotasAndFaults:
    def test_shells_of_a_user(self, start: Start) -> None:
        lab = Lab(start(windows=[host_document(winrm={"basic": True, "max_shells_per_user": 2})]).emulator)
        protocol = Protocol(lab.https, transport="basic", username=USER, password=PASSWORD, ca_trust_path=lab.ca_file)
        shells = [protocol.open_shell(), protocol.open_shell()]
        with pytest.raises(WSManFaultError) as error:
            protocol.open_shell()
        assert error.value.wsman_fault_code == 2150859173
        protocol.close_shell(shells[0])
        protocol.open_shell()

    def test_an_idle_shell_ends(self, start: Start) -> None:
        api = start(windows=[host_document()])
        lab = Lab(api.emulator)
        protocol = Protocol(lab.https, transport="basic", username=USER, password=PASSWORD, ca_trust_path=lab.ca_file)
        api.admin.stop_clock()
        shell = protocol.open_shell(idle_timeout="PT100S")
        api.admin.advance(90)
        protocol.run_command(shell, "hostname")
        api.admin.advance(90)
        protocol.run_command(shell, "hostname")
        api.admin.advance(101)
        with pytest.raises(WSManFaultError) as error:
            protocol.run_command(shell, "hostname")
        assert error.value.wsman_fault_code == 2150858843

    def test_another_users_shell_is_none(self, start: Start) -> None:
        users = [{"name": USER, "password": PASSWORD}, {"name": "second", "password": PASSWORD}]
        lab = Lab(start(windows=[host_document(users=users)]).emulator)
        first, second = (
            Protocol(lab.https, transport="basic", username=user, password=PASSWORD, ca_trust_path=lab.ca_file) for user in (USER, "second")
        )
        with pytest.raises(WSManFaultError):
            second.run_command(first.open_shell(), "hostname")

    def test_a_receive_without_output_times_out_and_is_repeated(self, start: Start) -> None:
        api = start(windows=[host_document()])
        lab = Lab(api.emulator)
        api.admin.fault("windows", "timeout", match={"action": "Receive"}, count=2)
        assert session(lab).run_cmd("hostname").std_out == b"win1\r\n"
        assert api.admin.requests()["win1"]["windows_Receive"] == 1
        assert [fault["used"] for fault in api.admin.faults()] == [2]

    @pytest.mark.parametrize(("target", "actions"), [("command", ["Command", "Receive", "Signal"]), ("shell", ["Create", "Delete"])])
    def test_the_target_of_an_operation(self, start: Start, target: str, actions: list[str]) -> None:
        """What a session of one command sends, in its order: each operation fits the faults of its own target only."""
        api = start(windows=[host_document()])
        lab = Lab(api.emulator)
        for action in ("Create", "Command", "Receive", "Signal", "Delete"):
            api.admin.fault("windows", "noise", match={"action": action, "target": target})
        session(lab).run_cmd("hostname")
        assert [fault["match"]["action"] for fault in api.admin.faults() if fault["used"]] == actions

    def test_a_slow_command_outlives_the_operation_timeout(self, start: Start) -> None:
        api = start(windows=[host_document()])
        api.admin.latency(windows=1.5)
        done = session(Lab(api.emulator), operation_timeout_sec=1, read_timeout_sec=20).run_cmd("hostname")
        assert done.std_out == b"win1\r\n"
        assert api.admin.requests()["win1"]["windows_Receive"] >= 2

    @pytest.mark.parametrize("name", sorted(set(DEFINITIONS) - {"timeout"}))
    def test_faults_on_demand(self, start: Start, name: str) -> None:
        api = start(windows=[host_document()])
        api.admin.fault("windows", name, match={"host": "win1", "action": "Command"})
        with pytest.raises(WSManFaultError) as error:
            session(Lab(api.emulator)).run_cmd("hostname")
        assert error.value.wsman_fault_code == DEFINITIONS[name].number
        assert (error.value.wmierror_code == 2150859174) == (name == "quota")

    def test_noise_before_the_output(self, start: Start) -> None:
        api = start(windows=[host_document()])
        api.admin.fault("windows", "noise", match={"stage": "script"}, options={"text": "Hello"})
        assert session(Lab(api.emulator)).run_ps("'x'").std_out == b"Hello\r\nx\r\n"
        assert session(Lab(api.emulator)).run_ps("'x'").std_out == b"x\r\n"

    @pytest.mark.parametrize(
        ("cmdlet", "error_id"), [("Get-CimInstance", "HRESULT 0x80041003"), ("Get-WmiObject", "GetWMIManagementException")]
    )
    def test_errors_of_wmi(self, start: Start, cmdlet: str, error_id: str) -> None:
        api = start(windows=[host_document()])
        api.admin.fault("windows", "wmi_access_denied", match={"stage": "wmi", "class": "Win32_Service"})
        script = f"try {{ $null = {cmdlet} Win32_OperatingSystem; {cmdlet} Win32_Service }} "
        script += "catch { $_.FullyQualifiedErrorId; $_.Exception.HResult }"
        name, number = session(Lab(api.emulator)).run_ps(script).std_out.decode().splitlines()
        assert (name.partition(",")[0], number) == (error_id, "-2147217405")

    def test_401_and_a_cut_connection(self, start: Start) -> None:
        api = start(windows=[host_document()])
        lab = Lab(api.emulator)
        api.admin.fault("windows", "unauthorized")
        with pytest.raises(InvalidCredentialsError):
            session(lab, password="wrong").run_cmd("hostname")
        assert [fault["used"] for fault in api.admin.faults()] == [0]
        with pytest.raises(InvalidCredentialsError):
            session(lab).run_cmd("hostname")
        assert [fault["used"] for fault in api.admin.faults()] == [1]
        api.admin.fault("windows", "cut", match={"action": "Command"})
        with pytest.raises((requests.exceptions.ConnectionError, WinRMTransportError)):
            session(lab).run_cmd("hostname")
        assert lab.events(4688) == []
        api.admin.fault("windows", "cut", match={"action": "Command"}, options={"applied": True})
        with pytest.raises((requests.exceptions.ConnectionError, WinRMTransportError)):
            session(lab).run_cmd("hostname")


def test_a_stalled_connection_stays_open_until_the_client_ends_it(start: Start) -> None:
    api = start(windows=[host_document(winrm=BASIC_BY_HTTP)])
    lab = Lab(api.emulator)
    api.admin.fault("windows", "stall", match={"action": "Identify"})
    credential = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    head = f"POST /wsman HTTP/1.1\r\nHost: win1\r\nAuthorization: Basic {credential}\r\nContent-Length: {len(IDENTIFY)}\r\n\r\n"
    with socket.create_connection((lab.ports["address"], lab.ports["http_port"]), timeout=600) as stalled:
        stalled.sendall((head + IDENTIFY).encode())
        deadline = time.monotonic() + 600
        while [fault["used"] for fault in api.admin.faults()] != [1]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert session(lab, lab.http).run_cmd("hostname").std_out == b"win1\r\n"
        assert select.select([stalled], [], [], 0)[0] == []
        stalled.shutdown(socket.SHUT_WR)
        assert stalled.recv(1) == b""


def test_an_emulator_without_windows_hosts_imports_nothing_for_them() -> None:
    """Its start takes as long as without them."""
    program = "import sys, emulator.server; print([name for name in ('tree_sitter', 'spnego', 'psrpcore') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


class TestState:
    def test_hosts_follow_the_state(self, start: Start) -> None:
        api: Api = start(windows=[host_document("win1"), host_document("win2", build=17763, edition="Server Core")])
        second = Lab(api.emulator, "win2")
        script = "(Get-CimInstance Win32_OperatingSystem).BuildNumber"
        assert session(second).run_ps(script).std_out == b"17763\r\n"
        api.admin.change_windows_host("win2", build=26100)
        assert session(second).run_ps(script).std_out == b"26100\r\n"
        with pytest.raises(ValueError, match="name: cannot be changed here"):
            api.admin.change_windows_host("win2", name="win3")
        api.admin.reset({"windows": [host_document("only")]})
        assert [host["name"] for host in api.admin.windows_hosts()] == ["only"]
        with pytest.raises(requests.exceptions.ConnectionError):
            session(second).run_cmd("hostname")
        assert session(Lab(api.emulator, "only")).run_cmd("hostname").std_out == b"only\r\n"

    def test_wrong_documents_are_refused(self, start: Start) -> None:
        api = start()
        for host, text in [
            (host_document(address="192.0.2.1"), "windows[0].address: must be an IPv4 loopback address"),
            (host_document(edition="Nano"), "windows[0].edition"),
        ]:
            with pytest.raises(ValueError, match="400") as error:
                api.admin.reset({"windows": [host]})
            assert text in str(error.value)
        with pytest.raises(ValueError, match="the name WIN1 is there twice"):
            api.admin.reset({"windows": [host_document(), host_document("WIN1")]})
