"""Scripts by a connection plugin of Ansible's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils._entry_points.windows_connection import executor
from ansible_collections.mailops.m365.plugins.module_utils._windows.host import Answer


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
