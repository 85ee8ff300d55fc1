# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a tenant: names of others stay plain text, and file names follow from the senders alone."""

from __future__ import annotations

import datetime
import itertools
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._sheets.document import Table
from ansible_collections.mailops.m365.plugins.module_utils._sheets.files import FORMATS, MARKERS, file_names, files
from ansible_collections.mailops.m365.plugins.module_utils._sheets.fleet import fleet

from tests.unit.plugins.module_utils._planning.samples import OAUTH_RELAY, tenant

from .entries import HOSTILE, KNOWN, forced, planned

TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "section", "p", "i", "code", "pre", "a", "ul", "li",
    "div", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


class Elements(HTMLParser):
    """The elements of a page and their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.targets: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _value in attrs}
        self.targets += [value or "" for name, value in attrs if name == "href"]


def fleet_of(*printers: dict[str, Any]) -> list[dict[str, str]]:
    """Each device of the fleet page: column -> text."""
    names = file_names([one["name"] for one in printers])
    section = fleet("contoso", printers, names).sections[1]
    [table] = [block for block in section.blocks if isinstance(block, Table)]
    return [dict(zip(table.head, [" ".join(part.text for part in cell) for cell in row], strict=True)) for row in table.rows]


def test_files_of_a_tenant() -> None:
    entries = [planned(name="Scanner, third floor", product="Kyocera", relay_host="gateway"), planned(name="ERP", kind="erp")]
    pages = files("contoso", entries)
    stems = ("erp", "index", "printer-fleet", "scanner-third-floor")
    assert sorted(pages) == sorted(["contoso.md", *(f"contoso/{stem}.{suffix}" for stem in stems for suffix in FORMATS)])
    assert all(text.endswith(MARKERS[path.rpartition(".")[2]]) for path, text in pages.items() if "/" in path)
    assert "[Scanner, third floor](scanner-third-floor.md)" in pages["contoso/index.md"]
    assert '<a href="printer-fleet.html">' in pages["contoso/index.html"]
    assert files("contoso", []) == {}


def test_tenant_without_printers_has_no_page_of_a_fleet() -> None:
    assert not [path for path in files("contoso", [planned(kind="erp")]) if "fleet" in path]


@pytest.mark.parametrize("product", [None, "kyocera", "smtplib", "wp mail smtp"])
def test_hostile_names_are_text(product: str | None) -> None:
    entry = forced("oauth", name=HOSTILE, product=product, kind="printer") | {"reason": HOSTILE, "warnings": [HOSTILE]}
    entry["settings"]["user"] = entry["settings"]["from"] = HOSTILE
    for path, text in files("contoso", [entry]).items():
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", text), path
        if path.endswith(".html"):
            page = Elements(text)
            assert page.tags <= TAGS
            assert page.attributes <= {
                "lang",
                "class",
                "charset",
                "http-equiv",
                "content",
                "name",
                "tabindex",
                "scope",
                "href",
                "data-label",
            }
            assert all(re.fullmatch(r"[a-z0-9-]+\.html|https://github\.com/mailops/.*", target) for target in page.targets)
            continue
        assert "<img" not in re.sub(r"\\<|(`+).*?\1", "", text, flags=re.DOTALL)
        if "/" in path:
            outside = re.sub(r"`+[^`]*`+", "", text.replace(MARKERS["md"], ""))
            assert "](javascript" not in re.sub(r"(`+).*?\1", "", text, flags=re.DOTALL)
            assert "@everyone" not in outside


def test_file_names_do_not_depend_on_the_order() -> None:
    names = ["Scanner 1", "scanner: 1", "Index", "printer fleet", "Bücher", "日本", HOSTILE, "x" * 200]
    expected = file_names(names)
    assert len(set(expected.values())) == len(names)
    assert not {"index", "printer-fleet"} & set(expected.values())
    assert all(re.fullmatch(r"[a-z0-9-]{1,80}", stem) for stem in expected.values())
    for order in itertools.islice(itertools.permutations(names), 50):
        assert file_names(order) == expected


def test_migration_paths_are_side_by_side() -> None:
    [lexmark, old] = fleet_of(
        planned(name="Lexmark", product="lexmark", relay_host="gateway"),
        planned(name="Old", kind="printer", tls12=False, relay_host="gateway"),
    )
    assert lexmark["Device"] == "Lexmark · Lexmark"
    assert lexmark["Firmware with OAuth"] == "yes, as a person; signs in as device@contoso.com"
    assert lexmark["Relay host"] == "relay.contoso.com · port 25 · no authentication"
    assert lexmark["Hosted relay"].startswith("smtp.mailgun.org · port 587 · user an SMTP credential")
    assert old["Firmware with OAuth"].startswith("Set product, the maker of the device. It does not support TLS 1.2")


def test_fleet_says_when_basic_authentication_ends() -> None:
    entry = planned(tenant(relay_hosts=[OAUTH_RELAY], basic_auth_end_date=datetime.date(2027, 3, 1)), product="hp", relay_host="gateway")
    assert "Basic authentication is off by default after 2027-03-01" in files("contoso", [entry])["contoso/printer-fleet.md"]


def test_path_that_is_not_open_says_what_is_missing() -> None:
    known = tenant(relay_hosts=[OAUTH_RELAY, OAUTH_RELAY.__class__("other", "other.contoso.com", "oauth")])
    entry = forced("connector", known, kind="scanner", product="sharp", keep_in_tenant=True, messages_per_minute=99)
    [row] = fleet_of(entry)
    assert "99 messages a minute are more than the 30" in row["Firmware with OAuth"]
    assert row["Relay host"] == "It uses no relay host; set the sender's relay_host."
    assert "No hosted relay is configured" in row["Hosted relay"]
    assert "must stay in the tenant" in row["Hosted relay"]


def test_programs_have_no_migration_paths() -> None:
    assert "paths" not in planned(KNOWN, kind="printer", product="smtplib")
    assert "paths" in planned(KNOWN, kind="other", product="hp", relay_host="gateway")
