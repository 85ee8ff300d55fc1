# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which device may send as whom: devices as Postfix's tables, restriction classes and listeners.

A device is recognized by its network or by its user name, and has one restriction class, which holds its senders. Both kinds end in
the same class, so a sender is accepted or refused in one place. Source: Postfix's access(5), cidr_table(5), SMTPD_ACCESS_README,
RESTRICTION_CLASS_README.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..._core.text_lines import listed
from ..agent.postfix.journal import POSTFIX_UNITS
from .crypt_sha512 import salt, sha512_crypt
from .listeners import LOCAL, UNKNOWN_CLIENT, listeners, password_ports
from .model import Device, RelayConfig
from .plan import Access, RestrictionClass

WITH_SASL = ("submission", "submissions", "legacy")
REWRITE = "m365-rewrite"  # a pipe(8) service whose next hop is the new sender of the message
WRONG_SENDER = "REJECT 5.7.1 {name} may send only as {senders}; set this sender in the device, or rewrite: true in relay_devices"
UNKNOWN_SENDER = "REJECT 5.7.1 this relay sends only as the senders of relay_mailboxes and relay_devices"


def access(config: RelayConfig) -> Access:
    return Access(
        classes=[_local_class(config), *(_class(name, device) for name, device in _named(config))],
        listeners=listeners(config),
        unbanned4=["127.0.0.0/8", *(network for network in config.networks if ":" not in network)],
        unbanned6=["::1/128", *(network for network in config.networks if ":" in network)],
        unknown_client=UNKNOWN_CLIENT,
        sasl_users=config.has_sasl_users,
        rewriting=config.has_rewriting,
        fail2ban=config.fail2ban and config.has_sasl_users,
        ports=",".join(password_ports(config)),
        journal=" + ".join(f"_SYSTEMD_UNIT={unit} SYSLOG_IDENTIFIER=postfix/{name}/smtpd" for unit in POSTFIX_UNITS for name in WITH_SASL),
    )


def tables(config: RelayConfig) -> dict[str, list[str]]:
    """File -> lines: the class of each network client, and of each SASL user; the networks of both."""
    clients = [f"{network} {name}" for name, device in _named(config) if not device.username for network in device.networks]
    users = [f"{device.username} {name}" for name, device in _named(config) if device.username]
    return {"clients": clients, "users": users, "networks": [f"{network} OK" for network in config.networks]}


def sasl_users(config: RelayConfig) -> str:
    """Dovecot's passwd-file: `name:{SHA512-CRYPT}hash::::::allow_nets=...`. It holds only hashes, and is a secret nevertheless."""
    lines = []
    for device in config.devices:
        if device.username:
            hashed = device.password_hash or sha512_crypt(device.password, salt(config.hostname, device.username))
            networks = f"allow_nets={','.join(device.networks)}" if device.networks else ""
            lines.append(f"{device.username}:{{SHA512-CRYPT}}{hashed}::::::{networks}\n")
    return "".join(lines)


def _named(config: RelayConfig) -> list[tuple[str, Device]]:
    """Every device with the name of its class."""
    return [(f"m365_device_{number}", device) for number, device in enumerate(config.devices, 1)]


def _class(name: str, device: Device) -> RestrictionClass:
    """The class of one device: it accepts the device's senders only, or has every sender rewritten to the first."""
    if device.rewrite:
        restrictions = [f"check_sender_access static:{{FILTER {REWRITE}:{device.senders[0]}}}", "permit"]
        return RestrictionClass(name, device.name, restrictions)
    return _senders_only(name, device.name, device.senders, WRONG_SENDER.format(name=device.name, senders=_short(device.senders)))


def _local_class(config: RelayConfig) -> RestrictionClass:
    """The class of the relay itself: its test messages, and the messages that it has rewritten."""
    return _senders_only(LOCAL, "the relay itself", config.senders, UNKNOWN_SENDER)


def _senders_only(name: str, device: str, senders: Iterable[str], refusal: str) -> RestrictionClass:
    """The last line also refuses the null sender, which has no entry in the table."""
    lines = ", ".join(f"{{{sender.lower()} = OK}}" for sender in senders)
    table = [f"check_sender_access inline:{{{lines}}}"] if lines else []
    return RestrictionClass(name, device, [*table, f"check_sender_access static:{{{refusal}}}"])


def _short(senders: Sequence[str]) -> str:
    """At most two addresses: an SMTP reply is one short line."""
    return listed(senders, 2)
