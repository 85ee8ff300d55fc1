"""What a command and all its processes take: seconds, processor seconds, and the peak of their memory."""

from __future__ import annotations

import resource
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

INTERVAL = 0.5  # seconds
_PROC = Path("/proc")


@dataclass(frozen=True)
class Usage:
    """`cpu`: seconds, user and system; `memory`: peak of the sum of all processes in MB, shared pages counted once (PSS); `parent`: peak
    of the first process alone in MB (RSS); `processes`: the most at a time.
    """

    seconds: float
    cpu: float
    memory: float
    parent: float
    processes: int


def run(command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> tuple[subprocess.CompletedProcess[str], Usage]:
    """Run a command to its end."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    sampler = _Sampler(process.pid)
    sampler.start()
    stdout, stderr = process.communicate()
    sampler.stop()
    seconds, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    done = subprocess.CompletedProcess(command, process.returncode, stdout, stderr)
    return done, Usage(seconds, cpu, sampler.memory / 1024, sampler.parent / 1024, sampler.processes)


class _Sampler(threading.Thread):
    """Reads the memory of a process and of all below it, in kB, until it is stopped."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self._end = pid, threading.Event()
        self.memory, self.parent, self.processes = 0.0, 0.0, 0

    def run(self) -> None:
        while not self._end.wait(INTERVAL):
            pids = _tree(self._pid)
            self.memory = max(self.memory, sum(_kilobytes(pid, "smaps_rollup", "Pss:") for pid in pids))
            self.parent = max(self.parent, _kilobytes(self._pid, "status", "VmHWM:"))
            self.processes = max(self.processes, len(pids))

    def stop(self) -> None:
        self._end.set()
        self.join()


def _tree(pid: int) -> list[int]:
    """The process and all below it."""
    result, rest = [], [pid]
    while rest:
        result.append(rest.pop())
        for children in (_PROC / str(result[-1]) / "task").glob("*/children"):
            rest += [int(child) for child in _text(children).split()]
    return result


def _kilobytes(pid: int, file: str, name: str) -> float:
    for line in _text(_PROC / str(pid) / file).splitlines():
        if line.startswith(name):
            return float(line.split()[1])
    return 0.0


def _text(path: Path) -> str:
    """The file's content; empty where its process has ended."""
    try:
        return path.read_text()
    except OSError:
        return ""
