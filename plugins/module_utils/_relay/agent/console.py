# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Output of the agent: to a terminal, and, from its units, to the journal.

A line for the journal may begin with its priority, such as <3> (sd-daemon(3)).
"""

from __future__ import annotations

import sys


def print_line(text: object) -> None:
    """Write a line to standard output and flush it."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def print_error(text: object) -> None:
    """Write a line to standard error and flush it."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
