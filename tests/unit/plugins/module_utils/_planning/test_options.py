# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Malformed options of senders."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.params import make_params
from ansible_collections.mailops.m365.plugins.module_utils._planning import options
from ansible_collections.mailops.m365.plugins.module_utils._planning.options import sender_problems

from .samples import item, sender

MALFORMED = {
    "no_address": ({"address": "device"}, "m365_senders: Device: address holds 'device', which is no mail address (name@domain)."),
    "private": ({"public_addresses": ["10.1.2.3"]}, "public_addresses holds '10.1.2.3', which is not a public address"),
    "large": ({"public_addresses": ["203.0.0.0/16"]}, "which is wider than /24"),
    "six": ({"public_addresses": ["2001:db8::1"]}, "which is an IPv6 address"),
    "words": ({"public_addresses": ["the office"]}, "which is no IPv4 address or network (/24 to /32)"),
    "host bits": ({"public_addresses": ["203.0.113.7/24"]}, "which is an address inside a network: write 203.0.113.0/24"),
    "negative": ({"recipients_per_day": -1}, "recipients_per_day is -1: give a number from 0 to 1000000000."),
    "none": ({"messages_per_minute": 0}, "messages_per_minute is 0: give a number from 1 to 1000000000."),
    "name": ({"name": " "}, "has an empty name: name what sends."),
    "control": ({"name": "Fax\x1b[2J"}, "m365_senders: the name is 'Fax\\x1b[2J', which holds a line break or another control character"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_option_is_named(case: str) -> None:
    values, sentence = MALFORMED[case]
    [problem] = sender_problems([item(**values)])
    assert sentence in problem


def test_every_malformed_option_is_named_at_once() -> None:
    problems = sender_problems([item(), item(name="device", verify_recipient="nobody", mailbox="", public_addresses=["10.0.0.1"])])
    assert len(problems) == 4
    assert "the name is used twice" in problems[0]


def test_a_name_with_line_breaks_is_one_line() -> None:
    """`name: >` in YAML ends with a line break, which no object of Exchange has in its name."""
    made = sender(name="Fax\nnorth  wing\n", connector=" Plant\tnorth\n")
    assert (made.name, made.connector) == ("Fax north wing", "Plant north")
    [problem] = sender_problems([item(name="Fax north"), item(name="fax\nnorth\n")])
    assert "m365_senders: fax north: the name is used twice" in problem


def test_the_certificate_of_a_relay_host_is_compared_without_case() -> None:
    blank = {name: option.get("default") for name, option in options.RELAY_HOST.items()}
    values = {"name": "plant", "host": "relay.contoso.com", "certificate_name": " Relay.Contoso.COM "}
    assert options.relay_host(make_params(options.RelayHostOptions, blank | values)).certificate_name == "relay.contoso.com"
