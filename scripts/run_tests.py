#!/usr/bin/env python3
"""Runs the parts of `make test` one after the other and says at the end what passed, failed, and was skipped and why.

Without arguments every part; `run_tests.py newest` only that. Quick parts come first.
"""

from __future__ import annotations

import collections
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
REPORTS = REPO / ".cache" / "tests"
NEWEST = REPO / ".venv-newest"
# A part that hangs must not take the others' results with it.
LONGEST = 45 * 60
# So many failures of a part are named at the end.
SHOWN = 10


@dataclass
class Part:
    name: str
    arguments: list[str]
    environment: Path = REPO / ".venv"
    counts: collections.Counter[str] = field(default_factory=collections.Counter)
    skips: collections.Counter[str] = field(default_factory=collections.Counter)
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    problem: str = ""

    def run(self) -> None:
        report = REPORTS / f"{self.name}.xml"
        report.unlink(missing_ok=True)
        binaries = self.environment / "bin"
        color = "yes" if sys.stdout.isatty() else "no"
        command = [str(binaries / "python"), "-m", "pytest", "-n", "2", "--dist", "loadgroup", f"--color={color}"]
        # The reasons of skips come once, at the end of all.
        command += ["-rNfE", f"--junitxml={report}", *self.arguments]
        environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
        start = time.monotonic()
        try:
            code = subprocess.run(command, cwd=REPO, env=environment, check=False, timeout=LONGEST).returncode
        except subprocess.TimeoutExpired:
            code, self.problem = 1, f"was stopped after {LONGEST // 60} minutes"
        self.seconds = time.monotonic() - start
        if report.exists():
            self._read(report)
        if code and not self.failures and not self.problem:
            self.problem = {5: "found no tests"}.get(code, f"pytest ended with {code}")

    def _read(self, report: Path) -> None:
        outcomes: dict[str, str] = {}
        for case in ElementTree.parse(report).getroot().iter("testcase"):  # noqa: S314 - written by our own pytest
            test, skipped = f"{case.get('classname')}::{case.get('name')}", case.find("skipped")
            if case.find("failure") is not None or case.find("error") is not None:
                outcomes[test] = "failed"
            elif skipped is not None:
                outcomes[test] = "skipped"
                self.skips[re.sub(r"^Skipped: ", "", skipped.get("message") or "no reason given")] += 1
            else:
                outcomes.setdefault(test, "passed")
        # A test that fails and whose clean-up fails, too, stands there twice.
        self.counts.update(outcomes.values())
        self.failures = [test for test, outcome in outcomes.items() if outcome == "failed"]

    @property
    def failed(self) -> bool:
        return bool(self.failures or self.problem)

    def __str__(self) -> str:
        counts = ", ".join(f"{number} {what}" for what, number in sorted(self.counts.items())) or "nothing ran"
        return f"{'FAILED' if self.failed else 'ok':7}{self.name:10}{counts:42}{self.seconds:6.0f} s  {self.problem}".rstrip()


def newest() -> Part:
    """The parts that depend on Python and ansible-core, in the second environment."""
    part = Part("newest", ["tests/unit", "tests/emulator", "tests/e2e", "tests/molecule", "-m", "not one_python_is_enough"], NEWEST)
    made = subprocess.run(["make", "newest"], cwd=REPO, check=False)
    if made.returncode:
        part.problem = "its environment could not be made"
    elif not NEWEST.exists():
        part.skips["no Python newer than python3 was found, in PATH or among pyenv's versions"] = 1
    return part


def parts(wanted: list[str]) -> list[Part]:
    every = [
        Part("unit", ["tests/unit"]),
        Part("emulator", ["tests/emulator"]),
        Part("e2e", ["tests/e2e"]),
        Part("static", ["tests/static"]),
        Part("molecule", ["tests/molecule"]),
        # A worker more than cores: hosts wait more than they work. The longest story first, in the order of conftest.py.
        Part("hosts", ["tests/hosts", "-n", "3", "--no-loadscope-reorder"]),
    ]
    return [part for part in every if not wanted or part.name in wanted]


def summarize(done: list[Part], seconds: float) -> None:
    print("\n" + "=" * 30 + " make test: summary " + "=" * 30)
    for part in done:
        print(part)
    skips = [(part.name, reason, number) for part in done for reason, number in part.skips.items()]
    if skips:
        print("\nSkipped, and why:")
    for name, reason, number in skips:
        print(f"  {name}: {reason}" + (f" ({number} tests)" if number > 1 else ""))
    for part in done:
        for failure in part.failures[:SHOWN]:
            print(f"FAILED {part.name}: {failure}")
        if len(part.failures) > SHOWN:
            print(f"FAILED {part.name}: and {len(part.failures) - SHOWN} more")
    total = sum((part.counts for part in done), collections.Counter[str]())
    total["failed"] += sum(1 for part in done if part.problem)
    order = [f"{total[what]} {what}" for what in ("failed", "passed", "skipped") if total[what]]
    print(f"{'=' * 20} {', '.join(order)} in {seconds:.2f}s {'=' * 20}")


def main() -> int:
    os.chdir(REPO)
    REPORTS.mkdir(parents=True, exist_ok=True)
    wanted, start, done = sys.argv[1:], time.monotonic(), []
    for part in parts(wanted):
        print(f"\n--- {part.name} ---", flush=True)
        part.run()
        done.append(part)
    if not wanted or "newest" in wanted:
        print("\n--- newest ---", flush=True)
        part = newest()
        if not part.failed and not part.skips:
            part.run()
        done.append(part)
    summarize(done, time.monotonic() - start)
    return 1 if any(part.failed for part in done) else 0


if __name__ == "__main__":
    sys.exit(main())
