"""Scripts by a connection plugin of Ansible's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import requests
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.mailops.m365.plugins.module_utils._entry_points.windows_connection import executor, problem
from ansible_collections.mailops.m365.plugins.module_utils._windows.host import Answer, Disconnected
from pypsrp.exceptions import WinRMError, WSManFaultError
from spnego.exceptions import BadMICError
from winrm.exceptions import InvalidCredentialsError


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


def failing(*outcomes: Any) -> Any:
    """A connection whose calls raise, or answer."""
    left = list(outcomes)

    def exec_command(command: str, **_options: Any) -> tuple[int, bytes, bytes]:
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return 0, b"{}", b""

    return executor(SimpleNamespace(_shell=SimpleNamespace(_encode_script=lambda script, **_options: script), exec_command=exec_command))


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
