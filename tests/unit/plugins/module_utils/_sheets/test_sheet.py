# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sheet of each product with each sending method."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._planning.context import RelayListener
from ansible_collections.mailops.m365.plugins.module_utils._planning.methods import PLANNED
from ansible_collections.mailops.m365.plugins.module_utils._products.catalog import PRODUCTS
from ansible_collections.mailops.m365.plugins.module_utils._sheets import html_page, markdown, oauth
from ansible_collections.mailops.m365.plugins.module_utils._sheets.document import Document, Table, Value
from ansible_collections.mailops.m365.plugins.module_utils._sheets.sheet import sheet

from tests.unit.plugins.module_utils._planning.samples import OAUTH_RELAY, tenant

from .entries import KNOWN, TENANT_ID, USER_RELAY, forced, planned

SERVERS = {
    "oauth": "smtp.office365.com",
    "connector": "mx.contoso.com",
    "relay_host": "relay.contoso.com",
    "hve": "smtp-hve.office365.com",
    "direct_send": "mx.contoso.com",
    "acs": "smtp.azurecomm.net",
    "hosted": "smtp.mailgun.org",
    "basic": "smtp.office365.com",
}


def settings(document: Document) -> dict[str, list[str]]:
    """The table of settings: setting -> the texts of its other cells, the first of each."""
    [section] = [one for one in document.sections if one.title == "Settings"]
    [table] = [block for block in section.blocks if isinstance(block, Table)]
    return {row[0][0].text: ["".join(part.text for part in cell) for cell in row[1:]] for row in table.rows}


@pytest.mark.parametrize("method", PLANNED)
@pytest.mark.parametrize("name", PRODUCTS)
def test_every_product_with_every_method(name: str, method: str) -> None:
    product, entry = PRODUCTS[name], forced(method, product=name)
    document = sheet("contoso", entry)
    rows = settings(document)
    assert list(rows) == ["Server", "Port", "Encryption", "Authentication", "User name", "Password", "Sender address"]
    assert (SERVERS[method] if method != "hve" else entry["settings"]["server"]) in rows["Server"][1]
    assert str(entry["settings"]["port"]) in rows["Port"][1]
    assert rows["Sender address"][1] == "device@contoso.com"
    for title, field in (("Server", "server"), ("Port", "port"), ("Sender address", "sender")):
        label = product.fields.get(field)
        assert rows[title][0] == (label.text if label else "")
        assert rows[title][2] == ("" if not label else "yes" if label.verified else "no")
    text, page = markdown.render(document), html_page.render(document)
    for source in product.sources:
        assert source[:12] in text
    assert re.search(r"<h2>OAuth</h2>", page)
    assert not re.search(r"\{(host|port|user|sender|client_id)\}", text)
    assert "None" not in [cell for row in rows.values() for cell in row] or "None" in product.encryption.__dict__.values()


@pytest.mark.parametrize("name", [name for name, product in PRODUCTS.items() if product.signs_in_alone])
def test_program_that_signs_in_has_all_that_it_needs(name: str) -> None:
    text = markdown.render(sheet("contoso", planned(product=name, kind="application")))
    for value in (TENANT_ID, f"https://login.microsoftonline.com/{TENANT_ID}/oauth2/v2.0/token", "https://outlook.office365.com/.default"):
        assert f"`{value}`" in text
    assert "Client ID | that of the application" in text
    assert "certificate with private key in" in text


@pytest.mark.parametrize("name", [name for name, product in PRODUCTS.items() if product.oauth.smtp == "none"])
def test_program_that_cannot_sign_in_says_so(name: str) -> None:
    text = markdown.render(sheet("contoso", forced("oauth", product=name)))
    assert "cannot send like this: set relay_host for it, or another method." in text
    assert "Token URL" not in text
    assert "```python" not in text


@pytest.mark.parametrize("name", ["lexmark", "epson", "sharp", "ricoh", "xerox", "fujifilm", "zabbix", "odoo", "truenas"])
def test_product_that_signs_in_as_a_person_lists_what_that_needs(name: str) -> None:
    text = markdown.render(sheet("contoso", forced("oauth", product=name)))
    assert "A person signs in as `device@contoso.com`" in text
    assert "consents to the application of the maker" in text
    assert ("Token URL" in text) == (name in ("xerox", "zabbix", "odoo", "truenas"))


def test_statement_names_models() -> None:
    assert any("AltaLink" in sentence for sentence in oauth.details(PRODUCTS["xerox"]))
    assert any("ineo 306" in sentence for sentence in oauth.details(PRODUCTS["konica_minolta"]))
    assert oauth.statement(PRODUCTS["canon"]) == "Canon: not known: no statement was read; the maker's list of models decides."


@pytest.mark.parametrize(("method", "known", "place"), [
    ("basic", KNOWN, "with the user of the mailbox"),
    ("relay_host", tenant(relay_hosts=[USER_RELAY]), "in relay_devices of the relay host gateway"),
    ("hve", KNOWN, "in hve_account_password"),
    ("acs", KNOWN, "a client secret of the application in acs_smtp_username_app"),
    ("hosted", KNOWN, "in m365_hosted_credential_store on the control node"),
])  # fmt: skip
def test_password_is_not_on_the_sheet_and_its_place_is(method: str, known: Any, place: str) -> None:
    rows = settings(sheet("contoso", forced(method, known, product="brother")))
    assert rows["Password"][1].startswith(f"not on this sheet: it is {place}")
    assert rows["Authentication"][1].startswith("on: ")
    assert rows["User name"][1] != "leave empty"


@pytest.mark.parametrize(("product", "expected"), [
    ("kyocera", "STARTTLSor, for a device without TLS 1.2,Off"),
    ("hp", "SSL off"),  # its encryption is that of port 587
    ("grafana", "MandatoryStartTLS(STARTTLS where supported)"),
    ("fujifilm", "by modelor, for a device without TLS 1.2,only possibility on old models"),
    (None, "STARTTLS where supported"),
])  # fmt: skip
def test_encryption_on_port_25_in_the_words_of_the_product(product: str | None, expected: str) -> None:
    row = settings(sheet("contoso", forced("relay_host", product=product, kind="printer")))["Encryption"]
    assert row[1 if product else 0] == expected


@pytest.mark.parametrize(("tls", "product", "expected"), [
    ("implicit", "phpmailer", "PHPMailer::ENCRYPTION_SMTPS(implicit TLS)"),
    ("none", "kyocera", "Off(none)"),
    ("implicit", "grafana", "implicit TLS"),  # its words for it are not known
])  # fmt: skip
def test_encryption_of_a_listener_in_the_words_of_the_product(tls: str, product: str, expected: str) -> None:
    known = tenant(relay_hosts=[replace(OAUTH_RELAY, listeners=(RelayListener(2525, tls),))])
    rows = settings(sheet("contoso", forced("relay_host", known, product=product)))
    assert rows["Port"][1].endswith("2525")
    assert rows["Encryption"][1] == expected


def test_old_device_connects_to_the_listener_for_old_devices() -> None:
    known = tenant(relay_hosts=[replace(USER_RELAY, legacy_address="10.9.9.1 or 10.9.9.2")])
    document = sheet("contoso", forced("relay_host", known, product="kyocera", tls12=False))
    rows = settings(document)
    assert (rows["Server"][1], rows["Port"][1], rows["User name"][1]) == ("10.9.9.1 or 10.9.9.2", "2525", "nas")
    assert rows["Encryption"][1] == "STARTTLSor, for a device without TLS 1.2,Off"
    assert "swaks --server 10.9.9.1 --port 2525 -tlso" in markdown.render(document)


def test_device_that_is_known_by_its_address_needs_a_static_one() -> None:
    text = "give it a static one, and report it to the administrator"
    assert text in markdown.render(sheet("contoso", forced("relay_host", product="hp")))
    assert text not in markdown.render(sheet("contoso", forced("relay_host", tenant(relay_hosts=[USER_RELAY]), product="hp")))
    assert "`ansible-playbook mailops.m365.verify --limit contoso`" in markdown.render(sheet("contoso", forced("basic")))


def test_sheet_without_product_has_general_names_only() -> None:
    document = sheet("contoso", planned(kind="ups", relay_host="gateway"))
    assert settings(document)["Server"] == ["relay.contoso.com"]
    assert [section.title for section in document.sections] == ["Settings", "Notes", "Test", "Why this method"]


def test_warning_of_the_plan_is_on_the_sheet() -> None:
    entry = forced("basic", product="canon") | {"warnings": ["Device: Basic authentication is off by default after 2026-12-31."]}
    assert "**Device: Basic authentication is off by default after 2026-12-31.**" in markdown.render(sheet("contoso", entry))


def test_a_description_is_not_typed() -> None:
    entry = forced("hosted", product="kyocera")
    [table] = [block for one in sheet("contoso", entry).sections for block in one.blocks if isinstance(block, Table)][:1]
    values = {part.text for row in table.rows for cell in row for part in cell if isinstance(part, Value)}
    assert "an SMTP credential of the domain" not in values
    assert "--auth-user USER_NAME" in markdown.render(sheet("contoso", entry))


def test_pair_of_relay_hosts_is_one_host_in_a_sample() -> None:
    entry = forced("relay_host", product="django")
    entry["settings"]["server"] = "relay1.contoso.com or relay2.contoso.com"
    text = markdown.render(sheet("contoso", entry))
    assert "| `relay1.contoso.com or relay2.contoso.com` |" in text
    assert "EMAIL_HOST = 'relay1.contoso.com'" in text


@pytest.mark.parametrize("server", ["", "the tenant's MX host", "x; rm -rf /", "a\nb"])
def test_server_that_is_no_host_name_is_in_no_command(server: str) -> None:
    entry = forced("direct_send", product="postfix")
    entry["settings"]["server"] = server
    document = sheet("contoso", entry)
    assert "Sample" not in "".join(section.title for section in document.sections)
    assert "swaks" not in markdown.render(document)


@pytest.mark.parametrize(("product", "words"), [
    ("django", "The tests of this collection run this sample as it is printed."),
    ("grafana", "They do not run it with the product."),
    ("mailkit", "This sample was written from the documentation of the product. It was not run."),
])  # fmt: skip
def test_sheet_says_how_far_its_sample_is_verified(product: str, words: str) -> None:
    assert words in markdown.render(sheet("contoso", forced("basic", product=product)))
