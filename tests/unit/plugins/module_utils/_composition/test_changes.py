# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._composition.changes import Change, changes_of
from ansible_collections.mailops.m365.plugins.module_utils._engine.resource import Plan


def changes(resource: str, before: Any, after: Any, subject: str = "app", restores: Iterable[str] = ()) -> list[Change]:
    planned: Any = SimpleNamespace(
        name=resource, plan=Plan(before, after, "changes"), step=SimpleNamespace(subject=subject, restores=frozenset(restores))
    )
    return list(changes_of(planned, lambda step, kind, name: f"reason of {kind}"))


def short(changed: list[Change]) -> list[tuple[Any, ...]]:
    return [(one.action, one.key, one.before, one.after, one.risk) for one in changed]


def test_an_object_is_added_changed_or_removed_with_only_what_differs() -> None:
    before = {"a@x.example": None, "b@x.example": {"display_name": "B", "send_as": []}, "c@x.example": {"display_name": "C"}}
    after = {"a@x.example": {"display_name": "A"}, "b@x.example": {"display_name": "Bee", "send_as": []}, "c@x.example": None}
    assert short(changes("shared_mailbox", before, after)) == [
        ("add", "mailbox:a@x.example", None, {"display_name": "A"}, ""),
        ("change", "mailbox:b@x.example", {"display_name": "B"}, {"display_name": "Bee"}, ""),
        ("remove", "mailbox:c@x.example", {"display_name": "C"}, None, "removes"),
    ]
    assert changes("shared_mailbox", before, after)[0].reason == "reason of mailbox"


def test_a_setting_from_before_is_restored() -> None:
    before = {"mailboxes": {"a@x.example": "enabled", "b@x.example": "enabled"}}
    after = {"mailboxes": {"a@x.example": "inherit", "b@x.example": "disabled"}}
    assert short(changes("smtp_auth", before, after, restores=["smtp_auth:a@x.example"])) == [
        ("restore", "smtp_auth:a@x.example", "enabled", "inherit", "closes"),
        ("change", "smtp_auth:b@x.example", "enabled", "disabled", "closes"),
    ]


def test_certificates_and_consents_of_an_application_are_objects_of_their_own() -> None:
    before = {"unique_name": "app", "display_name": "x", "consented": ["Old"], "certificates": ["AA"]}
    after = {"unique_name": "app", "display_name": "y", "consented": ["New"], "certificates": ["AA", "BB"]}
    assert short(changes("entra_app", before, after)) == [
        ("change", "application:app", {"display_name": "x"}, {"display_name": "y"}, ""),
        ("remove", "consent:app old", "present", None, "removes"),
        ("add", "consent:app new", None, "present", "grants"),
        ("add", "certificate:app bb", None, "present", "key"),
    ]


def test_permissions_on_mailboxes_are_objects_of_their_own() -> None:
    after = {"display_name": "x", "full_access": ["a@x.example"], "send_as": ["b@x.example"]}
    assert short(changes("exchange_service_principal", {}, after)) == [
        ("add", "exchange_service_principal:app", None, {"display_name": "x"}, ""),
        ("add", "mailbox_permission:fullaccess of app on a@x.example", None, "present", "grants"),
        ("add", "mailbox_permission:sendas of app on b@x.example", None, "present", "grants"),
    ]


@pytest.mark.parametrize(
    ("resource", "before", "after", "risk"),
    [
        ("smtp_auth", {"mailboxes": {"a": "inherit"}}, {"mailboxes": {"a": "enabled"}}, "opens"),
        ("smtp_auth", {"mailboxes": {"a": "disabled"}}, {"mailboxes": {"a": "inherit"}}, "opens"),
        ("smtp_auth", {"mailboxes": {"a": "enabled"}}, {"mailboxes": {"a": "inherit"}}, "closes"),
        ("smtp_auth", {"organization": "enabled"}, {"organization": "disabled"}, "closes"),
        ("direct_send", {"rejected": False}, {"rejected": True}, "closes"),
        ("direct_send", {"rejected": True}, {"rejected": False}, "opens"),
        ("authentication_policy", {"policies": {"p": None}}, {"policies": {"p": {"allow_basic_smtp": True}}}, "opens"),
        ("authentication_policy", {"policies": {"p": None}}, {"policies": {"p": {"allow_basic_smtp": False}}}, "closes"),
        ("inbound_connector", {}, {"c": {"enabled": True}}, "opens"),
        ("inbound_connector", {"c": {"enabled": True}}, {}, "closes"),
        ("inbound_connector", {"c": {"sender_ip_addresses": ["1"]}}, {"c": {"sender_ip_addresses": ["1", "2"]}}, "opens"),
        ("inbound_connector", {"c": {"sender_ip_addresses": ["1", "2"]}}, {"c": {"sender_ip_addresses": ["1"]}}, "closes"),
        ("inbound_connector", {"c": {"comment": "x"}}, {"c": {"comment": "y"}}, ""),
        ("federated_credential", {}, {"github": {"issuer": "x"}}, "key"),
        ("acs_smtp_username", {"usernames": {}, "may_send": []}, {"usernames": {}, "may_send": ["app"]}, "grants"),
        ("hve_account", {"a@x.example": {"apps": []}}, {}, "removes"),
        ("spf", {}, {"x.example": "v=spf1 -all"}, ""),
    ],
)
def test_the_risk_of_a_change(resource: str, before: Any, after: Any, risk: str) -> None:
    [change] = changes(resource, before, after)
    assert change.risk == risk


def test_a_plan_without_changes_has_none() -> None:
    planned: Any = SimpleNamespace(name="direct_send", plan=Plan({"rejected": True}, {"rejected": False}), step=None)
    assert list(changes_of(planned, lambda step, kind, name: "")) == []


def test_the_case_of_a_name_makes_no_other_object() -> None:
    before, after = {"Plant relay": {"enabled": True, "comment": "x"}}, {"plant relay": {"enabled": True, "comment": "y"}}
    assert short(changes("inbound_connector", before, after)) == [
        ("change", "inbound_connector:plant relay", {"comment": "x"}, {"comment": "y"}, "")
    ]
