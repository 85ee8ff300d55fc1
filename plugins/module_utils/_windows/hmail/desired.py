# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired settings of hMailServer, and what differs from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import ranges
from .options import LISTENER_TLS, PRIVATE_DOMAIN, UPSTREAM_TLS, Account, Certificate, Listener, Params, Upstream
from .server import CERTIFICATES, LOGGING, PORTS, RANGES, Domain, Row, Server, Value

SMTP = 1  # eSessionType
ALL = "0.0.0.0"  # noqa: S104 - the address of a listener on all addresses
CERTIFICATE = "mailops"  # the name of the certificate in hMailServer
_RESTART = ("ServiceSMTP", "ServicePOP3", "ServiceIMAP", "TlsVersion10Enabled", "TlsVersion11Enabled", "TlsVersion12Enabled")


@dataclass(frozen=True)
class Change:
    """An element to create (`id` 0), to update (`values` are those that differ) or to remove (`after` None). `label`: what it is."""

    owner: str
    collection: str
    id: int
    label: str
    values: Mapping[str, Value]
    before: object = None
    after: object = None
    password: str | None = None


@dataclass(frozen=True)
class Desired:
    """What the options say. `certificate` None: hMailServer has none of this collection."""

    settings: Mapping[str, Value]
    logging: Mapping[str, Value]
    ranges: Mapping[str, dict[str, Value]]
    listeners: tuple[Listener, ...]
    certificate: Certificate | None
    accounts: tuple[Account, ...]
    purge_ranges: bool
    foreign_domains: frozenset[str]  # those from before this collection, whose other accounts stay


@dataclass(frozen=True)
class Differences:
    """`settings` and `logging`: the values that differ. `elements` are written before `ports`, which need the ID of a certificate."""

    settings: Mapping[str, Value]
    logging: Mapping[str, Value]
    elements: tuple[Change, ...]
    ports: tuple[Change, ...]

    def __bool__(self) -> bool:
        return bool(self.settings or self.logging or self.elements or self.ports)

    @property
    def restart(self) -> bool:
        """Whether they count from the next start of the server only."""
        return bool(self.ports or set(_RESTART) & self.settings.keys() or any(one.collection == CERTIFICATES for one in self.elements))

    def named(self) -> list[str]:
        return [*self.settings, *self.logging, *(one.label for one in (*self.elements, *self.ports))]


def of_params(params: Params, upstream: Upstream, foreign_domains: Sequence[str]) -> Desired:
    ban = params.auto_ban
    settings: dict[str, Value] = {
        "HostName": params.hostname or "",
        "MaxMessageSize": -(-params.max_message_size // 1024),
        "SMTPNoOfTries": params.tries,
        "SMTPMinutesBetweenTry": params.minutes_between_tries,
        "SMTPRelayer": upstream.host,
        "SMTPRelayerPort": upstream.port,
        "SMTPRelayerConnectionSecurity": UPSTREAM_TLS[upstream.tls],
        "SMTPRelayerRequiresAuthentication": bool(upstream.username),
        "SMTPRelayerUsername": upstream.username or "",
        "VerifyRemoteSslCertificate": upstream.verify,
        "ServiceSMTP": True,
        "ServicePOP3": False,
        "ServiceIMAP": False,
        "AutoBanOnLogonFailure": ban.enabled,
        "MaxInvalidLogonAttempts": ban.attempts,
        "MaxInvalidLogonAttemptsWithin": ban.within_minutes,
        "AutoBanMinutes": ban.ban_minutes,
        "AllowSMTPAuthPlain": False,
        "TlsVersion10Enabled": False,
        "TlsVersion11Enabled": False,
        "TlsVersion12Enabled": True,
        "TlsVersion13Enabled": True,
    }
    logging: dict[str, Value] = dict.fromkeys(LOGGING, True) if params.log else {"Enabled": False, "MaskPasswordsInLog": True}
    return Desired(
        settings,
        logging,
        ranges.desired(params.ranges),
        params.listeners,
        params.certificate,
        params.accounts,
        params.purge_ranges,
        frozenset(one.lower() for one in foreign_domains),
    )


def differences(server: Server, desired: Desired) -> Differences:
    return Differences(
        {name: value for name, value in desired.settings.items() if server.settings.get(name) != value},
        {name: value for name, value in desired.logging.items() if server.logging.get(name) != value},
        (*_of_ranges(server, desired), *_of_certificates(server, desired), *_of_domains(server, desired)),
        tuple(_of_ports(server, desired)),
    )


def _of_ranges(server: Server, desired: Desired) -> list[Change]:
    current = {row.text("Name").lower(): row for row in server.ranges}
    changes = []
    for name, values in desired.ranges.items():
        row = current.get(name.lower())
        changed = ranges.differing(row, values) if row else _named(name, values)
        if changed:
            before = ranges.described(name, row.values) if row else None
            changes.append(_change(RANGES, row, f"range {name}", changed, before, ranges.described(name, values)))
    for row in server.ranges:
        closed = ranges.differing(row, ranges.closed())
        if ranges.is_internet(row) and closed:
            name = row.text("Name")
            changes.append(
                _change(
                    RANGES,
                    row,
                    f"range {name}",
                    closed,
                    ranges.described(name, row.values),
                    ranges.described(name, {**row.values, **closed}),
                )
            )
    kept = {name.lower() for name in desired.ranges}
    removed = [row for row in server.ranges if ranges.is_managed(row) and row.text("Name").lower() not in kept]
    removed += ranges.unmanaged(server.ranges) if desired.purge_ranges else []
    return changes + [_removal(RANGES, row, f"range {row.text('Name')}", ranges.described(row.text("Name"), row.values)) for row in removed]


def _named(name: str, values: Mapping[str, Value]) -> dict[str, Value]:
    return {"Name": name, **values}


def certificate_of(server: Server) -> Row | None:
    return next((row for row in server.certificates if row.text("Name").lower() == CERTIFICATE), None)


def _of_certificates(server: Server, desired: Desired) -> list[Change]:
    row = certificate_of(server)
    if desired.certificate is None:
        return [_removal(CERTIFICATES, row, "certificate", dict(row.values))] if row else []
    files = desired.certificate
    values: dict[str, Value] = {
        "Name": CERTIFICATE, "CertificateFile": files.certificate_file, "PrivateKeyFile": files.private_key_file
    }  # fmt: skip
    changed = {name: value for name, value in values.items() if row is None or row.values.get(name) != value}
    return [_change(CERTIFICATES, row, "certificate", changed, dict(row.values) if row else None, values)] if changed else []


def _of_ports(server: Server, desired: Desired) -> list[Change]:
    certificate = certificate_of(server)
    rows = {row.number("PortNumber"): row for row in reversed(server.ports) if row.number("Protocol") == SMTP}
    changes = []
    for one in desired.listeners:
        security = LISTENER_TLS[one.tls]
        values: dict[str, Value] = {
            "Protocol": SMTP,
            "PortNumber": one.port,
            "Address": one.address or ALL,
            "ConnectionSecurity": security,
            "SSLCertificateID": certificate.id if certificate and security else 0,
        }
        row = rows.get(one.port)
        changed = {name: value for name, value in values.items() if row is None or _current(row, name) != value}
        if changed:
            changes.append(_change(PORTS, row, f"port {one.port}", changed, listener(row) if row else None, _listener(one)))
    ports = {one.port for one in desired.listeners}
    kept = {id(rows[port]) for port in ports & rows.keys()}
    smtp = [row for row in server.ports if row.number("Protocol") == SMTP and id(row) not in kept]
    return changes + [_removal(PORTS, row, f"port {row.number('PortNumber')}", listener(row)) for row in smtp]


def _current(row: Row, name: str) -> Value:
    return (row.text(name) or ALL) if name == "Address" else row.number(name)


def listener(row: Row) -> dict[str, object]:
    """A port as results and diffs have it."""
    names = {number: name for name, number in LISTENER_TLS.items()}
    address = row.text("Address")
    return {
        "address": "" if address == ALL else address,
        "port": row.number("PortNumber"),
        "tls": names.get(row.number("ConnectionSecurity"), "unknown"),
    }


def _listener(one: Listener) -> dict[str, object]:
    return {"address": one.address, "port": one.port, "tls": one.tls}


def _of_domains(server: Server, desired: Desired) -> list[Change]:
    """Domains of device accounts; those of this collection without an account are removed."""
    current = {one.name.lower(): one for one in server.domains}
    names = sorted({one.domain for one in desired.accounts})
    changes = []
    for name in names:
        domain = current.get(name)
        if domain is None or not domain.active:
            values: dict[str, Value] = {"Name": name, "Active": True}
            before = {"domain": name, "active": False} if domain else None
            number = domain.id if domain else 0
            changes.append(Change("application", "Domains", number, f"domain {name}", values, before, {"domain": name, "active": True}))
        changes += _of_accounts(
            domain, [one for one in desired.accounts if one.domain == name], name, foreign=name in desired.foreign_domains
        )
    for domain in server.domains:
        name = domain.name.lower()
        if name.endswith(PRIVATE_DOMAIN) and name not in names and name not in desired.foreign_domains:
            changes.append(Change("application", "Domains", domain.id, f"domain {name}", {}, {"domain": name, "active": domain.active}))
    return changes


def _of_accounts(domain: Domain | None, accounts: Sequence[Account], name: str, *, foreign: bool) -> list[Change]:
    changes = []
    existing = domain.accounts if domain else {}
    for one in accounts:
        address = one.address.lower()
        if domain and address in domain.valid:
            continue
        values: dict[str, Value] = {"Address": one.address, "Active": True}
        before = {"account": one.address, "password": "differs"} if address in existing else None
        after = {"account": one.address, "password": "written"}
        changes.append(Change(name, "Accounts", existing.get(address, 0), f"account {one.address}", values, before, after, one.password))
    kept = {one.address.lower() for one in accounts}
    for address, number in existing.items():
        if address not in kept and not foreign:
            changes.append(Change(name, "Accounts", number, f"account {address}", {}, {"account": address}))
    return changes


def _change(collection: str, row: Row | None, label: str, values: Mapping[str, Value], before: object, after: object) -> Change:
    return Change("settings", collection, row.id if row else 0, label, values, before, after)


def _removal(collection: str, row: Row, label: str, before: object) -> Change:
    return Change("settings", collection, row.id, label, {}, before)


def before(server: Server, differing: Differences) -> dict[str, object]:
    """The current values of what differs, for the diff."""
    result: dict[str, object] = {}
    if differing.settings or differing.logging:
        result["settings"] = {name: server.settings.get(name) for name in differing.settings} | {
            f"Logging.{name}": server.logging.get(name) for name in differing.logging
        }
    elements = [one.before for one in (*differing.elements, *differing.ports) if one.before]
    return result | ({"elements": elements} if elements else {})


def after(differing: Differences) -> dict[str, object]:
    """The desired values of what differs, for the diff."""
    result: dict[str, object] = {}
    if differing.settings or differing.logging:
        result["settings"] = dict(differing.settings) | {f"Logging.{name}": value for name, value in differing.logging.items()}
    elements = [one.after for one in (*differing.elements, *differing.ports) if one.after]
    return result | ({"elements": elements} if elements else {})
