# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The changes of a composed plan as data: one record for each object that differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from .objects import Subject, objects_of
from .step import PlannedStep

ADD, CHANGE, REMOVE, RESTORE = "add", "change", "remove", "restore"
OPENS, CLOSES, GRANTS, EXPOSES, REMOVES, KEY = "opens", "closes", "grants", "exposes", "removes", "key"


@dataclass(frozen=True)
class Change:
    """One object that differs. `key` is the same in every run. `before` and `after` hold only what differs; None: there is no object.

    `action`: add, change, remove, or restore, which gives an object the settings that it had before this collection changed them.

    `reason`: the senders that need it, or the inventory's variable. `risk`: opens or closes a way to send, grants a permission, exposes
    a user's mailbox to an application, removes an object, or changes a key; empty otherwise.
    """

    action: str
    kind: str
    object: str
    key: str
    before: Any
    after: Any
    reason: str
    risk: str

    def as_result(self) -> dict[str, Any]:
        return asdict(self)


Reason = Callable[[PlannedStep, str, str], str]  # of a step, a kind and an object


def changes_of(planned: PlannedStep, reason: Reason) -> Iterator[Change]:
    """The changes of one step, in the order of its plan: those of existing objects first."""
    if not planned.plan.changed:
        return
    subject = planned.step.subject
    before, after = (
        {(one.kind, one.name.lower()): (one, values) for one, values in objects_of(planned.name, subject, side or {})}
        for side in (planned.plan.before, planned.plan.after)
    )
    exposed = {entry["subject"] for entry in planned.plan.outcome.get("attention") or () if entry["kind"] == "permission"}
    for key in dict.fromkeys([*before, *after]):
        one, _values = after.get(key) or before[key]
        was, will = _differing(before[key][1] if key in before else None, after[key][1] if key in after else None)
        if was == will:
            continue
        action = _action(was, will)
        risk = EXPOSES if one.name in exposed else _risk(one.kind, action, _Values(was, will))
        why = reason(planned, one.kind, one.name)
        name = key_of(one.kind, one.name)
        yield Change(RESTORE if name in planned.step.restores else action, one.kind, one.name, name, was, will, why, risk)


def key_of(kind: str, name: str) -> str:
    """The key of a change: the same in every run."""
    return f"{kind}:{name.lower()}"


def _action(before: Any, after: Any) -> str:
    """The action of a change. An object that was deleted and can be restored has a date `deleted`."""
    if before is None or after is None:
        return REMOVE if after is None else ADD
    return RESTORE if isinstance(before, Mapping) and before.get("deleted") else CHANGE


def _differing(before: Any, after: Any) -> tuple[Any, Any]:
    """The members that differ, where both are mappings."""
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        return before, after
    names = [name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)]
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}


# -- risk -------------------------------------------------------------------------------------------------------------


class _Values(NamedTuple):
    """What differs, before and after."""

    before: Any
    after: Any

    def member(self, name: str) -> tuple[Any, Any]:
        before, after = self
        return (before or {}).get(name), (after or {}).get(name)


def _risk(kind: str, action: str, values: _Values) -> str:
    own = _RISKS.get(kind)
    if own:
        return own(action, values)
    return REMOVES if action == REMOVE else ""


def _permission(action: str, values: _Values) -> str:
    return GRANTS if action == ADD else REMOVES


def _key(action: str, values: _Values) -> str:
    return KEY


def _smtp_auth(action: str, values: _Values) -> str:
    """`inherit` follows the organization: what it does depends on the value before."""
    return OPENS if values.after == "enabled" or (values.after, values.before) == ("inherit", "disabled") else CLOSES


def _direct_send(action: str, values: _Values) -> str:
    return CLOSES if values.after else OPENS


def _policy(action: str, values: _Values) -> str:
    before, after = values.member("allow_basic_smtp")
    return OPENS if after else CLOSES if before or action == ADD else REMOVES


def _connector(action: str, values: _Values) -> str:
    if action != CHANGE:
        return OPENS if action == ADD else CLOSES
    enabled, certificate = values.member("enabled"), values.member("tls_sender_certificate_name")
    addresses = [set(side or ()) for side in values.member("sender_ip_addresses")]
    if enabled == (False, True) or certificate[1] or addresses[1] - addresses[0]:
        return OPENS
    return CLOSES if enabled == (True, False) or certificate[0] or addresses[0] - addresses[1] else ""


_RISKS: dict[Subject, Callable[[str, _Values], str]] = {
    "smtp_auth": _smtp_auth,
    "direct_send": _direct_send,
    "authentication_policy": _policy,
    "inbound_connector": _connector,
    "mailbox_permission": _permission,
    "consent": _permission,
    "acs_role": _permission,
    "sign_in": _permission,
    "certificate": _key,
    "federated_credential": _key,
}
