# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the role's variables: one sentence each, and all of them at once.

Private to the collection; runs on the controller.
"""

from __future__ import annotations

import re
from typing import Any

from ..._core import mail_addresses
from ..._core.errors import InvalidInput
from ..._http.clouds import resolve
from . import device_checks
from .parse import DOMAIN, LIMITS, hostname, is_number, number
from .upstreams import UPSTREAMS, credentials, server

GUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*")
DURATION = re.compile(r"(\d{1,6})([smhdw])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800}
LONGEST = 100 * SECONDS["d"]  # postconf(5), maximal_queue_lifetime: beyond it qmgr does not start
# Microsoft's own limits of a mailbox ("Exchange Online limits"), with the least that makes sense.
MICROSOFT = {"messages_per_minute": (0, 30), "connections": (1, 3), "recipients_per_day": (0, 10000)}
NUMBERS = {
    "relay_legacy_port": (1, 65535),
    "relay_message_size_limit": (100_000, 157_286_400),
    "relay_recipients_per_message": (1, 1000),
    "relay_key_days": (31, 3650),
    "relay_count": (1, 10),
    "relay_drain_timeout": (0, 604_800),
}
PATHS = ("relay_tls_certificate", "relay_tls_key", "relay_connector_certificate", "relay_connector_key", "relay_metrics_directory")
TOGETHER = (("relay_tls_certificate", "relay_tls_key"), ("relay_connector_certificate", "relay_connector_key"))


def checked(given: dict[str, Any]) -> list[str]:
    """All problems. Nothing here repeats a value that is secret."""
    found = _numbers(given) + _texts(given)
    if given.get("relay_upstream") not in UPSTREAMS:
        return [*found, f"relay_upstream is {given.get('relay_upstream')!r}: use {', '.join(UPSTREAMS)}."]
    try:
        resolve(given.get("m365_cloud") or "global")
    except InvalidInput as error:
        found += error.problems
    return found + _upstream(given) + _mailboxes(given) + device_checks.problems(given) + _own_name(given)


def _numbers(given: dict[str, Any]) -> list[str]:
    found = []
    for name, (least, most) in NUMBERS.items():
        if not is_number(given.get(name)) or not least <= number(given[name]) <= most:
            found.append(f"{name} is {given.get(name)!r}: give a whole number from {least} to {most}.")
    return found


def _texts(given: dict[str, Any]) -> list[str]:
    found = []
    for name in ("relay_queue_lifetime", "relay_delay_warning"):
        told = DURATION.fullmatch(str(given.get(name)))
        if not told:
            found.append(f"{name} is {given.get(name)!r}: give a number with its unit, such as 30m, 4h or 2d.")
        elif int(told[1]) * SECONDS[told[2]] > LONGEST:
            found.append(f"{name} is {given[name]}: Postfix knows no longer time than 100d; give a shorter one.")
    for name in ("relay_hostname", "relay_connector_host"):
        if given.get(name) and not HOST.fullmatch(str(given[name])):
            found.append(f"{name} is {given[name]!r}: give a host's name, without brackets or a port.")
    for name in (*PATHS, "relay_backup_directory"):
        if given.get(name) and not re.fullmatch(r"/[\w./+@-]+", str(given[name])):
            found.append(f"{name} is {given[name]!r}: give an absolute path on the relay, without blanks or commas.")
    for name in ("relay_backup_directory", "relay_metrics_directory"):
        if str(given.get(name) or "").startswith(("/home/", "/root/", "/run/user/")):
            found.append(f"{name} is {given[name]}: services do not see what is below /home and /root; name a directory elsewhere.")
    if not given.get("relay_backup_directory"):
        found.append("relay_backup_directory is empty: name the directory for backups and exported mail.")
    for certificate, key in TOGETHER:
        if bool(given.get(certificate)) != bool(given.get(key)):
            found.append(f"{certificate} and {key} belong together: give both, or neither.")
    if given.get("relay_postmaster"):
        found += mail_addresses.problems("relay_postmaster", [str(given["relay_postmaster"])])
    return found


def _own_name(given: dict[str, Any]) -> list[str]:
    """What is addressed to the relay's own name stays on the relay: it must be no mail domain."""
    name = hostname(given)
    listed = [entry for kind in ("relay_mailboxes", "relay_devices") for entry in given.get(kind) or [] if isinstance(entry, dict)]
    told = [str(sender) for entry in listed for sender in [entry.get("address"), *(entry.get("senders") or [])] if sender]
    domains = {address.rpartition("@")[2].lower() for address in [*told, str(given.get("relay_postmaster") or "")]}
    if name not in domains | {str(given.get("m365_tenant") or "").lower()}:
        return []
    return [f"relay_hostname is {name}, a mail domain, whose mail would stay on the relay: name the host, such as relay1.{name}."]


def _upstream(given: dict[str, Any]) -> list[str]:
    """What the chosen way out needs."""
    kind, tenant = given["relay_upstream"], str(given.get("m365_tenant") or "")
    if kind == "oauth":
        return _oauth(given, tenant)
    if kind == "connector":
        cloud = given.get("m365_cloud")
        named = given.get("relay_connector_host") or (isinstance(cloud, dict) and cloud.get("mx_host"))
        if not named and not DOMAIN.fullmatch(tenant):
            return [f"m365_tenant is {tenant!r}, which has no MX to look up: give one of the tenant's domains, or relay_connector_host."]
        return []
    return _submission(given, kind)


def _oauth(given: dict[str, Any], tenant: str) -> list[str]:
    found = []
    if not GUID.fullmatch(tenant) and not DOMAIN.fullmatch(tenant):
        found.append(f"m365_tenant is {tenant!r}: give the tenant's id (a GUID) or one of its domains.")
    if not GUID.fullmatch(str(given.get("relay_client_id") or "")):
        found.append(f"relay_client_id is {given.get('relay_client_id')!r}: give the client id of the senders' application, a GUID.")
    if not given.get("relay_mailboxes"):
        found.append("relay_mailboxes is empty: by OAuth every message is sent from a mailbox; name at least one.")
    return found


def _submission(given: dict[str, Any], kind: str) -> list[str]:
    wanted, found = given.get("relay_smarthost") or {}, []
    if wanted.get("port") is not None and not (is_number(wanted["port"]) and 0 < number(wanted["port"]) < 65536):
        return [f"relay_smarthost.port is {wanted['port']!r}: give a port, 1 to 65535."]
    host, _port = server(given)
    if not HOST.fullmatch(host):
        found.append(f"relay_smarthost.host is {host!r}: give the server's name, without brackets or a port.")
    if wanted.get("tls") not in (None, "", "verify", "encrypt", "none"):
        found.append(f"relay_smarthost.tls is {wanted['tls']!r}: use verify, encrypt or none.")
    username, password = credentials(given)
    if kind != "smarthost" and not (username and password):
        found.append(f"relay_smarthost lacks a username or a password: {kind} takes mail of nobody without.")
    elif bool(username) != bool(password):
        found.append("relay_smarthost has a username or a password alone: give both, or neither.")
    elif password and wanted.get("tls") == "none":
        found.append("relay_smarthost.tls is none, which would send the password in clear: use verify or encrypt.")
    if any(":" in username or character in username + password for character in "\r\n"):
        found.append("relay_smarthost's username holds a colon, or it or the password a line end: Postfix can send neither.")
    return found


def _mailboxes(given: dict[str, Any]) -> list[str]:
    listed = given.get("relay_mailboxes") or []
    if not isinstance(listed, list) or not all(isinstance(entry, dict) and entry.get("address") for entry in listed):
        return ["relay_mailboxes holds an entry without an address: give each as a mapping with address."]
    found = mail_addresses.problems("relay_mailboxes", [str(entry["address"]) for entry in listed])
    senders = [str(sender) for entry in listed for sender in entry.get("senders") or [entry["address"]]]
    # A wrong address is told once, though it is its own sender.
    found = found or mail_addresses.problems("senders of relay_mailboxes", senders)
    return found + [text for entry in listed for text in _limits(given, entry)]


def _limits(given: dict[str, Any], entry: dict[str, Any]) -> list[str]:
    found, microsoft = [], given["relay_upstream"] in ("oauth", "connector")
    for name in LIMITS:
        least, most = MICROSOFT[name] if microsoft else (MICROSOFT[name][0], 1_000_000)
        value = entry.get(name)
        if value is not None and not (is_number(value) and least <= number(value) <= most):
            found.append(f"{name} of {entry['address']} in relay_mailboxes is {value!r}: give a whole number from {least} to {most}.")
    if found or entry.get("messages_per_minute") != 0 or not is_number(given.get("relay_count")):
        return found
    if number(given["relay_count"]) > number(entry.get("connections") or 2):
        found.append(
            f"relay_count is {given['relay_count']}, and {entry['address']} has fewer connections: without a pace every relay needs one."
        )
    return found
