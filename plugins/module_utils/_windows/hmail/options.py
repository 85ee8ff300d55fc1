# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of hMailServer."""

from __future__ import annotations

from dataclasses import dataclass

from ..._core.params import nested
from ..._core.spec import Option, Spec
from ..relay_options import SHARED

# Security of a listener and of the upstream, as numbers of eConnectionSecurity.
LISTENER_TLS = {"none": 0, "implicit": 1, "starttls": 2, "required": 3}
UPSTREAM_TLS = {"none": 0, "implicit": 1, "required": 3}
PRIVATE_DOMAIN = ".internal"  # reserved for private use (ICANN, 2024)

_INSTALLER: dict[str, Option] = {
    "path": {"type": "str"},
    "url": {"type": "str"},
    "sha256": {"type": "str"},
    "timeout": {"type": "int", "default": 600},
}
_LISTENER: dict[str, Option] = {
    "address": {"type": "str", "default": ""},
    "port": {"type": "int", "default": 25},
    "tls": {"type": "str", "choices": list(LISTENER_TLS), "default": "none"},
}
_CERTIFICATE: dict[str, Option] = {
    "certificate_file": {"type": "str", "required": True},
    "private_key_file": {"type": "str", "required": True},
}
_RANGE: dict[str, Option] = {
    "name": {"type": "str", "required": True},
    "networks": {"type": "list", "elements": "str", "required": True},
    "authenticate": {"type": "bool", "default": False},
}
_ACCOUNT: dict[str, Option] = {
    "address": {"type": "str", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
}
_UPSTREAM: dict[str, Option] = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int", "default": 25},
    "tls": {"type": "str", "choices": list(UPSTREAM_TLS), "default": "required"},
    "verify": {"type": "bool", "default": True},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
}
_AUTO_BAN: dict[str, Option] = {
    "enabled": {"type": "bool", "default": True},
    "attempts": {"type": "int", "default": 3},
    "within_minutes": {"type": "int", "default": 30},
    "ban_minutes": {"type": "int", "default": 60},
}
OPTIONS = SHARED | Spec(
    {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "installer": {"type": "dict", "options": _INSTALLER},
        "admin_password": {"type": "str", "no_log": True, "required": True},
        "previous_admin_password": {"type": "str", "no_log": True},
        "hostname": {"type": "str"},
        "listeners": {"type": "list", "elements": "dict", "options": _LISTENER, "default": [{"address": "", "port": 25, "tls": "none"}]},
        "certificate": {"type": "dict", "options": _CERTIFICATE},
        "ranges": {"type": "list", "elements": "dict", "options": _RANGE, "default": []},
        "purge_ranges": {"type": "bool", "default": False},
        "accounts": {"type": "list", "elements": "dict", "options": _ACCOUNT, "default": []},
        "upstream": {"type": "dict", "options": _UPSTREAM},
        "max_message_size": {"type": "int", "default": 36700160},
        "tries": {"type": "int", "default": 48},
        "minutes_between_tries": {"type": "int", "default": 60},
        "auto_ban": {"type": "dict", "options": _AUTO_BAN, "default": {}},
        "log": {"type": "bool", "default": True},
    },
    required_if=(("state", "present", ("hostname", "ranges", "upstream")),),
)


@dataclass(frozen=True)
class Installer:
    """A setup program, on the host or at a URL; `timeout` in seconds."""

    path: str | None
    url: str | None
    sha256: str | None
    timeout: int


@dataclass(frozen=True)
class Listener:
    """`address`: empty for all; `tls`: a key of LISTENER_TLS."""

    address: str
    port: int
    tls: str


@dataclass(frozen=True)
class Certificate:
    """PEM files on the host."""

    certificate_file: str
    private_key_file: str


@dataclass(frozen=True)
class Range:
    """Networks of devices, and whether they have to authenticate."""

    name: str
    networks: tuple[str, ...]
    authenticate: bool


@dataclass(frozen=True)
class Account:
    """A user name and password of devices."""

    address: str
    password: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2].lower()


@dataclass(frozen=True)
class Upstream:
    """The server that every message is sent to; `tls`: a key of UPSTREAM_TLS."""

    host: str
    port: int
    tls: str
    verify: bool
    username: str | None
    password: str | None


@dataclass(frozen=True)
class AutoBan:
    """After so many wrong passwords within so many minutes an address is refused for so many minutes."""

    enabled: bool
    attempts: int
    within_minutes: int
    ban_minutes: int


@dataclass(frozen=True)
class Params:
    """The options. `hostname` and `upstream` are set where `state` is present. `journal_dir` is where digests of passwords are, too."""

    state: str
    admin_password: str
    previous_admin_password: str | None
    hostname: str | None
    purge_ranges: bool
    max_message_size: int
    tries: int
    minutes_between_tries: int
    log: bool
    update_password: str
    drain_timeout: int
    basic_auth_end_date: str
    journal_dir: str | None
    installer: Installer | None = nested(Installer)
    listeners: tuple[Listener, ...] = nested(Listener)
    certificate: Certificate | None = nested(Certificate)
    ranges: tuple[Range, ...] = nested(Range)
    accounts: tuple[Account, ...] = nested(Account)
    upstream: Upstream | None = nested(Upstream)
    auto_ban: AutoBan = nested(AutoBan)
