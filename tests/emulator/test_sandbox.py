"""The playground's directory after its emulator is gone."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from emulator.sandbox import Sandbox


def test_reused_process_id_is_not_killed(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    with subprocess.Popen(["sleep", "60"]) as other_process:
        try:
            sandbox.ready_file.write_text(json.dumps({"pid": other_process.pid}), encoding="utf-8")
            sandbox.stop()
            assert other_process.poll() is None
            assert not sandbox.ready_file.exists()
        finally:
            other_process.kill()


def test_process_id_of_an_ended_process_is_no_error(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    sandbox.ready_file.write_text(json.dumps({"pid": gone.pid}), encoding="utf-8")
    sandbox.stop()
    assert not sandbox.ready_file.exists()
