# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The maximum size of a message, by the relay host's upstream server."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._hosted.providers import HOSTED_RELAYS
from ansible_collections.mailops.m365.plugins.module_utils._relay.config import message_size
from ansible_collections.mailops.m365.plugins.module_utils._relay.config.reader import Reader


@pytest.mark.parametrize(
    ("upstream", "set_to", "size"),
    [
        ("oauth", 0, 36700160),
        ("connector", "0", 36700160),
        ("smtp2go", 0, 36700160),
        ("sendgrid", 0, 31457280),
        ("mailgun", 0, 26214400),
        ("oauth", 157286400, 157286400),
        ("smtp2go", 52428800, 52428800),
        ("mailgun", "1000000", 1000000),
    ],
)
def test_size_is_at_most_what_the_upstream_server_accepts(upstream: str, set_to: int | str, size: int) -> None:
    reader = Reader({"relay_message_size_limit": set_to})
    assert message_size.read(reader, upstream) == size
    assert reader.problems == []


@pytest.mark.parametrize("upstream", HOSTED_RELAYS)
def test_more_than_the_upstream_server_accepts_is_refused(upstream: str) -> None:
    largest = HOSTED_RELAYS[upstream].message_size
    reader = Reader({"relay_message_size_limit": largest + 1})
    message_size.read(reader, upstream)
    label = HOSTED_RELAYS[upstream].label
    assert reader.problems == [
        f"relay_message_size_limit is {largest + 1}: {label} accepts at most {largest} bytes. Set it to {largest} or less."
    ]


@pytest.mark.parametrize("set_to", [5, -1, 157286401, "big", 1.5])
def test_bad_size_is_refused(set_to: object) -> None:
    reader = Reader({"relay_message_size_limit": set_to})
    message_size.read(reader, "oauth")
    (problem,) = reader.problems
    assert problem.startswith(f"relay_message_size_limit is {set_to!r}: use a whole number from 100000 to 157286400")
