# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which device may send as whom, on which listener: the role's variables become Postfix's tables, classes and listeners.

A device is recognized by its network or by its user name, and each has one restriction class, which holds what it may send as.
Both ways of recognizing it end in the same class, so there is one place where a sender is accepted or refused.

Private to the collection; runs on the controller. `given` is the role's variables, checked (device_checks.py). Source: Postfix's
access(5), cidr_table(5), SMTPD_ACCESS_README, RESTRICTION_CLASS_README.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network
from typing import Any

from ..agent.postfix.maillog import POSTFIX_UNITS
from .crypt_sha512 import salt, sha512_crypt
from .listeners import STRANGER, listeners, password_ports
from .parse import mailboxes

LOOPBACK = ("127.0.0.0/8", "::1/128")
LOCAL = "m365_local"
WITH_USERS = ("submission", "submissions", "legacy")
REWRITE = "m365-rewrite"  # a pipe(8) service whose next hop is the sender that the message gets
FOREIGN = "REJECT 5.7.1 {name} may send only as {senders}; set this sender in the device, or rewrite: true in relay_devices"
UNSERVED = "REJECT 5.7.1 this relay sends only as the senders of relay_mailboxes and relay_devices"


def plan(given: dict[str, Any]) -> dict[str, Any]:
    """What the templates print.

    {classes: [{name, device, restrictions}], listeners: [{service, name, options}], networks: [of devices, whom nobody bans],
    users: whether anybody signs in, rewrites: whether anybody is rewritten, stranger: what a stranger is told,
    ports: where passwords are tried, journal: the log lines that tell of it}
    """
    devices = list(given.get("relay_devices") or [])
    users, rewrites = any(device.get("username") for device in devices), any(device.get("rewrite") for device in devices)
    return {
        "classes": [_local(given), *(_class(name, device) for name, device in _named(given))],
        "networks": sorted({network for device in devices for network in networks(device)}),
        "listeners": listeners(given, users, rewrites),
        "stranger": STRANGER,
        "ports": ",".join(password_ports(given)),
        "journal": " + ".join(
            f"_SYSTEMD_UNIT={unit} SYSLOG_IDENTIFIER=postfix/{name}/smtpd" for unit in POSTFIX_UNITS for name in WITH_USERS
        ),
        "users": users,
        "rewrites": rewrites,
    }


def tables(given: dict[str, Any]) -> dict[str, list[str]]:
    """File -> lines: which network, and which user, has which class. Who signs in is not let in by address."""
    clients = [f"{network} {name}" for name, one in _named(given) if not one.get("username") for network in networks(one)]
    users = [f"{one['username'].lower()} {name}" for name, one in _named(given) if one.get("username")]
    return {"clients": [f"{network} {LOCAL}" for network in LOOPBACK] + clients, "users": users}


def _named(given: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every device with its class's name."""
    return [(f"m365_device_{place}", device) for place, device in enumerate(given.get("relay_devices") or [], 1)]


def networks(device: dict[str, Any]) -> list[str]:
    """In the one form that Postfix, Dovecot and fail2ban all read."""
    return [str(ip_network(str(text))) for text in device.get("networks") or []]


def senders(given: dict[str, Any]) -> list[str]:
    """Everybody whom this relay sends as, in lower case."""
    served = [sender for box in mailboxes(given) for sender in box.senders]
    served += [sender for device in given.get("relay_devices") or [] for sender in device["senders"]]
    return list(dict.fromkeys(sender.lower() for sender in served))


def _class(name: str, device: dict[str, Any]) -> dict[str, Any]:
    """The class of one device: its senders pass and every other is refused, or each is rewritten to the first."""
    if device.get("rewrite"):
        restrictions = [f"check_sender_access static:{{FILTER {REWRITE}:{device['senders'][0]}}}", "permit"]
        return {"name": name, "device": device["name"], "restrictions": restrictions}
    return _only(name, device["name"], device["senders"], FOREIGN.format(name=device["name"], senders=_short(device["senders"])))


def _local(given: dict[str, Any]) -> dict[str, Any]:
    """The relay itself: its probe, and what it has rewritten."""
    return _only(LOCAL, "the relay itself", senders(given), UNSERVED)


def _only(name: str, device: str, allowed: Iterable[str], refusal: str) -> dict[str, Any]:
    """The last line refuses the null sender, too, which has no entry in the table."""
    lines = ", ".join(f"{{{sender.lower()} = OK}}" for sender in allowed)
    table = [f"check_sender_access inline:{{{lines}}}"] if lines else []
    return {"name": name, "device": device, "restrictions": [*table, f"check_sender_access static:{{{refusal}}}"]}


def _short(allowed: list[str]) -> str:
    """A reply's line is short, and a device's display shorter."""
    return ", ".join(allowed[:2]) + (f" and {len(allowed) - 2} more" if len(allowed) > 2 else "")


def users_file(given: dict[str, Any], hostname: str) -> str:
    """Dovecot's passwd-file: `name:{SHA512-CRYPT}hash::::::allow_nets=...`. Holds only hashes, and is a secret nevertheless."""
    lines = []
    for device in given.get("relay_devices") or []:
        if not device.get("username"):
            continue
        user = device["username"].lower()
        hashed = device.get("password_hash") or sha512_crypt(device["password"], salt(hostname, user))
        pinned = f"allow_nets={','.join(networks(device))}" if device.get("networks") else ""
        lines.append(f"{user}:{{SHA512-CRYPT}}{hashed}::::::{pinned}\n")
    return "".join(lines)
