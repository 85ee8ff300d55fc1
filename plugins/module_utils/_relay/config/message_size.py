# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The maximum size of a message of a relay host, which is not above that of its upstream server.

Source: "Exchange Online limits" (35 MB by default, 150 MB at most).
"""

from __future__ import annotations

from ..._hosted.providers import HOSTED_RELAYS
from .reader import Reader

VARIABLE = "relay_message_size_limit"
DEFAULT, LARGEST = 36_700_160, 157_286_400


def read(reader: Reader, upstream: str) -> int:
    """In bytes, encoded. `upstream`: a value of relay_upstream."""
    hosted = HOSTED_RELAYS.get(upstream)
    largest = hosted.message_size if hosted else LARGEST
    if str(reader.value(VARIABLE)).strip() == "0":
        return min(DEFAULT, largest)
    size = reader.integer(VARIABLE, 100_000, LARGEST)
    if hosted:
        reader.report(*hosted.size_problems(VARIABLE, size))
    return size
