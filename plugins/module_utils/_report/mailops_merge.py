# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command mailops-merge: the JSON reports or plans of the slices of a job as one. `python -m` runs it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from .._composition.reviewed_plan import FORMAT as PLAN_FORMAT
from .._core.errors import InvalidInput
from .._core.json_types import JsonObject
from . import plan_junit, plan_markdown
from .merge import merged, plan_of

_INVALID, _CHANGES = 2, 3


def main(arguments: list[str]) -> int:
    """The exit status: 0, 2 where nothing was merged, 3 where a plan has changes and --exit-on-changes is given."""
    options = _parser().parse_args(arguments)
    try:
        document = merged({str(file): _read(file) for file in options.files})
        is_plan = document["format"] == PLAN_FORMAT
        if not is_plan and (options.markdown or options.junit or options.exit_on_changes):
            raise InvalidInput("--markdown, --junit and --exit-on-changes are for plans (MAILOPS_PLAN), and these files are reports.")
        _write(options.output, json.dumps(document, indent=2) + "\n")
        if options.markdown:
            _write(options.markdown, plan_markdown.markdown(plan_of(document), str(options.output)))
        if options.junit:
            _write(options.junit, plan_junit.junit(plan_of(document)))
    except InvalidInput as error:
        sys.stderr.writelines(f"mailops-merge: {problem}\n" for problem in error.problems)
        return _INVALID
    return _CHANGES if options.exit_on_changes and document["changes"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mailops-merge",
        description="Merges the JSON reports (MAILOPS_REPORT) or plans (MAILOPS_PLAN) of several runs into one.",
        epilog="Exit status: 0 merged, 2 nothing merged, 3 a plan with changes (--exit-on-changes).",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="the file of each run")
    parser.add_argument("--output", required=True, type=Path, help="the merged file")
    parser.add_argument("--markdown", type=Path, help="of plans: the file of the comment, within its limit")
    parser.add_argument("--junit", type=Path, help="of plans: the file of the JUnit XML")
    parser.add_argument("--exit-on-changes", action="store_true", help="of plans: end with exit status 3 if there are changes")
    return parser


def _read(file: Path) -> JsonObject:
    try:
        document: JsonObject = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InvalidInput(f"{file} is not JSON: {error}.") from error
    return document


def _write(file: Path, text: str) -> None:
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror}.") from error


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
