"""Mailgun: accounts with their API keys and sending domains."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.state.hosted import AllowedAddress, Suppression, admits, seen_as
from emulator.state.keys import Lower, Moment, key

REGIONS = ("us", "eu")
ROLES = ("admin", "basic", "sending", "developer")


@dataclass
class MailgunKey:
    """An API key of Mailgun, which is accepted in all regions."""

    value: str = field(metadata=key("the key"))
    role: str = field(default="admin", metadata=key("its role; only admin may write", choices=ROLES))


@dataclass
class MailgunCredential:
    """An SMTP credential of a domain of Mailgun."""

    login: Lower = field(metadata=key("the user name, an address in the domain"))
    password: str = field(metadata=key("the password, 5 to 32 characters"))
    created: Moment = field(default=0.0, metadata=key("when it was created"))


@dataclass
class MailgunDomain:
    """A domain of Mailgun in one region, with automatic sender security. The records are valid by the last validation."""

    name: Lower = field(metadata=key("the domain"))
    region: str = field(default="us", metadata=key("the region that it exists in", choices=REGIONS))
    type: str = field(default="custom", metadata=key("sandbox: for authorized recipients", choices=("custom", "sandbox")))
    state: str = field(default="unverified", metadata=key("the state", choices=("active", "unverified", "disabled")))
    disabled_reason: str = field(default="", metadata=key("why it is disabled"))
    web_prefix: Lower = field(default="email", metadata=key("label of the tracking host"))
    token: str = field(default="9d876", metadata=key("the part of its DKIM hosts that Mailgun assigns"))
    spf: bool = field(default=False, metadata=key("whether the SPF record is valid"))
    pdk1: bool = field(default=False, metadata=key("whether the first DKIM record is valid"))
    pdk2: bool = field(default=False, metadata=key("whether the second DKIM record is valid"))
    created: Moment = field(default=0.0, metadata=key("when it was created"))
    credentials: list[MailgunCredential] = field(default_factory=list, metadata=key("SMTP credentials besides postmaster"))
    suppressions: list[Suppression] = field(default_factory=list, metadata=key("addresses that get no mail"))
    listed_until: Moment = field(default=0.0, metadata=key("until when a removed domain is listed; 0: it is not removed"))


@dataclass
class MailgunAccount:
    """An account of Mailgun in both regions."""

    username: str = field(metadata=key("the name of the account"))
    requests_per_minute: int = field(default=300, metadata=key("requests in a minute before 429"))
    verifications_per_minute: int = field(default=60, metadata=key("validations of domains in a minute before 429"))
    keys: list[MailgunKey] = field(default_factory=list, metadata=key("API keys"))
    domains: list[MailgunDomain] = field(default_factory=list, metadata=key("sending domains"))
    activated: bool = field(default=True, metadata=key("whether the account was activated"))
    authorized_recipients: list[str] = field(default_factory=list, metadata=key("to whom a sandbox domain sends, addresses in lower case"))
    monthly_limit: int = field(default=0, metadata=key("the account's own limit of messages in a month; 0: none"))
    monthly_used: int = field(default=0, metadata=key("messages sent in this month"))
    public_address: str = field(default="", metadata=key("the address that clients on loopback are seen with"))
    allow_list: list[AllowedAddress] = field(default_factory=list, metadata=key("addresses that may use API and SMTP; empty: all"))

    def allows(self, client: str) -> bool:
        """Whether a client may use the API and SMTP."""
        return not self.allow_list or admits(self.allow_list, seen_as(client, self.public_address))
