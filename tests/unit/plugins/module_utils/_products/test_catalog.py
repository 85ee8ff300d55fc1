# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The products: every entry is whole and says how far it is verified, and a text of the inventory finds its product."""

from __future__ import annotations

import re

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._planning.options import sender_problems
from ansible_collections.mailops.m365.plugins.module_utils._products.catalog import PRODUCTS, nearest, product_of
from ansible_collections.mailops.m365.plugins.module_utils._products.model import CONFIDENCE, KINDS, OAUTH, SETTINGS, Product
from ansible_collections.mailops.m365.plugins.module_utils._products.samples import SAMPLES

from tests.unit.plugins.module_utils._planning.samples import item, sender

PRINTERS = ["Canon", "HP", "Kyocera", "Konica Minolta", "Lexmark", "Ricoh", "Toshiba", "Xerox", "Brother", "Epson", "Sharp", "Fujifilm"]
PROGRAMS = [
    "WP Mail SMTP", "Post SMTP", "FluentSMTP", "PHPMailer", "Nodemailer", "smtplib", "MailKit", "Jakarta Mail", "Spring Boot",
    "Django", "Rails", "Laravel", "Grafana", "GitLab", "Jenkins", "Zabbix", "Proxmox", "Synology", "TrueNAS", "QNAP", "Nagios",
    "vCenter", "iDRAC", "APC", "Home Assistant", "Odoo", "Nextcloud", "Keycloak", "Octopus Deploy", "ServiceNow", "Visma.net",
    "Infor Mongoose", "Airlock IAM", "Veeam", "OpManager", "Jira", "SAP", "msmtp", "Postfix", "Exim", "sendmail",
]  # fmt: skip


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS)
def test_entry_is_whole(product: Product) -> None:
    assert re.fullmatch(r"[a-z0-9_]+", product.name)
    assert (product.kind in KINDS, product.confidence in CONFIDENCE, product.oauth.smtp in OAUTH) == (True, True, True)
    assert product.sources
    assert all(product.sources)
    assert set(product.fields) <= set(SETTINGS)
    every = [*product.fields.values(), *product.further.values()]
    assert all(label.text.strip() for label in every)
    if product.confidence == "memory":
        assert not any(label.verified for label in every), "a label that was not read in a source is not verified"
        assert not any(product.encryption.__dict__[name] for name in ("starttls", "implicit")) or not product.encryption.verified
    texts = [product.where, product.oauth.note, *product.notes, *product.sources, *(label.text for label in every)]
    assert not [text for text in texts if re.search(r"\{(?!host|port)\w+\}", text)], "a placeholder that is none"


@pytest.mark.parametrize("name", [*PRINTERS, *PROGRAMS])
def test_product_is_known_by_its_usual_name(name: str) -> None:
    assert product_of(name)
    assert product_of(f" {name.upper()} ") is product_of(name)


def test_printers_are_the_makers() -> None:
    assert {product.name for product in PRODUCTS.values() if product.is_printer} == {product_of(name).name for name in PRINTERS}  # type: ignore[union-attr]


def test_every_maker_has_the_names_of_all_settings() -> None:
    """Fujifilm's menu of encryption differs by model."""
    lacking = {product.name: set(SETTINGS) - set(product.fields) for product in PRODUCTS.values() if product.is_printer}
    assert {name: settings for name, settings in lacking.items() if settings} == {"fujifilm": {"encryption"}}


def test_every_sample_has_a_product() -> None:
    assert set(SAMPLES) <= set(PRODUCTS)


@pytest.mark.parametrize(
    ("text", "name"), [("kyocra", "kyocera"), ("Konika Minolta", "konica_minolta"), ("wpmailsmtp2", "wp_mail_smtp"), ("?", "")]
)
def test_an_unknown_product_is_one_sentence_with_the_nearest(text: str, name: str) -> None:
    assert product_of(text) is None
    [problem] = sender_problems([item(name="Scanner", product=text)])
    assert problem.startswith(
        f"m365_senders: Scanner: product is {text!r}, which is no maker or program with device settings: the nearest is "
    )
    assert nearest(text) in PRODUCTS
    assert not name or f"the nearest is {name};" in problem


@pytest.mark.parametrize(("product", "kind", "oauth"), [
    ("grafana", "monitoring", False),  # its kind usually can
    ("smtplib", "other", True),
    ("zabbix", "monitoring", False),  # only as a person
    ("jira", "application", True),  # not known: its kind decides
    ("postfix", "application", False),  # another program would have to renew its token
    ("msmtp", "other", True),
    ("lexmark", "printer", False),
    (None, "erp", True),
])  # fmt: skip
def test_product_decides_whether_a_sender_can_sign_in(product: str | None, kind: str, oauth: bool) -> None:
    assert sender(kind=kind, product=product).oauth is oauth
    assert sender(kind=kind, product=product, oauth=not oauth).oauth is not oauth, "the inventory precedes"
