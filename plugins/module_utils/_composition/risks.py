# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The risk of a change: what it does to who may send, by kind of object.

A change that opens and closes opens: the risk is the one that a reviewer must not miss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from .._core import networks
from .._engine.resource import Plan
from .objects import CUSTOMIZATION

ADD, CHANGE, REMOVE, RESTORE = "add", "change", "remove", "restore"
OPENS, CLOSES, GRANTS, EXPOSES, REMOVES, KEY = "opens", "closes", "grants", "exposes", "removes", "key"


class Difference(NamedTuple):
    """One change. `before` and `after`: what differs, None without an object. `plan`: the plan of its step."""

    action: str
    before: Any
    after: Any
    plan: Plan[Any]

    def member(self, name: str) -> tuple[Any, Any]:
        """A value of an object with properties, before and after; None where it is not set or does not differ."""
        before, after = self.before, self.after
        return (before or {}).get(name), (after or {}).get(name)

    def items(self, name: str) -> tuple[set[str], set[str]]:
        """The items of a list, before and after."""
        before, after = self.member(name)
        return set(before or ()), set(after or ())


def risk_of(kind: str, difference: Difference) -> str:
    """The risk of a change, "" for none."""
    return RISKS.get(kind, _removal)(difference)


# -- what is gained and lost ------------------------------------------------------------------------------------------


def _added_or_removed(before: set[str], after: set[str]) -> tuple[bool, bool]:
    return bool(after - before), bool(before - after)


def _switched(values: tuple[Any, Any]) -> tuple[bool, bool]:
    """Whether a setting is switched on, or off."""
    before, after = values
    return bool(after and not before), bool(before and not after)


def _first(*risks: tuple[object, str]) -> str:
    """The risk of the first condition that holds."""
    return next((risk for condition, risk in risks if condition), "")


def _removal(difference: Difference) -> str:
    return REMOVES if difference.action == REMOVE else ""


# -- by kind ----------------------------------------------------------------------------------------------------------


def _permission(difference: Difference) -> str:
    return GRANTS if difference.action == ADD else REMOVES


def _key(_difference: Difference) -> str:
    return KEY


def _sign_in(difference: Difference) -> str:
    """A signed-in user's refresh token lets the host send as the user."""
    return GRANTS if difference.member("signed_in")[1] else REMOVES


def _application(difference: Difference) -> str:
    """Its consents and certificates are objects of their own. A public client signs users in without a credential."""
    public, redirects = _switched(difference.member("public_client")), _added_or_removed(*difference.items("redirect_uris"))
    return _first(
        (difference.action == REMOVE, REMOVES),
        (public[0] or redirects[0], OPENS),
        (any(difference.member("certificate_in_use")), KEY),
        (public[1] or redirects[1], CLOSES),
    )


def _mailbox(difference: Difference) -> str:
    rights = [_added_or_removed(*difference.items(right)) for right in ("send_as", "send_on_behalf")]
    lost = difference.action == REMOVE or any(one for _gained, one in rights)
    return _first((any(gained for gained, _lost in rights), GRANTS), (lost, REMOVES))


def _hve_account(difference: Difference) -> str:
    """An account has a password, and applications may send as it."""
    gained, lost = _added_or_removed(*difference.items("apps"))
    return _first((difference.action == ADD, OPENS), (gained, GRANTS), (lost or difference.action == REMOVE, REMOVES))


def _acs_username(difference: Difference) -> str:
    """A username stands for an application that may sign in with it."""
    return CLOSES if difference.action == REMOVE else OPENS


def _rbac(difference: Difference) -> str:
    """Scopes of mailboxes, or of a filter whose mailboxes are not known; and the consent and permissions that they replace."""
    before, after = (side or {} for side in difference.member("scopes"))
    scopes = [_scope(before.get(name), after.get(name)) for name in {*before, *after}]
    consent, mailboxes = _switched(difference.member("consent")), _added_or_removed(*difference.items("full_access"))
    gained = [one for one, _lost in (*scopes, consent, mailboxes)]
    lost = [one for _gained, one in (*scopes, consent, mailboxes)]
    return _first((any(gained), GRANTS), (any(lost) or difference.action == REMOVE, REMOVES))


def _scope(before: Any, after: Any) -> tuple[bool, bool]:
    if isinstance(before, str) or isinstance(after, str):
        return bool(after and after != before), bool(before and after != before)
    return _added_or_removed(set(before or ()), set(after or ()))


def _smtp_auth(difference: Difference) -> str:
    """`inherit` follows the organization: what it does depends on the value before."""
    before, after = difference.before, difference.after
    return OPENS if after == "enabled" or (after, before) == ("inherit", "disabled") else CLOSES


def _direct_send(difference: Difference) -> str:
    return CLOSES if difference.after else OPENS


def _policy(difference: Difference) -> str:
    before, after = difference.member("allow_basic_smtp")
    return OPENS if after else CLOSES if before or difference.action == ADD else REMOVES


def _policy_assignment(difference: Difference) -> str:
    """The policy of a user, None for the organization's default, or that default, None for no policy, which allows."""
    plan = difference.plan
    result = plan.outcome["authentication_policy"]
    allowing_after = {name.lower(): bool(policy["allow_basic_smtp"]) for name, policy in result["policies"].items()}
    changed = (plan.before or {}).get("policies") or {}
    allowing_before = allowing_after | {name.lower(): bool(policy["allow_basic_smtp"]) for name, policy in changed.items() if policy}
    default_before = (plan.before or {}).get("organization", result["organization"])
    before = _allows(allowing_before, difference.before or default_before)
    after = _allows(allowing_after, difference.after or result["organization"])
    return _first((after and not before, OPENS), (before and not after, CLOSES))


def _allows(policies: Mapping[str, bool], name: str | None) -> bool:
    return policies.get(name.lower(), True) if name else True


# Settings of a connector: those that accept more mail, or trust it more, when they are on; and those that accept less.
_CONNECTOR_OPENS = ("enabled", "treat_messages_as_internal")
_CONNECTOR_CLOSES = ("require_tls", "restrict_domains_to_ip_addresses", "restrict_domains_to_certificate")


def _connector(difference: Difference) -> str:
    if difference.action != CHANGE:
        return OPENS if difference.action == ADD else CLOSES
    sides = [_switched(difference.member(name)) for name in _CONNECTOR_OPENS]
    sides += [_switched(difference.member(name))[::-1] for name in _CONNECTOR_CLOSES]
    certificate = difference.member("tls_sender_certificate_name")
    sides.append((bool(certificate[1]), bool(certificate[0])))
    sides.append(_networks(*difference.items("sender_ip_addresses")))
    sides.append(_domains(*difference.items("sender_domains")))
    type_before, type_after = difference.member("type")
    sides.append((type_after == "OnPremises", type_before == "OnPremises"))  # only mail of such a connector is relayed
    return _first((any(opened for opened, _closed in sides), OPENS), (any(closed for _opened, closed in sides), CLOSES))


def _networks(before: Iterable[str], after: Iterable[str]) -> tuple[bool, bool]:
    """Whether networks cover addresses that they did not cover before, or cover less. Others may have written ranges, which are texts."""
    try:
        was, will = [networks.parse(text) for text in before], [networks.parse(text) for text in after]
    except ValueError:
        return _added_or_removed(set(before), set(after))
    return not _covered(will, was), not _covered(was, will)


def _covered(some: Iterable[networks.Network], others: Iterable[networks.Network]) -> bool:
    return all(any(one.prefixlen >= other.prefixlen and networks.overlap(one, other) for other in others) for one in some)


def _domains(before: set[str], after: set[str]) -> tuple[bool, bool]:
    """Sender domains; `*` stands for all of them."""
    if before == after or "*" in before & after:
        return False, False
    if "*" in before | after:
        return "*" in after, "*" in before
    return _added_or_removed(before, after)


# By qualifier, as in "-all": how much a receiver accepts of other sources (RFC 7208).
_ALL = {"-": 0, "~": 1, "?": 2, "+": 3}


def _spf(difference: Difference) -> str:
    """The sources that a record authorizes, and what it says of all others; without a record, it says nothing of any."""
    before, after = (_terms(side) for side in (difference.before, difference.after))
    gained, lost = _added_or_removed(before[0], after[0])
    return _first((gained or after[1] > before[1], OPENS), (lost or after[1] < before[1], CLOSES))


def _terms(record: Any) -> tuple[set[str], int]:
    """The sources of a record, or of several, and the rank of its `all`."""
    texts = [record] if isinstance(record, str) else list(record or ())
    terms = [term.lower().removeprefix("+") for text in texts for term in text.split()[1:]]
    endings = [term for term in terms if term.lstrip("-~?") == "all"]
    sources = {term for term in terms if term not in endings and term[0] not in "-~?" and not term.startswith("exp=")}
    return sources, max((_ALL.get(term[0], 3) for term in endings), default=2)


RISKS: dict[str, Callable[[Difference], str]] = {
    "smtp_auth": _smtp_auth,
    "direct_send": _direct_send,
    "authentication_policy": _policy,
    "policy_assignment": _policy_assignment,
    "inbound_connector": _connector,
    "mailbox": _mailbox,
    "mailbox_permission": _permission,
    "exchange_service_principal": _removal,  # without permissions it may nothing
    "rbac_for_applications": _rbac,
    "application": _application,
    "consent": _permission,
    "certificate": _key,
    "federated_credential": _key,
    "sign_in": _sign_in,
    "hve_account": _hve_account,
    "acs_smtp_username": _acs_username,
    "acs_role": _permission,
    "spf_record": _spf,
    CUSTOMIZATION: _removal,  # cannot be undone, and opens nothing
}
