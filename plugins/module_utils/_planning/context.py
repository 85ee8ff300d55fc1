# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The input of planning beside the senders: current state of the tenant and settings of its inventory."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from .._exchange.external_limit import ExternalLimit
from .._hosted.providers import HostedRelay
from .limits import BASIC_AUTH_END_DATE
from .ownership import DEFAULT_OWNER
from .senders import Sender
from .upstreams import UPSTREAMS, Upstream


@dataclass(frozen=True)
class RelayListener:
    """A port that devices connect to. `tls`: none, starttls (offered), required (STARTTLS) or implicit."""

    port: int = 25
    tls: str = "none"


ON_LINUX = (RelayListener(25, "starttls"), RelayListener(587, "required"))  # role relay_host


@dataclass(frozen=True)
class RelayHost:
    """A relay host of the organization: what devices connect to, and where it delivers.

    `managed`: this inventory deploys it (role relay_host), so that its certificates and the users of its devices are known.
    `certificates`: PEM texts of the keys that it signs in with; None where this run has not read them.
    `users`: pairs of a sender's address and the SASL user of its device. `legacy_address`: what devices without TLS 1.2 connect to, on
    `legacy_port`; "": it has no such listener. `windows`: it runs on Windows (role relay_windows). `via`: the relay host on Linux that its
    mail leaves from, whose upstream, addresses and certificates it has then; "": none. `listeners`: at least one.
    """

    name: str
    host: str
    upstream: str = "connector"
    public_addresses: tuple[str, ...] = ()
    certificate_name: str = ""
    managed: bool = False
    certificates: tuple[str, ...] | None = None
    retired_certificates: tuple[str, ...] = ()
    users: tuple[tuple[str, str], ...] = ()
    legacy_address: str = ""
    legacy_port: int = 2525
    windows: bool = False
    via: str = ""
    listeners: tuple[RelayListener, ...] = ON_LINUX

    def listener(self, *, user: bool = False) -> RelayListener:
        """The listener of devices that authenticate (`user`), which is one with TLS, or of the others: the usual port before another."""
        fitting = [one for one in self.listeners if (one.tls in ("required", "implicit")) == user] or list(self.listeners)
        return min(fitting, key=lambda one: one.port != (587 if user else 25))

    @property
    def delivery(self) -> Upstream:
        """The properties of its upstream."""
        return UPSTREAMS[self.upstream]


SHARED = "SharedMailbox"  # RecipientTypeDetails


@dataclass(frozen=True)
class Mailbox:
    """A mailbox: its primary address and its RecipientTypeDetails."""

    address: str
    recipient_type: str


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


@dataclass(frozen=True)
class PlanningContext:
    """Current state of a tenant, and settings of its inventory beside the senders.

    `licences`: None where they could not be read. `external_limit`: None where it was not read. `mailboxes`: existing mailboxes by every
    address that was looked up; None where they were not read. `direct_send_rejected`: the desired state of the inventory.
    `hosted_relay_key`: whether the inventory has an API key of the hosted relay.
    """

    domains: frozenset[str] = frozenset()
    security_defaults: bool = False
    licences: int | None = None
    external_limit: ExternalLimit | None = None
    trial: bool = False
    today: datetime.date = field(default_factory=_today)
    basic_auth_end_date: datetime.date = BASIC_AUTH_END_DATE
    basic_reenabled: bool = False
    direct_send_rejected: bool = False
    relay_hosts: Mapping[str, RelayHost] = field(default_factory=dict)
    hosted_relay: HostedRelay | None = None
    hosted_relay_region: str | None = None
    hosted_relay_key: bool = False
    hve: bool = False
    acs: bool = False
    mailboxes: Mapping[str, Mailbox] | None = None
    mx_host: str = ""

    def mailbox(self, address: str) -> Mailbox | None:
        """The mailbox that has this address."""
        return (self.mailboxes or {}).get(address)

    def primary_address(self, address: str) -> str:
        """The mailbox's primary address where `address` is an alias; else `address`."""
        mailbox = self.mailbox(address)
        return mailbox.address if mailbox else address

    def renaming(self, senders: Iterable[Sender]) -> PlanningContext:
        """The context after shared mailboxes get the new addresses of senders (was)."""
        if self.mailboxes is None:
            return self
        mailboxes = dict(self.mailboxes)
        for sender in senders:
            former, own = mailboxes.get(sender.was), mailboxes.get(sender.address)
            if former and former.recipient_type == SHARED and (not own or own.address == former.address):
                after = Mailbox(sender.address, SHARED)
                mailboxes |= {address: after for address, mailbox in mailboxes.items() if mailbox.address == former.address}
                mailboxes[sender.address] = after
        return replace(self, mailboxes=mailboxes)

    def renamed_twice(self, senders: Iterable[Sender]) -> Iterator[str]:
        """One sentence for each further sender that gives a mailbox another new address by one of its former addresses (was)."""
        first: dict[str, Sender] = {}
        for sender in senders:
            former = self.mailbox(sender.was)
            other = first.setdefault(former.address, sender) if former else sender
            if former and other.address != sender.address:
                yield (
                    f"m365_senders: {other.name}, {sender.name}: {other.was} and {sender.was} (was) are one mailbox, {former.address}, and "
                    "it gets one new address: keep was at one of them."
                )

    @property
    def basic_auth_ended(self) -> bool:
        """Whether Basic authentication is off by default and no administrator has turned it on again."""
        return self.today > self.basic_auth_end_date and not self.basic_reenabled


@dataclass(frozen=True)
class PlanSettings:
    """Settings of the inventory that say what the plan includes."""

    app: str  # unique name of the sender app
    disable_unused_access: bool = False
    owner: str = DEFAULT_OWNER
    verify_recipient: str = ""
