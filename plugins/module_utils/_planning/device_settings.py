# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mail settings of a device or program: server, port, encryption, authentication, sender address.

Sources: "How to set up a multifunction device or application to send email using Microsoft 365"; "Authenticate an IMAP, POP or SMTP
connection using OAuth" (scopes); "OAuth 2.0 client credentials flow on the Microsoft identity platform" (token URL).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from .._core import markdown_text
from .._http.clouds import Cloud
from .._products.catalog import PRODUCTS
from .context import PlanningContext
from .methods import METHODS
from .rules import relay_host_of
from .senders import Sender
from .sending_plan import SendingPlan

_COLUMNS = ("Sender", "Server", "Port", "Encryption", "Authentication", "User name", "From", "Method and reason")
_STARTTLS12 = "STARTTLS, TLS 1.2"
OPTIONAL = "STARTTLS where supported"
IMPLICIT, NO_TLS = "implicit TLS", "none"
_BY_LISTENER = {"none": NO_TLS, "starttls": OPTIONAL, "required": "STARTTLS", "implicit": IMPLICIT}
_OLD_TLS = f"{OPTIONAL}, TLS 1.0 or newer"
_ACS_SECRET = "a client secret of the application in acs_smtp_username_app; Entra shows it once"  # noqa: S105 - where it is kept


@dataclass(frozen=True)
class SenderApp:
    """The sender app: its unique name, the id of its tenant, and where its credential is kept."""

    name: str
    tenant_id: str = ""
    credential: str = ""


@dataclass(frozen=True)
class OAuthClient:
    """What a program needs to request a token as the sender app. `client_id`: "" before the application is read or created.

    `scope` is that of the client credentials flow, `delegated_scope` that of a user's sign-in. `credential` says where the certificate or
    client secret is kept.
    """

    tenant_id: str
    authority: str
    token_url: str
    scope: str
    delegated_scope: str
    credential: str
    app: str
    client_id: str = ""
    grant_type: str = "client_credentials"


@dataclass(frozen=True)
class DeviceSettings:
    """Settings of one sender. A secret (password, key) is described, never contained: `password` says where it is kept.

    `oauth`: of a sender that signs in with OAuth.
    """

    from_address: str
    server: str = ""
    port: int = 25
    encryption: str = OPTIONAL
    sign_in: str = "none"
    user: str = ""
    password: str = ""
    oauth: OAuthClient | None = None

    def as_result(self) -> dict[str, Any]:
        values = asdict(self)
        values["from"] = values.pop("from_address")
        return values


@dataclass(frozen=True)
class _Subject:
    """What the settings of a method are made of."""

    plan: SendingPlan
    context: PlanningContext
    cloud: Cloud
    app: SenderApp

    @property
    def default(self) -> DeviceSettings:
        return DeviceSettings(from_address=self.plan.sender.address)

    @property
    def mx_host(self) -> str:
        return self.context.mx_host or "the tenant's MX host"

    @property
    def oauth(self) -> str:
        return f"OAuth 2.0 (XOAUTH2), application {self.app.name}"

    def client(self, service: str) -> OAuthClient:
        """The client for a service of _http/clouds.py; Exchange's is that of client submission."""
        cloud, app = self.cloud, self.app
        authority = f"{cloud.authority}/{app.tenant_id or 'TENANT_ID'}"
        return OAuthClient(
            tenant_id=app.tenant_id,
            authority=authority,
            token_url=f"{authority}/oauth2/v2.0/token",
            scope=cloud.scope(service),
            delegated_scope=cloud.smtp_scope() if service == "exchange" else "",
            credential=app.credential,
            app=app.name,
        )


def _submission(subject: _Subject, sign_in: str) -> DeviceSettings:
    cloud = subject.cloud
    return replace(
        subject.default,
        server=cloud.smtp_host,
        port=cloud.smtp_port,
        encryption=_STARTTLS12,
        sign_in=sign_in,
        user=subject.plan.sender.mailbox,
    )


def _oauth(subject: _Subject) -> DeviceSettings:
    return replace(_submission(subject, subject.oauth), oauth=subject.client("exchange"))


def _basic(subject: _Subject) -> DeviceSettings:
    place = "with the user of the mailbox; no variable of the inventory has it"
    return replace(_submission(subject, "the mailbox's password"), password=place)


def _connector(subject: _Subject) -> DeviceSettings:
    name = subject.plan.sender.certificate_name
    encryption = f"STARTTLS with the certificate {name}" if name else subject.default.encryption
    return replace(subject.default, server=subject.mx_host, encryption=encryption)


def _direct_send(subject: _Subject) -> DeviceSettings:
    return replace(subject.default, server=subject.mx_host)


def _relay_host(subject: _Subject) -> DeviceSettings:
    relay = subject.plan.relay_host
    if not relay:
        return subject.default
    user = dict(relay.users).get(subject.plan.sender.address, "")
    listener = relay.listener(user=bool(user))
    settings = replace(subject.default, server=relay.host, port=listener.port, encryption=_BY_LISTENER[listener.tls], user=user)
    if relay.legacy_address and not subject.plan.sender.tls12:
        settings = replace(settings, server=relay.legacy_address, port=relay.legacy_port, encryption=_OLD_TLS)
    if not user:
        return settings
    sign_in, place = "the device's own password at the relay host", f"in relay_devices of the relay host {relay.name}"
    return replace(settings, sign_in=sign_in, password=place)


def _hve(subject: _Subject) -> DeviceSettings:
    cloud, sender = subject.cloud, subject.plan.sender
    return replace(
        subject.default,
        server=cloud.hve_host or "the cloud's own server for High Volume Email",
        port=cloud.hve_port,
        encryption=_STARTTLS12,
        sign_in=subject.oauth if sender.oauth else "the account's password",
        user=sender.address,
        password="" if sender.oauth else "in hve_account_password, with which the account was created",
        oauth=subject.client("hve") if sender.oauth else None,
    )


def _acs(subject: _Subject) -> DeviceSettings:
    cloud = subject.cloud
    return replace(
        subject.default,
        server=cloud.acs_host or "the cloud's own server of Azure Communication Services",
        port=cloud.acs_port,
        encryption=_STARTTLS12,
        sign_in="the application's client secret as the password",
        user=subject.plan.sender.address,
        password=_ACS_SECRET,
    )


def _hosted(subject: _Subject) -> DeviceSettings:
    service = subject.context.hosted_relay
    if not service:
        return subject.default
    server = service.region(subject.context.hosted_relay_region).smtp_host
    place = "in m365_hosted_credential_store on the control node if role hosted_relay creates it, else at the provider"
    return replace(
        subject.default, server=server, port=service.port, encryption="STARTTLS", sign_in="password", user=service.user, password=place
    )


SETTINGS: dict[str, Callable[[_Subject], DeviceSettings]] = {
    "oauth": _oauth,
    "connector": _connector,
    "relay_host": _relay_host,
    "hve": _hve,
    "direct_send": _direct_send,
    "acs": _acs,
    "hosted": _hosted,
    "basic": _basic,
}


def device_settings(plan: SendingPlan, context: PlanningContext, cloud: Cloud, app: SenderApp) -> DeviceSettings:
    """The settings of a planned sender."""
    return SETTINGS[plan.method](_Subject(plan, context, cloud, app))


def entry(plan: SendingPlan, context: PlanningContext, cloud: Cloud, app: SenderApp) -> dict[str, object]:
    """An item of the module's result `plan`. A printer has its migration paths and when it needs one, too."""
    item: dict[str, object] = {
        "name": plan.sender.name,
        "address": plan.sender.address,
        "kind": plan.sender.kind,
        "product": plan.sender.product,
        "method": plan.method,
        "reason": plan.reason,
        "warnings": list(plan.warnings),
        "settings": device_settings(plan, context, cloud, app).as_result(),
    }
    end = {"basic_auth_end_date": context.basic_auth_end_date.isoformat()}
    return item | end | {"paths": migration_paths(plan.sender, context, cloud, app)} if is_printer(plan.sender) else item


def is_printer(sender: Sender) -> bool:
    product = PRODUCTS.get(sender.product)
    return product.is_printer if product else sender.kind in ("printer", "scanner")


# How a printer can stop using Basic authentication: path -> sending method.
MIGRATION_PATHS = {"firmware": "oauth", "relay": "relay_host", "hosted": "hosted"}


def migration_paths(sender: Sender, context: PlanningContext, cloud: Cloud, app: SenderApp) -> dict[str, dict[str, object]]:
    """Path -> what is missing for it (clauses; empty where it is possible), and server, port and user name of the device.

    Whether the maker has firmware with OAuth for the model is not known here.
    """
    paths: dict[str, dict[str, object]] = {}
    for path, name in MIGRATION_PATHS.items():
        candidate = replace(sender, oauth=True) if path == "firmware" else sender
        plan = SendingPlan(candidate, name, "", relay_host_of(candidate, context) if path == "relay" else None)
        missing = [str(refusal) for refusal in METHODS[name].refusals(candidate, context)]
        settings = device_settings(plan, context, cloud, app)
        paths[path] = {"missing": missing, "server": settings.server, "port": settings.port, "user": settings.user}
    return paths


def credential_place(inventory: Mapping[str, Any]) -> str:
    """Where the sender app's credential is kept, by the inventory's variables; never the credential."""
    path, certificates = inventory.get("verify_app_certificate_path"), inventory.get("entra_app_certificates")
    if path:
        return f"certificate with private key in {path} on the control node (verify_app_certificate_path)"
    if inventory.get("verify_app_client_secret"):
        return "client secret in the inventory's variable verify_app_client_secret"
    if certificates:
        return "private key of a certificate that entra_app_certificates lists"
    return "none in the inventory: register a certificate with entra_app_certificates"


def is_certificate(place: str) -> bool:
    """Whether the credential at a place of `credential_place` is a certificate."""
    return place.startswith(("certificate ", "private key "))


def oauth_lines(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Label and value of everything that a program with OAuth needs. `settings`: of an entry."""
    oauth = settings["oauth"]
    yield "Server", f"{settings['server']}, port {settings['port']}, {settings['encryption']}"
    yield "User name", settings["user"]
    yield "Tenant ID", oauth["tenant_id"]
    yield "Client ID", oauth["client_id"] or f"that of the application {oauth['app']}, which the first run creates"
    yield "Authority", oauth["authority"]
    yield "Token URL", oauth["token_url"]
    yield "Scope", f"{oauth['scope']} (client credentials)"
    if oauth["delegated_scope"]:
        yield "Scope of a user", f"{oauth['delegated_scope']} offline_access (delegated)"
    yield "Credential", oauth["credential"]


def settings_page(tenant: str, entries: Collection[Mapping[str, Any]]) -> str:
    """The settings of all senders in Markdown, with a section for each that uses OAuth. `entries`: items of the module's result `plan`."""
    lines = [f"# Mail settings: {tenant}", "", _row(_COLUMNS), _row("---" for _column in _COLUMNS)]
    for one in entries:
        device = one["settings"]
        cells = [
            one["name"],
            device["server"],
            device["port"],
            device["encryption"],
            device["sign_in"],
            device["user"] or "none",
            device["from"],
        ]
        lines.append(_row([*cells, f"{one['method']}: {one['reason']}"]))
    for one in entries:
        if one["settings"]["oauth"]:
            rows = [_row((label, value)) for label, value in oauth_lines(one["settings"])]
            lines += ["", f"## OAuth of {markdown_text.escaped(one['name'])}", "", _row(("Setting", "Value")), _row(("---", "---")), *rows]
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[Any]) -> str:
    return "| " + " | ".join(markdown_text.escaped(str(cell)) for cell in cells) + " |"
