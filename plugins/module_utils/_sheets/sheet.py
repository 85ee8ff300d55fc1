# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings sheet of one sender."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._planning import methods
from .._planning.device_settings import IMPLICIT, NO_TLS
from .._products.catalog import PRODUCTS
from .._products.model import CONFIDENCE, SETTINGS, Label, Product
from . import oauth, samples
from .document import Cell, Document, Paragraph, Section, Table, Text, Value, bullets, paragraph, text, value

Entry = Mapping[str, Any]  # an item of the result `plan` of modules sender_plan and tenant
_COLUMNS = ("Setting", "Name in the product", "Enter", "Verified")
# The largest file that a device may send with a method, in MB: encoding adds a third. Where it is not listed, the device's limit counts.
_LARGEST = {"relay_host": 25, "hve": 7, "acs": 7}
# Further settings that only OAuth needs, and the value of OAuthClient; "": several.
_OF_OAUTH = {
    "OAuth": "",
    "OAuth fields": "",
    "client ID": "client_id",
    "tenant ID": "tenant_id",
    "client secret": "credential",
    "token": "",
}
_ADVICE = {
    "oauth": ("Do not enter the password of a person.", "The sender address is the mailbox's own; another one is refused (5.7.60)."),
    "connector": ("Do not turn authentication on: the connector matches the address that the mail comes from.",),
    "relay_host": (
        "Do not enter smtp.office365.com: Basic authentication there is off by default after December 2026.",
        "The relay host accepts only the sender address above. A device that reports a certificate error has to trust the relay host's "
        "certificate, or must not verify it.",
    ),
    "hve": ("Do not send to recipients outside the organization: they are refused.",),
    "direct_send": ("Do not turn authentication on.", "Do not send to recipients outside the organization: they are refused."),
    "acs": ("The sender address must be one of the domain that is linked to Azure Communication Services.",),
    "hosted": ("Do not use the password of the provider's web page: an SMTP credential is another one.",),
    "basic": ("Plan the change to another method: Basic authentication for SMTP is off by default after December 2026.",),
}
_STATIC_ADDRESS = (
    "The relay host knows the device by its address: give it a static one, and report it to the administrator (relay_devices)."
)


def sheet(tenant: str, entry: Entry) -> Document:
    """The sheet. `tenant`: its name in the inventory."""
    product, settings = PRODUCTS.get(entry["product"]), entry["settings"]
    lead = f"Tenant {tenant}" + (f" · {product.label}" if product else "") + f" · {methods.label(entry['method'])}"
    warnings = [paragraph(warning, important=True, foreign=True) for warning in entry.get("warnings") or ()]
    sections = [Section("Settings", (*warnings, *_settings(entry, product)))]
    if product and product.further:
        sections.append(Section("Further settings", (_further(entry, product),)))
    about_oauth = [oauth.section(entry, product)] if product or settings["oauth"] else []
    sections += about_oauth if settings["oauth"] else []
    sections += samples.sections(entry, product)
    sections.append(Section("Notes", (bullets([*_advice(entry), *_notes(product)]),)))
    sections.append(Section("Test", samples.test(tenant, entry)))
    sections += [] if settings["oauth"] else about_oauth
    sections.append(Section("Why this method", (paragraph(_sentence(entry["reason"]), foreign=True),)))
    if product:
        sections.append(_sources(product))
    return Document(entry["name"], text(lead), tuple(sections))


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}" + ("" if words.endswith(".") else ".")


def _advice(entry: Entry) -> list[str]:
    known_by_address = entry["method"] == "relay_host" and not entry["settings"]["user"]
    return [*_ADVICE.get(entry["method"], ()), *([_STATIC_ADDRESS] if known_by_address else [])]


def _notes(product: Product | None) -> list[str]:
    return [_sentence(note) if note[0].islower() and not note.startswith("login()") else note for note in product.notes] if product else []


def _settings(entry: Entry, product: Product | None) -> Iterator[Paragraph | Table]:
    if product and product.where:
        yield Paragraph((Text("Where:"), Text(product.where)))
    rows = [_row(name, entry, product) for name in SETTINGS]
    if product:
        yield Table(_COLUMNS, tuple(rows))
    else:
        yield Table((_COLUMNS[0], _COLUMNS[2]), tuple((row[0], row[2]) for row in rows))
    recalled = product and any(not label.verified for label in product.fields.values())
    if recalled or (product and product.encryption.starttls and not product.encryption.verified):
        yield paragraph("Names in italics were not read in a source of the maker: look for the setting by its general name.")


def _row(name: str, entry: Entry, product: Product | None) -> tuple[Cell, ...]:
    label = product.fields.get(name) if product else None
    entered, choice_verified = _entered(name, entry, product, label)
    shown: Cell = (Text(label.text, recalled=not label.verified),) if label else ()
    return text(SETTINGS[name]), shown, entered, text(_verified(label, choice_verified))


def _verified(label: Label | None, choice_verified: bool) -> str:
    """Whether name and choice were read in a source; "" where there is neither."""
    if not label:
        return ""
    if label.verified:
        return "yes" if choice_verified else "name only"
    return "no"


def _entered(name: str, entry: Entry, product: Product | None, label: Label | None) -> tuple[Cell, bool]:
    """What to enter, and whether the product's words in it are verified."""
    settings = entry["settings"]
    if name in ("server", "port"):
        plain = str(settings["server"] if name == "server" else settings["port"])
        written = label.value.replace("{host}", settings["server"]).replace("{port}", str(settings["port"])) if label else ""
        return value(written or plain), True
    if name == "encryption":
        return _encryption(settings, product)
    if name == "sender":
        return (Value(settings["from"]),), True
    if name == "authentication":
        return text(_authentication(settings)), True
    if name == "username":
        return value(settings["user"]) if settings["user"] else text("leave empty"), True
    return text(f"not on this sheet: it is {settings['password']}" if settings["password"] else "leave empty"), True


def _authentication(settings: Mapping[str, Any]) -> str:
    if settings["oauth"]:
        return "OAuth 2.0 (XOAUTH2)"
    return "on: user name and password (LOGIN or PLAIN)" if settings["user"] else "off"


def _encryption(settings: Mapping[str, Any], product: Product | None) -> tuple[Cell, bool]:
    """STARTTLS in the product's words, and what a device without TLS 1.2 selects where that is accepted."""
    words = product.encryption if product else None
    if not words or not words.starttls:
        return (Text(settings["encryption"], foreign=True),), True
    general = Text(f"({settings['encryption']})", foreign=True)
    recalled = not words.verified
    other = {IMPLICIT: words.implicit, NO_TLS: words.none}.get(settings["encryption"])
    if other is not None:
        return ((Value(other, recalled), general) if other else (Text(settings["encryption"], foreign=True),)), words.verified
    starttls, without = Value(words.starttls, recalled), Value(words.none, recalled)
    if not samples.is_optional(settings) or not product or not product.is_printer or not words.none:
        return (starttls, general), words.verified
    # Words that name port 587 mean encryption on that port.
    if "port" in words.starttls.lower():
        return (without,), words.verified
    return (starttls, Text("or, for a device without TLS 1.2,"), without), words.verified


def _further(entry: Entry, product: Product) -> Table:
    rows = []
    for title, label in product.further.items():
        shown: Cell = (Text(label.text, recalled=not label.verified),)
        rows.append((text(title[0].upper() + title[1:]), shown, _further_value(title, entry), text(_verified(label, True))))
    return Table(_COLUMNS, tuple(rows))


def _further_value(title: str, entry: Entry) -> Cell:
    client = entry["settings"]["oauth"]
    if title in _OF_OAUTH:
        option = _OF_OAUTH[title]
        if not client:
            return text("leave empty")
        return value(client[option]) if option and client[option] else text("see OAuth below")
    if title == "switch":
        return text("on")
    largest = _LARGEST.get(entry["method"]) if title == "maximum message size" else None
    return text(f"at most {largest} MB of scan or attachment" if largest else "as it is, unless needed")


def _sources(product: Product) -> Section:
    words = f"{product.label}: {CONFIDENCE[product.confidence]}. As of 2026-11-28; a newer firmware or version can have other names."
    return Section("Sources", (paragraph(words), bullets(product.sources)))
