"""Mailboxes and role groups in the state file."""

from __future__ import annotations

import re
from typing import Any

from emulator.state import Mailbox, Tenant
from emulator.state.keys import At, Key
from emulator.statefile.codec import SPECIAL, Record, Special, slots_of, tenant_of
from emulator.statefile.forms import Indexed, MomentForm
from emulator.statefile.reader import Location, Node

MAILBOX = Record(Mailbox)
GENERATE_KEY = ("generate", "a whole number", "number of mailboxes that this one stands for; `{n}` in its texts is their number, from 1")


def _read_mailboxes(node: Node, at: At) -> dict[str, Mailbox]:
    result: dict[str, Mailbox] = {}
    grants: list[tuple[Mailbox, Any, Location]] = []
    for item, location in node.items("mailboxes"):
        for one in _generated(location.expect(item, dict), location):
            inner = Node(one, location)
            values = inner.take("grants", [])
            mailbox: Mailbox = MAILBOX.read(inner.rest(), location, at)
            if mailbox.address in result:
                raise location.key("address").error(f"{mailbox.address} is there twice")
            result[mailbox.address] = mailbox
            grants += [(mailbox, values, location.key("grants"))] if values else []
    tenant_of(at).mailboxes = result
    form = next(slot.form for slot in slots_of(Mailbox) if slot.name == "grants")
    for mailbox, values, location in grants:  # a trustee may be a mailbox further down
        mailbox.grants = form.read(values, location, at)
    return result


def _generated(item: dict[str, Any], location: Location) -> list[dict[str, Any]]:
    """`generate: 10000` with {n} in its texts stands for that many mailboxes, numbered from 1."""
    if "generate" not in item:
        return [item]
    template = dict(item)
    count = location.key("generate").expect(template.pop("generate"), int)
    address = template.get("address")
    if not isinstance(address, str) or not re.search(r"\{n(:[^}]*)?\}", address):
        raise location.key("address").error("must hold {n} where mailboxes are generated")
    return [{name: _numbered(value, location.key(name), n) for name, value in template.items()} for n in range(1, count + 1)]


def _numbered(value: Any, location: Location, number: int) -> Any:
    try:
        return value.format(n=number) if isinstance(value, str) else value
    except (KeyError, IndexError, ValueError):
        raise location.error("only {n} stands for something here") from None


def _read_role_groups(node: Node, at: At) -> dict[str, dict[str, float]]:
    """Members by object id or client id: a list, or a mapping to the moments at which they take effect."""
    result: dict[str, dict[str, float]] = {}
    location = node.location.key("role_groups")
    for group, members in location.expect(node.take("role_groups", {}), dict).items():
        result[group] = {}
        values = members if isinstance(members, dict) else dict.fromkeys(location.key(group).expect(members, list), 0.0)
        for member, moment in values.items():
            principals = tenant_of(at).exchange_service_principals.values()
            principal = next((p for p in principals if str(member).lower() in (p.object_id, p.app_id)), None)
            if principal is None:
                raise location.key(group).error(f"{member!r} is no Exchange service principal")
            result[group][principal.object_id] = MomentForm().read(moment, location.key(group), at)
    return result


SPECIAL[Tenant, "mailboxes"] = Special(
    _read_mailboxes, lambda tenant: {"mailboxes": Indexed(MAILBOX, Key("", index="address")).write(tenant.mailboxes)}
)
SPECIAL[Tenant, "role_groups"] = Special(
    _read_role_groups, lambda tenant: {"role_groups": tenant.role_groups}, kind="a mapping to lists of texts or to mappings"
)
