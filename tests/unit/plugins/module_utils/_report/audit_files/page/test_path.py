# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._planning.methods import METHODS
from ansible_collections.mailops.m365.plugins.module_utils._planning.upstreams import UPSTREAMS
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files.page.path import path

EXCHANGE = "Exchange Online"


def hops(method: str | None = None, verdict: str = "safe", **more: Any) -> list[str]:
    return path({"method": method, "verdict": verdict, **more})


def relay(upstream: str, *users: str) -> dict[str, Any]:
    return {"name": "relay1", "host": "relay1.contoso.com", "upstream": upstream, "users": list(users)}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"method": "oauth"}, ["SMTP AUTH with OAuth", EXCHANGE]),
        ({"method": "connector"}, ["inbound connector", EXCHANGE]),
        ({"method": "connector", "connector": "Office"}, ["inbound connector Office", EXCHANGE]),
        ({"method": "relay_host"}, ["relay host", "inbound connector", EXCHANGE]),
        (
            {"method": "relay_host", "relay_host": relay("oauth", "label-printer")},
            ["SASL user label-printer", "relay host relay1", "SMTP AUTH with OAuth", EXCHANGE],
        ),
        (
            {"method": "relay_host", "relay_host": relay("connector"), "connector": "Office"},
            ["relay host relay1", "inbound connector Office", EXCHANGE],
        ),
        ({"method": "relay_host", "relay_host": relay("smarthost")}, ["relay host relay1", "smart host"]),
        ({"method": "relay_host", "relay_host": relay("sendgrid")}, ["relay host relay1", "SendGrid"]),
        ({"verdict": "breaks"}, ["SMTP AUTH with Basic authentication", EXCHANGE]),
        ({"connector": "Office"}, ["inbound connector Office", EXCHANGE]),
        ({"clients": {"oauth": True}}, ["SMTP AUTH with OAuth", EXCHANGE]),
        ({"basic": {"succeeded": 3}, "verdict": "refused"}, ["SMTP AUTH with Basic authentication", EXCHANGE]),
        ({}, ["method not known"]),
    ],
)
def test_the_hops_of_a_sender(row: dict[str, Any], expected: list[str]) -> None:
    assert hops(**row) == expected


def test_every_method_and_upstream_has_hops() -> None:
    assert all("method not known" not in hops(method) for method in METHODS)
    assert all("method not known" not in hops("relay_host", relay_host=relay(upstream)) for upstream in UPSTREAMS)
