# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils._engine.resource import Plan
from ansible_collections.mailops.m365.plugins.module_utils.resources.composed import record
from ansible_collections.mailops.m365.plugins.module_utils.resources.composed.record import Needed, Orphans, Record

A, B, C = "a@contoso.com", "b@contoso.com", "c@contoso.com"
TAGS = [
    "mailops",
    "mailops:branch:access:b@contoso.com",
    "mailops:mailops:access:a@contoso.com",
    "mailops:mailops:smtp_auth:a@contoso.com:disabled",
]


def same(address: str) -> str:
    return address


def planned(name: str, before: Any, after: Any) -> Any:
    return SimpleNamespace(name=name, plan=Plan(before, after, "changes"))


def test_tags_are_read_and_written() -> None:
    one = record.parse(TAGS, "mailops")
    assert one == Record(frozenset({A}), {A: "disabled"}, frozenset(), tuple(TAGS[:2]))
    assert one.tags("mailops") == TAGS
    assert one.of_others(record.ACCESS) == {B}
    assert one.of_others(record.SMTP_AUTH) == set()
    assert record.parse(TAGS, "branch").access == {B}


def test_what_is_needed_is_known_by_primary_address() -> None:
    variables = {"entra_app_full_access": ["Alias@contoso.com"], "entra_app_send_as": None, "smtp_auth_mailboxes": [{"address": B}]}
    needed = Needed.of(variables, lambda address: A if address == "alias@contoso.com" else address)
    assert needed == Needed(frozenset({A}), frozenset({B}), frozenset())


def test_the_record_after_a_plan_has_what_was_changed_and_its_value_before() -> None:
    needed = Needed(frozenset({A, B}), frozenset({A, B, C}), frozenset({B, C}))
    plans = [
        planned("shared_mailbox", {B: None, C: {"x": 1}}, {B: {"x": 1}, C: {"x": 2}}),
        planned("smtp_auth", {"mailboxes": {B: "inherit", C: "enabled"}}, {"mailboxes": {B: "enabled", C: "inherit"}}),
    ]
    after = record.after(Record(smtp_auth={A: "disabled"}), needed, ("old@contoso.com",), plans, same)
    assert after.access == {A, B}
    assert after.smtp_auth == {A: "disabled", B: "inherit"}
    assert after.mailboxes == {B, "old@contoso.com"}, "C existed before"


def test_what_is_not_needed_leaves_the_record() -> None:
    nothing = Needed(frozenset(), frozenset(), frozenset())
    old = record.parse(TAGS, "mailops")
    assert record.after(old, nothing, (), [], same).tags("mailops") == TAGS[:2]
    assert record.together(old, record.after(old, nothing, (), [], same)).tags("mailops") == TAGS


def test_orphaned_mailboxes_are_reported_with_how_to_remove_them() -> None:
    [entry] = Orphans(mailboxes=(A,)).attention()
    assert (entry["kind"], entry["subject"]) == ("orphan", A)
    assert "m365_remove_orphans: true" in entry["remedy"]
