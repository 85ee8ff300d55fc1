"""SendGrid: accounts with their API keys and authenticated domains."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.state.hosted import AllowedAddress, Suppression, admits, seen_as
from emulator.state.keys import At, Lower, Moment, UnfitError, key

REGIONS = ("global", "eu")


def _api_key(value: str, _: At) -> str:
    parts = value.split(".")
    if len(value) != 69 or len(parts) != 3 or parts[0] != "SG":
        raise UnfitError("must be SG.<id>.<secret>, 69 characters")
    return value


@dataclass
class SendGridKey:
    """An API key of SendGrid."""

    value: str = field(metadata=key("the key, SG.<id>.<secret> of 69 characters", convert=_api_key))
    scopes: list[str] = field(default_factory=list, metadata=key("its permissions"))
    name: str = field(default="", metadata=key("its name, which others may have, too"))
    removed: Moment = field(default=0.0, metadata=key("until when a removed key is accepted; 0: it is not removed"))

    @property
    def id(self) -> str:
        """The part of the key between the dots."""
        return self.value.split(".")[1]


@dataclass
class SendGridDomain:
    """An authenticated domain of SendGrid with automated security. The three records are valid by its last validation."""

    id: int = field(metadata=key("the id"))
    domain: Lower = field(metadata=key("the domain"))
    subdomain: Lower = field(metadata=key("label of the return path"))
    default: bool = field(default=False, metadata=key("whether it is the account's default"))
    mail_cname: bool = field(default=False, metadata=key("whether the record of the return path is valid"))
    dkim1: bool = field(default=False, metadata=key("whether the first DKIM record is valid"))
    dkim2: bool = field(default=False, metadata=key("whether the second DKIM record is valid"))

    @property
    def valid(self) -> bool:
        return self.mail_cname and self.dkim1 and self.dkim2


@dataclass
class SendGridAccount:
    """An account of SendGrid in one region; in the EU it is a subuser."""

    username: str = field(metadata=key("the user name"))
    user_id: int = field(metadata=key("the number in the values of its records"))
    region: str = field(default="global", metadata=key("the region", choices=REGIONS))
    server: int = field(default=123, metadata=key("the number of the server in the values of its records"))
    requests_per_minute: int = field(default=600, metadata=key("requests in a minute before 429"))
    key_interval: float = field(default=0.0, metadata=key("least seconds between the creation of two API keys, else 429"))
    keys: list[SendGridKey] = field(default_factory=list, metadata=key("API keys"))
    domains: list[SendGridDomain] = field(default_factory=list, metadata=key("authenticated domains"))
    key_created: Moment = field(default=0.0, metadata=key("when the last API key was created"))
    verified_senders: list[str] = field(default_factory=list, metadata=key("verified sender addresses, in lower case"))
    type: str = field(default="paid", metadata=key("the plan", choices=("free", "paid")))
    credits: int = field(default=50_000, metadata=key("recipients in a month"))
    credits_used: int = field(default=0, metadata=key("recipients of this month"))
    suppressions: list[Suppression] = field(default_factory=list, metadata=key("addresses that get no mail"))
    public_address: str = field(default="", metadata=key("the address that clients on loopback are seen with"))
    allow_list: list[AllowedAddress] = field(default_factory=list, metadata=key("addresses that may use API and SMTP; empty: all"))

    def allows(self, client: str) -> bool:
        """Whether a client may use the API and SMTP."""
        return not self.allow_list or admits(self.allow_list, seen_as(client, self.public_address))

    def accepted_keys(self, now: float) -> list[SendGridKey]:
        """The API keys that the API and SMTP accept: those that were removed a moment ago as well."""
        return [one for one in self.keys if not one.removed or now < one.removed]
