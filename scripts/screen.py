"""How the demo speaks."""

from __future__ import annotations

import os
import shutil
import sys

COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


class Wrong(Exception):  # noqa: N818
    """Something is not as the demo says."""


def paint(code: str, text: str) -> str:
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def say(text: str = "") -> None:
    print(text, flush=True)


def chapter(number: int, title: str, text: str) -> None:
    width = min(shutil.get_terminal_size((118, 40)).columns, 118)
    say()
    say(paint("1;36", f"── {number}. {title} ".ljust(width, "─")))
    say(paint("2", text))
