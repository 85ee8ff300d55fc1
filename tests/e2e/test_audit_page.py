"""report.html of an audit in headless Chromium."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._audit.names import TO_CHECK
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files import page as audit_page
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files.comparison import compared
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from . import audit_fleet
from .browser import Opened, opened, started

pytestmark = [pytest.mark.one_python_is_enough, pytest.mark.xdist_group("browser"), pytest.mark.tier_test]
MOST_NODES = 6_000
PRINTED = 2_000  # rows of a table
TENANTS, SENDERS = 500, 50
expect.set_options(timeout=60_000)  # the page answers an event later than the test's next step
Write = Callable[[dict[str, Any]], Path]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as made:
        yield made


@pytest.fixture(scope="module")
def large_fleet() -> dict[str, Any]:
    return audit_fleet.fleet(TENANTS, SENDERS)


@pytest.fixture(scope="module")
def large_page(large_fleet: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(audit_page.render(large_fleet), "utf-8")
    return path


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(document: dict[str, Any]) -> Path:
        path = tmp_path / "report.html"
        path.write_text(audit_page.render(document), "utf-8")
        return path

    return write


def has_rows(page: Page, text: str) -> None:
    """Wait until the table of senders says how many rows it has."""
    expect(page.locator("#senders .count")).to_have_text(text)


def is_open(page: Page, title: str) -> None:
    """Wait until the dialog has a title."""
    expect(page.locator("dialog[open] h2")).to_have_text(title)


def senders_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for audit in document["tenants"].values() for row in audit.get("senders", ())]


def test_nothing_is_requested_and_nothing_is_printed_to_the_console(browser: Browser, write: Write) -> None:
    path = write(audit_fleet.fleet(20, 10))
    with opened(browser, path) as made:
        made.page.locator("#senders-search").fill("erp")
        made.page.locator("#senders tbody a").first.click()
        made.page.keyboard.press("Escape")
        assert made.requests == [path.as_uri()]
        assert made.messages == []
        assert made.seen() == []


def test_the_policy_refuses_scripts_and_requests_of_others(browser: Browser, write: Write) -> None:
    with opened(browser, write(audit_fleet.fleet(1, 2))) as made:
        made.page.evaluate(
            """async () => {
                const script = document.createElement("script");
                script.textContent = "window.injected = true";
                document.body.append(script);
                await fetch("https://192.0.2.1/").catch(() => undefined);
            }"""
        )
        assert made.page.evaluate("window.injected") is None
        assert [text.partition(" of ")[2] for text in made.seen()] == ["script-src-elem", "connect-src"]


def test_hostile_names_are_text(browser: Browser, write: Write) -> None:
    with opened(browser, write(audit_fleet.hostile())) as made:
        page = made.page
        for name in ("contoso", "northwind"):
            page.evaluate(f"location.hash = '#t={name}'")
            is_open(page, name)
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_be_hidden()
        page.locator("#senders-search").fill("onerror")
        page.locator("#senders tbody a").first.click()
        is_open(page, f"{audit_fleet.HOSTILE[0]}@contoso.com")
        assert page.locator("img, iframe, object, [onerror], [onload]").count() == 0
        assert page.locator("script").count() == 2
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", page.content())
        assert (made.messages, made.seen()) == ([], [])


def test_a_large_fleet_is_filtered_with_few_elements(browser: Browser, large_fleet: dict[str, Any], large_page: Path) -> None:
    with opened(browser, large_page) as made:
        page, counts = made.page, [made.nodes()]
        every = senders_of(large_fleet)
        has_rows(page, f"{len(every):,} rows")
        page.locator("#senders .window").evaluate("(node) => node.scrollTo(0, node.scrollHeight / 2)")
        page.wait_for_function("Number(document.querySelector('#senders tbody tr.row').dataset.row) >= 0")
        page.wait_for_function("Number(document.querySelector('#senders tr.row').getAttribute('aria-rowindex')) > 1000")
        counts.append(made.nodes())
        page.locator("#senders-search").fill("erp breaks")
        expected = [row for row in every if "erp" in f"{row}".lower() and row["verdict"] == "breaks"]
        has_rows(page, f"{len(expected):,} of {len(every):,} rows")
        counts.append(made.nodes())
        page.evaluate("location.hash = '#t=contoso'")
        is_open(page, "contoso")
        counts.append(made.nodes())
        assert max(counts) <= MOST_NODES, counts


def test_the_numbers_lead_to_their_senders(browser: Browser, write: Write) -> None:
    document = audit_fleet.fleet(20, 10)
    totals = document["totals"]["senders"]
    with opened(browser, write(document)) as made:
        for name, verdicts in (("breaks", ("breaks", "refused", "expires")), ("unused", TO_CHECK), ("safe", ("safe",))):
            made.page.locator(f".numbers .{name} a").click()
            number = sum(totals[verdict] for verdict in verdicts)
            has_rows(made.page, f"{number:,} of {sum(totals.values()):,} rows")
        assert made.page.locator(".numbers .unknown b").inner_text() == str(totals["unknown"])


def test_a_cell_of_the_matrix_leads_to_its_senders(browser: Browser, write: Write) -> None:
    document = audit_fleet.fleet(20, 10)
    total = len(senders_of(document))
    with opened(browser, write(document)) as made:
        cell = made.page.locator("#fleet tbody a.breaks").first
        number, name = int(cell.inner_text()), cell.locator("xpath=ancestor::tr").locator("th").inner_text()
        cell.click()
        has_rows(made.page, f"{number} of {total} rows")
        assert set(made.page.locator("#senders tbody td:nth-child(2)").all_inner_texts()) == {name}
        made.page.get_by_role("button", name=f"Only tenant {name} (show all)").click()
        has_rows(made.page, f"{document['totals']['senders']['breaks']} of {total} rows")


def test_what_could_not_be_read_is_a_sentence_and_never_ok(browser: Browser, write: Write) -> None:
    document = audit_fleet.fleet(12, 5)
    [name] = [name for name, audit in document["tenants"].items() if any(not one["readable"] for one in audit.get("sources", ()))]
    [refused] = [name for name, audit in document["tenants"].items() if not audit["audited"]]
    with opened(browser, write(document), f"#t={name}") as made:
        is_open(made.page, name)
        expect(made.page.locator("dialog")).to_contain_text(audit_fleet.NO_LICENCE)
        made.page.keyboard.press("Escape")
        cell = made.page.locator("#fleet tr.row", has_text=name).locator("[aria-label^='sign-in log']")
        assert cell.get_attribute("aria-label") == "sign-in log (Basic authentication): not readable"
        made.page.evaluate(f"location.hash = '#t={refused}'")
        is_open(made.page, refused)
        expect(made.page.locator("dialog")).to_contain_text("The client secret of the automation app is wrong")
        assert made.page.locator("#fleet tr.row", has_text=refused).locator(".ok").count() == 0


def test_a_link_to_a_sender_or_tenant_opens_it(browser: Browser, write: Write) -> None:
    document = audit_fleet.fleet(5, 10)
    row = document["tenants"]["fabrikam"]["senders"][0]
    path = write(document)
    with opened(browser, path, f"#s=fabrikam%2F{row['address']}") as made:
        is_open(made.page, row["address"])
        assert row["reason"] in made.page.locator("dialog").inner_text()
        made.page.locator("dialog a", has_text="fabrikam").click()
        is_open(made.page, "fabrikam")
        made.page.go_back()
        is_open(made.page, row["address"])
    with opened(browser, path, "#t=nobody") as made:
        assert made.page.locator("dialog[open]").count() == 0


def test_everything_works_with_the_keyboard(browser: Browser, write: Write) -> None:
    with opened(browser, write(audit_fleet.fleet(20, 10))) as made:
        page, keys = made.page, made.page.keyboard
        keys.press("Tab")
        assert made.focused() == "Skip to the content"
        keys.press("Enter")
        assert page.evaluate("location.hash") == "#main"
        keys.press("/")
        assert made.focused() == "senders-search"
        keys.type("erp")
        expect(page.locator("#senders .count")).to_contain_text(" of ")
        keys.press("Escape")
        expect(page.locator("#senders .count")).not_to_contain_text(" of ")
        while made.focused() != "Address":
            keys.press("Tab")
        keys.press("Enter")
        heads = page.locator("#senders thead th[aria-sort]")
        assert (heads.count(), heads.get_attribute("aria-sort")) == (1, "ascending")
        keys.press("Enter")
        assert heads.get_attribute("aria-sort") == "descending"
        address = page.locator("#senders tbody tr.row th a").first.inner_text()
        while made.focused() != address:
            keys.press("Tab")
        keys.press("Enter")
        is_open(page, address)
        expect(page.locator("dialog button")).to_be_focused()
        keys.press("Escape")
        expect(page.locator("#senders tbody tr.row th a").first).to_be_focused()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_reports_nothing_serious(browser: Browser, write: Write, theme: Any) -> None:
    document = audit_fleet.fleet(20, 10)
    changed = compared(document, audit_fleet.fleet(3, 5, "2026-10-28T16:00:00Z"))
    with opened(browser, write(changed), color_scheme=theme) as made:
        assert _serious(made) == []
        made.page.evaluate("location.hash = '#t=contoso'")
        is_open(made.page, "contoso")
        assert _serious(made) == []


def _serious(made: Opened) -> list[str]:
    violations = Axe().run(made.page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in violations if one["impact"] in ("serious", "critical")]


def test_print_has_the_rows_of_the_filter(browser: Browser, write: Write) -> None:
    with opened(browser, write(audit_fleet.fleet(30, 10))) as made:
        before = made.nodes()
        printed = made.page.pdf(format="A4")
        assert made.seen() == ["beforeprint", "afterprint"]
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) > 5
        assert made.nodes() == before


def test_print_has_headings_that_repeat_and_every_column(browser: Browser, write: Write) -> None:
    with opened(browser, write(audit_fleet.fleet(3, 4)), viewport={"width": 700, "height": 900}) as made:
        made.page.emulate_media(media="print")
        heads = made.page.locator("#senders thead th")
        assert heads.all_inner_texts() == ["Address", "Tenant", "Sender", "Method", "Verdict", "Severity", "Date", "Reason"]
        assert made.page.locator("thead button:visible").count() == 0, "browsers do not repeat headings with buttons"


def test_print_of_a_large_fleet_is_bounded(browser: Browser, large_fleet: dict[str, Any], large_page: Path) -> None:
    with opened(browser, large_page) as made:
        before, rows = made.nodes(), made.page.locator("#senders tbody tr.row")
        made.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert rows.count() == PRINTED
        made.page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert made.nodes() == before
        made.page.locator("#senders-search").fill("crm breaks")
        expect(made.page.locator("#senders .count")).to_contain_text(" of ")
        made.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        has_rows(made.page, f"{rows.count():,} of {len(senders_of(large_fleet)):,} rows")


def test_without_javascript_the_tenants_and_what_is_urgent_are_there(browser: Browser, write: Write) -> None:
    document = audit_fleet.fleet(20, 10)
    with opened(browser, write(document), java_script_enabled=False) as made:
        text = made.page.locator("main").inner_text()
        assert made.page.locator("h1").inner_text().startswith("33 days until Microsoft disables Basic authentication")
        assert all(name in text for name in document["tenants"])
        assert all(row["address"] in text for row in senders_of(document) if row["severity"] == "high")
        assert made.page.locator("#theme").is_hidden()


def test_the_csv_has_the_rows_of_the_filter_and_no_formula(browser: Browser, write: Write, tmp_path: Path) -> None:
    document = audit_fleet.hostile()
    with opened(browser, write(document), accept_downloads=True) as made:
        made.page.locator("#senders-search").fill("calc")
        with made.page.expect_download() as download:
            made.page.get_by_role("button", name="CSV of these rows").first.click()
        download.value.save_as(tmp_path / "rows.csv")
    [row] = csv.DictReader(io.StringIO((tmp_path / "rows.csv").read_text("utf-8-sig")))
    assert (row["tenant"], row["address"][:2], row["name"][:2]) == ("contoso", "'=", "'=")


def test_a_full_width_character_begins_no_formula_in_the_csv(browser: Browser, write: Write, tmp_path: Path) -> None:
    document = audit_fleet.hostile()
    first, *_rest = document["tenants"].values()
    first["senders"][0]["name"] = "\uff1dhyperlink(1)"
    with opened(browser, write(document), accept_downloads=True) as made:
        made.page.locator("#senders-search").fill("hyperlink")
        with made.page.expect_download() as download:
            made.page.get_by_role("button", name="CSV of these rows").first.click()
        download.value.save_as(tmp_path / "rows.csv")
    [row] = csv.DictReader(io.StringIO((tmp_path / "rows.csv").read_text("utf-8-sig")))
    assert row["name"] == "'\uff1dhyperlink(1)"


@pytest.mark.parametrize("width", [1440, 768, 390])
def test_the_page_is_never_wider_than_the_window(browser: Browser, write: Write, width: int) -> None:
    with opened(browser, write(audit_fleet.hostile()), viewport={"width": width, "height": 900}) as made:
        assert made.page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_theme_is_kept(browser: Browser, write: Write) -> None:
    with opened(browser, write(audit_fleet.fleet(1, 2)), color_scheme="light") as made:
        colour = "getComputedStyle(document.body).backgroundColor"
        light = made.page.evaluate(colour)
        made.page.locator("#theme").select_option("dark")
        assert made.page.evaluate(colour) != light
        made.page.reload()
        made.page.wait_for_selector("html[data-ready]")
        assert made.page.locator("#theme").input_value() == "dark"
