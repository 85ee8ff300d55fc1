"""SMTP2GO: accounts with their API keys and sender domains."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from emulator.state.hosted import AllowedAddress, Suppression, admits, seen_as
from emulator.state.keys import At, Lower, Moment, UnfitError, key

STATUSES = ("allowed", "blocked", "sandbox")


def _api_key(value: str, _: At) -> str:
    if not re.fullmatch(r"api-[A-Za-z0-9]{32}", value):
        raise UnfitError("must be api- and 32 letters or digits")
    return value


def period_seconds(period: str) -> int:
    """The seconds of a period such as `1 day`, `30 days` or `0:30:00`; 0 where it is none."""
    match = re.fullmatch(r"(?:(\d{1,4}) days?)?(?:, )?(?:(\d{1,2}):(\d\d):(\d\d))?", period)
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0, 0)
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _period(value: str, _: At) -> str:
    if value and not period_seconds(value):
        raise UnfitError("must be a period such as 1 day or 0:30:00")
    return value


@dataclass
class Smtp2GoKey:
    """An API key of SMTP2GO."""

    value: str = field(metadata=key("the key, api- and 32 characters", convert=_api_key))
    paths: list[str] = field(default_factory=list, metadata=key("the paths that it may call"))


@dataclass
class Smtp2GoDomain:
    """A sender domain of SMTP2GO. The records are valid by the last validation."""

    domain: Lower = field(metadata=key("the domain"))
    return_path: Lower = field(metadata=key("label of the return path"))
    tracking: Lower = field(default="link", metadata=key("label of the host in tracked links"))
    rpath_verified: bool = field(default=False, metadata=key("whether the record of the return path is valid"))
    dkim_verified: bool = field(default=False, metadata=key("whether the DKIM record is valid"))
    cname_verified: bool = field(default=False, metadata=key("whether the record of the tracking host is valid"))
    checked: Moment = field(default=0.0, metadata=key("when the records were validated"))


@dataclass
class Smtp2GoUser:
    """An SMTP user of SMTP2GO."""

    username: str = field(metadata=key("the user name, 5 to 100 characters"))
    password: str = field(metadata=key("the password"))
    description: str = field(default="", metadata=key("the description"))
    status: str = field(default="allowed", metadata=key("sandbox: mail is accepted and not delivered", choices=STATUSES))
    custom_ratelimit: bool = field(default=False, metadata=key("whether it has a limit of its own"))
    custom_ratelimit_value: int = field(default=0, metadata=key("messages in the period"))
    custom_ratelimit_period: str = field(default="", metadata=key("the period, such as 1 day or 0:30:00", convert=_period))
    open_tracking_enabled: bool = field(default=False, metadata=key("whether opened messages are tracked"))
    click_tracking_enabled: bool = field(default=False, metadata=key("whether links are replaced"))
    archive_enabled: bool = field(default=False, metadata=key("whether messages are archived"))
    bounce_notifications: str = field(default="from", metadata=key("who is told of a bounce"))
    period_used: int = field(default=0, metadata=key("messages sent in the period of its own limit"))
    period_start: Moment = field(default=0.0, metadata=key("when that period began"))

    def has_room(self, count: int, now: float) -> bool:
        """Whether it may send so many messages more. A period begins with the first message after the last one."""
        if now - self.period_start >= period_seconds(self.custom_ratelimit_period):
            self.period_used, self.period_start = 0, now
        return not self.custom_ratelimit or self.period_used + count <= self.custom_ratelimit_value


@dataclass
class Smtp2GoAccount:
    """An account of SMTP2GO, which is the same in all regions."""

    username: str = field(metadata=key("the name of the account"))
    number: int = field(default=123456, metadata=key("the number in its DKIM selector"))
    requests_per_minute: int = field(default=600, metadata=key("requests in a minute before 429"))
    keys: list[Smtp2GoKey] = field(default_factory=list, metadata=key("API keys"))
    domains: list[Smtp2GoDomain] = field(default_factory=list, metadata=key("sender domains"))
    users: list[Smtp2GoUser] = field(default_factory=list, metadata=key("SMTP users"))
    single_senders: list[str] = field(default_factory=list, metadata=key("verified sender addresses, in lower case"))
    cycle_max: int = field(default=1000, metadata=key("messages in a month"))
    cycle_used: int = field(default=0, metadata=key("messages sent in this month"))
    suppressions: list[Suppression] = field(default_factory=list, metadata=key("addresses that get no mail"))
    public_address: str = field(default="", metadata=key("the address that clients on loopback are seen with"))
    smtp_allow_list: list[AllowedAddress] = field(default_factory=list, metadata=key("addresses that may use SMTP"))
    smtp_allow_list_enabled: bool = field(default=False, metadata=key("whether the list for SMTP is enabled"))
    api_allow_list: list[AllowedAddress] = field(default_factory=list, metadata=key("addresses that may use the API"))
    api_allow_list_enabled: bool = field(default=False, metadata=key("whether the list for the API is enabled"))

    def allows(self, client: str, service: str) -> bool:
        """Whether a client may use a service, smtp or api."""
        enabled, entries = getattr(self, f"{service}_allow_list_enabled"), getattr(self, f"{service}_allow_list")
        return not enabled or admits(entries, seen_as(client, self.public_address))
