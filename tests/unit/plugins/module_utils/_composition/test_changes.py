# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._composition import objects
from ansible_collections.mailops.m365.plugins.module_utils._composition.changes import Change, changes_of
from ansible_collections.mailops.m365.plugins.module_utils._composition.risks import RISKS
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


def connector(option: str, before: Any, after: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A connector before and after the change of one option; None is not set."""
    return {"c": {} if before is None else {option: before}}, {"c": {} if after is None else {option: after}}


def addresses(before: list[str], after: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    return connector("sender_ip_addresses", before, after)


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
        ("inbound_connector", {"c": {"enabled": False}}, {"c": {"enabled": True}}, "opens"),
        ("inbound_connector", {"c": {"enabled": True}}, {"c": {"enabled": False}}, "closes"),
        ("inbound_connector", *addresses(["203.0.113.1"], ["203.0.113.1", "203.0.113.2"]), "opens"),
        ("inbound_connector", *addresses(["203.0.113.1", "203.0.113.2"], ["203.0.113.1"]), "closes"),
        ("inbound_connector", *addresses(["203.0.113.0/28"], ["203.0.113.1"]), "closes"),
        ("inbound_connector", *addresses(["203.0.113.1"], ["203.0.113.0/28"]), "opens"),
        ("inbound_connector", *addresses(["203.0.113.0/28"], ["203.0.113.16"]), "opens"),
        ("inbound_connector", *addresses(["203.0.113.1-203.0.113.9"], ["203.0.113.1"]), "opens"),
        ("inbound_connector", *connector("sender_domains", ["x.example"], ["*"]), "opens"),
        ("inbound_connector", *connector("sender_domains", ["*"], ["x.example"]), "closes"),
        ("inbound_connector", *connector("sender_domains", ["*", "x.example"], ["*"]), ""),
        ("inbound_connector", *connector("sender_domains", ["x.example"], ["x.example", "y.example"]), "opens"),
        ("inbound_connector", *connector("sender_domains", ["x.example", "y.example"], ["x.example"]), "closes"),
        ("inbound_connector", *connector("require_tls", True, None), "opens"),
        ("inbound_connector", *connector("require_tls", None, True), "closes"),
        ("inbound_connector", *connector("restrict_domains_to_ip_addresses", True, None), "opens"),
        ("inbound_connector", *connector("restrict_domains_to_ip_addresses", None, True), "closes"),
        ("inbound_connector", *connector("restrict_domains_to_certificate", True, None), "opens"),
        ("inbound_connector", *connector("restrict_domains_to_certificate", None, True), "closes"),
        ("inbound_connector", *connector("treat_messages_as_internal", None, True), "opens"),
        ("inbound_connector", *connector("treat_messages_as_internal", True, None), "closes"),
        ("inbound_connector", *connector("type", "Partner", "OnPremises"), "opens"),
        ("inbound_connector", *connector("type", "OnPremises", "Partner"), "closes"),
        ("inbound_connector", *connector("tls_sender_certificate_name", "a.example", "b.example"), "opens"),
        ("inbound_connector", *connector("tls_sender_certificate_name", "a.example", None), "closes"),
        ("inbound_connector", {"c": {"comment": "x"}}, {"c": {"comment": "y"}}, ""),
        ("federated_credential", {}, {"github": {"issuer": "x"}}, "key"),
        ("acs_smtp_username", {"usernames": {}, "may_send": []}, {"usernames": {}, "may_send": ["app"]}, "grants"),
        ("acs_smtp_username", {}, {"usernames": {"shop": {"username": "shop", "app": "shop"}}}, "opens"),
        ("acs_smtp_username", {"usernames": {"shop": {"app": "a"}}}, {"usernames": {"shop": {"app": "b"}}}, "opens"),
        ("acs_smtp_username", {"usernames": {"shop": {"app": "a"}}}, {"usernames": {}}, "closes"),
        ("hve_account", {"a@x.example": {"apps": []}}, {}, "removes"),
        ("hve_account", {}, {"a@x.example": {"apps": ["app"]}}, "opens"),
        ("hve_account", {"a@x.example": {"apps": []}}, {"a@x.example": {"apps": ["app"]}}, "grants"),
        ("hve_account", {"a@x.example": {"apps": ["app", "b"]}}, {"a@x.example": {"apps": ["app"]}}, "removes"),
        ("hve_account", {"a@x.example": {"apps": [], "reply_to": None}}, {"a@x.example": {"apps": [], "reply_to": "b@x.example"}}, ""),
        ("shared_mailbox", {"a": {"send_as": []}}, {"a": {"send_as": ["jane"]}}, "grants"),
        ("shared_mailbox", {"a": {"send_on_behalf": []}}, {"a": {"send_on_behalf": ["jane"]}}, "grants"),
        ("shared_mailbox", {}, {"a": {"send_as": ["jane"]}}, "grants"),
        ("shared_mailbox", {"a": {"send_as": ["jane"]}}, {"a": {"send_as": []}}, "removes"),
        ("shared_mailbox", {"a": {"send_as": ["jane"]}}, {"a": {"send_as": ["joe"]}}, "grants"),
        ("rbac_for_applications", {}, {"scopes": {"s": ["a"]}, "consent": False}, "grants"),
        ("rbac_for_applications", {"scopes": {"s": ["a"]}}, {"scopes": {"s": ["a", "b"]}}, "grants"),
        ("rbac_for_applications", {"scopes": {"s": ["a"]}}, {"scopes": {"s": ["a"], "t": "Name -eq 'x'"}}, "grants"),
        ("rbac_for_applications", {"scopes": {"s": "Name -eq 'x'"}}, {"scopes": {"s": ["a"]}}, "grants"),
        ("rbac_for_applications", {"scopes": {"s": ["a", "b"]}}, {"scopes": {"s": ["a"]}}, "removes"),
        ("rbac_for_applications", {"scopes": {"s": ["a"]}}, {}, "removes"),
        ("rbac_for_applications", {"scopes": {"s": ["a"]}, "consent": False}, {"scopes": {"s": ["a"]}, "consent": True}, "grants"),
        ("rbac_for_applications", {"scopes": {}, "full_access": ["a"]}, {"scopes": {}, "full_access": []}, "removes"),
        ("rbac_for_applications", {"scopes": {}, "phase": "both"}, {"scopes": {}, "phase": "alone"}, ""),
        ("rbac_for_applications", {"organization_customization": False}, {"organization_customization": True}, ""),
        ("delegated_sign_in", {"user": "a", "signed_in": False}, {"user": "a", "signed_in": True}, "grants"),
        ("delegated_sign_in", {"user": "a", "signed_in": True}, {"user": "a", "signed_in": False}, "removes"),
        ("entra_app", {"display_name": "x"}, {"display_name": "x", "public_client": True}, "opens"),
        ("entra_app", {"redirect_uris": ["https://a"]}, {"redirect_uris": ["https://a", "https://b"]}, "opens"),
        ("entra_app", {"display_name": "x", "public_client": True}, {"display_name": "x"}, "closes"),
        ("entra_app", {"certificate_in_use": "AA"}, {"certificate_in_use": "BB"}, "key"),
        ("entra_app", {"display_name": "x"}, {}, "removes"),
        ("exchange_service_principal", {"display_name": "x"}, {}, "removes"),
        ("exchange_service_principal", {"send_as": ["a"]}, {"send_as": []}, "removes"),
        ("spf", {}, {"x.example": "v=spf1 -all"}, "closes"),
        ("spf", {}, {"x.example": "v=spf1 ip4:203.0.113.1 -all"}, "opens"),
        ("spf", {"x.example": "v=spf1 ip4:203.0.113.1 -all"}, {"x.example": "v=spf1 -all"}, "closes"),
        ("spf", {"x.example": "v=spf1 mx -all"}, {"x.example": "v=spf1 mx ~all"}, "opens"),
        ("spf", {"x.example": ["v=spf1 mx -all", "v=spf1 a ?all"]}, {"x.example": "v=spf1 a mx -all"}, "closes"),
        ("spf", {"x.example": "v=spf1 +mx -all"}, {"x.example": "v=spf1 mx -all"}, ""),
    ],
)
def test_the_risk_of_a_change(resource: str, before: Any, after: Any, risk: str) -> None:
    [change] = changes(resource, before, after)
    assert change.risk == risk


ALLOW, BLOCK = {"allow_basic_smtp": True}, {"allow_basic_smtp": False}


@pytest.mark.parametrize(
    ("before", "after", "default", "risk"),
    [
        ({"mailboxes": {"a": "Block"}}, {"mailboxes": {"a": "Allow"}}, None, "opens"),
        ({"mailboxes": {"a": "Allow"}}, {"mailboxes": {"a": "Block"}}, None, "closes"),
        ({"mailboxes": {"a": "Block"}}, {"mailboxes": {"a": None}}, None, "opens"),  # no default policy: Basic is allowed
        ({"mailboxes": {"a": None}}, {"mailboxes": {"a": "Allow"}}, None, ""),
        ({"mailboxes": {"a": None}}, {"mailboxes": {"a": "Allow"}}, "Block", "opens"),
        ({"mailboxes": {"a": "Allow"}}, {"mailboxes": {"a": None}}, "block", "closes"),
        ({"organization": "Block"}, {"organization": None}, None, "opens"),
        ({"organization": None}, {"organization": "Block"}, "Block", "closes"),
        ({"organization": "Block"}, {"organization": "Allow"}, "Allow", "opens"),
    ],
)
def test_the_risk_of_an_assignment_is_what_its_policies_allow(before: Any, after: Any, default: str | None, risk: str) -> None:
    assert assigned(before, after, default, {"Allow": ALLOW, "Block": BLOCK}) == [risk]


def test_the_risk_of_an_assignment_counts_a_policy_that_the_plan_changes() -> None:
    mailboxes = [{"mailboxes": {"a": "P"}}, {"mailboxes": {"a": "Q"}}]
    blocked = assigned(mailboxes[0] | {"policies": {"P": ALLOW}}, mailboxes[1] | {"policies": {"P": BLOCK}}, None, {"P": BLOCK, "Q": BLOCK})
    assert blocked == ["closes", "closes"]
    removed = assigned(mailboxes[0] | {"policies": {"P": BLOCK}}, mailboxes[1] | {"policies": {"P": None}}, None, {"Q": ALLOW})
    assert removed == ["removes", "opens"]


def assigned(before: Any, after: Any, default: str | None, policies: dict[str, Any]) -> list[str]:
    """The risks of a plan of module authentication_policy. `default`, `policies`: after the plan."""
    outcome = {"authentication_policy": {"organization": default, "policies": policies}}
    plan = Plan(before, after, "changes", outcome)
    planned: Any = SimpleNamespace(name="authentication_policy", plan=plan, step=SimpleNamespace(subject="", restores=frozenset()))
    return [change.risk for change in changes_of(planned, lambda *_of: "")]


def test_every_kind_of_object_has_its_risk() -> None:
    """A kind without a row would be told as harmless."""
    kinds = set(re.findall(r'(?:ObjectName|_named|_single)\("(\w+)"', inspect.getsource(objects)))
    assert kinds | {objects.CUSTOMIZATION, "consent", "certificate"} == RISKS.keys()


def test_a_plan_without_changes_has_none() -> None:
    planned: Any = SimpleNamespace(name="direct_send", plan=Plan({"rejected": True}, {"rejected": False}), step=None)
    assert list(changes_of(planned, lambda step, kind, name: "")) == []


def test_the_case_of_a_name_makes_no_other_object() -> None:
    before, after = {"Plant relay": {"enabled": True, "comment": "x"}}, {"plant relay": {"enabled": True, "comment": "y"}}
    assert short(changes("inbound_connector", before, after)) == [
        ("change", "inbound_connector:plant relay", {"comment": "x"}, {"comment": "y"}, "")
    ]
