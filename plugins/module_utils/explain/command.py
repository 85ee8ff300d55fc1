# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command mailops-explain."""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import sys
from pathlib import Path

from .layout import lines, nothing_recognized
from .recognition import LIMIT, SERVICES, Result, explain

_WIDEST, _NARROWEST = 120, 40


def main(arguments: list[str]) -> int:
    """The exit status: 0, 1 if nothing is recognized, 2 if the text cannot be read."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal need not have every character of the text
    options, text = _input(arguments)
    result = explain(text, options.service)
    try:
        _print(result, options)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as head, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if not result.explanations:
        sys.stderr.write(f"{nothing_recognized(result)}\n")
        return 1
    return 0


def _input(arguments: list[str]) -> tuple[argparse.Namespace, str]:
    """The options and the text. Exits with status 2 if they are invalid."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.file and options.text:
        parser.error("give the text as arguments or as --file, not both")
    try:
        text = _text(options)
    except OSError as error:
        parser.error(f"--file: cannot read {options.file}: {error.strerror or error}")
    if len(text) > LIMIT:
        parser.error(f"the text has more than {LIMIT} characters: give the part with the error")
    if not text.strip():
        parser.error("the text is empty: give it as an argument, with --file, or on standard input")
    return options, text


def _print(result: Result, options: argparse.Namespace) -> None:
    if options.json:
        explanations = [explanation.as_dict() for explanation in result.explanations]
        output = json.dumps({"explanations": explanations, "unknown_codes": list(result.unknown_codes)}, indent=2)
        sys.stdout.write(f"{output}\n")
        return
    width = max(_NARROWEST, min(_WIDEST, options.width or shutil.get_terminal_size().columns))
    sys.stdout.writelines(f"{line}\n" for line in lines(result, width))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mailops-explain",
        description="Explains an error: an SMTP reply, an AADSTS code, a whole delivery report (NDR), a log line of Postfix or Dovecot, "
        "or an error of Microsoft Graph, the Exchange admin API, Azure Resource Manager or a DNS server.",
        epilog="Exit status: 0 explained, 1 nothing recognized, 2 the text cannot be read.",
    )
    parser.add_argument("text", nargs="*", help="the text; standard input if there is neither a text nor --file")
    parser.add_argument("--file", type=Path, help="a file with the text, such as a saved message (.eml)")
    parser.add_argument("--service", choices=SERVICES, default="", help="the service that the text is from, if it does not show that")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--width", type=int, default=0, help="columns of the output; default: those of the terminal, at most 120")
    return parser


def _text(options: argparse.Namespace) -> str:
    if options.text:
        return " ".join(options.text)
    if options.file:
        content: bytes = options.file.read_bytes()
        return content.decode("utf-8", "replace")
    if sys.stdin.isatty():
        sys.stderr.write("Paste the text, then press Ctrl-D on a line of its own.\n")
        sys.stderr.flush()
    return sys.stdin.buffer.read().decode("utf-8", "replace")
