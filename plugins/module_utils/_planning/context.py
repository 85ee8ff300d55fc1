# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a tenant when the ways of its senders are decided.

Private to the collection.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

from .limits import BASIC_AUTH_END_DATE


@dataclass(frozen=True)
class Relay:
    """A relay host of the organization's own: what devices connect to, and how it goes on to Microsoft 365.

    `managed`: this inventory deploys it (role relay_host); then its own certificates are known, and its devices that log in.
    """

    name: str
    host: str
    upstream: str = "connector"  # one of UPSTREAMS; "oauth": it signs in as the sender's mailbox
    public_addresses: tuple[str, ...] = ()
    certificate_name: str = ""
    managed: bool = False
    certificates: tuple[str, ...] | None = None  # PEM, of the key that it signs in with; None: it has not told in this run
    retired_certificates: tuple[str, ...] = ()
    users: tuple[tuple[str, str], ...] = ()  # sender's address, the name that its device logs in to the relay with

    @property
    def leaves(self) -> bool:
        """Whether its mail goes on through somebody who is not Microsoft 365, or not known to be."""
        return self.upstream not in ("connector", "oauth")


@dataclass(frozen=True)
class Mailbox:
    """A mailbox that a sender's address names: its primary address and its RecipientTypeDetails."""

    address: str
    kind: str


@dataclass(frozen=True)
class Hosted:
    """A hosted relay that takes mail for the tenant's domains from outside of it."""

    provider: str
    host: str
    port: int
    user: str
    spf_include: str


UPSTREAMS = ("connector", "oauth", "smtp2go", "sendgrid", "mailgun", "acs", "smarthost")
# Sources: each provider's own SMTP documentation.
PROVIDERS = {
    "smtp2go": Hosted("SMTP2GO", "mail.smtp2go.com", 587, "the SMTP user made in its panel", "spf.smtp2go.com"),
    "sendgrid": Hosted("SendGrid", "smtp.sendgrid.net", 587, "apikey, and an API key as the password", "sendgrid.net"),
    "mailgun": Hosted("Mailgun", "smtp.mailgun.org", 587, "an SMTP credential of the domain", "mailgun.org"),
}


@dataclass(frozen=True)
class Facts:
    """A tenant: what was read of it, and what its inventory says beside the senders."""

    domains: frozenset[str] = frozenset()
    security_defaults: bool = False
    licences: int | None = None  # None: could not be read
    trial: bool = False
    today: datetime.date = field(default_factory=lambda: datetime.datetime.now(datetime.UTC).date())
    basic_auth_end_date: datetime.date = BASIC_AUTH_END_DATE
    basic_reenabled: bool = False
    direct_send_rejected: bool = False  # wanted, not read
    relays: dict[str, Relay] = field(default_factory=dict)
    hosted: Hosted | None = None
    hve: bool = False
    acs: bool = False
    mailboxes: dict[str, Mailbox] | None = None  # by any address that was asked for, those that exist; None: not read
    mx_host: str = ""

    def mailbox(self, address: str) -> Mailbox | None:
        """The mailbox that has this address."""
        return (self.mailboxes or {}).get(address)

    def primary(self, address: str) -> str:
        """The address itself, or of an alias the mailbox's primary one."""
        found = self.mailbox(address)
        return found.address if found else address

    @property
    def basic_ended(self) -> bool:
        """Whether sign-in by password is off by Microsoft's timetable, and nobody has turned it on again."""
        return self.today > self.basic_auth_end_date and not self.basic_reenabled
