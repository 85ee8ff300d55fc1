# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the options of hMailServer, one sentence each."""

from __future__ import annotations

import re

from .. import networks
from ..relay_options import is_full_name, is_ipv4, upstream_problems
from .options import PRIVATE_DOMAIN, AutoBan, Installer, Params, Upstream

LEAST_PASSWORD = 8
_ADDRESS = re.compile(r"[A-Za-z0-9._+-]{1,64}@([A-Za-z0-9.-]+)")
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")
_BOUNDS = {
    "max_message_size": (1024, 2**31 - 1), "tries": (0, 1000), "minutes_between_tries": (1, 10000), "drain_timeout": (0, 86400),
}  # fmt: skip
_BAN_BOUNDS = {"attempts": (1, 1000), "within_minutes": (1, 10000), "ban_minutes": (0, 100000)}


def of(params: Params) -> list[str]:
    """What is wrong with the options, one sentence each."""
    if params.state == "absent":
        return _of_bounds(params, ("drain_timeout",))
    sentences = _of_names(params) + _of_installer(params.installer) + _of_listeners(params) + _of_ranges(params) + _of_accounts(params)
    sentences += _of_bounds(params, tuple(_BOUNDS)) + _of_auto_ban(params.auto_ban)
    return sentences + (_of_upstream(params, params.upstream) if params.upstream else [])


def _of_names(params: Params) -> list[str]:
    sentences = []
    if not is_full_name(params.hostname or ""):
        sentences.append(
            f"hostname is {params.hostname!r}: servers refuse an EHLO name without a domain. Use a fully qualified name, such as "
            "relay.contoso.com."
        )
    if len(params.admin_password) < LEAST_PASSWORD:
        sentences.append(f"admin_password has fewer than {LEAST_PASSWORD} characters: use a longer one.")
    return sentences


def _of_installer(installer: Installer | None) -> list[str]:
    if installer is None:
        return []
    sentences = []
    if bool(installer.path) == bool(installer.url):
        sentences.append("installer needs one of path (a file on the host) and url: set one of them.")
    if installer.url and not installer.url.startswith("https://"):
        sentences.append(f"installer.url is {installer.url}: use a URL that begins with https://.")
    if not _SHA256.fullmatch(installer.sha256 or ""):
        sentences.append(
            "installer.sha256 is missing or no SHA-256 of 64 hexadecimal digits: give that of the setup program that you have verified "
            "(Get-FileHash shows it)."
        )
    if not 30 <= installer.timeout <= 3600:
        sentences.append(f"installer.timeout is {installer.timeout}: use a number of seconds from 30 to 3600.")
    return sentences


def _of_listeners(params: Params) -> list[str]:
    sentences = [] if params.listeners else ["listeners is empty: name at least one, such as {port: 25}."]
    for one in params.listeners:
        if not 0 < one.port < 65536:
            sentences.append(f"listeners has port {one.port}: a port is a number from 1 to 65535.")
        if one.address and not is_ipv4(one.address):
            sentences.append(f"listeners has address {one.address!r}: use an IPv4 address of the host, or leave it out for all.")
        if one.tls != "none" and params.certificate is None:
            sentences.append(
                f"listeners has port {one.port} with tls: {one.tls}, but certificate is not set: name its PEM files on the host."
            )
    ports = [one.port for one in params.listeners]
    sentences += [f"listeners has port {port} twice: remove one." for port in sorted({one for one in ports if ports.count(one) > 1})]
    return sentences


def _of_ranges(params: Params) -> list[str]:
    if not params.ranges:
        return ["ranges is empty: name the devices' networks, such as [{name: printers, networks: [10.1.2.0/24]}]."]
    sentences = []
    names = [one.name.strip().lower() for one in params.ranges]
    sentences += [f"ranges has the name {name!r} twice: rename one." for name in sorted({one for one in names if names.count(one) > 1})]
    if not all(names):
        sentences.append("ranges has an entry whose name is empty: name it, such as printers.")
    of_networks = [sentence for one in params.ranges for sentence in networks.problems(f"ranges, {one.name},", one.networks)]
    if not of_networks:
        of_networks = networks.problems("ranges", [text for one in params.ranges for text in one.networks])
    if any(one.authenticate for one in params.ranges) and not params.accounts:
        of_networks.append("ranges has authenticate: true, but accounts is empty: add an account for the devices.")
    return sentences + of_networks


def _of_accounts(params: Params) -> list[str]:
    sentences = []
    for one in params.accounts:
        match = _ADDRESS.fullmatch(one.address)
        if not match or not f".{match[1]}".lower().endswith(PRIVATE_DOMAIN):
            sentences.append(
                f"accounts has {one.address!r}: mail to a domain of hMailServer stays on the host. Use a user name below a domain that "
                f"nobody sends to, such as scanner@relay{PRIVATE_DOMAIN}."
            )
        if len(one.password) < LEAST_PASSWORD:
            sentences.append(f"accounts, {one.address}, has a password with fewer than {LEAST_PASSWORD} characters: use a longer one.")
    addresses = [one.address.lower() for one in params.accounts]
    sentences += [f"accounts has {one} twice: remove one." for one in sorted({one for one in addresses if addresses.count(one) > 1})]
    if params.accounts and all(one.tls == "none" for one in params.listeners):
        sentences.append(
            "accounts is set, but no listener has TLS, so that passwords would be sent in plain text: add a listener such as "
            "{port: 587, tls: required} and a certificate."
        )
    return sentences


def _of_bounds(params: Params, names: tuple[str, ...]) -> list[str]:
    bounds = {name: _BOUNDS[name] for name in names}
    return [_beyond(name, getattr(params, name), *bounds[name]) for name in bounds if not _within(getattr(params, name), *bounds[name])]


def _of_auto_ban(auto_ban: AutoBan) -> list[str]:
    values = {name: getattr(auto_ban, name) for name in _BAN_BOUNDS}
    return [
        _beyond(f"auto_ban.{name}", value, *_BAN_BOUNDS[name]) for name, value in values.items() if not _within(value, *_BAN_BOUNDS[name])
    ]


def _within(value: int, least: int, most: int) -> bool:
    return least <= value <= most


def _beyond(name: str, value: int, least: int, most: int) -> str:
    return f"{name} is {value}: use a number from {least} to {most}."


def _of_upstream(params: Params, upstream: Upstream) -> list[str]:
    sentences = upstream_problems(upstream, params.max_message_size)
    if upstream.verify and upstream.tls != "none" and is_ipv4(upstream.host):
        sentences.append(f"upstream.host is {upstream.host}, which no certificate names: use the server's name, or set verify: false.")
    return sentences
