# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import time

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.formatting import duration, local_time, plural, sentence


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 s"), (59, "59 s"), (60, "1 min"), (150, "2 min"), (3600, "1 h"), (86399, "24 h"), (86400, "24 h"), (2 * 86400, "2 d")],
)
def test_duration_has_one_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_local_time_has_a_date_on_other_days() -> None:
    assert re.fullmatch(r"\d\d:\d\d", local_time(time.time()))
    assert re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d", local_time(time.time() + 3 * 86400))


def test_plural_and_sentence() -> None:
    assert (plural(1, "message"), plural(2, "message"), plural(0, "problem")) == ("1 message", "2 messages", "0 problems")
    assert sentence("SMTP AUTH is off") == "SMTP AUTH is off"
    assert sentence("the queue is full") == "The queue is full"
