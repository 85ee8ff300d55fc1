# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._engine.resource import Plan
from ansible_collections.mailops.m365.plugins.module_utils._entra.applications import EXCHANGE, GRAPH, CurrentApplication
from ansible_collections.mailops.m365.plugins.module_utils.resources.composed import needed, record
from ansible_collections.mailops.m365.plugins.module_utils.resources.composed.needed import Needed
from ansible_collections.mailops.m365.plugins.module_utils.resources.composed.orphans import Orphans
from ansible_collections.mailops.m365.plugins.module_utils.resources.composed.record import Entry, Record

A, B, C = "a@contoso.com", "b@contoso.com", "c@contoso.com"
APP = "mailops-smtp-sender"
TAGS = [
    "mailops",
    f"mailops:branch:access:{B}:{APP}",
    f"mailops:mailops:access:{A}:{APP}",
    f"mailops:mailops:policy:{A}",
    f"mailops:mailops:policy:{B}:Block%3A%20all",
    f"mailops:mailops:smtp_auth:{A}:disabled",
]


def same(address: str) -> str:
    return address


def planned(name: str, before: Any, after: Any, changes: Any = "changes", subject: str = "") -> Any:
    return SimpleNamespace(name=name, plan=Plan(before, after, changes), step=SimpleNamespace(subject=subject))


def application(create: bool = False, assign: Any = (), scopes: Any = None, current: CurrentApplication | None = None) -> Any:
    """The changes of an application."""
    return SimpleNamespace(create=create, restore=False, assign=assign, scopes=scopes or {}, current=current or CurrentApplication())


def needs(**variables: Any) -> Needed:
    return Needed.of(variables, APP, "mailops", same)


def test_tags_are_read_and_written() -> None:
    one = record.parse(TAGS, "mailops")
    own = {Entry("access", A, APP), Entry("policy", A), Entry("policy", B, "Block: all"), Entry("smtp_auth", A, "disabled")}
    assert one == Record(frozenset(own), {"branch": frozenset({Entry("access", B, APP)})}, tuple(TAGS[:2]), exists=True)
    assert (one.others, one.is_empty) == ({Entry("access", B, APP)}, False)
    assert one.tags("mailops") == TAGS
    assert record.parse(TAGS, "branch").values("access") == {B: APP}


def test_entries_that_differ_by_the_name_only_share_a_tag() -> None:
    entries = [Entry("mailbox", A), Entry("mailbox", B), Entry("access", A, APP), Entry("access", B, APP), Entry("access", C, "other")]
    tags = Record(frozenset(entries)).tags("mailops")
    access = [f"mailops:mailops:access:{A},{B}:{APP}", f"mailops:mailops:access:{C}:other"]
    assert tags == ["mailops", *access, f"mailops:mailops:mailbox:{A},{B}"]
    assert record.parse(tags, "mailops").entries == set(entries)


def test_names_and_values_of_any_text_are_tags_that_entra_accepts() -> None:
    """Source: "Validation differences by supported account types": no whitespace, no duplicates, 1 to 256 characters."""
    odd = [
        Entry("policy", A, "Block: all, 50 %\tof\u00e4"),
        Entry("application", "my app, the: second"),
        Entry("mailbox", "o'x+y&z@contoso.com"),
    ]
    tags = Record(frozenset(odd)).tags("mailops")
    assert not [tag for tag in tags if tag.split() != [tag] or not tag.isascii()]
    assert record.parse(tags, "mailops").entries == set(odd)
    one = record.parse([*tags, "mailops"], "mailops").handed_over(odd[1], "branch").handed_over(odd[1], "branch")
    assert len(set(one.tags("mailops"))) == len(one.tags("mailops"))


def senders(count: int, *kinds: str, domain: str = "contoso.com") -> Record:
    value = {"access": APP, "smtp_auth": "inherit"}
    return Record(frozenset(Entry(kind, f"sender-{n:05}@{domain}", value.get(kind, "")) for n in range(count) for kind in kinds))


def test_the_record_has_room_for_1500_senders() -> None:
    full = senders(1500, "access", "mailbox", "smtp_auth", "policy")
    tags = full.tags("mailops")
    assert max(map(len, tags)) <= 256
    assert len(tags) <= 950
    assert record.parse(tags, "mailops").entries == full.entries
    record.refuse_too_large(tags)


def test_a_record_that_entra_would_refuse_is_refused_with_its_size() -> None:
    tags = senders(1500, "access", "mailbox", "smtp_auth", "policy", domain=f"{'long-' * 12}name.example").tags("mailops")
    with pytest.raises(InvalidInput, match=r"mailops-record\) would have \d,\d{3} tags: Entra lets an application have about 1,000"):
        record.refuse_too_large(tags)
    with pytest.raises(InvalidInput, match="at most 256 characters"):
        record.refuse_too_large(Record(frozenset({Entry("policy", A, "x" * 256)})).tags("mailops"))


def test_other_tags_of_the_application_stay() -> None:
    tags = ["mailops", "HideApp", "mailops:odd"]
    assert record.parse(tags, "mailops").tags("mailops") == tags


def test_addresses_are_replaced_by_primary_addresses() -> None:
    renamed = record.parse(TAGS, "mailops").renamed(lambda address: C if address == A else address)
    assert renamed.values("smtp_auth") == {C: "disabled"}
    assert renamed.values("access") == {C: APP}
    assert Record(frozenset({Entry("application", A)})).renamed(lambda _address: C).values("application") == {A: ""}


def test_what_is_needed_is_named_by_primary_address() -> None:
    variables = {"entra_app_full_access": ["Alias@contoso.com"], "entra_app_send_as": None, "smtp_auth_mailboxes": [{"address": B}]}
    result = Needed.of(variables, APP, "mailops", lambda address: A if address == "alias@contoso.com" else address)
    assert result.keys == {("access", A, APP), ("smtp_auth", B, "")}
    assert result.opened == {("smtp_auth", B, "")}


def test_applications_are_needed_where_anything_names_them() -> None:
    variables = {
        "entra_app_unique_name": "one",
        "delegated_sign_in_app_unique_name": "two",
        "hve_account_accounts": [{"address": A, "apps": ["three"]}],
        "acs_smtp_username_app": "four",
        "acs_smtp_username_usernames": [{"app": "five"}, {}],
    }
    assert needs(**variables).names("application") == {"one", "two", "three", "four", "five"}


def test_accounts_are_recorded_with_their_applications() -> None:
    result = needs(hve_account_accounts=[{"address": A, "apps": ["one"]}, {"address": B}])
    after = needed.after(Record(), result, (), [], same)
    assert after.entries == {Entry("hve_access", A, "one")}
    orphans = Orphans(frozenset({Entry("hve_access", A, "one"), Entry("hve_access", A, "two"), Entry("hve_access", B, "one")}))
    assert orphans.account_access() == {A: ["one", "two"], B: ["one"]}
    assert (orphans.access(), orphans.attention()) == ({}, [])


def test_the_record_after_a_plan_has_what_was_changed_and_its_value_before() -> None:
    policy = {"name": "mailops Allow Basic Auth SMTP", "mailboxes": [B, C]}
    result = needs(
        entra_app_full_access=[A, B],
        entra_app_unique_name="new",
        smtp_auth_mailboxes=[{"address": A}, {"address": B}, {"address": C, "smtp_auth": "inherit"}],
        shared_mailbox_mailboxes=[{"address": B}, {"address": C}],
        authentication_policy_policies=[policy, {"name": "Other", "mailboxes": [A]}],
        direct_send_rejected=False,
        direct_send_senders=[A],
    )
    plans = [
        planned("shared_mailbox", {B: None, C: {"x": 1}}, {B: {"x": 1}, C: {"x": 2}}),
        planned("entra_app", {}, {}, application(create=True), "new"),
        planned("entra_app", {}, {}, application(), "old"),
        planned("smtp_auth", {"mailboxes": {B: "inherit", C: "enabled"}}, {"mailboxes": {B: "enabled", C: "inherit"}}),
        planned("authentication_policy", {"mailboxes": {B: "Corporate"}}, {"mailboxes": {B: "mailops Allow Basic Auth SMTP"}}),
        planned("direct_send", {"rejected": True}, {"rejected": False}),
    ]
    old = Record(frozenset({Entry("smtp_auth", A, "disabled")}))
    after = needed.after(old, result, [Entry("mailbox", "old@contoso.com")], plans, same)
    assert after.values("access") == {A: APP, B: APP}
    assert after.values("smtp_auth") == {A: "disabled", B: "inherit"}
    assert after.values("policy") == {B: "Corporate", C: ""}
    assert after.values("mailbox") == {B: "", "old@contoso.com": ""}, "C existed before"
    assert after.values("application") == {"new": ""}
    assert after.values("direct_send") == {"organization": "rejected"}


def test_the_setting_before_is_that_of_the_first_owner() -> None:
    shared = Record(by_owner={"branch": frozenset({Entry("smtp_auth", A, "disabled")})})
    after = needed.after(shared, needs(smtp_auth_mailboxes=[{"address": A}, {"address": B}]), (), [], same)
    assert after.values("smtp_auth") == {A: "disabled", B: "enabled"}


def test_what_is_not_needed_leaves_the_record() -> None:
    old = record.parse(TAGS, "mailops")
    assert needed.after(old, needs(), (), [], same).tags("mailops") == TAGS[:2]
    assert needs(entra_app_full_access=[A]).without(old.entries) == old.entries - {Entry("access", A, APP)}


def test_orphans_are_reported_with_how_to_remove_them() -> None:
    orphans = Orphans(frozenset({Entry("mailbox", A), Entry("hve_account", B), Entry("application", "app"), Entry("access", A, APP)}))
    entries = orphans.attention()
    assert [(entry["kind"], entry["subject"]) for entry in entries] == [("orphan", "app"), ("orphan", B), ("orphan", A)]
    assert all("m365_remove_orphans: true" in entry["remedy"] for entry in entries)
    assert "High Volume Email account" in entries[1]["problem"]
    assert orphans.access() == {APP: [A]}


def test_consents_are_needed_by_permission_and_recorded_as_granted_where_the_plan_grants_them() -> None:
    listed = [{"name": "SMTP.SendAsApp"}, {"name": "Mail.Send", "api": "graph"}, {"name": "SMTP.Send", "type": "delegated"}]
    result = needs(entra_app_unique_name=APP, entra_app_permissions=listed)
    send_as, mail = "exchange/SMTP.SendAsApp", "graph/Mail.Send"
    granted = application(assign=(SimpleNamespace(api=GRAPH, name="Mail.Send"),))
    after = needed.after(Record(), result, (), [planned("entra_app", {}, {}, granted, APP)], same)
    send = Entry("consent", APP, "exchange/SMTP.Send/delegated")
    assert after.entries == {Entry("consent", APP, send_as), Entry("consent", APP, mail), send, Entry("granted_consent", APP, mail)}
    assert needed.after(after, result, (), [], same).entries == after.entries
    less = needs(entra_app_unique_name=APP, entra_app_permissions=listed[:1])
    assert less.without(after.entries) == {Entry("consent", APP, mail), send, Entry("granted_consent", APP, mail)}
    assert needed.after(after, less, (), [], same).entries == {Entry("consent", APP, send_as)}
    assert Orphans(frozenset(less.without(after.entries))).consents() == {APP: [mail]}


def test_delegated_consents_are_recorded_where_the_plan_adds_them() -> None:
    """A grant is one a resource: its other scopes may be somebody else's."""
    api: Any = {"id": "resource", "appId": EXCHANGE, "displayName": "Office 365 Exchange Online"}
    grants: Any = ({"resourceId": "resource", "consentType": "AllPrincipals", "scope": "POP.AccessAsUser.All"},)
    current = CurrentApplication(apis={EXCHANGE: api}, grants=grants)
    changes = application(scopes={"resource": frozenset({"SMTP.Send", "POP.AccessAsUser.All"})}, current=current)
    result = needs(delegated_sign_in_app_unique_name=APP, delegated_sign_in_users=["ada@contoso.com"])
    after = needed.after(Record(), result, (), [planned("entra_app", {}, {}, changes, APP)], same)
    granted = Entry("granted_consent", APP, "exchange/SMTP.Send/delegated")
    assert {entry for entry in after.entries if entry.kind == "granted_consent"} == {granted}
    assert needed.permission_of(granted.value) == {"api": "exchange", "name": "SMTP.Send", "type": "delegated"}
    assert granted in needs(delegated_sign_in_app_unique_name=APP, delegated_sign_in_users=[]).without(after.entries)
    registered_by_others = needs(delegated_sign_in_app_unique_name=APP, delegated_sign_in_users=[A], delegated_sign_in_app_register=False)
    assert granted in registered_by_others.without(after.entries)


def test_a_consent_of_an_api_by_its_id_is_recorded_with_the_id() -> None:
    api = "AAAAAAAA-0000-4000-8000-00000000000B"
    assert needed.permission_value(api, "Send", delegated=False) == f"{api.lower()}/Send"
    assert {needed.permission_value(name, "Send", delegated=False) for name in ("graph", GRAPH, GRAPH.upper())} == {"graph/Send"}


def test_other_owners_that_need_a_consent_are_named() -> None:
    tags = [f"mailops:{owner}:consent:{APP}:exchange/Mail.Send" for owner in ("west", "east")]
    one = record.parse([*tags, f"mailops:mailops:granted_consent:{APP}:exchange/Mail.Send"], "mailops")
    assert one.users_of_consent(Entry("granted_consent", APP, "exchange/Mail.Send")) == ["east", "west"]
    assert one.users_of_consent(Entry("granted_consent", APP, "exchange/SMTP.SendAsApp")) == []
