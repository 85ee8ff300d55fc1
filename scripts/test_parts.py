"""The parts of a test run: one pytest session each, read from its JUnit report, and the scheduler that runs them side by side."""

from __future__ import annotations

import collections
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
REPORTS = REPO / ".cache" / "tests"
ALLOWED_SKIPS = REPO / "tests" / "allowed_skips.txt"
# A part that takes longer is stopped; the results of the others stay.
LONGEST = 60 * 60
POLL = 0.2


@dataclass
class Part:
    """`workers` are pytest-xdist's; `variables` are added to the environment; `setup` is a make target that it needs first."""

    name: str
    arguments: list[str]
    workers: int = 2
    environment: Path = REPO / ".venv"
    variables: dict[str, str] = field(default_factory=dict)
    setup: str = ""
    counts: collections.Counter[str] = field(default_factory=collections.Counter)
    functions: set[str] = field(default_factory=set)
    skips: collections.Counter[str] = field(default_factory=collections.Counter)
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    worker_seconds: float = 0.0
    problem: str = ""
    _process: subprocess.Popen[bytes] | None = None
    _start: float = 0.0

    @property
    def report(self) -> Path:
        return REPORTS / f"{self.name}.xml"

    @property
    def log(self) -> Path:
        return REPORTS / f"{self.name}.log"

    @property
    def failed(self) -> bool:
        return bool(self.failures or self.problem)

    # -- running --------------------------------------------------------------------------------------------------

    def start(self) -> bool:
        """Begin the part; False where its environment could not be made or there is nothing to run."""
        self._start = time.monotonic()
        self.report.unlink(missing_ok=True)
        if self.setup and subprocess.run(["make", self.setup], cwd=REPO, check=False).returncode:
            self.problem = f"make {self.setup} failed"
            return False
        if not self.environment.exists():
            self.skips["no Python newer than python3 was found, in PATH or among pyenv's versions"] = 1
            return False
        binaries = self.environment / "bin"
        command = [str(binaries / "python"), "-m", "pytest", "-n", str(self.workers), "--dist", "loadgroup", "--color=no"]
        # The reasons of skips are in the summary.
        command += ["-q", "-rNfE", "-p", "no:cacheprovider", f"--junitxml={self.report}", *self.arguments]
        environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}", **self.variables}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=REPO, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        return True

    def ended(self) -> bool:
        """Whether the part is over; its results are read then."""
        if self._process is None:
            return True
        code, self.seconds = self._process.poll(), time.monotonic() - self._start
        if code is None and self.seconds > LONGEST:
            self.stop()
            code, self.problem = 1, f"was stopped after {LONGEST // 60} minutes"
        if code is None:
            return False
        if self.report.exists():
            self._read()
        if code and not self.failures and not self.problem:
            self.problem = {5: "found no tests"}.get(code, f"pytest ended with {code}")
        return True

    def stop(self) -> None:
        """End the part and what it started."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()

    # -- results --------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        outcomes: dict[str, str] = {}
        for case in ElementTree.parse(self.report).getroot().iter("testcase"):  # noqa: S314 - written by our own pytest
            test, skipped = f"{case.get('classname')}::{case.get('name')}", case.find("skipped")
            self.worker_seconds += float(case.get("time") or 0)
            self.functions.add(re.sub(r"[\[@].*", "", test, flags=re.DOTALL))
            if case.find("failure") is not None or case.find("error") is not None:
                outcomes[test] = "failed"
            elif skipped is not None:
                outcomes[test] = "skipped"
                self.skips[re.sub(r"^Skipped: ", "", skipped.get("message") or "no reason given")] += 1
            else:
                outcomes.setdefault(test, "passed")
        # A test that fails and whose clean-up fails, too, is in the report twice.
        self.counts.update(outcomes.values())
        self.failures = [test for test, outcome in outcomes.items() if outcome == "failed"]

    def unexpected_skips(self) -> list[str]:
        """The reasons of skips that tests/allowed_skips.txt does not list."""
        lines = ALLOWED_SKIPS.read_text(encoding="utf-8").splitlines()
        allowed = [re.compile(line) for line in lines if line and not line.startswith("#")]
        return [reason for reason in self.skips if not any(pattern.fullmatch(reason) for pattern in allowed)]

    def __str__(self) -> str:
        counts = ", ".join(f"{number} {what}" for what, number in sorted(self.counts.items())) or "nothing ran"
        state, functions = "FAILED" if self.failed else "ok", f"{len(self.functions)} functions"
        return (
            f"{state:7}{self.name:16}{functions:16}{counts:38}{self.seconds:6.0f} s {self.worker_seconds:7.0f} worker-s  {self.problem}"
        ).rstrip()


@contextmanager
def _stopped_at_the_end(running: list[Part]) -> Iterator[None]:
    """Whatever ends the run (Ctrl-C, too) ends its parts."""
    try:
        yield
    finally:
        for part in running:
            part.stop()


def run(parts: list[Part], workers: int) -> None:
    """Run the parts in their order, as many at a time as `workers` of pytest-xdist allow; a part's output follows its end."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    waiting, running = list(parts), list[Part]()
    with _stopped_at_the_end(running):
        while waiting or running:
            for part in [part for part in running if part.ended()]:
                running.remove(part)
                _print_log(part)
            for part in list(waiting):
                if running and sum(other.workers for other in running) + part.workers > workers:
                    break
                waiting.remove(part)
                print(f"--- {part.name}: started ---", flush=True)
                if part.start():
                    running.append(part)
            time.sleep(POLL)


def _print_log(part: Part) -> None:
    """The output of a part that is over: all of it where it failed, else pytest's last lines."""
    lines = part.log.read_text(encoding="utf-8", errors="replace").splitlines()
    print(f"--- {part.name}: {'FAILED' if part.failed else 'ok'} after {part.seconds:.0f} s ---")
    print("\n".join(lines if part.failed else lines[-1:]), flush=True)


if __name__ == "__main__":
    sys.exit("Run scripts/run_tests.py.")
