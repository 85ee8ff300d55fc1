# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mail settings of a device or program: server, port, encryption, authentication, sender address.

Source: "How to set up a multifunction device or application to send email using Microsoft 365".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from .._http.clouds import Cloud
from .context import PlanningContext
from .sending_plan import SendingPlan

_COLUMNS = ("Sender", "Server", "Port", "Encryption", "Authentication", "User name", "From", "Method and reason")
_STARTTLS12 = "STARTTLS, TLS 1.2"


@dataclass(frozen=True)
class DeviceSettings:
    """Settings of one sender. A secret (password, key) is described, never contained."""

    from_address: str
    server: str = ""
    port: int = 25
    encryption: str = "STARTTLS where supported"
    sign_in: str = "none"
    user: str = ""

    def as_result(self) -> dict[str, str | int]:
        values = asdict(self)
        values["from"] = values.pop("from_address")
        return values


@dataclass(frozen=True)
class _Subject:
    """What the settings of a method are made of."""

    plan: SendingPlan
    context: PlanningContext
    cloud: Cloud
    app: str

    @property
    def default(self) -> DeviceSettings:
        return DeviceSettings(from_address=self.plan.sender.address)

    @property
    def mx_host(self) -> str:
        return self.context.mx_host or "the tenant's MX host"

    @property
    def oauth(self) -> str:
        return f"OAuth 2.0 (XOAUTH2), application {self.app}"


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
    return _submission(subject, subject.oauth)


def _basic(subject: _Subject) -> DeviceSettings:
    return _submission(subject, "the mailbox's password")


def _connector(subject: _Subject) -> DeviceSettings:
    name = subject.plan.sender.certificate_name
    encryption = f"STARTTLS with the certificate {name}" if name else subject.default.encryption
    return replace(subject.default, server=subject.mx_host, encryption=encryption)


def _direct_send(subject: _Subject) -> DeviceSettings:
    return replace(subject.default, server=subject.mx_host)


def _relay_host(subject: _Subject) -> DeviceSettings:
    relay = subject.plan.relay_host
    settings = replace(subject.default, server=relay.host if relay else "")
    user = dict(relay.users).get(subject.plan.sender.address) if relay else None
    if not user:
        return settings
    return replace(settings, port=587, encryption="STARTTLS", sign_in="the device's own password at the relay host", user=user)


def _hve(subject: _Subject) -> DeviceSettings:
    cloud, sender = subject.cloud, subject.plan.sender
    return replace(
        subject.default,
        server=cloud.hve_host or "the cloud's own server for High Volume Email",
        port=cloud.hve_port,
        encryption=_STARTTLS12,
        sign_in=subject.oauth if sender.oauth else "the account's password",
        user=sender.address,
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
    )


def _hosted(subject: _Subject) -> DeviceSettings:
    service = subject.context.hosted_relay
    if not service:
        return subject.default
    return replace(subject.default, server=service.host, port=service.port, encryption="STARTTLS", sign_in="password", user=service.user)


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


def device_settings(plan: SendingPlan, context: PlanningContext, cloud: Cloud, app: str) -> DeviceSettings:
    """The settings of a planned sender. `app`: the sender app's unique name."""
    return SETTINGS[plan.method](_Subject(plan, context, cloud, app))


def settings_page(tenant: str, entries: Iterable[Mapping[str, Any]]) -> str:
    """The settings of all senders as a Markdown table. `entries`: items of the module's result `plan`."""
    lines = [f"# Mail settings: {tenant}", "", _row(_COLUMNS), _row("---" for _column in _COLUMNS)]
    for entry in entries:
        device = entry["settings"]
        cells = [
            entry["name"],
            device["server"],
            device["port"],
            device["encryption"],
            device["sign_in"],
            device["user"] or "none",
            device["from"],
        ]
        lines.append(_row([*cells, f"{entry['method']}: {entry['reason']}"]))
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[Any]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
