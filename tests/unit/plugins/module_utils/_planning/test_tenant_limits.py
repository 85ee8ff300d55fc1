# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits that several senders exceed together."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._exchange.external_limit import ExternalLimit
from ansible_collections.mailops.m365.plugins.module_utils._planning import limits, tenant_limits
from ansible_collections.mailops.m365.plugins.module_utils._planning.context import PlanningContext, RelayHost

from .samples import OAUTH_RELAY, PLANT, planned, tenant

OFFICE = ["203.0.113.10"]


def total(known: PlanningContext, *senders: dict[str, Any]) -> list[str]:
    return tenant_limits.problems(planned(known, *senders), known)


@pytest.mark.parametrize(
    ("licences", "trial", "allowed"),
    [(1, False, 10_000), (10, False, 12_005), (100, False, 22_059), (1_000, False, 72_446), (9, True, 5_000)],
)
def test_the_external_limit_is_microsofts_formula(licences: int, trial: bool, allowed: int) -> None:
    assert abs(limits.external_recipients_a_day(licences, trial=trial) - allowed) <= 1
    many = [{"public_addresses": OFFICE, "recipients_per_day": allowed // 2}, {"public_addresses": OFFICE, "recipients_per_day": allowed}]
    [problem] = total(tenant(licences=licences, trial=trial), *many)
    assert "tenant external recipient rate limit" in problem
    assert ("a trial tenant" in problem) == trial


@pytest.mark.parametrize(("limit", "is_refused"), [(8_999, True), (9_000, False), (60_000, False)])
def test_the_limit_that_exchange_gives_counts_instead_of_the_formula(limit: int, is_refused: bool) -> None:
    known = tenant(licences=1, trial=True, external_limit=ExternalLimit(limit, 100))
    assert bool(total(known, {"public_addresses": OFFICE, "recipients_per_day": 9_000})) is is_refused


def test_a_limit_that_is_not_enforced_is_a_warning() -> None:
    known = tenant(licences=1, external_limit=ExternalLimit(2_000, 1_990, enforced=False))
    plans = planned(known, {"public_addresses": OFFICE, "recipients_per_day": 9_000})
    assert tenant_limits.problems(plans, known) == []
    [warning] = tenant_limits.warnings(plans, known)
    assert "more than the 2,000 of this tenant, of which 1,990 were used in the last 24 hours. Exchange does not enforce" in warning


@pytest.mark.parametrize(("used", "warns"), [(1_599, False), (1_600, True), (2_600, True)])
def test_a_limit_that_is_used_to_four_fifths_is_a_warning(used: int, warns: bool) -> None:
    known = tenant(external_limit=ExternalLimit(2_000, used))
    assert bool(tenant_limits.warnings(planned(known, {"public_addresses": OFFICE, "recipients_per_day": 1_500}), known)) is warns


def test_internal_recipients_and_other_services_do_not_count() -> None:
    known = tenant(licences=1, acs=True)
    assert not total(known, {"public_addresses": OFFICE, "recipients": "internal", "recipients_per_day": 90_000})
    assert not total(known, {"method": "acs", "recipients_per_day": 90_000})
    assert not total(tenant(licences=None), {"public_addresses": OFFICE, "recipients_per_day": 90_000})


def test_senders_of_one_mailbox_share_its_limits() -> None:
    twenty = {"kind": "erp", "messages_per_minute": 20, "recipients_per_day": 6_000, "recipients": "internal"}
    rate, day = total(tenant(), twenty, twenty)
    assert rate.startswith("m365_senders: S0, S1 together send 40 messages a minute as device@contoso.com, which may send 30:")
    assert "12,000 recipients a day" in day
    assert not total(tenant(), twenty, twenty | {"mailbox": "other@contoso.com"})


def test_the_initial_domain_reaches_100_external_recipients() -> None:
    one = {"kind": "erp", "address": "a@contoso.onmicrosoft.com", "recipients_per_day": 60}
    assert not total(tenant(), one)
    [problem] = total(tenant(), one, one | {"address": "b@contoso.onmicrosoft.com"})
    assert "120 external recipients a day" in problem


@pytest.mark.parametrize(("relay_host", "counted"), [
    (OAUTH_RELAY, True),
    (PLANT, True),
    (RelayHost("out", "10.1.2.4", "sendgrid"), False),
    (RelayHost("out", "10.1.2.4", "smtp2go"), False),
    (RelayHost("out", "10.1.2.4", "mailgun"), False),
    (RelayHost("out", "10.1.2.4", "acs"), False),
    (RelayHost("out", "10.1.2.4", "smarthost"), False),
])  # fmt: skip
def test_mail_of_a_relay_host_counts_where_its_upstream_is_exchange_online(relay_host: RelayHost, counted: bool) -> None:
    known = tenant(relay_hosts=[relay_host], licences=1)
    newsletters = [{"relay_host": relay_host.name, "address": f"{n}@contoso.com", "recipients_per_day": 9_000} for n in range(3)]
    assert bool(total(known, *newsletters)) is counted
    initial = [{**sender, "address": f"{n}@contoso.onmicrosoft.com"} for n, sender in enumerate(newsletters)]
    assert bool([text for text in total(known, *initial) if "onmicrosoft.com domain" in text]) is counted


@pytest.mark.parametrize("licences", [0, 10, 300_000])
def test_any_number_of_licences_has_a_limit(licences: int) -> None:
    assert limits.external_recipients_a_day(licences) >= 9_500


def test_names_that_give_no_smtp_username_or_the_same_one() -> None:
    names = ["Магазин", "Web-Shop", "Web Shop!", "Shop 2"]
    known = tenant(acs=True)
    plans = planned(known, *({"name": name, "method": "acs"} for name in names))
    assert tenant_limits.problems(plans, known) == [
        "m365_senders: Магазин: the name has no letter a to z or digit for its SMTP username: give another name.",
        "m365_senders: Web-Shop, Web Shop!: their SMTP usernames would have the same name web-shop: give them different names.",
    ]


def test_one_connector_name_for_a_certificate_and_an_address() -> None:
    senders = [
        {"connector": "Plant", "public_addresses": OFFICE},
        {"connector": "plant", "certificate_name": "gate.contoso.com"},
        {"connector": "Other", "certificate_name": "gate.contoso.com"},
    ]
    [problem] = total(tenant(), *senders)
    assert problem.startswith("m365_senders: S0 and S1: they have the same connector")
    assert not total(tenant(), *senders[1:])
