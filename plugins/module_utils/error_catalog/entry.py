# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An entry of the error catalog."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorEntry:
    """A known error of one service.

    `code` is matched whole (AADSTS number, Graph code, Exchange exception type, SMTP enhanced status code), `text` is a
    regular expression searched in the service's message. `cause` is a clause without a full stop, `remedy` a sentence.
    `transient`: the same request may succeed later without any change of configuration. `exists`: the object to be created
    exists already. `queue_policy` is what a relay host does with mail that meets this reply: "defer", "hold" or "bounce".
    `source` is the title of Microsoft's page, or where else the entry is from. `variables`: the inventory's variables whose value is
    the cause or the remedy. `sample`: the text of the service that this entry is for, with <names> for what varies.
    """

    id: str
    service: str
    code: str
    cause: str
    remedy: str
    text: str = ""
    transient: bool = False
    exists: bool = False
    queue_policy: str = ""
    source: str = ""
    variables: tuple[str, ...] = ()
    sample: str = ""
