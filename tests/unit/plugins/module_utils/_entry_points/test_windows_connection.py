"""Scripts by a connection plugin of Ansible's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import requests
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.mailops.m365.plugins.module_utils._entry_points.windows_connection import executor, problem
from ansible_collections.mailops.m365.plugins.module_utils._windows.host import Answer, Disconnected, WindowsError, WindowsHost
from pypsrp.exceptions import WinRMError, WSManFaultError
from spnego.exceptions import BadMICError
from winrm.exceptions import InvalidCredentialsError, WinRMOperationTimeoutError


def test_the_input_is_no_part_of_the_command() -> None:
    calls: list[dict[str, Any]] = []

    def exec_command(command: str, **options: Any) -> tuple[int, bytes, bytes]:
        calls.append({"command": command, **options})
        return 1, "ä\r\n".encode(), b"\xff"

    shell = SimpleNamespace(_encode_script=lambda script, **options: f"powershell {script} {options}")
    execute = executor(SimpleNamespace(_shell=shell, exec_command=exec_command))
    assert execute("'x'", "e30=\n") == Answer(1, "ä\r\n", "\ufffd")
    assert execute("'x'", "").code == 1
    command = "powershell 'x' {'strict_mode': False, 'preserve_rc': False}"
    assert calls == [{"command": command, "in_data": data, "sudoable": False} for data in (b"e30=\n", None)]


def failing(*outcomes: Any, transport: str = "winrm", **options: Any) -> Any:
    """A connection whose calls raise, or answer; `options` are the plugin's."""
    left = list(outcomes)

    def exec_command(command: str, **_options: Any) -> tuple[int, bytes, bytes]:
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return 0, b"{}", b""

    shell = SimpleNamespace(_encode_script=lambda script, **_options: script)
    return executor(SimpleNamespace(transport=transport, get_option=options.get, _shell=shell, exec_command=exec_command))


def test_a_host_that_was_never_reached_is_unreachable() -> None:
    with pytest.raises(AnsibleConnectionFailure):
        failing(AnsibleConnectionFailure("no route"))("'x'", "")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("kerberos: authGSSClientStep() failed: (('Clock skew too great', -1765328347))", "Synchronize the clocks of the control node"),
        ("ntlm: the specified credentials were rejected by the server", "Correct ansible_user and ansible_password"),
        ("no route", ""),
    ],
)
def test_why_a_host_was_never_reached(text: str, remedy: str) -> None:
    with pytest.raises(AnsibleConnectionFailure) as raised:
        failing(AnsibleConnectionFailure(text))("'x'", "")
    assert str(raised.value).startswith(text)
    assert remedy in str(raised.value)
    assert len(str(raised.value)) == len(text) or remedy


OPENING = "psrp connection failure during runspace open: Received a WSManFault message. (Code: 2150858793, Machine: win1)"
READING = "HTTPSConnectionPool(host='win1', port=5986): Read timed out. (read timeout=30)"
CONNECTING = "Max retries exceeded (Caused by ConnectTimeoutError(<x>, 'Connection to win1 timed out. (connect timeout=30)'))"
TIMED_OUT = "WinRM could not complete the operation within its timeout (fault 2150858793)"
PSRP_OPERATION = "Raise ansible_psrp_operation_timeout (default: 20 seconds), with ansible_psrp_read_timeout (default: 30) above it"
PSRP_READ = "Raise ansible_psrp_read_timeout (default: 30 seconds), which has to be above ansible_psrp_operation_timeout"
WINRM_OPERATION = (
    "Raise ansible_winrm_operation_timeout_sec (default: 20 seconds), with ansible_winrm_read_timeout_sec (default: 30) above it"
)
WINRM_READ = "Raise ansible_winrm_read_timeout_sec (default: 30 seconds), which has to be above ansible_winrm_operation_timeout_sec"
WINRM_ORDER = "Set ansible_winrm_read_timeout_sec (default: 30 seconds) above ansible_winrm_operation_timeout_sec (default: 20 seconds)."
BOTH = {"connection_timeout": 20}


@pytest.mark.parametrize(
    ("transport", "options", "text", "sentence", "remedy"),
    [
        ("psrp", {}, OPENING, OPENING, PSRP_OPERATION),
        ("psrp", {}, "HTTP read timeout during PSRP script execution", "HTTP read timeout during PSRP script execution", PSRP_READ),
        ("psrp", {}, f"Failed to connect to the host via PSRP: {CONNECTING}", CONNECTING, "Check that the host is on"),
        ("winrm", {}, "basic: ", f"basic: {TIMED_OUT}", WINRM_OPERATION),
        ("winrm", {}, "kerberos: , ntlm: ", f"kerberos: {TIMED_OUT}, ntlm: {TIMED_OUT}", WINRM_OPERATION),
        ("winrm", {}, "ntlm: , basic: no route", f"ntlm: {TIMED_OUT}, basic: no route", WINRM_OPERATION),
        ("winrm", {}, f"winrm connection error: {READING}", READING, WINRM_READ),
        ("winrm", {}, f"ntlm: {CONNECTING}", CONNECTING, "Check that the host is on"),
        ("winrm", {}, "ntlm: read_timeout_sec must exceed operation_timeout_sec, and both must be non-zero", "ntlm: read_", WINRM_ORDER),
        ("winrm", BOTH, "basic: ", TIMED_OUT, "Raise ansible_winrm_connection_timeout, and run the task again"),
        ("winrm", BOTH, f"winrm connection error: {READING}", READING, "Raise ansible_winrm_connection_timeout, and run the task again"),
        ("other", {}, READING, READING, "Raise the timeout of the connection, and run the task again"),
    ],
)  # fmt: skip
def test_timeouts_name_the_variable_of_the_connection(
    transport: str, options: dict[str, Any], text: str, sentence: str, remedy: str
) -> None:
    with pytest.raises(AnsibleConnectionFailure) as raised:
        failing(AnsibleConnectionFailure(text), transport=transport, **options)("'x'", "")
    assert sentence in str(raised.value)
    assert remedy in str(raised.value)
    assert str(raised.value).count("Raise") + str(raised.value).count("Set ") + str(raised.value).count("Check") == 1


@pytest.mark.parametrize(
    ("transport", "error", "text", "remedy"),
    [
        ("psrp", WSManFaultError(2150858793, "win1", "no text", "", "", ""), "Code: 2150858793", PSRP_OPERATION),
        ("psrp", requests.ReadTimeout(READING), READING, PSRP_READ),
        ("winrm", WinRMOperationTimeoutError(), f"the connection failed: {TIMED_OUT}. ", WINRM_OPERATION),
    ],
)
def test_timeouts_of_a_script(transport: str, error: Exception, text: str, remedy: str) -> None:
    with pytest.raises(WindowsError) as raised:
        WindowsHost("win1", failing(error, transport=transport)).run("host_facts", "read the facts")
    assert text in str(raised.value)
    assert raised.value.remedy.startswith(remedy)


def test_a_sentence_is_there_once() -> None:
    """Ansible adds the sentences of an error's causes to its own."""
    known, unknown = AnsibleConnectionFailure("HTTP read timeout during PSRP script execution"), AnsibleConnectionFailure("no route")
    known.__cause__ = requests.ReadTimeout(READING)
    for error, sentences in ((known, ["HTTP read timeout during", "Read timed out", "Raise ansible_psrp"]), (unknown, ["no route"])):
        with pytest.raises(AnsibleConnectionFailure) as raised:
            failing(error, transport="psrp")("'x'", "")
        assert [str(raised.value).count(sentence) for sentence in sentences] == [1] * len(sentences), str(raised.value)


ERRORS = [ConnectionError("lost"), requests.ConnectionError("lost"), WSManFaultError(5, "win1", "lost", "", "", ""), BadMICError()]


@pytest.mark.parametrize("error", [AnsibleConnectionFailure("lost"), *ERRORS])
def test_a_connection_that_is_lost_later_is_a_failure(error: Exception) -> None:
    execute = failing(None, error)
    execute("'x'", "")
    with pytest.raises(Disconnected):
        execute("'x'", "")


@pytest.mark.parametrize("error", [*ERRORS, InvalidCredentialsError("lost"), WinRMError("lost")])
def test_errors_of_libraries_are_failures_at_once(error: Exception) -> None:
    with pytest.raises(Disconnected):
        failing(error)("'x'", "")


def test_a_defect_is_not_hidden() -> None:
    with pytest.raises(KeyError):
        failing(KeyError("defect"))("'x'", "")


@pytest.mark.parametrize(
    ("transport", "options", "part"),
    [
        ("winrm", {"port": 5986, "transport": ["basic"]}, ""),
        ("winrm", {"port": 5985, "transport": ["ntlm"]}, ""),
        ("winrm", {"port": 5985, "transport": None}, "http and plaintext): use https, or set ansible_winrm_transport"),
        ("winrm", {"port": 5986, "scheme": "http", "transport": ["kerberos", "basic"]}, "http and basic"),
        ("psrp", {"port": None, "auth": "basic"}, ""),
        ("psrp", {"port": "5985", "auth": "basic"}, "or set ansible_psrp_auth"),
        ("psrp", {"port": 5985, "auth": "negotiate"}, ""),
        ("ssh", {}, ""),
    ],
)
def test_passwords_in_plain_text_are_refused(transport: str, options: dict[str, Any], part: str) -> None:
    connection = SimpleNamespace(transport=transport, become=None, _shell=SimpleNamespace(_IS_WINDOWS=True), get_option=options.get)
    sentence = problem(connection, "win1")
    assert bool(sentence) == bool(part)
    assert part in sentence
