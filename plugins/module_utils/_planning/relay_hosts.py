# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay hosts of a tenant in its inventory, on Linux and Windows, and what each has to do for the tenant's senders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypedDict, cast

from .context import PlanningContext, PlanSettings
from .sending_plan import SendingPlan

HostVariables: TypeAlias = "Mapping[str, Any]"
WINDOWS_GROUP, HMAILSERVER = "windows_relays", "hmailserver"
_UNSET = ("", None)
# What the tenant knows a relay by whose mail leaves from another one.
_OF_UPSTREAM: tuple[Literal["upstream", "public_addresses", "certificate_name", "certificates", "retired_certificates"], ...] = (
    "upstream",
    "public_addresses",
    "certificate_name",
    "certificates",
    "retired_certificates",
)
_LISTS: tuple[Literal["public_addresses", "certificates", "retired_certificates"], ...] = (
    "public_addresses",
    "certificates",
    "retired_certificates",
)


class ListenerOptions(TypedDict):
    """A listener; `tls` as in RelayListener."""

    port: int
    tls: str


class RelayOptions(TypedDict, total=False):
    """An item of option relays of module sender_plan; `users`: sender's address -> SASL user."""

    name: str
    host: str
    upstream: str
    public_addresses: list[str]
    certificate_name: str
    certificates: list[str]
    retired_certificates: list[str]
    users: dict[str, str]
    legacy_address: str
    legacy_port: int
    managed: bool
    windows: bool
    via: str
    listeners: list[ListenerOptions]


def of_inventory(hosts: Iterable[HostVariables], tenant: str) -> list[RelayOptions]:
    """The option `relays` of module sender_plan: those hosts of groups `relays` and `windows_relays` whose `relay_tenant` is this tenant.

    `hosts`: their host variables. `certificates` is left out where this run has not read them. A relay host and those whose
    `relay_peer_of` names it are one item.
    """
    present = [host for host in hosts if host.get("relay_tenant") == tenant and (host.get("relay_state") or "present") == "present"]
    own = [host for host in present if not _on_windows(host)]
    groups: dict[str, list[HostVariables]] = {}
    for host in sorted(own, key=lambda host: bool(host.get("relay_peer_of"))):
        groups.setdefault(str(host.get("relay_peer_of") or host["inventory_hostname"]), []).append(host)
    relays = [_merged(name, [_options(host) for host in together]) for name, together in groups.items()]
    return relays + [_windows_options(host, relays) for host in present if _on_windows(host)]


def _on_windows(host: HostVariables) -> bool:
    return WINDOWS_GROUP in (host.get("group_names") or [])


def _windows_options(host: HostVariables, relays: Sequence[RelayOptions]) -> RelayOptions:
    """A Windows host. `relays`: those on Linux; mail leaves from the one that is its smart host, as from that one's devices."""
    upstream = host.get("relay_upstream") or "connector"
    options: RelayOptions = {**_options({**host, "relay_upstream": upstream}), "name": str(host["inventory_hostname"]), "windows": True}
    options.pop("managed")  # no agent runs there
    options["listeners"] = _windows_listeners(host)
    smart_host = str((host.get("relay_smarthost") or {}).get("host") or "").lower()
    linux = next((one for one in relays if smart_host in one["host"].lower().split(" or ")), None) if upstream == "smarthost" else None
    if not linux:
        return options
    for name in _OF_UPSTREAM:
        options.pop(name, None)
    given = {name: linux[name] for name in _OF_UPSTREAM if name in linux}
    return cast("RelayOptions", {**options, **given, "via": linux["name"]})


def default_windows_listeners(product: str, *, users: bool) -> list[HostVariables]:
    """relay_windows_listeners where it is not set. `users`: whether devices authenticate, which hMailServer offers."""
    return [{"port": 25}, *([{"port": 587, "tls": "required"}] if users and product == HMAILSERVER else [])]


def _windows_listeners(host: HostVariables) -> list[ListenerOptions]:
    """What devices connect to; the relay's role refuses a port that is none. IIS SMTP Server offers STARTTLS where it has a certificate."""
    product = str(host.get("relay_windows_product") or "")
    users = any(device.get("username") for device in host.get("relay_devices") or [])
    configured = host.get("relay_windows_listeners") or default_windows_listeners(product, users=users)
    of_iis = "required" if host.get("relay_windows_require_tls") is True else "starttls"
    return [
        {
            "port": int(port) if (port := str(one.get("port") or 25)).isdecimal() else 25,
            "tls": str(one.get("tls") or "none") if product == HMAILSERVER else of_iis,
        }
        for one in configured
        if isinstance(one, Mapping)
    ]


def _merged(name: str, relays: Sequence[RelayOptions]) -> RelayOptions:
    """Relay hosts that devices may use alternatively, as one item."""
    merged: RelayOptions = {**relays[0], "name": name, "host": " or ".join(relay["host"] for relay in relays)}
    legacy = [address for relay in relays if (address := relay.get("legacy_address"))]
    if legacy:
        merged["legacy_address"] = " or ".join(legacy)
    for option in _LISTS:
        values = [listed for relay in relays if (listed := relay.get(option)) is not None]
        if option == "certificates" and len(values) < len(relays):
            merged.pop(option, None)  # the application needs the certificates of all of them
        elif values:
            merged[option] = list(dict.fromkeys(value for listed in values for value in listed))
    return merged


def _options(host: HostVariables) -> RelayOptions:
    options = {
        "host": _device_name(host),
        "upstream": host.get("relay_upstream") or "oauth",
        "public_addresses": host.get("relay_public_addresses"),
        "certificate_name": host.get("relay_certificate_name"),
        "certificates": host.get("relay_certificates"),
        "retired_certificates": host.get("relay_retired_certificates"),
        "users": _users(host.get("relay_devices") or []),
        "legacy_address": host.get("relay_legacy_address"),
        "legacy_port": host.get("relay_legacy_port"),
        "managed": True,
    }
    return cast(RelayOptions, {name: value for name, value in options.items() if value not in _UNSET})


def _device_name(host: HostVariables) -> str:
    """The name that devices connect to: that of its certificate; ansible_host, where the inventory's name has no domain."""
    inventory = str(host["inventory_hostname"])
    candidates = [host.get("relay_hostname"), inventory if "." in inventory else None, host.get("ansible_host"), inventory]
    return next(str(name) for name in candidates if name not in _UNSET)


def _users(devices: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Sender's address -> SASL user of its device; no password."""
    return {
        str(sender).lower(): str(device["username"])
        for device in devices
        if device.get("username")
        for sender in device.get("senders") or []
    }


@dataclass
class RelayAssignment:
    """A relay host's mailboxes (each with the addresses that send as it), and the senders that module relay_probe, or on Windows module
    windows_relay_probe, verifies. `domains`: the tenant's."""

    domains: frozenset[str]
    mailboxes: dict[str, list[str]] = field(default_factory=dict)
    senders: list[dict[str, str]] = field(default_factory=list)

    def add(self, plan: SendingPlan, settings: PlanSettings) -> None:
        sender = plan.sender
        addresses = self.mailboxes.setdefault(sender.mailbox, [])
        if sender.address not in addresses:
            addresses.append(sender.address)
        recipient = sender.verify_recipient or settings.verify_recipient
        self.senders.append({"name": sender.name, "address": sender.address} | ({"verify_recipient": recipient} if recipient else {}))

    def as_result(self) -> dict[str, object]:
        mailboxes = [{"address": address, "senders": senders} for address, senders in self.mailboxes.items()]
        return {"mailboxes": mailboxes, "senders": self.senders, "domains": sorted(self.domains)}


def assignments(plans: Iterable[SendingPlan], context: PlanningContext, settings: PlanSettings) -> dict[str, RelayAssignment]:
    """Name of each relay host that this inventory deploys -> its assignment. A sender of one whose mail leaves from another is both's."""
    deployed = [name for name, relay in context.relay_hosts.items() if relay.managed or relay.windows]
    result = {name: RelayAssignment(context.domains) for name in deployed}
    for plan in plans:
        names = {plan.relay_host.name, plan.relay_host.via} if plan.relay_host else set()
        for name in names & set(result):
            result[name].add(plan, settings)
    return result


def certificates(plans: Iterable[SendingPlan], context: PlanningContext) -> tuple[list[str], list[str]]:
    """PEM certificates that the application needs for relay hosts that sign in, and those that a finished rotation removes."""
    names = {plan.relay_host.name for plan in plans if plan.relay_host and plan.uses_oauth}
    relays = [relay for name, relay in context.relay_hosts.items() if name in names]
    current = [text for relay in relays for text in relay.certificates or ()]
    return current, [text for relay in relays for text in relay.retired_certificates if text not in current]
