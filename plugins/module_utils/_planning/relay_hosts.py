# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay hosts of a tenant: what its inventory says of them, and what its senders want of each.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .context import Facts, Relay
from .decision import Decision
from .variables import Wishes

_NOT_GIVEN = ("", None)


def of_inventory(hosts: Iterable[Mapping[str, Any]], tenant: str) -> list[dict[str, Any]]:
    """The relays of module sender_plan for those hosts of the group `relays` that name this tenant (`relay_tenant`).

    `hosts` are their host variables. `certificates` is left out where a relay has not told its own in this run. A relay that is
    the other's twin (`relay_peer_of`) is not one of its own: the tenant takes both for the other.
    """
    mine = [host for host in hosts if host.get("relay_tenant") == tenant and host.get("relay_state", "present") == "present"]
    pairs: dict[str, list[Mapping[str, Any]]] = {}
    for host in sorted(mine, key=lambda host: bool(host.get("relay_peer_of"))):
        pairs.setdefault(str(host.get("relay_peer_of") or host["inventory_hostname"]), []).append(host)
    return [_pair(name, [_of_host(host) for host in together]) for name, together in pairs.items()]


def _pair(name: str, relays: list[dict[str, Any]]) -> dict[str, Any]:
    """Relays that devices may use in each other's place, as the one that the senders name."""
    whole = relays[0] | {"name": name, "host": " or ".join(relay["host"] for relay in relays)}
    for option in ("public_addresses", "certificates", "retired_certificates"):
        lists = [relay.get(option) for relay in relays]
        known = [some for some in lists if some is not None]
        if option == "certificates" and len(known) < len(relays):
            whole.pop(option, None)  # all of them, or it is not known what the application needs
        elif known:
            whole[option] = list(dict.fromkeys(value for some in known for value in some))
    return whole


def _of_host(host: Mapping[str, Any]) -> dict[str, Any]:
    given = {
        "host": _name(host),
        "upstream": host.get("relay_upstream", "oauth"),
        "public_addresses": host.get("relay_public_addresses"),
        "certificate_name": host.get("relay_certificate_name"),
        "certificates": host.get("relay_certificates"),
        "retired_certificates": host.get("relay_retired_certificates"),
        "users": _users(host.get("relay_devices") or []),
        "managed": True,
    }
    return {name: value for name, value in given.items() if value not in _NOT_GIVEN}


def _name(host: Mapping[str, Any]) -> str:
    """What devices call it: the name in its certificate; how Ansible reaches it, where the inventory's name is no host's."""
    inventory = str(host["inventory_hostname"])
    told = [host.get("relay_hostname"), inventory if "." in inventory else None, host.get("ansible_host"), inventory]
    return next(str(name) for name in told if name not in _NOT_GIVEN)


def _users(devices: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Sender's address -> the name that a device logs in with; never a password."""
    return {
        str(sender).lower(): str(device["username"])
        for device in devices
        if device.get("username")
        for sender in device.get("senders") or []
    }


def read(options: Mapping[str, Any]) -> Relay:
    """A relay from validated options."""
    certificates = options["certificates"]
    return Relay(
        **{**options}
        | {
            "public_addresses": tuple(options["public_addresses"]),
            "certificates": None if certificates is None else tuple(certificates),
            "retired_certificates": tuple(options["retired_certificates"]),
            "users": tuple((address.lower(), user) for address, user in options["users"].items()),
        }
    )


def problems(relays: Sequence[Mapping[str, Any]], *, removes_unlisted: bool = False) -> list[str]:
    """One sentence for each thing that is wrong. `removes_unlisted`: certificates that are not listed leave the application."""
    names = [relay["name"] for relay in relays]
    found = [f"m365_relays: {name} is there twice: give each relay its own name." for name in sorted(set(names)) if names.count(name) > 1]
    for relay in relays:
        if relay["upstream"] == "connector" and not relay["public_addresses"] and not relay["certificate_name"]:
            ways = ("relay_public_addresses", "relay_certificate_name") if relay["managed"] else ("public_addresses", "certificate_name")
            found.append(
                f"m365_relays: {relay['name']} has upstream connector and neither {ways[0]} nor {ways[1]}: give one, or use upstream oauth."
            )
        if removes_unlisted and relay["managed"] and relay["upstream"] == "oauth" and relay["certificates"] is None:
            found.append(
                f"m365_relays: {relay['name']} has not told its certificate in this run, and entra_app_exclusive would remove it from the "
                "application: run the whole playbook site, without --limit, while the relay host can be reached."
            )
    return found


def wanted(decisions: Sequence[Decision], facts: Facts, wishes: Wishes) -> dict[str, dict[str, Any]]:
    """Relay's name -> the mailboxes that it signs in to or sends for, each with its senders, and who is to be proven."""
    found: dict[str, dict[str, Any]] = {name: {"mailboxes": [], "senders": []} for name, relay in facts.relays.items() if relay.managed}
    for decision in decisions:
        if not decision.relay or decision.relay.name not in found:
            continue
        work, sender = found[decision.relay.name], decision.sender
        mailbox = next((entry for entry in work["mailboxes"] if entry["address"] == sender.mailbox), None)
        if mailbox is None:
            mailbox = {"address": sender.mailbox, "senders": []}
            work["mailboxes"].append(mailbox)
        if sender.address not in mailbox["senders"]:
            mailbox["senders"].append(sender.address)
        recipient = sender.verify_recipient or wishes.verify_recipient
        if recipient:
            work["senders"].append({"name": sender.name, "address": sender.address, "verify_recipient": recipient})
    return found


def certificates(decisions: Sequence[Decision], facts: Facts) -> tuple[list[str], list[str]]:
    """What the application takes for the relay hosts that sign in, and what it loses at the end of a rotation."""
    signing = {d.relay.name for d in decisions if d.relay and d.signs_in}
    relays = [relay for name, relay in facts.relays.items() if name in signing]
    current = [text for relay in relays for text in relay.certificates or ()]
    return current, [text for relay in relays for text in relay.retired_certificates if text not in current]
