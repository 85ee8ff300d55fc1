"""The state of the emulator: tenants, received messages, the network and DNS."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.state.dns import Dns
from emulator.state.mail import Message
from emulator.state.mailgun import MailgunAccount
from emulator.state.sendgrid import SendGridAccount
from emulator.state.smtp2go import Smtp2GoAccount
from emulator.state.tenant import Tenant
from emulator.state.windows import WindowsHost
from emulator.tokens import Tokens


@dataclass
class State:
    """All tenants, received messages, the network, DNS, the accounts of hosted relays, and Windows hosts."""

    tenants: dict[str, Tenant] = field(default_factory=dict)  # by id
    messages: list[Message] = field(default_factory=list)
    network: dict[str, str] = field(default_factory=dict)  # source address on this host -> public address that it stands for
    dns: Dns = field(default_factory=Dns)
    sendgrid: list[SendGridAccount] = field(default_factory=list)
    smtp2go: list[Smtp2GoAccount] = field(default_factory=list)
    mailgun: list[MailgunAccount] = field(default_factory=list)
    windows: list[WindowsHost] = field(default_factory=list)
    now: Callable[[], float] = field(default=time.time, compare=False)  # injected, so that tests can advance it
    _by_domain: dict[str, Tenant] = field(default_factory=dict, compare=False, repr=False)
    tokens: Tokens = field(init=False, compare=False, repr=False)  # signs and checks access tokens
    on_replace: list[Callable[[], None]] = field(default_factory=list, compare=False, repr=False)  # clear what services count

    def __post_init__(self) -> None:
        self.tokens = Tokens(lambda: self.now())

    def tenant(self, name: str) -> Tenant | None:
        """A tenant by id or by one of its domains, in any case of letters."""
        requested = name.lower()
        match = self.tenants.get(requested) or self._by_domain.get(requested)
        if match and self.tenants.get(match.id) is match and (requested == match.id or requested in match.accepted_domains):
            return match
        match = next((t for t in self.tenants.values() if requested in t.accepted_domains), None)
        if match:
            self._by_domain[requested] = match
        return match

    def replace(self, other: State) -> None:
        """Take over the content of another state. Services keep their reference to this object."""
        self.tenants, self.messages, self.network, self.dns = other.tenants, other.messages, other.network, other.dns
        self.sendgrid, self.smtp2go, self.mailgun = other.sendgrid, other.smtp2go, other.mailgun
        self.windows = other.windows
        self._by_domain.clear()
        for clear in self.on_replace:
            clear()

    def receive(self, message: Message) -> Message:
        message.number = len(self.messages) + 1
        self.messages.append(message)
        return message
