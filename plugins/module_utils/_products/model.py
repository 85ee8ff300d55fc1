# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a product that sends mail: the maker of a printer, or a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# The settings that every product has, and their titles.
SETTINGS = {
    "server": "Server",
    "port": "Port",
    "encryption": "Encryption",
    "authentication": "Authentication",
    "username": "User name",
    "password": "Password",
    "sender": "Sender address",
}
KINDS = {
    "printer": "Printers and scanners",
    "wordpress": "WordPress",
    "library": "Libraries",
    "framework": "Frameworks",
    "monitoring": "Monitoring",
    "devops": "Development",
    "infrastructure": "Infrastructure",
    "backup": "Backup",
    "home": "Home automation",
    "erp": "ERP",
    "collaboration": "Collaboration",
    "identity": "Identity",
    "itsm": "Service management",
    "mta": "Mail transfer agents",
}
CONFIDENCE = {
    "vendor": "read in the maker's own manual or notice",
    "source": "read in the program's source or documentation",
    "secondary": "read in a collection that cites the maker",
    "memory": "recalled and not read in a source",
}
# What a product can do with OAuth towards Microsoft 365 by SMTP.
OAUTH = {
    "client_credentials": "signs in as an application (client credentials), without a person",
    "code": "signs in as an application with a few lines of code",
    "token_given": "takes an access token that another program has to renew every hour",
    "delegated": "signs in as a person, once, in a browser or with a code",
    "add_on": "only with an application of the maker on the device",
    "none": "cannot sign in with OAuth by SMTP",
    "unknown": "not known: no statement was read",
}


@dataclass(frozen=True)
class Label:
    """A setting in the product's own words. `value`: how the product writes it, with {host} and {port}; "": as it is."""

    text: str
    verified: bool = True
    value: str = ""


@dataclass(frozen=True)
class Encryption:
    """The product's words for the choices of connection encryption; "": not offered, or not known."""

    none: str = ""
    starttls: str = ""
    implicit: str = ""
    verified: bool = True


@dataclass(frozen=True)
class OAuth:
    """What a product can do with OAuth. `smtp`: a key of OAUTH; `by_model`: the maker's list of models decides.

    `graph`: what it can do by Microsoft Graph instead; `renews`: one of its own settings requests the token that it is given;
    `app_only_models`: models that sign in as an application; `models_without`: models that get no OAuth.
    """

    smtp: str
    by_model: bool = False
    flow: str = ""
    since: str = ""
    where: str = ""
    note: str = ""
    graph: str = ""
    renews: bool = False
    app_only_models: tuple[str, ...] = ()
    models_without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Product:
    """A maker or program. `fields`: a key of SETTINGS -> its label; `further`: what else it can set; `where`: its menu or file."""

    name: str
    label: str
    kind: str
    oauth: OAuth
    confidence: str
    sources: tuple[str, ...]
    where: str = ""
    fields: Mapping[str, Label] = field(default_factory=dict)
    further: Mapping[str, Label] = field(default_factory=dict)
    encryption: Encryption = Encryption()
    notes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def is_printer(self) -> bool:
        return self.kind == "printer"

    @property
    def signs_in_alone(self) -> bool | None:
        """Whether it can use method oauth as an application; None where that is not known."""
        return {"client_credentials": True, "code": True, "token_given": self.oauth.renews, "unknown": None}.get(self.oauth.smtp, False)
