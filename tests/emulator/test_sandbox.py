"""The playground's directory after its emulator is gone."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from emulator.sandbox import Sandbox


def test_a_number_that_is_somebody_elses_by_now_is_left_alone(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    with subprocess.Popen(["sleep", "60"]) as stranger:
        try:
            sandbox.ready_file.write_text(json.dumps({"pid": stranger.pid}), encoding="utf-8")
            sandbox.stop()
            assert stranger.poll() is None
            assert not sandbox.ready_file.exists()
        finally:
            stranger.kill()


def test_the_number_of_a_process_that_is_gone_is_no_error(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    sandbox.ready_file.write_text(json.dumps({"pid": gone.pid}), encoding="utf-8")
    sandbox.stop()
    assert not sandbox.ready_file.exists()
