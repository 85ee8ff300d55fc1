# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects in a resource's `before` or `after`: kind, name and values of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

Subject = str


class ObjectName(NamedTuple):
    """What an object is and what it is called."""

    kind: str
    name: str


Objects = Iterator[tuple[ObjectName, Any]]
_State = Mapping[str, Any]
CUSTOMIZATION = "organization_customization"
PRESENT = "present"  # the value of an object that has no properties of its own


def objects_of(resource: str, subject: Subject, state: _State) -> Objects:
    """The objects of one side of a plan. `subject`: what the step is about, such as an application's unique name."""
    return _READERS.get(resource, _single(resource))(subject, state)


def _single(kind: str) -> Callable[[Subject, _State], Objects]:
    """The state is one object, which the subject names."""

    def read(subject: Subject, state: _State) -> Objects:
        if state:
            yield ObjectName(kind, subject), dict(state)

    return read


def _named(kind: str) -> Callable[[Subject, _State], Objects]:
    """The state holds objects by name."""

    def read(subject: Subject, state: _State) -> Objects:
        for name, values in state.items():
            yield ObjectName(kind, name), values

    return read


def _application(subject: Subject, state: _State) -> Objects:
    """The application; its consents and certificates are objects of their own."""
    parts = {"consented": "consent", "certificates": "certificate"}
    own = {name: value for name, value in state.items() if name not in parts}
    if own:
        yield ObjectName("application", subject), own
    for name, kind in parts.items():
        for item in state.get(name) or ():
            yield ObjectName(kind, f"{subject} {item}"), PRESENT


def _service_principal(subject: Subject, state: _State) -> Objects:
    rights = {"full_access": "FullAccess", "send_as": "SendAs"}
    own = {name: value for name, value in state.items() if name not in rights}
    if own:
        yield ObjectName("exchange_service_principal", subject), own
    for name, right in rights.items():
        for address in state.get(name) or ():
            yield ObjectName("mailbox_permission", f"{right} of {subject} on {address}"), PRESENT


def _acs(subject: Subject, state: _State) -> Objects:
    yield from _named("acs_smtp_username")(subject, state.get("usernames") or {})
    for app in state.get("may_send") or ():
        yield ObjectName("acs_role", app), PRESENT


def _smtp_auth(subject: Subject, state: _State) -> Objects:
    yield from _named("smtp_auth")(subject, state.get("mailboxes") or {})
    if "organization" in state:
        yield ObjectName("smtp_auth", "organization"), state["organization"]


def _authentication_policy(subject: Subject, state: _State) -> Objects:
    yield from _customization(state)
    yield from _named("authentication_policy")(subject, state.get("policies") or {})
    yield from _named("policy_assignment")(subject, state.get("mailboxes") or {})
    if "organization" in state:
        yield ObjectName("policy_assignment", "organization"), state["organization"]


def _customization(state: _State) -> Objects:
    """The customization of the organization, which the plans of several resources enable."""
    if CUSTOMIZATION in state:
        yield ObjectName(CUSTOMIZATION, "organization"), state[CUSTOMIZATION]


def _rbac(subject: Subject, state: _State) -> Objects:
    yield from _customization(state)
    yield from _single("rbac_for_applications")(subject, {name: value for name, value in state.items() if name != CUSTOMIZATION})


def _direct_send(subject: Subject, state: _State) -> Objects:
    if "rejected" in state:
        yield ObjectName("direct_send", "organization"), state["rejected"]


_READERS: dict[str, Callable[[Subject, _State], Objects]] = {
    "shared_mailbox": _named("mailbox"),
    "entra_app": _application,
    "automation_certificate": _application,
    "federated_credential": _named("federated_credential"),
    "exchange_service_principal": _service_principal,
    "rbac_for_applications": _rbac,
    "delegated_sign_in": _single("sign_in"),
    "hve_account": _named("hve_account"),
    "acs_smtp_username": _acs,
    "smtp_auth": _smtp_auth,
    "authentication_policy": _authentication_policy,
    "inbound_connector": _named("inbound_connector"),
    "direct_send": _direct_send,
    "spf": _named("spf_record"),
}
