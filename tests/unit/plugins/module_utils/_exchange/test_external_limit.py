# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._clients.exchange import Outcome
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import ExchangeError
from ansible_collections.mailops.m365.plugins.module_utils._exchange.external_limit import ExternalLimit, of_outcome


@pytest.mark.parametrize(
    ("row", "limit"),
    [
        ({"Threshold": 2_000, "ObservedValue": 1_999, "EnforcementEnabled": True}, ExternalLimit(2_000, 1_999)),
        ({"Threshold": "2000", "ObservedValue": "17", "EnforcementEnabled": "False"}, ExternalLimit(2_000, 17, enforced=False)),
        ({"Threshold": 2_000.0, "ObservedValue": None}, ExternalLimit(2_000, 0)),
        ({"Threshold": 0, "ObservedValue": 17}, None),
        ({"Threshold": -1, "ObservedValue": 17}, None),
        ({"Threshold": "Unlimited", "ObservedValue": 17}, None),
        ({"Threshold": "inf"}, None),
        ({}, None),
    ],
)
def test_numbers_may_be_texts_and_a_row_without_a_limit_is_none(row: dict[str, Any], limit: ExternalLimit | None) -> None:
    assert of_outcome(Outcome([row])) == limit


def test_a_refused_cmdlet_and_an_empty_answer_give_no_limit() -> None:
    assert of_outcome(Outcome(error=ExchangeError("read it", "no such cmdlet", code="CommandNotFoundException"))) is None
    assert of_outcome(Outcome()) is None


def test_the_used_part_is_rounded_down() -> None:
    assert [ExternalLimit(5_000, used).percent for used in (0, 3_999, 4_000, 6_000)] == [0, 79, 80, 120]
