"""The answers of scripts on a Windows host."""

from __future__ import annotations

import json

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._windows.host import Answer, Disconnected, WindowsError, WindowsHost

CLIXML = '#< CLIXML\r\n<Objs><S S="Error">boom</S></Objs>'


def run(code: int, stdout: str, stderr: str = "") -> dict[str, object]:
    return WindowsHost("win1", lambda script, lines: Answer(code, stdout, stderr)).run("host_facts", "read what the host is")


def test_the_last_line_is_the_answer() -> None:
    assert run(0, 'Welcome to {CONTOSO}\r\n{"a": [1, true]}\r\n\r\n') == {"a": [1, True]}


@pytest.mark.parametrize(
    ("code", "stdout", "stderr", "text"),
    [
        (0, "", "", "Windows answered exit code 0 instead of JSON: no output"),
        (1, "", CLIXML, 'Windows answered exit code 1 instead of JSON: #< CLIXML <Objs><S S="Error">boom</S></Objs>'),
        (0, "[1]", "", "instead of JSON: [1]"),
        (0, "hello\r\n", "", "instead of JSON: hello"),
        (3, '{"a": 1}', "", "Windows answered exit code 3"),
    ],
)
def test_no_answer(code: int, stdout: str, stderr: str, text: str) -> None:
    with pytest.raises(WindowsError) as failure:
        run(code, stdout, stderr)
    assert str(failure.value).startswith("Could not read what the host is on win1: ")
    assert text in str(failure.value)


def test_a_long_text_is_cut() -> None:
    with pytest.raises(WindowsError) as failure:
        run(1, "x" * 5000)
    assert len(str(failure.value)) < 400


def test_the_error_of_a_script_names_windows_own_id() -> None:
    with pytest.raises(WindowsError, match=r"Windows answered HRESULT 0x80041010: Invalid class\. The WMI class is missing") as failure:
        run(0, '{"error": {"id": "HRESULT 0x80041010,Microsoft.Cmdlet", "message": "Invalid class\\r\\n"}}')
    assert failure.value.as_result()["code"] == "HRESULT 0x80041010"


def test_a_script_is_counted() -> None:
    host = WindowsHost("win1", lambda script, lines: Answer(0, "{}", ""))
    host.run("host_facts", "read what the host is")
    assert host.cost.as_result()["requests"] == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(0, '{"error": {"id": "no pa55-word, sir", "message": "pa55-word, sir is wrong"}}', ""),
        Answer(1, "pa55-word, sir", ""),
        Answer(1, "", '<S S="Error">pa55-word, sir</S>'),
        Answer(0, "cGE1NS13b3JkLCBzaXI=", ""),
    ],
)
def test_an_error_has_no_secret(answer: Answer) -> None:
    sent: list[tuple[str, str]] = []

    def execute(script: str, lines: str) -> Answer:
        sent.append((script, lines))
        return answer

    with pytest.raises(WindowsError) as failure:
        WindowsHost("win1", execute).run("host_facts", "read", {"a": 1}, ["pa55-word, sir"])
    text = f"{failure.value} {failure.value.as_result()}"
    assert "********" in text
    assert not any(form in text for form in ("pa55-word", "cGE1NS13b3Jk"))
    [(script, lines)] = sent
    assert lines == '{"a":1}\ncGE1NS13b3JkLCBzaXI=\n'
    assert "pa55" not in script


@pytest.mark.parametrize(
    ("code", "message", "part"),
    [
        ("HRESULT 0x80041003", "Access denied ", "LocalAccountTokenFilterPolicy"),
        ("GetWMIManagementException", 'Invalid namespace "root\\MicrosoftIISv2" ', "install the feature Web-WMI"),
        ("HRESULT 0x80041033", "Shutting down ", "Windows is restarting"),
        ("HRESULT 0x80041001", "Generic failure ", "Restart the service Winmgmt"),
        ("CannotCreateTypeConstrainedLanguage", "only core types are supported in this language mode.", "constrained language mode"),
        ("CommandNotFoundException", "The term 'Get-WindowsFeature' is not recognized", "check its edition"),
        ("DotNetMethodException", "something else", ""),
        ("WebCmdletWebResponseException", "The remote server returned an error: (401) Unauthorized.", ""),
        ("WebCmdletWebResponseException", "The operation has timed out.", ""),
    ],
)
def test_errors_have_a_remedy(code: str, message: str, part: str) -> None:
    with pytest.raises(WindowsError) as failure:
        run(0, json.dumps({"error": {"id": code, "message": message}}))
    assert bool(failure.value.remedy) == bool(part)
    assert part in failure.value.remedy
    assert str(failure.value).endswith(failure.value.remedy or message)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("Access is denied. (extended fault data: {'wsmanfault_code': 5, 'fault_code': 's:Sender'})", "a local administrator"),
        ("Received a WSManFault message. (Code: 2150858843, Machine: win1)", "WinRM has ended the shell"),
        ("Received a WSManFault message. (Code: 2150859174, Machine: win1)", "Raise the quota"),
        ("('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))", "Check WinRM on the host"),
    ],
)
def test_a_connection_that_fails(text: str, part: str) -> None:
    def execute(script: str, lines: str) -> Answer:
        raise Disconnected(f"{text} a secret word")

    with pytest.raises(WindowsError, match=r"^Could not read on win1: the connection failed: ") as failure:
        WindowsHost("win1", execute).run("host_facts", "read", {}, ["a secret word"])
    assert part in str(failure.value)
    assert "a secret word" not in str(failure.value)
    assert failure.value.as_result()["code"] == "connection"
