#!/usr/bin/env python3
"""Runs a tier of the tests, its parts side by side, and prints what passed, failed, and was skipped and why.

run_tests.py check|test|all [PART...]

check   rules of the repository, linters without ansible-lint, unit tests
test    check, ansible-lint, sanity, emulator, end to end, roles in Molecule, booted hosts of one Debian
all     every test, on both Debians, on the newest Python and ansible-core, and on the ansible-core versions between
"""

from __future__ import annotations

import collections
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.test_parts import REPO, Part, run

# Tests wait more than they compute: so many workers of pytest-xdist keep two cores busy.
WORKERS = 5
# So many failures of a part are named in the summary.
MOST_NAMED = 10
CHECK, TEST = ["-m", "not tier_test and not tier_all"], ["-m", "not tier_all"]
ONE_DEBIAN = {"MAILOPS_TEST_RELEASES": "trixie", "MAILOPS_TEST_OUTAGE": "90"}
AGAIN = ["-m", "not one_python_is_enough"]


def parts(tier: str) -> list[Part]:
    """The parts of a tier; those that take longest begin."""
    if tier == "check":
        return [Part("static", ["tests/static", *CHECK]), Part("unit", ["tests/unit", *CHECK])]
    marks, one = (TEST, ONE_DEBIAN) if tier == "test" else ([], {})
    every = [
        # The longest file first, in the order of conftest.py.
        Part("hosts", ["tests/hosts", "--no-loadscope-reorder", *marks], workers=3, variables=one),
        Part("molecule", ["tests/molecule", "--no-loadscope-reorder", *marks], variables=one),
        Part("e2e", ["tests/e2e", *marks]),
        Part("emulator", ["tests/emulator", *marks]),
        Part("static", ["tests/static", *marks]),
        Part("unit", ["tests/unit", *marks]),
    ]
    if tier == "all":
        folders = ["tests/unit", "tests/emulator", "tests/e2e", "tests/molecule"]
        between = ["tests/unit", "tests/e2e/test_playbooks.py"]
        every.insert(2, Part("newest", [*folders, *AGAIN], environment=REPO / ".venv-newest", setup="newest"))
        every.insert(3, Part("between", [*between, *AGAIN], environment=REPO / ".venv-between", setup="ansible-core-between"))
    return every


def summarize(tier: str, done: list[Part], seconds: float) -> bool:
    """Print the summary; True where something failed. The last line has pytest's form, because CI reads it."""
    print("\n" + "=" * 30 + f" make {tier if tier != 'all' else 'test-all'}: summary " + "=" * 30)
    problems = []
    for part in done:
        print(part)
        problems += [f"FAILED {part.name}: {failure}" for failure in part.failures[:MOST_NAMED]]
        if len(part.failures) > MOST_NAMED:
            problems.append(f"FAILED {part.name}: and {len(part.failures) - MOST_NAMED} more")
    reasons = [(part.name, reason, number) for part in done for reason, number in part.skips.items()]
    if reasons:
        print("\nSkipped, and why:")
    for name, reason, number in reasons:
        print(f"  {name}: {reason}" + (f" ({number} tests)" if number > 1 else ""))
    unexpected = [
        f"FAILED {part.name}: skipped for a reason that tests/allowed_skips.txt lacks: {reason}"
        for part in done
        for reason in part.unexpected_skips()
    ]
    for problem in problems + unexpected:
        print(problem)
    functions = {function for part in done for function in part.functions}
    total = sum((part.counts for part in done), collections.Counter[str]())
    print(f"{len(functions)} distinct test functions, {sum(total.values())} cases")
    total["failed"] += sum(1 for part in done if part.problem) + len(unexpected)
    order = [f"{total[what]} {what}" for what in ("failed", "passed", "skipped") if total[what]]
    print(f"{'=' * 20} {', '.join(order)} in {seconds:.2f}s {'=' * 20}")
    return bool(total["failed"])


def main() -> int:
    tier, *names = sys.argv[1:] or ["test"]
    if tier not in ("check", "test", "all"):
        print(__doc__)
        return 2
    os.chdir(REPO)
    start = time.monotonic()
    chosen = [part for part in parts(tier) if not names or part.name in names]
    run(chosen, WORKERS)
    return 1 if summarize(tier, chosen, time.monotonic() - start) else 0


if __name__ == "__main__":
    sys.exit(main())
