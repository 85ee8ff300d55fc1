# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of role relay_host as a RelayConfig, or every problem with them at once."""

from __future__ import annotations

from collections.abc import Iterator

from ..._core import mail_addresses
from ..._core.errors import InvalidInput
from ..._core.mail_addresses import DOMAIN
from ..._http.clouds import CLOUDS, Cloud, resolve
from ..._planning.inventory import misspelt
from . import message_size
from .model import CONFIGURATION, UPSTREAM_TYPES, Certificate, Queue, RelayConfig, Upstream
from .parse_devices import parse_devices, parse_legacy_listener
from .parse_mailboxes import parse_mailboxes, unlimited_mailboxes
from .parse_upstream import parse_upstream
from .reader import Reader, Variables


def parse(variables: Variables) -> RelayConfig:
    """`variables`: the role's by their names, with `inventory_hostname`, `fqdn`, `host_addresses` and `binds_any_address` of the host.

    `variable_names`: the names of all variables of the host, of which none may be misspelt.

    Raises InvalidInput with all problems. No problem contains a secret.
    """
    reader = Reader(variables)
    name, cloud = _upstream_name(reader), _cloud(reader)
    relay_count = reader.integer("relay_count", 1, 10)
    mailboxes = parse_mailboxes(reader, name, relay_count)
    devices = parse_devices(reader, mailboxes)
    queue = Queue(reader.duration("relay_queue_lifetime"), reader.duration("relay_delay_warning"), _postmaster(reader))
    certificates = {certificate.variable: certificate for certificate in _certificates(reader)}
    presented = certificates.get("relay_tls", Certificate("", f"{CONFIGURATION}/server.cert.pem", f"{CONFIGURATION}/server.key.pem"))
    served = [sender for mailbox in mailboxes for sender in (mailbox.address, *mailbox.senders)]
    served += [sender for device in devices for sender in device.senders]
    connections, processes = _connection_limits(reader)
    reader.report(*misspelt(reader.value("variable_names") or ()))
    reader.integer("relay_key_days", 31, 3650)
    reader.integer("relay_drain_timeout", 0, 604_800)
    config = RelayConfig(
        hostname=_hostname(reader, [*served, queue.postmaster]),
        tenant=reader.text("m365_tenant"),
        client_id=reader.text("relay_client_id"),
        cloud=cloud or CLOUDS["global"],
        upstream=parse_upstream(reader, name, cloud) if name and cloud else Upstream(name, ""),
        mailboxes=mailboxes if name == "oauth" else (*mailboxes, *unlimited_mailboxes(mailboxes, devices)),
        devices=devices,
        legacy=parse_legacy_listener(reader),
        queue=queue,
        certificates=tuple(certificates.values()),
        server_certificate=presented.certificate,
        server_key=presented.key,
        relay_count=relay_count,
        message_size_limit=message_size.read(reader, name),
        recipients_per_message=reader.integer("relay_recipients_per_message", 1, 1000),
        connections_per_client=connections,
        processes=processes,
        active_queue_limit=reader.integer("relay_active_queue_limit", 1000, 1_000_000),
        metrics_directory=reader.path("relay_metrics_directory", of_service=True),
        backup_directory=_backup_directory(reader),
        fail2ban=reader.flag("relay_fail2ban"),
    )
    if reader.problems:
        raise InvalidInput(*reader.problems)
    return config


def _upstream_name(reader: Reader) -> str:
    value = reader.value("relay_upstream")
    if value in UPSTREAM_TYPES:
        return str(value)
    reader.report(f"relay_upstream is {value!r}: use {', '.join(UPSTREAM_TYPES)}.")
    return ""


def _cloud(reader: Reader) -> Cloud | None:
    try:
        return resolve(reader.value("m365_cloud") or "global")
    except InvalidInput as error:
        reader.report(*error.problems)
        return None


def _postmaster(reader: Reader) -> str:
    value = reader.text("relay_postmaster")
    if value:
        reader.report(*mail_addresses.problems("relay_postmaster", [value]))
    return value


def _connection_limits(reader: Reader) -> tuple[int, int]:
    """Connections of one client, and of all clients, to one listener."""
    connections = reader.integer("relay_connections_per_client", 1, 500)
    processes = reader.integer("relay_processes", 10, 2000)
    if processes < 2 * connections:
        reader.report(
            f"relay_connections_per_client is {connections} and relay_processes {processes}: one client could use most of the connections; "
            f"set relay_processes to at least {2 * connections}, or lower relay_connections_per_client."
        )
    return connections, processes


def _certificates(reader: Reader) -> Iterator[Certificate]:
    for variable in ("relay_tls", "relay_connector"):
        certificate, key = reader.path(f"{variable}_certificate"), reader.path(f"{variable}_key")
        if bool(certificate) != bool(key):
            reader.report(f"{variable}_certificate and {variable}_key belong together: set both, or neither.")
        elif certificate:
            yield Certificate(variable, certificate, key)


def _backup_directory(reader: Reader) -> str:
    value = reader.path("relay_backup_directory", of_service=True)
    if not value:
        reader.report("relay_backup_directory is empty: set the directory for backups and exported mail.")
    return value


def _hostname(reader: Reader, mail_addresses: list[str]) -> str:
    """The relay's fully qualified name, in lower case: relay_hostname, the inventory's, the host's own, or one in the tenant's domain.

    Mail to the relay's own name stays on the relay, so the name must not be a mail domain.
    """
    configured = reader.host("relay_hostname")
    names = [configured, reader.text("inventory_hostname"), reader.text("fqdn")]
    qualified = [name for name in names if "." in name.strip(".") and not name.replace(".", "").isdigit()]
    tenant = reader.text("m365_tenant")
    domain = tenant if DOMAIN.fullmatch(tenant) else "localdomain"
    name = (qualified[0] if qualified else f"{next(filter(None, names), 'relay')}.{domain}").lower().rstrip(".")
    if name in {address.rpartition("@")[2].lower() for address in mail_addresses} | {tenant.lower()}:
        reader.report(
            f"relay_hostname is {name}, a mail domain, and its mail would stay on the relay: use the host's name, such as relay1.{name}."
        )
    return name
