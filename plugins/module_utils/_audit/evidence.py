# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sources of an audit say about one address. A value that could not be read is None; zero is an observation."""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass

from .mail_flow import MailFlow


@dataclass(frozen=True)
class BasicUsage:
    """Sign-ins with Basic authentication of one mailbox in the period. Zero sign-ins is an observation; a log that was not read is None."""

    succeeded: int = 0
    failed: int = 0
    last_succeeded: datetime.date | None = None
    last_failed: datetime.date | None = None
    addresses: tuple[str, ...] = ()

    def as_result(self) -> dict[str, object]:
        values = asdict(self) | {"addresses": list(self.addresses)}
        return {name: value.isoformat() if isinstance(value, datetime.date) else value for name, value in values.items()}


@dataclass(frozen=True)
class ClientUsage:
    """What the report "SMTP AUTH clients" (90 days) has of one sender; None: not in the file. `old_tls`: the versions of TLS before 1.2."""

    basic: bool | None = None
    oauth: bool | None = None
    messages: int | None = None
    old_tls: tuple[str, ...] = ()

    def as_result(self) -> dict[str, object]:
        return asdict(self) | {"old_tls": list(self.old_tls)}


@dataclass(frozen=True)
class SenderKey:
    """The credential that an OAuth sender signs in with: the usable one that ends last. `kind`: certificate or secret."""

    kind: str
    end: datetime.date


@dataclass(frozen=True)
class Evidence:
    """What is known of one address; None: not readable.

    `listed`: the inventory has it as a sender. `method`: its planned method, None for an address that is not listed or whose plan failed;
    `traced`: with that method, its messages are in the message trace. `mailbox`: whether the address is that of a mailbox. `smtp_auth`:
    whether SMTP AUTH is enabled for the mailbox, by its own or the organization's setting. `basic_allowed`: by its authentication policy.
    `direct_send_rejected`: by the organization. `clients`: of the export of the Exchange admin center. `smtp_app`: whether the usage
    report has SMTP for the user in 180 days, by Basic authentication or OAuth. `flow`: of the message trace, which has `trace_days` days;
    `connector`: the inbound connector that matches its IP address, "" where none does, None where the trace or the connectors were not
    read; `certificate_connectors`: those matched by certificate, one of which may be its own; `direct_send`: it sends to internal
    recipients, without such a connector, and cannot sign in; `relayed`: likewise to external recipients, which only a connector relays
    to. `hve`: the status of its High Volume Email account's billing policy, "" without an account. `verified`: when playbook verify sent
    a test message as it. `key`: of the sender app; `no_key` says in a clause why it is None.
    """

    address: str
    listed: bool = False
    method: str | None = None
    traced: bool = False
    mailbox: bool | None = None
    smtp_auth: bool | None = None
    basic_allowed: bool | None = None
    security_defaults: bool | None = None
    direct_send_rejected: bool | None = None
    basic: BasicUsage | None = None
    clients: ClientUsage | None = None
    smtp_app: bool | None = None
    flow: MailFlow | None = None
    trace_days: int = 0
    connector: str | None = ""
    certificate_connectors: tuple[str, ...] = ()
    direct_send: bool = False
    relayed: bool = False
    hve: str | None = None
    verified: datetime.date | None = None
    key: SenderKey | None = None
    no_key: str = "the keys of its sender app could not be read"

    @property
    def basic_known(self) -> bool:
        """Whether a source says that Basic authentication was or was not used: the log, the export, or the report where it has no SMTP."""
        return self.basic is not None or bool(self.clients and self.clients.basic is not None) or self.smtp_app is False

    @property
    def blocked(self) -> str:
        """Why Basic authentication is certainly refused, as a clause; "" where it is not."""
        if self.security_defaults:
            return "Security Defaults are enabled"
        if self.smtp_auth is False:
            return "SMTP AUTH is disabled for the mailbox"
        return "its authentication policy refuses Basic authentication" if self.basic_allowed is False else ""

    @property
    def is_silent(self) -> bool:
        """Whether sources that would have its messages were read, and none has one."""
        if self.verified or (self.clients and self.clients.messages) or self.smtp_app:
            return False
        return self.traced and self.flow is not None and not self.flow.messages
