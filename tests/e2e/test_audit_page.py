"""report.html of an audit in headless Chromium."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._audit.names import SEVERITIES, TO_CHECK, VERDICTS
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
def large(browser: Browser, large_fleet: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """The page of the large fleet, which is loaded once for all tests of it."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(audit_page.render(large_fleet), "utf-8")
    with opened(browser, path) as made:
        yield made


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


# How many elements a step adds to the page, as an observer counts them.
OBSERVE = """() => {
    window.added = 0;
    new MutationObserver((records) => {
        for (const record of records) {
            for (const node of record.addedNodes) window.added += node.querySelectorAll ? node.querySelectorAll("*").length + 1 : 0;
        }
    }).observe(document.body, { childList: true, subtree: true });
}"""
WINDOW = 60 * 18 + 100  # elements of the rows in sight, with those of their cells


def test_a_large_fleet_is_filtered_with_few_elements(large: Opened, large_fleet: dict[str, Any]) -> None:
    page, counts = large.page, [large.nodes()]
    every = senders_of(large_fleet)
    has_rows(page, f"{len(every):,} rows")
    page.locator("#senders .window").evaluate("(node) => node.scrollTo(0, node.scrollHeight / 2)")
    page.wait_for_function("Number(document.querySelector('#senders tbody tr.row').dataset.row) >= 0")
    page.wait_for_function("Number(document.querySelector('#senders tr.row').getAttribute('aria-rowindex')) > 1000")
    counts.append(large.nodes())
    page.locator("#senders-search").fill("erp breaks")
    expected = [row for row in every if "erp" in f"{row}".lower() and row["verdict"] == "breaks"]
    has_rows(page, f"{len(expected):,} of {len(every):,} rows")
    counts.append(large.nodes())
    page.evaluate("location.hash = '#t=contoso'")
    is_open(page, "contoso")
    counts.append(large.nodes())
    page.keyboard.press("Escape")
    page.locator("#senders-search").press("Escape")
    has_rows(page, f"{len(every):,} rows")
    assert max(counts) <= MOST_NODES, counts


def test_the_page_of_a_tenant_with_everything_has_few_elements(browser: Browser, write: Write) -> None:
    document = audit_fleet.fleet(60, 300)
    contoso = document["tenants"]["contoso"]
    contoso["findings"] = [finding | {"subject": f"{n}"} for n in range(300) for finding in contoso["findings"][:1]]
    connectors = [
        {"name": f"Connector {n}", "type": "OnPremises", "sender_ip_addresses": ["203.0.113.1", "203.0.113.2"]} for n in range(300)
    ]
    contoso["configuration"] |= {"connectors": connectors, "idle_connectors": [f"Connector {n}" for n in range(300)]}
    earlier = audit_fleet.fleet(60, 1, "2026-10-28T16:00:00Z")
    for audit in earlier["tenants"].values():
        for row in audit.get("senders", ()):
            row |= {"address": f"former-{row['address']}", "severity": "high"}
    with opened(browser, write(compared(document, earlier)), "#t=contoso") as made:
        is_open(made.page, "contoso")
        assert made.nodes() <= MOST_NODES
        dialog = made.page.locator("dialog")
        expect(dialog).to_contain_text("Connector 1")
        for text in ("more in report.json", "250 more"):
            expect(dialog).to_contain_text(text)
        dialog.get_by_role("link", name="250 more").last.click()
        expect(made.page.locator("#findings .count")).to_contain_text("300 of ")


def test_each_value_of_the_configuration_has_a_line(browser: Browser, write: Write) -> None:
    document = audit_fleet.fleet(1, 2)
    configuration = document["tenants"]["contoso"]["configuration"]
    configuration["connectors"] = [{"name": "Office", "enabled": True, "sender_ip_addresses": ["203.0.113.10", "203.0.113.12"]}]
    configuration |= {"protocols": {"legacy_tls": False, "ews": "default"}, "spf": None, "dns": [], "spoofs": [{"last": ""}]}
    with opened(browser, write(document), "#t=contoso") as made:
        is_open(made.page, "contoso")
        item = made.page.locator("dialog .items > li").first
        assert item.inner_text().split("\n") == ["Office", "Enabled", "yes", "IP addresses", "203.0.113.10, 203.0.113.12"]
        values = dict(zip(*(made.page.locator(f"dialog .pairs {name}").all_inner_texts() for name in ("dt", "dd")), strict=True))
        assert values["Exchange Web Services"].startswith("not set: blocked by default since 2026-10-01")
        assert (values["SPF"], values["DNS"], values["Last"]) == ("not read", "none", "none")


def test_a_filter_and_a_sort_make_only_the_rows_in_sight(large: Opened, large_fleet: dict[str, Any]) -> None:
    """What makes a filter of 25,000 rows fast, on every machine: it adds as many elements as a filter of 60 rows."""
    page, every = large.page, len(senders_of(large_fleet))
    page.evaluate(OBSERVE)
    page.locator("#senders-search").fill("contoso")
    expect(page.locator("#senders .count")).to_contain_text(f" of {every:,} rows")
    page.locator("#senders-search").press("Escape")
    has_rows(page, f"{every:,} rows")
    filtered = int(page.evaluate("window.added"))
    page.get_by_role("button", name="Address").click()
    expect(page.locator("#senders thead th").first).to_have_attribute("aria-sort", "ascending")
    assert 0 < filtered <= 2 * WINDOW
    assert 0 < int(page.evaluate("window.added")) - filtered <= WINDOW


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
    with opened(browser, write(audit_fleet.fleet(5, 8))) as made:
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


def with_everything() -> dict[str, Any]:
    """A small fleet with each verdict and severity, an unreadable source, a tenant that was not audited, and a comparison."""
    tenants = audit_fleet.fleet(2, len(VERDICTS))["tenants"]
    contoso = tenants["contoso"]
    for number, (row, name) in enumerate(zip(contoso["senders"], VERDICTS, strict=True)):
        row |= {"verdict": name, "severity": SEVERITIES[number % len(SEVERITIES)]}
    contoso["totals"] = dict.fromkeys(VERDICTS, 1)
    contoso["sources"][0] |= {"readable": False, "reason": audit_fleet.NO_LICENCE}
    tenants["northwind"] = {"audited": False, "reason": "The client secret is wrong."}
    earlier = audit_fleet.fleet(3, 5, "2026-10-28T16:00:00Z")
    return compared(audit_fleet.document("2026-11-28T16:00:00Z", tenants), earlier)


def test_axe_reports_nothing_serious_in_both_themes(browser: Browser, write: Write) -> None:
    with opened(browser, write(with_everything())) as made:
        badges = {f"{made.page.locator(f'#senders tbody .v.{name}').count() > 0} {name}" for name in VERDICTS}
        assert badges == {f"True {name}" for name in VERDICTS}
        for fragment, title in (("", ""), ("#t=contoso", "contoso")):
            made.page.evaluate(f"location.hash = '{fragment}'")
            if title:
                is_open(made.page, title)
            for theme in ("light", "dark"):
                made.page.emulate_media(color_scheme=cast("Any", theme))
                assert _serious(made) == [], f"{theme} {fragment}"


def _serious(made: Opened) -> list[str]:
    # Without the elements that pass, whose report takes most of the time.
    violations = Axe().run(made.page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in violations if one["impact"] in ("serious", "critical")]


def test_print_makes_a_pdf_and_leaves_the_page_as_it_was(browser: Browser, write: Write) -> None:
    with opened(browser, write(audit_fleet.fleet(20, 6))) as made:
        before = made.nodes()
        printed = made.page.pdf(format="A4")
        assert made.seen() == ["beforeprint", "afterprint"]
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) >= 3
        assert made.nodes() == before


def test_print_has_headings_that_repeat_and_every_column(browser: Browser, write: Write) -> None:
    with opened(browser, write(audit_fleet.fleet(3, 4)), viewport={"width": 700, "height": 900}) as made:
        made.page.emulate_media(media="print")
        heads = made.page.locator("#senders thead th")
        assert heads.all_inner_texts() == ["Address", "Tenant", "Sender", "Method", "Verdict", "Severity", "Date", "Reason"]
        assert made.page.locator("thead button:visible").count() == 0, "browsers do not repeat headings with buttons"


A4 = 703  # CSS pixels between the margins of the page


@pytest.mark.parametrize("made_by", [with_everything, audit_fleet.hostile])
def test_print_cuts_no_column_of_a_page(browser: Browser, write: Write, made_by: Callable[[], dict[str, Any]]) -> None:
    with opened(browser, write(made_by()), viewport={"width": A4, "height": 1000}) as made:
        made.page.emulate_media(media="print")
        made.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        for name in ("fleet", "senders", "findings"):
            width = made.page.locator(f"#{name} table").evaluate("(node) => node.getBoundingClientRect().right")
            assert width <= A4, name
        cut = "(nodes) => nodes.filter((node) => node.scrollWidth > node.clientWidth + 1).map((node) => node.textContent)"
        assert made.page.locator(":is(#senders, #findings) :is(td, th):visible").evaluate_all(cut) == []


def test_a_narrow_window_has_the_tenants_that_come_first(browser: Browser, write: Write) -> None:
    with opened(browser, write(with_everything()), viewport={"width": 390, "height": 900}) as made:
        assert made.page.locator(".worst thead th:visible").all_inner_texts() == ["Tenant", "Break", "Date"]
        widths = made.page.locator(".worst tbody th").evaluate_all("(nodes) => nodes.map((node) => node.offsetWidth)")
        assert min(widths) > 150, "a name has room on one line"


RIGHT = "(node) => node.getBoundingClientRect().right"


@pytest.mark.parametrize("width", [1440, 768, 390])
def test_the_reason_of_a_tenant_has_the_width_of_its_row(browser: Browser, write: Write, width: int) -> None:
    with opened(browser, write(with_everything()), viewport={"width": width, "height": 900}) as made:
        table, reason = made.page.locator(".worst"), made.page.locator(".worst .why").first
        assert 0 <= table.evaluate(RIGHT) - reason.evaluate(RIGHT) <= 16


def test_a_finding_says_what_it_is_in_a_narrow_window(browser: Browser, write: Write) -> None:
    document = with_everything()
    problems = sorted(one["problem"] for audit in document["tenants"].values() for one in audit.get("findings", ()))
    for width, below in ((1440, False), (768, True), (390, True)):
        with opened(browser, write(document), viewport={"width": width, "height": 900}) as made:
            column = made.page.locator("#findings tbody .below:visible" if below else "#findings tbody td:last-child:visible")
            assert sorted(column.all_inner_texts()) == problems, width
            cut = "(nodes) => nodes.filter((node) => node.scrollHeight > node.clientHeight + 1).map((node) => node.textContent)"
            assert made.page.locator("#findings tbody th").evaluate_all(cut) == []


def test_a_finding_is_opened_again_after_it_was_closed(browser: Browser, write: Write) -> None:
    with opened(browser, write(with_everything())) as made:
        link = made.page.locator("#findings tbody th a").first
        for _time in range(2):
            link.click()
            is_open(made.page, link.inner_text())
            made.page.keyboard.press("Escape")
            expect(made.page.locator("dialog[open]")).to_have_count(0)


def test_the_matrix_of_a_wide_window_has_every_check_in_sight(browser: Browser, write: Write) -> None:
    document = with_everything()
    document["tenants"]["contoso"]["totals"]["unused"] = 12_345
    with opened(browser, write(document), viewport={"width": 1440, "height": 900}) as made:
        assert made.page.locator("#fleet .window").evaluate("(node) => node.scrollWidth - node.clientWidth") <= 0
        number = made.page.locator("#fleet a.c.unused")
        assert number.inner_text() == "12,345"
        assert number.evaluate("(node) => node.parentNode.scrollWidth - node.parentNode.clientWidth") <= 0


def test_a_tenant_says_what_to_do_for_each_sender(browser: Browser, write: Write) -> None:
    document = audit_fleet.fleet(2, 8)
    with opened(browser, write(document), "#t=contoso") as made:
        is_open(made.page, "contoso")
        text = made.page.locator("dialog").inner_text()
        assert [row["remedy"] for row in document["tenants"]["contoso"]["senders"] if row["remedy"] not in text] == []


def test_print_of_a_large_fleet_is_bounded(large: Opened) -> None:
    before, rows = large.nodes(), large.page.locator("#senders tbody tr.row")
    large.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert rows.count() == PRINTED
    large.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert large.nodes() == before


def test_print_has_the_rows_of_the_filter_only(browser: Browser, write: Write) -> None:
    document = audit_fleet.fleet(20, 10)
    with opened(browser, write(document)) as made:
        made.page.locator("#senders-search").fill("crm breaks")
        expect(made.page.locator("#senders .count")).to_contain_text(" of ")
        made.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        number = made.page.locator("#senders tbody tr.row").count()
        assert 0 < number < len(senders_of(document))
        has_rows(made.page, f"{number:,} of {len(senders_of(document)):,} rows")


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


def test_the_page_is_never_wider_than_the_window(browser: Browser, write: Write) -> None:
    with opened(browser, write(audit_fleet.hostile())) as made:
        for width in (1440, 768, 390):
            made.page.set_viewport_size({"width": width, "height": 900})
            made.page.wait_for_function(f"innerWidth === {width}")
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
