# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sheet says of OAuth: what the product can do, and what it needs for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._products.model import OAUTH, Product
from .document import Block, Bullets, Cell, Paragraph, Section, Table, Text, Value, bullets, paragraph, text

# A person signs in at the device, in the maker's own application.
_DELEGATED = (
    "an administrator consents to the application of the maker for the organization (SMTP.Send and offline_access)",
    "SMTP AUTH is on for the mailbox (role smtp_auth does that)",
    "the mailbox belongs to a user who can sign in; a shared mailbox cannot",
    "no Conditional Access policy asks this user to sign in again (sign-in frequency), or for a compliant device",
    "somebody signs in again when the refresh token ends: after 90 days without mail, a new password, or a revoked session",
)


def statement(product: Product) -> str:
    """What the product can do, in one sentence."""
    oauth = product.oauth
    words = [f"{product.label} {OAUTH[oauth.smtp]}" if oauth.smtp not in ("unknown", "add_on") else f"{product.label}: {OAUTH[oauth.smtp]}"]
    words += ["the maker's list of models decides"] if oauth.by_model else []
    words += [f"flow: {oauth.flow}"] if oauth.flow else []
    words += [f"since: {oauth.since}"] if oauth.since else []
    return "; ".join(words) + "."


def details(product: Product) -> list[str]:
    """What else is known, one sentence each."""
    oauth = product.oauth
    sentences = [f"Where: {oauth.where}."] if oauth.where else []
    sentences += [oauth.note if oauth.note.endswith(".") else f"{oauth.note[0].upper()}{oauth.note[1:]}."] if oauth.note else []
    sentences += [f"By Microsoft Graph instead of SMTP: {oauth.graph}."] if oauth.graph else []
    sentences += [f"As an application, without a person: {', '.join(oauth.app_only_models)}."] if oauth.app_only_models else []
    sentences += [f"No firmware with OAuth for: {', '.join(oauth.models_without)}."] if oauth.models_without else []
    return sentences


def needs(settings: Mapping[str, Any]) -> Table:
    """The values for a program that signs in. `settings`: of an entry with OAuth."""
    client = settings["oauth"]
    created = f"that of the application {client['app']}, which the first run creates"
    rows: list[tuple[Cell, ...]] = [
        (text("User name"), (Value(settings["user"]),)),
        (text("Tenant ID"), (Value(client["tenant_id"]),)),
        (text("Client ID"), (Value(client["client_id"]),) if client["client_id"] else (Text(created, foreign=True),)),
        (text("Authority"), (Value(client["authority"]),)),
        (text("Token URL"), (Value(client["token_url"]),)),
        (text("Scope"), (Value(client["scope"]), Text("(client credentials)"))),
    ]
    if client["delegated_scope"]:
        rows.append((text("Scope of a person"), (Value(f"{client['delegated_scope']} offline_access"), Text("(delegated)"))))
    rows.append((text("Credential"), (Text(client["credential"], foreign=True),)))
    return Table(("Setting", "Value"), tuple(rows))


def delegated_needs() -> Bullets:
    return bullets(_DELEGATED)


def section(entry: Mapping[str, Any], product: Product | None) -> Section:
    return Section("OAuth", tuple(_blocks(entry["settings"], product)))


def _blocks(settings: Mapping[str, Any], product: Product | None) -> Iterator[Block]:
    if product:
        yield paragraph(statement(product))
        if sentences := details(product):
            yield bullets(sentences)
    if not settings["oauth"]:
        return
    kind = product.oauth.smtp if product else "client_credentials"
    if product and kind == "none":
        yield paragraph(f"{product.label} cannot send like this: set relay_host for it, or another method.", important=True)
        return
    if product and (kind == "delegated" or product.is_printer):
        yield Paragraph((Text("A person signs in as"), Value(settings["user"]), Text("and consents. What that needs:")))
        yield delegated_needs()
    if not product or not product.is_printer or product.oauth.app_only_models:
        yield paragraph("What a program that signs in as an application needs:" if kind != "delegated" else "What the program needs:")
        yield needs(settings)


def possible(product: Product) -> Text:
    """What the product can do, in a few words of a table."""
    words = {"delegated": "yes, as a person", "add_on": "with the maker's application", "none": "no", "unknown": "not known"}
    text_of_kind = words.get(product.oauth.smtp, "yes, as an application")
    return Text(text_of_kind + (", by model" if product.oauth.by_model else "") + "; signs in as")
