"""The PowerShell Remoting Protocol against pypsrp: output, errors, input, exit codes, faults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pypsrp.client import Client
from pypsrp.complex_objects import PSInvocationState
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from tests.emulator.conftest import Start
from tests.emulator.windows_lab import PASSWORD, USER, Lab, host_document


@pytest.fixture
def lab(start: Start) -> Lab:
    return Lab(start(windows=[host_document(winrm={})]).emulator)


def connect(lab: Lab, **options: Any) -> WSMan:
    settings: dict[str, Any] = {"username": USER, "password": PASSWORD, "auth": "ntlm"} | options
    return WSMan(lab.ports["address"], port=lab.ports["http_port"], ssl=False, **settings)


@pytest.fixture
def runspaces(lab: Lab) -> Iterator[RunspacePool]:
    with connect(lab) as wsman, RunspacePool(wsman) as opened:
        yield opened


def run(runspaces: RunspacePool, script: str, lines: list[str] | None = None) -> PowerShell:
    shell = PowerShell(runspaces)
    shell.add_script(script)
    shell.invoke(input=lines)
    return shell


def test_execute_ps(lab: Lab) -> None:
    """The client's own way: Invoke-Expression, then Out-String -Stream."""
    client = Client(lab.ports["address"], port=lab.ports["http_port"], ssl=False, username=USER, password=PASSWORD, auth="ntlm")
    output, streams, had_errors = client.execute_ps("(Get-CimInstance Win32_OperatingSystem).BuildNumber; 1,2; $true")
    assert (output, had_errors, streams.error) == ("20348\n1\n2\nTrue", False, [])
    output, streams, had_errors = client.execute_ps("throw 'boom'")
    assert (output, had_errors, str(streams.error[0])) == ("", True, "boom")


def test_objects_keep_their_types(runspaces: RunspacePool) -> None:
    assert run(runspaces, "'ä'; 5; $true; 5000000000; 1.5").output == ["ä", 5, True, 5000000000, 1.5]


def test_input_objects_are_the_lines(runspaces: RunspacePool) -> None:
    assert run(runspaces, "$lines = @($input); $lines.Count; $lines[1]", ["first", "zwölf"]).output == [2, "zwölf"]


def test_there_is_no_console(runspaces: RunspacePool) -> None:
    """wsmprovhost.exe has none: what is written to [Console]::Out is lost, and nothing can be read."""
    assert run(runspaces, "[Console]::Out.WriteLine('lost'); $null -eq [Console]::In.ReadLine()", ["first"]).output == [True]


def test_large_output_and_input(runspaces: RunspacePool) -> None:
    line = "x" * 300_000
    assert run(runspaces, "$lines = @($input); $lines[0]; $lines[0].Length", [line]).output == [line, 300_000]


def test_errors(runspaces: RunspacePool) -> None:
    shell = run(runspaces, "Get-Nothing; 'next'")
    assert (shell.output, shell.state) == (["next"], PSInvocationState.COMPLETED)
    assert shell.streams.error[0].fq_error == "CommandNotFoundException"
    shell = run(runspaces, "'before'; throw 'boom'")
    assert (shell.output, shell.state) == (["before"], PSInvocationState.FAILED)
    assert str(shell.streams.error[0]) == "boom"


def test_what_is_outside_of_the_subset(lab: Lab, runspaces: RunspacePool) -> None:
    shell = run(runspaces, "Get-CimInstance Win32_OperatingSystem")
    assert "outside of the emulator's subset" in str(shell.streams.error[0])
    assert run(runspaces, "& hostname").had_errors
    assert len(lab.document["refused"]) == 2


def test_scripts_are_logged_and_their_input_is_not(lab: Lab, runspaces: RunspacePool) -> None:
    run(runspaces, "$lines = @($input); $lines[0].Length", ["canary-5f0a"])
    assert lab.events(4104) == ["$lines = @($input); $lines[0].Length"]
    assert not any("canary" in event["message"] for event in lab.document["events"])


def test_several_pipelines_of_one_pool(runspaces: RunspacePool) -> None:
    assert [run(runspaces, f"{number}").output for number in range(5)] == [[number] for number in range(5)]


def test_a_pipeline_is_stopped(start: Start) -> None:
    api = start(windows=[host_document(winrm={})])
    with connect(Lab(api.emulator)) as wsman, RunspacePool(wsman) as runspaces:
        api.admin.latency(windows=600)
        shell = PowerShell(runspaces)
        shell.add_script("'never'")
        shell.begin_invoke()
        shell.stop()
        assert (shell.output, shell.state) == ([], PSInvocationState.STOPPED)
        api.admin.latency(windows=0)
        assert run(runspaces, "'next'").output == ["next"]


def test_a_slow_script_outlives_the_operation_timeout(start: Start) -> None:
    api = start(windows=[host_document(winrm={})])
    with connect(Lab(api.emulator), operation_timeout=1) as wsman, RunspacePool(wsman) as runspaces:
        api.admin.latency(windows=1.5)
        assert run(runspaces, "'done'").output == ["done"]


@pytest.mark.parametrize(("fault", "number"), [("shell_gone", 2150858843), ("quota", 2150859174), ("access_denied", 5)])
def test_faults(start: Start, fault: str, number: int) -> None:
    api = start(windows=[host_document(winrm={})])
    with connect(Lab(api.emulator)) as wsman, RunspacePool(wsman) as runspaces:
        api.admin.fault("windows", fault, match={"action": "Command"})
        with pytest.raises(WSManFaultError) as error:
            run(runspaces, "1")
        assert error.value.code == number
        assert run(runspaces, "1").output == [1]


def test_the_timeout_of_an_operation_by_its_target(start: Start) -> None:
    """pypsrp repeats a Receive of a pipeline, and not the one that opens the runspace pool."""
    api = start(windows=[host_document(winrm={})])
    lab = Lab(api.emulator)
    api.admin.fault("windows", "timeout", count=2, match={"action": "Receive", "target": "command"})
    with connect(lab) as wsman, RunspacePool(wsman) as runspaces:
        assert [fault["used"] for fault in api.admin.faults()] == [0]
        assert run(runspaces, "'done'").output == ["done"]
    assert [fault["used"] for fault in api.admin.faults()] == [2]
    api.admin.clear_faults()
    api.admin.fault("windows", "timeout", match={"action": "Receive", "target": "shell"})
    with connect(lab) as wsman, pytest.raises(WSManFaultError) as error:
        RunspacePool(wsman).open()
    assert error.value.code == 2150858793


def test_noise_before_the_output(start: Start) -> None:
    api = start(windows=[host_document(winrm={})])
    api.admin.fault("windows", "noise", match={"stage": "script"})
    with connect(Lab(api.emulator)) as wsman, RunspacePool(wsman) as runspaces:
        assert run(runspaces, "'x'").output == ["Welcome. This computer is monitored.", "x"]


def test_the_shells_of_a_user_are_counted_together(start: Start) -> None:
    lab = Lab(start(windows=[host_document(winrm={"max_shells_per_user": 1})]).emulator)
    with connect(lab) as wsman, RunspacePool(wsman), pytest.raises(WSManFaultError) as error, RunspacePool(connect(lab)):
        pass
    assert error.value.code == 2150859173
