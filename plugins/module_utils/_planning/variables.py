# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the decisions need of the tenant: the variables of the roles, and which roles there is work for.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .context import PROVIDERS, Facts
from .decision import Decision

# The roles in the order in which a tenant is built, each with the variable that gives it work.
ROLES = (
    ("shared_mailbox", "shared_mailbox_mailboxes"),
    ("entra_app", "entra_app_unique_name"),
    ("delegated_sign_in", "delegated_sign_in_users"),
    ("hve_account", "hve_account_accounts"),
    ("acs_smtp_username", "acs_smtp_username_usernames"),
    ("smtp_auth", "smtp_auth_mailboxes"),
    ("smtp_auth", "smtp_auth_organization"),
    ("authentication_policy", "authentication_policy_policies"),
    ("authentication_policy", "authentication_policy_organization"),
    ("inbound_connector", "inbound_connector_connectors"),
    ("direct_send", "direct_send_rejected"),
    ("spf", "spf_ip4"),
    ("spf", "spf_includes"),
    ("spf", "spf_domains"),
    ("spf", "spf_policy"),
    ("verify", "verify_senders"),
)
# What a role takes where neither a sender nor the inventory gives a variable a value: the roles' own defaults.
DEFAULTS: dict[str, dict[str, Any]] = {
    "entra_app": {"entra_app_permissions": [{"name": "SMTP.SendAsApp"}], "entra_app_full_access": [], "entra_app_send_as": []},
    "smtp_auth": {"smtp_auth_mailboxes": [], "smtp_auth_exclusive": False},
    "authentication_policy": {"authentication_policy_policies": [], "authentication_policy_exclusive": False},
    "direct_send": {"direct_send_senders": []},
}
PREFIXES = tuple(dict.fromkeys(f"{role}_" for role, _variable in ROLES))
BASIC_POLICY, CLOSED_POLICY = "mailops SMTP by password", "mailops no SMTP by password"


@dataclass(frozen=True)
class Wishes:
    """What the inventory says beside the senders."""

    app: str
    close_others: bool = False
    verify_recipient: str = ""


def derive(decisions: list[Decision], facts: Facts, wishes: Wishes) -> dict[str, Any]:
    """The roles' variables; only those that a sender, or closing what nobody uses, gives a value."""
    by: dict[str, list[Decision]] = {}
    for decision in decisions:
        by.setdefault(decision.method, []).append(decision)
    apps = [d for d in decisions if d.signs_in]
    basic, direct = by.get("basic", []), by.get("direct_send", [])
    found: dict[str, Any] = {}
    if apps or by.get("hve"):
        found |= _application(apps, by.get("hve", []), facts, wishes)
    if apps:
        mailboxes = list(_mailboxes(apps, facts))
        found |= {"shared_mailbox_mailboxes": mailboxes} if mailboxes else {}
    if apps or basic:
        found["smtp_auth_mailboxes"] = list(_switches(apps, basic))
    if basic:
        found["authentication_policy_policies"] = [{"name": BASIC_POLICY, "allow_basic_smtp": True, "mailboxes": _signing_in(basic)}]
    if wishes.close_others:
        found |= _closed(found, direct)
    connectors = list(_connectors(by.get("relay", [])))
    if connectors:
        found["inbound_connector_connectors"] = connectors
    if direct and "direct_send_rejected" not in found:
        found["direct_send_rejected"] = False
    if direct:
        found["direct_send_senders"] = [d.sender.address for d in direct]
    if by.get("hve"):
        found["hve_account_accounts"] = [_account(d, wishes) for d in by["hve"]]
    if by.get("acs"):
        found["acs_smtp_username_usernames"] = [{"name": _label(d.sender.name), "username": d.sender.address} for d in by["acs"]]
    found |= _spf(decisions, facts)
    proofs = [proof for d in decisions if (proof := _proof(d, wishes))]
    if proofs:
        found["verify_senders"] = proofs
    if proofs and "entra_app_unique_name" in found:
        found["verify_app_unique_name"] = found["entra_app_unique_name"]
    return found


def complete(variables: dict[str, Any], given: Collection[str]) -> dict[str, Any]:
    """The variables that the inventory does not set itself, with the defaults of the roles that have work."""
    roles = needed([*variables, *given])
    every = {name: value for role in roles for name, value in DEFAULTS.get(role, {}).items()} | variables
    return {name: value for name, value in every.items() if name not in given}


def needed(variables: Collection[str]) -> list[str]:
    """The roles that these variables give work, in their order."""
    return list(dict.fromkeys(role for role, variable in ROLES if variable in variables))


def _unique(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))


def _signing_in(decisions: Iterable[Decision]) -> list[str]:
    return _unique(d.sender.mailbox for d in decisions)


def _application(apps: list[Decision], hve: list[Decision], facts: Facts, wishes: Wishes) -> dict[str, Any]:
    permissions = [{"name": "SMTP.SendAsApp"}] if apps else []
    permissions += [{"name": "Mail.Send"}] if any(d.sender.oauth for d in hve) else []
    return {
        "entra_app_unique_name": wishes.app,
        "entra_app_permissions": permissions,
        "entra_app_full_access": _signing_in(apps),
        "entra_app_send_as": _unique(d.sender.address for d in apps if not _own(d, facts)),
    }


def _own(decision: Decision, facts: Facts) -> bool:
    """Whether a sender's address is the mailbox's own, primary or alias."""
    return facts.primary(decision.sender.address) == facts.primary(decision.sender.mailbox)


def _mailboxes(apps: list[Decision], facts: Facts) -> Iterator[dict[str, Any]]:
    """Mailboxes to make, and the shared ones to keep; a licensed user's mailbox is the user's own business."""
    wanted: dict[str, dict[str, Any]] = {}
    for decision in apps:
        sender = decision.sender
        for address in _unique((facts.primary(sender.mailbox), facts.primary(sender.address))):
            present = facts.mailbox(address)
            if present and present.kind != "SharedMailbox":
                continue
            entry = wanted.setdefault(address, {"address": address})
            if sender.display_name and address == facts.primary(sender.address):
                entry["display_name"] = sender.display_name
            if sender.sent_items and address != facts.primary(sender.mailbox):
                entry["message_copy_for_sent_as"] = True
    yield from wanted.values()


def _switches(apps: list[Decision], basic: list[Decision]) -> Iterator[dict[str, Any]]:
    by_password = _signing_in(basic)
    for address in _unique(_signing_in(apps) + by_password):
        yield {"address": address} | ({"sign_in": "basic"} if address in by_password else {})


def _closed(found: dict[str, Any], direct: list[Decision]) -> dict[str, Any]:
    """What nobody on the list uses is closed: SMTP AUTH for all others, sign-in by password, Direct Send."""
    policies = [*found.get("authentication_policy_policies", []), {"name": CLOSED_POLICY, "allow_basic_smtp": False, "mailboxes": []}]
    return {
        "smtp_auth_organization": "disabled",
        "smtp_auth_exclusive": True,
        "smtp_auth_mailboxes": found.get("smtp_auth_mailboxes", []),
        "authentication_policy_policies": policies,
        "authentication_policy_organization": CLOSED_POLICY,
        "authentication_policy_exclusive": True,
        "direct_send_rejected": not direct,
    }


def _connectors(relays: list[Decision]) -> Iterator[dict[str, Any]]:
    """One connector for each certificate, and for each group of senders that share an address (two would be ambiguous)."""
    certificates: dict[str, list[Decision]] = {}
    groups: list[tuple[set[str], list[Decision]]] = []
    for decision in relays:
        source = decision.relay or decision.sender
        if decision.signs_in or (decision.relay and decision.relay.leaves):
            continue  # its relay host signs in, to client submission or to somebody else
        if source.certificate_name:
            certificates.setdefault(source.certificate_name, []).append(decision)
            continue
        addresses, together = set(source.public_addresses), [decision]
        for group in [group for group in groups if group[0] & addresses]:
            groups.remove(group)
            addresses, together = addresses | group[0], group[1] + together
        groups.append((addresses, together))
    for name, together in certificates.items():
        yield _connector(together, name) | {"tls_sender_certificate_name": name, "require_tls": True}
    for addresses, together in groups:
        yield _connector(together, sorted(addresses)[0]) | {"sender_ip_addresses": sorted(addresses)}


def _connector(together: list[Decision], known_by: str) -> dict[str, Any]:
    named = next((d.sender.connector for d in together if d.sender.connector), "")
    relay = next((d.relay.name for d in together if d.relay), "")
    senders = ", ".join(d.sender.name for d in together)
    return {"name": named or f"mailops {relay or known_by}", "comment": f"mailops.m365: {senders}"[:255]}


def _account(decision: Decision, wishes: Wishes) -> dict[str, Any]:
    sender = decision.sender
    account: dict[str, Any] = {"address": sender.address, "display_name": sender.display_name or sender.name}
    return account | ({"apps": [wishes.app]} if sender.oauth else {})


def _label(text: str) -> str:
    """A resource's name: letters, digits and hyphens."""
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in text.lower()).split())


def _spf(decisions: list[Decision], facts: Facts) -> dict[str, Any]:
    """Addresses that send in the name of the tenant's domains past its mailboxes, and the hosted relay's own record."""
    sending = [d for d in decisions if d.method in ("relay", "direct_send") and not d.signs_in and not (d.relay and d.relay.leaves)]
    addresses = _unique(address for d in sending for address in (d.relay or d.sender).public_addresses)
    hosted = [facts.hosted] if any(d.method == "hosted" for d in decisions) and facts.hosted else []
    hosted += [PROVIDERS[d.relay.upstream] for d in decisions if d.relay and d.relay.upstream in PROVIDERS]
    includes = _unique(provider.spf_include for provider in hosted)
    return {"spf_ip4": sorted(addresses), "spf_includes": includes} if addresses or includes else {}


_PROBES = {"oauth": "oauth", "basic": "basic", "relay": "connector", "direct_send": "direct_send", "hve": "hve", "acs": "acs"}


def _proof(decision: Decision, wishes: Wishes) -> dict[str, Any] | None:
    """The proof of a sender, where somebody said who gets it; a hosted relay is not ours to prove."""
    sender = decision.sender
    recipient = sender.verify_recipient or wishes.verify_recipient
    if not recipient or decision.method not in _PROBES or (decision.relay and decision.relay.managed):
        return None  # a relay host of this inventory proves its senders itself
    method = _PROBES[decision.method]
    proof: dict[str, Any] = {"name": sender.name, "method": method, "address": sender.address, "verify_recipient": recipient}
    if sender.mailbox != sender.address and decision.method in ("oauth", "basic"):
        proof["mailbox"] = sender.mailbox
    if decision.relay:
        proof |= {"host": decision.relay.host, "port": 25}
    return proof | dict(sender.verify_connection)
