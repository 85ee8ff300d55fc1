# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the options of IIS SMTP Server and hMailServer have in common: the upstream server, and when its password is written."""

from __future__ import annotations

import ipaddress
import re
from typing import Protocol

from .._core.spec import Spec
from .._hosted.providers import relay_with, too_large

WHEN_CHANGED, ON_CREATE, ALWAYS = "when_changed", "on_create", "always"
SHARED = Spec(
    {
        # When the password is written, not the password.
        "update_password": {"type": "str", "choices": [WHEN_CHANGED, ON_CREATE, ALWAYS], "default": WHEN_CHANGED, "no_log": False},
        "drain_timeout": {"type": "int", "default": 600},
    }
)
_MICROSOFT_MX = (".mail.protection.outlook.com", ".mx.microsoft")
_LARGEST_AT_MICROSOFT = 157286400  # "Exchange Online limits": 150 MB
_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))+")


class Upstream(Protocol):
    """The server that every message is sent to. `tls`: none, required (STARTTLS), or with hMailServer implicit."""

    @property
    def host(self) -> str:
        """Its name, or an IPv4 address."""

    @property
    def port(self) -> int:
        """Its port."""

    @property
    def tls(self) -> str:
        """The TLS level."""

    @property
    def username(self) -> str | None:
        """The user of AUTH LOGIN."""

    @property
    def password(self) -> str | None:
        """The user's password."""


def is_full_name(text: str) -> bool:
    """Whether it is a host name with a domain."""
    return _NAME.fullmatch(text) is not None


def is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def upstream_problems(upstream: Upstream, max_message_size: int) -> list[str]:
    """What is wrong with the options of the upstream server, one sentence each."""
    found = []
    if not is_full_name(upstream.host) and not is_ipv4(upstream.host):
        found.append(f"upstream.host is {upstream.host!r}: use a fully qualified name or an IPv4 address.")
    if not 0 < upstream.port < 65536:
        found.append(f"upstream.port is {upstream.port}: a port is a number from 1 to 65535.")
    if bool(upstream.username) != bool(upstream.password):
        found.append("upstream has only one of username and password: set both or neither.")
    if upstream.username and upstream.tls == "none":
        found.append("upstream has a password and tls: none, which sends it in plain text: set tls: required.")
    return found + _connector_problems(upstream) + _size_problems(upstream, max_message_size)


def _is_connector(upstream: Upstream) -> bool:
    return upstream.host.lower().rstrip(".").endswith(_MICROSOFT_MX)


def _connector_problems(upstream: Upstream) -> list[str]:
    """An inbound connector of Microsoft 365 matches the public address: neither product has OAuth or a client certificate."""
    if not _is_connector(upstream) or (upstream.port == 25 and upstream.tls == "required" and not upstream.username):
        return []
    return [f"upstream.host is {upstream.host}, a connector's server: use port 25 and tls: required, without a user name."]


def _size_problems(upstream: Upstream, max_message_size: int) -> list[str]:
    hosted = relay_with(upstream.host)
    if hosted:
        return hosted.size_problems("max_message_size", max_message_size)
    return too_large("max_message_size", max_message_size, "Microsoft 365", _LARGEST_AT_MICROSOFT) if _is_connector(upstream) else []
