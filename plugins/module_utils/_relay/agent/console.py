# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the relay's own program speaks: to people on a terminal, and, from its units, to the journal.

Private to the collection. A line for the journal may begin with its priority, such as <3> (sd-daemon(3)).
"""

from __future__ import annotations

import sys


def say(text: object) -> None:
    """A line of the answer, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def complain(text: object) -> None:
    """A line of what is wrong."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
