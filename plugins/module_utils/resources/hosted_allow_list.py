# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The IP allow list of an account at a hosted relay. A list that also decides on the API always has the controller's address.

Sources: SMTP2GO, "IP allow list"; SendGrid, "IP Access Management"; Mailgun, "IP allowlist".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .._core import networks
from .._core.errors import InvalidInput
from .._core.json_types import JsonObject
from .._core.networks import Network, parse, written
from .._core.params import nested
from .._core.spec import JOURNAL, TENANT, Spec
from .._engine.resource import Plan, ReadOnlyResource
from .._engine.tenant import Tenant
from .._hosted.account import ACCOUNT, Account, account_problems, relay_of
from .._hosted.allow_lists import AllowList, AllowListClient, Entry, covers
from .._hosted.clients import allow_list_client, refuse_missing_rights

LIST = Spec({"service": {"type": "str", "choices": ["smtp", "api"], "default": "smtp"}}, writes=False)
OPTIONS = Spec(
    {
        "addresses": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "address": {"type": "str", "required": True},
                "description": {"type": "str"},
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            },
        },
        "enabled": {"type": "bool"},
        "controller_address": {"type": "str", "variable": "m365_controller_address"},
        "exclusive": {"type": "bool", "default": False},
    }
)
_CONTROLLER = "Ansible controller"


@dataclass(frozen=True)
class AddressItem:
    """An item of `addresses`."""

    address: str
    description: str | None
    state: str


@dataclass(frozen=True)
class ListAccount(Account):
    """The options of both modules."""

    service: str


@dataclass(frozen=True)
class Params(ListAccount):
    """The options of the module hosted_allow_list."""

    enabled: bool | None
    controller_address: str | None
    exclusive: bool
    addresses: tuple[AddressItem, ...] = nested(AddressItem)

    def networks(self, state: str) -> dict[Network, str | None]:
        """The networks of a state, with their descriptions."""
        return {parse(item.address): item.description for item in self.addresses if item.state == state}


@dataclass(frozen=True)
class ListChanges:
    """Networks to add (with their descriptions), entries to describe and to remove, and whether the list is switched."""

    add: tuple[tuple[Network, str], ...] = ()
    describe: tuple[tuple[Entry, str], ...] = ()
    remove: tuple[Entry, ...] = ()
    enable: bool | None = None

    def __bool__(self) -> bool:
        return bool(self.add or self.describe or self.remove or self.enable is not None)

    @property
    def actions(self) -> list[str]:
        """The names of AllowListClient's methods that are called."""
        parts = (("add", self.add), ("describe", self.describe), ("remove", self.remove), ("enable", self.enable is not None))
        return [name for name, is_needed in parts if is_needed]


class HostedAllowList:
    """Implements the module hosted_allow_list."""

    name = "hosted_allow_list"
    spec = TENANT | ACCOUNT | LIST | JOURNAL | OPTIONS
    params_type = Params
    signs_in = False

    def validate(self, params: Params) -> list[str]:
        problems = account_problems(params)
        problems += [text for item in params.addresses for text in _address_problems("addresses", item.address)]
        valid = [item for item in params.addresses if not _address_problems("addresses", item.address)]
        written_ = [written(parse(item.address)) for item in valid]
        repeated = sorted({text for text in written_ if written_.count(text) > 1})
        problems += [f"addresses lists {text} more than once: list it once." for text in repeated]
        if params.controller_address:
            problems += _address_problems("m365_controller_address", params.controller_address)
        if params.enabled and not any(item.state == "present" for item in params.addresses):
            problems.append("enabled is true, and addresses lists none that is present: list the addresses that send.")
        return problems

    def plan(self, tenant: Tenant, params: Params, check_mode: bool) -> Plan[ListChanges]:
        client = client_of(tenant, params)
        current = client.read()
        _refuse_switch(params, client, current)
        changes = _changes(params, client, current)
        desired = _desired(client, current, changes)
        _refuse_lock_out(params, client, current, desired)
        if changes:
            refuse_missing_rights(client.missing_rights(*changes.actions))
        outcome = _outcome(client, desired)
        notes = [*_notes(params, current, desired)]
        return Plan(_state(current), _state(desired), changes or None, outcome, notes)

    def apply(self, tenant: Tenant, params: Params, plan: Plan[ListChanges]) -> dict[str, object]:
        """Add before the list is enabled, and remove last: at no time it lacks an address that it should have."""
        client, changes = client_of(tenant, params), plan.pending
        if changes.enable is False:
            client.enable(False)
        if changes.add:
            client.add(changes.add)
        for entry, description in changes.describe:
            client.describe(entry, description)
        if changes.enable:
            client.enable(True)
        if changes.remove:
            client.remove(changes.remove)
        return _outcome(client, client.read())


class HostedAllowListInfo(ReadOnlyResource[ListAccount]):
    """Implements the module hosted_allow_list_info."""

    name = "hosted_allow_list_info"
    spec = TENANT | ACCOUNT | LIST
    params_type = ListAccount
    signs_in = False

    def validate(self, params: ListAccount) -> list[str]:
        return account_problems(params)

    def plan(self, tenant: Tenant, params: ListAccount, check_mode: bool) -> Plan[None]:
        client = client_of(tenant, params)
        return Plan(outcome=_outcome(client, client.read()))


RESOURCE = HostedAllowList()
INFO = HostedAllowListInfo()


def client_of(tenant: Tenant, params: ListAccount) -> AllowListClient:
    """The client of the list of a service."""
    return allow_list_client(tenant.transport, params, params.service)


# -- input ------------------------------------------------------------------------------------------------------------


def _address_problems(option: str, text: str) -> list[str]:
    clause = networks.problem(text, 6 if ":" in text else 4)
    return [f"{option} holds {text!r}, {clause}."] if clause else []


def _refuse_switch(params: Params, client: AllowListClient, current: AllowList) -> None:
    """Raise InvalidInput where the list cannot be disabled without what the user has not asked for."""
    if params.enabled is not False or client.has_switch:
        return
    label, absent = relay_of(params).label, params.networks("absent")
    kept = [written(one.network) for one in current.entries if not params.exclusive and one.network not in absent]
    listed = [item.address for item in params.addresses if item.state == "present"]
    if listed or kept:
        raise InvalidInput(
            f"enabled is false, and {label} applies its list as soon as it has an entry ({', '.join(listed + kept)}): list no address that "
            "is present, and set exclusive to true to remove all. Nothing was changed."
        )


def _refuse_lock_out(params: Params, client: AllowListClient, current: AllowList, desired: AllowList) -> None:
    """Raise InvalidInput where the API would refuse this controller."""
    if not client.governs_api or not (current.enabled or desired.enabled) or desired == current:
        return
    label = relay_of(params).label
    if not params.controller_address:
        raise InvalidInput(
            f"m365_controller_address is not set, and the list also decides who may use the API of {label}: set it to the public IP "
            "address of this controller, so that the list does not lock it out. Nothing was changed."
        )
    if desired.enabled and not covers((entry.network for entry in desired.entries), params.controller_address):
        raise InvalidInput(
            f"addresses lists {params.controller_address} of m365_controller_address as absent, and the list also decides who may use the "
            f"API of {label}: keep it. Nothing was changed."
        )


# -- comparing --------------------------------------------------------------------------------------------------------


def _changes(params: Params, client: AllowListClient, current: AllowList) -> ListChanges:
    listed, absent = params.networks("present"), params.networks("absent")
    present = dict(listed)
    stays_on = params.enabled or (params.enabled is None and (current.enabled or (bool(present) and not client.has_switch)))
    controller = parse(params.controller_address) if params.controller_address and client.governs_api and stays_on else None
    existing = {entry.network: entry for entry in current.entries}
    kept = {*present} if params.exclusive else {*present, *existing} - {*absent}
    if controller and controller not in absent and not covers(kept, params.controller_address or ""):
        present[controller] = _CONTROLLER
    add = tuple((network, text or "") for network, text in present.items() if network not in existing)
    describe = tuple(
        (existing[network], text)
        for network, text in listed.items()
        if client.has_descriptions and network in existing and text not in (None, existing[network].description)
    )
    remove = tuple(
        entry for entry in current.entries if entry.network in absent or (params.exclusive and entry.network not in present)
    )  # fmt: skip
    # Providers apply each entry at once: the controller's is the first to add, and the last to remove.
    add = tuple(sorted(add, key=lambda one: not _is_own(params, one[0])))
    remove = tuple(sorted(remove, key=lambda one: _is_own(params, one.network)))
    enable = params.enabled if client.has_switch and params.enabled not in (None, current.enabled) else None
    return ListChanges(add, tuple((entry, text or "") for entry, text in describe), remove, enable)


def _is_own(params: Params, network: Network) -> bool:
    """Whether a network has this controller."""
    return bool(params.controller_address) and covers([network], params.controller_address or "")


def _desired(client: AllowListClient, current: AllowList, changes: ListChanges) -> AllowList:
    """The list as it will be."""
    descriptions = {entry.network: text for entry, text in changes.describe}
    entries = [
        Entry(one.network, one.id, descriptions.get(one.network, one.description)) for one in current.entries if one not in changes.remove
    ]
    entries += [Entry(network, "", text if client.has_descriptions else "") for network, text in changes.add]
    enabled = bool(entries) if not client.has_switch else current.enabled if changes.enable is None else changes.enable
    return AllowList(enabled, tuple(entries))


# -- results ----------------------------------------------------------------------------------------------------------


def _rows(entries: Iterable[Entry]) -> list[JsonObject]:
    ordered = sorted(entries, key=lambda one: (one.network.version, one.network.network_address.packed, one.network.prefixlen))
    return [{"address": written(one.network), "description": one.description or None} for one in ordered]


def _state(current: AllowList) -> JsonObject:
    return {"enabled": current.enabled, "addresses": _rows(current.entries)}


def _outcome(client: AllowListClient, current: AllowList) -> JsonObject:
    return _state(current) | {"governs_api": client.governs_api}


def _notes(params: Params, current: AllowList, desired: AllowList) -> Iterator[str]:
    """One sentence for entries that nobody has listed, and where the list is not applied."""
    listed: Sequence[Network] = [*params.networks("present"), *params.networks("absent")]
    listed = [*listed, parse(params.controller_address)] if params.controller_address else listed
    others = [written(one.network) for one in current.entries if one in desired.entries and one.network not in listed]
    if others:
        yield f"{relay_of(params).label}: the list has other entries, which are kept: {', '.join(others)}."
    if desired.entries and not desired.enabled:
        yield f"{relay_of(params).label}: the list has entries and is not enabled: set enabled to true to apply it."
