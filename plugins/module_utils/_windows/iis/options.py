# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a virtual server of IIS SMTP, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass

from ..._core.params import nested
from ..._core.spec import Option, Spec
from .. import networks
from ..relay_options import SHARED, is_full_name, is_ipv4, upstream_problems

LOOPBACK = "127.0.0.1"
MOST_ERRORS = 10  # distinct replies of the upstream server in results
_INT32 = 2**31 - 1

_LISTENER: dict[str, Option] = {"address": {"type": "str", "default": ""}, "port": {"type": "int", "default": 25}}
_UPSTREAM: dict[str, Option] = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int", "default": 25},
    "tls": {"type": "str", "choices": ["required", "none"], "default": "required"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
}
OPTIONS = SHARED | Spec(
    {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "fqdn": {"type": "str"},
        "listeners": {"type": "list", "elements": "dict", "options": _LISTENER, "default": [{"address": "", "port": 25}]},
        "relay_networks": {"type": "list", "elements": "str", "default": []},
        "relay_authenticated": {"type": "bool", "default": False},
        "connection_networks": {"type": "list", "elements": "str", "default": []},
        "authentication": {"type": "list", "elements": "str", "choices": ["anonymous", "basic", "windows"], "default": ["anonymous"]},
        "require_tls": {"type": "bool", "default": False},
        "upstream": {"type": "dict", "options": _UPSTREAM},
        "masquerade_domain": {"type": "str", "default": ""},
        "max_message_size": {"type": "int", "default": 36700160},
        "max_session_size": {"type": "int", "default": 367001600},
        "max_recipients": {"type": "int", "default": 100},
        "retry_minutes": {"type": "list", "elements": "int", "default": [15, 30, 60, 240]},
        "delay_notice_minutes": {"type": "int", "default": 720},
        "give_up_minutes": {"type": "int", "default": 2880},
        "postmaster": {"type": "str", "default": "Postmaster"},
        "log": {"type": "bool", "default": True},
    },
    required_if=(("state", "present", ("fqdn", "upstream")),),
)


@dataclass(frozen=True)
class Listener:
    """`address`: empty for all."""

    address: str
    port: int


@dataclass(frozen=True)
class Upstream:
    """The server that every message is sent to."""

    host: str
    port: int
    tls: str
    username: str | None
    password: str | None


@dataclass(frozen=True)
class Params:
    """The options. `fqdn` and `upstream` are set where `state` is present. `journal_dir` is where digests of passwords are, too."""

    state: str
    fqdn: str | None
    relay_networks: tuple[str, ...]
    relay_authenticated: bool
    connection_networks: tuple[str, ...]
    authentication: tuple[str, ...]
    require_tls: bool
    masquerade_domain: str
    max_message_size: int
    max_session_size: int
    max_recipients: int
    retry_minutes: tuple[int, ...]
    delay_notice_minutes: int
    give_up_minutes: int
    postmaster: str
    log: bool
    update_password: str
    drain_timeout: int
    basic_auth_end_date: str
    journal_dir: str | None
    listeners: tuple[Listener, ...] = nested(Listener)
    upstream: Upstream | None = nested(Upstream)


def problems(params: Params) -> list[str]:
    """What is wrong with the options, one sentence each."""
    if params.state == "absent":
        return []
    found = _of_names(params) + _of_access(params) + _of_listeners(params) + _of_limits(params)
    return found + (_of_upstream(params, params.upstream) if params.upstream else [])


def _of_names(params: Params) -> list[str]:
    found = []
    if not is_full_name(params.fqdn or ""):
        found.append(
            f"fqdn is {params.fqdn!r}: servers refuse an EHLO name without a domain. Use a fully qualified name, such as relay.contoso.com."
        )
    if params.masquerade_domain and not is_full_name(params.masquerade_domain):
        found.append(f"masquerade_domain is {params.masquerade_domain!r}: use an accepted domain of the tenant, such as contoso.com.")
    return found


def _of_access(params: Params) -> list[str]:
    found = []
    if params.relay_networks or not params.relay_authenticated:
        found += networks.problems("relay_networks", params.relay_networks)
    if params.connection_networks or not params.relay_networks:
        found += networks.problems("connection_networks", params.connection_networks)
    if not params.authentication:
        found.append("authentication is empty: name anonymous, basic or windows.")
    if params.relay_authenticated and set(params.authentication) <= {"anonymous"}:
        found.append("relay_authenticated is true, but no client can authenticate: add basic or windows to authentication.")
    if "basic" in params.authentication and not params.require_tls:
        found.append("authentication has basic without require_tls, which sends passwords in plain text: set require_tls: true.")
    return found


def _of_listeners(params: Params) -> list[str]:
    found = [] if params.listeners else ["listeners is empty: name at least one, such as {port: 25}."]
    for one in params.listeners:
        if not 0 < one.port < 65536:
            found.append(f"listeners has port {one.port}: a port is a number from 1 to 65535.")
        if one.port == 465:
            found.append("listeners has port 465: IIS SMTP has no implicit TLS. Use port 25 or 587, where clients begin TLS by STARTTLS.")
        if one.address and not is_ipv4(one.address):
            found.append(f"listeners has address {one.address!r}: use an IPv4 address of the host, or leave it out for all.")
    if len(set(params.listeners)) < len(params.listeners):
        found.append("listeners has an entry twice: remove one.")
    return found


def _of_limits(params: Params) -> list[str]:
    found = []
    for name, least in (("max_message_size", 1024), ("max_session_size", 1024), ("max_recipients", 1), ("drain_timeout", 0)):
        value = getattr(params, name)
        if not least <= value <= _INT32:
            found.append(f"{name} is {value}: use a number from {least} to {_INT32}.")
    if params.max_session_size < params.max_message_size:
        found.append(f"max_session_size is {params.max_session_size}, less than max_message_size: use at least {params.max_message_size}.")
    if len(params.retry_minutes) != 4 or not all(0 < one <= 9999 for one in params.retry_minutes):
        found.append(f"retry_minutes is {list(params.retry_minutes)}: use four numbers from 1 to 9999, such as [15, 30, 60, 240].")
    for name in ("delay_notice_minutes", "give_up_minutes"):
        value = getattr(params, name)
        if not 0 < value <= 9999 * 60:
            found.append(f"{name} is {value}: use a number of minutes from 1 to {9999 * 60}.")
    if params.give_up_minutes <= params.delay_notice_minutes:
        found.append("give_up_minutes is not greater than delay_notice_minutes: a sender would get the failure before the delay notice.")
    return found


def _of_upstream(params: Params, upstream: Upstream) -> list[str]:
    implicit = ["upstream.port is 465: IIS SMTP has no implicit TLS. Use port 587, with STARTTLS."] if upstream.port == 465 else []
    return upstream_problems(upstream, params.max_message_size) + implicit
