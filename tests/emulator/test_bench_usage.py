"""What the benchmark measures of a command counts all of its processes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bench import usage

CHILD = "import time; block = bytearray(60_000_000); block[::4096] = bytes(len(block[::4096])).replace(b'\\0', b'x'); time.sleep(1.5)"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}]); sum(range(3_000_000)); print('done'); sys.exit(3)"


def test_memory_and_processor_time_of_all_processes(tmp_path: Path) -> None:
    done, used = usage.run([sys.executable, "-c", PARENT], tmp_path, dict(os.environ))
    assert (done.returncode, done.stdout) == (3, "done\n")
    assert used.processes >= 2
    assert used.memory > 60
    assert 0 < used.parent < 60, "the first process alone"
    assert used.seconds > 1.5
    assert used.cpu > 0.05
