# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hMailServer's settings, as its COM objects have them (script hmail_read)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..._core.errors import InvalidInput, MailopsError
from ..._core.json_types import JsonObject
from ..host import WindowsError, WindowsHost, rows
from .options import Account

Value: TypeAlias = "str | int | bool"
SETTINGS = (
    "HostName", "MaxMessageSize", "SMTPNoOfTries", "SMTPMinutesBetweenTry", "SMTPRelayer", "SMTPRelayerPort",
    "SMTPRelayerConnectionSecurity", "SMTPRelayerRequiresAuthentication", "SMTPRelayerUsername", "VerifyRemoteSslCertificate",
    "ServiceSMTP", "ServicePOP3", "ServiceIMAP", "AutoBanOnLogonFailure", "MaxInvalidLogonAttempts", "MaxInvalidLogonAttemptsWithin",
    "AutoBanMinutes", "AllowSMTPAuthPlain", "TlsVersion10Enabled", "TlsVersion11Enabled", "TlsVersion12Enabled", "TlsVersion13Enabled",
)  # fmt: skip
LOGGING = ("Enabled", "LogSMTP", "LogApplication", "MaskPasswordsInLog")
RANGES, PORTS, CERTIFICATES, ROUTES = "SecurityRanges", "TCPIPPorts", "SSLCertificates", "Routes"
SIDES = ("LocalToLocal", "LocalToRemote", "RemoteToLocal", "RemoteToRemote")
AUTHENTICATION = ("LocalToLocal", "LocalToExternal", "ExternalToLocal", "ExternalToExternal")
RANGE_OPTIONS = (
    "AllowSMTPConnections", "AllowPOP3Connections", "AllowIMAPConnections", *(f"AllowDeliveryFrom{side}" for side in SIDES),
    *(f"RequireSMTPAuth{side}" for side in AUTHENTICATION), "RequireSSLTLSForAuth", "EnableSpamProtection", "EnableAntiVirus",
)  # fmt: skip
COLLECTIONS: Mapping[str, Sequence[str]] = {
    RANGES: ("ID", "Name", "LowerIP", "UpperIP", "Priority", "Expires", *RANGE_OPTIONS),
    PORTS: ("ID", "Protocol", "Address", "PortNumber", "ConnectionSecurity", "SSLCertificateID"),
    CERTIFICATES: ("ID", "Name", "CertificateFile", "PrivateKeyFile"),
    ROUTES: ("ID", "DomainName"),
}
WRONG_PASSWORD = "AdministratorPassword"  # noqa: S105 - the ID of an error of the scripts
NO_ACCESS = "You do not have access to this property"


@dataclass(frozen=True)
class Row:
    """An element of a collection. `id` 0: it does not exist yet."""

    id: int
    values: Mapping[str, Value]

    def text(self, name: str) -> str:
        return str(self.values.get(name, ""))

    def number(self, name: str) -> int:
        return int(self.values.get(name, 0))

    def has(self, name: str) -> bool:
        return self.values.get(name) is True


@dataclass(frozen=True)
class Domain:
    """A domain; `accounts`: its addresses in lower case, with their IDs. `valid`: those that are active with the desired password."""

    id: int
    name: str
    active: bool
    accounts: Mapping[str, int]
    valid: frozenset[str]


@dataclass(frozen=True)
class Server:
    """What the script has read; the rows of ranges leave out those that expire, which auto-ban makes."""

    version: str
    settings: Mapping[str, Value]
    logging: Mapping[str, Value]
    ranges: tuple[Row, ...]
    ports: tuple[Row, ...]
    certificates: tuple[Row, ...]
    routes: tuple[Row, ...]
    domains: tuple[Domain, ...]


class Secrets:
    """The secrets of a script's input, by their line."""

    def __init__(self) -> None:
        self.values: list[str] = []

    def line(self, secret: str) -> int:
        """The line of a secret, added where it is new."""
        if secret not in self.values:
            self.values.append(secret)
        return self.values.index(secret) + 1

    def lines(self) -> list[int]:
        return list(range(1, len(self.values) + 1))


def read(host: WindowsHost, password: str, accounts: Sequence[Account] = ()) -> Server:
    """The settings. `password` empty: of a server without an administrator password. WindowsError WRONG_PASSWORD where it is refused."""
    secrets = Secrets()
    authenticate = [secrets.line(password)] if password else []
    request: JsonObject = {
        "authenticate": authenticate,
        "passwords": [{"address": one.address, "secret": secrets.line(one.password)} for one in accounts],
        "secrets": secrets.lines(),
        "settings": list(SETTINGS),
        "logging": list(LOGGING),
        "collections": [{"name": name, "properties": list(properties)} for name, properties in COLLECTIONS.items()],
    }
    return _server(host, host.run("hmail_read", "read the settings of hMailServer", request, secrets.values))


def password_of(
    host: WindowsHost,
    passwords: Sequence[str],
    accounts: Sequence[Account] = (),
    option: str = "admin_password",
    remedy: str = "correct it, or set previous_admin_password to change the password.",
) -> tuple[str, Server]:
    """The first of these passwords that the server takes, with its settings; each is tried once. An empty one: of a new installation.

    InvalidInput where it takes none: `option` names the password.
    """
    for password in passwords:
        try:
            return password, read(host, password, accounts)
        except WindowsError as error:
            if error.code != WRONG_PASSWORD and NO_ACCESS not in str(error):
                raise
    raise InvalidInput(f"{option} is not the administrator password of hMailServer on {host.name}: {remedy}")


def _server(host: WindowsHost, document: JsonObject) -> Server:
    collections = _mapping(host, document, "collections")
    parts = {name: tuple(_row(one) for one in rows(host.name, collections, name)) for name in COLLECTIONS}
    return Server(
        str(document.get("version")),
        _mapping(host, document, "settings"),
        _mapping(host, document, "logging"),
        tuple(one for one in parts[RANGES] if not one.has("Expires")),
        parts[PORTS],
        parts[CERTIFICATES],
        parts[ROUTES],
        tuple(_domain(host, one) for one in rows(host.name, document, "domains")),
    )


def _mapping(host: WindowsHost, document: JsonObject, name: str) -> dict[str, Any]:
    value = document.get(name)
    if not isinstance(value, dict):
        raise MailopsError(f"hMailServer on {host.name} answered {name} {value!r}, which is no object.")
    return value


def _row(values: JsonObject) -> Row:
    return Row(int(values.get("ID") or 0), {name: value for name, value in values.items() if name != "ID"})


def _domain(host: WindowsHost, document: JsonObject) -> Domain:
    accounts = rows(host.name, document, "accounts")
    return Domain(
        int(document.get("id") or 0),
        str(document.get("name")),
        document.get("active") is True,
        {str(one.get("address")).lower(): int(one.get("id") or 0) for one in accounts},
        frozenset(str(one.get("address")).lower() for one in accounts if one.get("active") is True and one.get("same") is True),
    )
