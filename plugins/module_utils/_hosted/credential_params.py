# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the modules about SMTP credentials at a hosted relay, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .._core.mail_addresses import DOMAIN
from .._core.option_values import range_problems
from .._core.params import nested
from .._core.spec import Spec
from .account import Account, account_problems, relay_of
from .credential_store import STORE, VAULT

SMTP = Spec(
    {
        "store": STORE,
        "vault_password_file": VAULT,
        "smtp_host": {"type": "str", "variable": "m365_hosted_relay_smtp_host"},
        "smtp_port": {"type": "int", "variable": "m365_hosted_relay_smtp_port"},
        "verify": {"type": "bool", "default": True},
    },
    writes=False,
)
CREDENTIALS = Spec(
    {
        "credentials": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "name": {"type": "str", "required": True},
                "domain": {"type": "str"},
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            },
        },
        "renew": {"type": "str", "default": "never", "variable": "m365_hosted_credential_renew"},
        "overlap": {"type": "int", "default": 0, "variable": "m365_hosted_credential_overlap"},
        "exclusive": {"type": "bool", "default": False},
    }
)
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_DAYS = re.compile(r"[1-9]\d{0,3}")
_LONGEST_OVERLAP = 365  # days


@dataclass(frozen=True)
class Endpoint(Account):
    """The options of both modules: the account, the store, and the SMTP endpoint."""

    store: str | None
    vault_password_file: str | None
    smtp_host: str | None
    smtp_port: int | None
    verify: bool

    @property
    def has_domains(self) -> bool:
        """Whether a credential of the provider belongs to a domain."""
        return bool(self.provider) and relay_of(self).domain_credentials

    def problems(self) -> list[str]:
        problems = account_problems(self) + range_problems("m365_hosted_relay_smtp_port", self.smtp_port, 1, 65_535)
        if self.provider and self.smtp_port in relay_of(self).tls_ports:
            ports = ", ".join(map(str, relay_of(self).starttls_ports))
            problems.append(f"m365_hosted_relay_smtp_port is {self.smtp_port}, where TLS starts without STARTTLS: give one of {ports}.")
        return problems


@dataclass(frozen=True)
class CredentialItem:
    """An item of `credentials`."""

    name: str
    domain: str | None
    state: str

    @property
    def domain_name(self) -> str:
        return (self.domain or "").lower().rstrip(".")


@dataclass(frozen=True)
class Params(Endpoint):
    """The options of the module hosted_credential."""

    renew: str
    overlap: int
    exclusive: bool
    credentials: tuple[CredentialItem, ...] = nested(CredentialItem)

    @property
    def present(self) -> list[CredentialItem]:
        return [item for item in self.credentials if item.state == "present"]

    @property
    def days(self) -> int | None:
        """The age at which a credential is replaced; None: never, 0: now."""
        return {"never": None, "now": 0}.get(self.renew, int(self.renew) if self.renew.isdecimal() else None)


@dataclass(frozen=True)
class InfoParams(Endpoint):
    """The options of the module hosted_credential_info."""

    names: tuple[str, ...] | None


def name_problems(option: str, names: Iterable[str]) -> list[str]:
    sentence = "is no name of a credential: use at most 40 lower-case letters, digits and hyphens."
    return [f"{option} holds {name!r}, which {sentence}" for name in names if not _NAME.fullmatch(name)]


def _domain_problems(params: Params, item: CredentialItem) -> list[str]:
    where = f"credentials: {item.name}:"
    if params.has_domains and not item.domain:
        return [f"{where} domain is not set: {relay_of(params).label} has credentials of a domain; give one that hosted_domain manages."]
    if params.provider and not params.has_domains and item.domain:
        return [f"{where} domain is {item.domain!r}, and a credential of {relay_of(params).label} is for all domains: leave it out."]
    return (
        [] if not item.domain or DOMAIN.fullmatch(item.domain_name) else [f"{where} domain is {item.domain!r}, which is not a domain name."]
    )


def credential_problems(params: Params) -> list[str]:
    """What is wrong with the options of the module hosted_credential, a sentence each."""
    problems = params.problems() + name_problems("credentials", (item.name for item in params.credentials))
    for item in params.present:
        problems += _domain_problems(params, item)
    if params.renew not in ("never", "now") and not _DAYS.fullmatch(params.renew):
        problems.append(f"m365_hosted_credential_renew is {params.renew!r}: give never, now, or an age in days from 1 to 9999.")
    problems += range_problems("m365_hosted_credential_overlap", params.overlap, 0, _LONGEST_OVERLAP)
    names = [item.name for item in params.credentials]
    repeated = sorted({name for name in names if names.count(name) > 1})
    return problems + [f"credentials lists {name} more than once: list it once." for name in repeated]
