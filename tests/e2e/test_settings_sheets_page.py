"""The HTML pages of settings sheets in headless Chromium: nothing is requested, names stay text, print, and accessibility."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._sheets.files import files
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.unit.plugins.module_utils._sheets.entries import HOSTILE, forced, planned

from .browser import Opened, opened, started

pytestmark = [pytest.mark.one_python_is_enough, pytest.mark.xdist_group("browser"), pytest.mark.tier_test]
PAGES = ("scanner", "lexmark", "erp", "java", "hosted", "printer-fleet", "index")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as made:
        yield made


def entries() -> list[dict[str, Any]]:
    return [
        planned(name="Scanner", product="Kyocera", relay_host="gateway"),
        forced("oauth", name="Lexmark", product="lexmark"),
        planned(name="ERP", kind="erp", product="smtplib"),
        planned(name="Java", kind="application", product="jakarta mail"),
        forced("hosted", name="Hosted", product="konica minolta"),
        forced("basic", name="Old", product="hp") | {"warnings": ["Old: Basic authentication is off by default after 2026-12-31."]},
        *(planned(name=f"Printer {number}", product="sharp", relay_host="gateway", tls12=number % 2 == 0) for number in range(60)),
    ]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sheets")
    (path / "contoso").mkdir()
    for name, text in files("contoso", entries()).items():
        (path / name).write_text(text, "utf-8")
    return path / "contoso"


def show(browser: Browser, path: Path, **options: Any) -> Any:
    return opened(browser, path, ready="main", **options)


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_requested_and_nothing_is_printed_to_the_console(browser: Browser, directory: Path, name: str) -> None:
    path = directory / f"{name}.html"
    with show(browser, path) as made:
        assert made.requests == [path.as_uri()]
        assert (made.messages, made.seen()) == ([], [])
        assert made.page.evaluate("getComputedStyle(document.querySelector('table')).borderCollapse") == "collapse", "the style applies"


def test_the_policy_refuses_scripts_styles_and_requests_of_others(browser: Browser, directory: Path) -> None:
    with show(browser, directory / "scanner.html") as made:
        made.page.evaluate(
            """async () => {
                const script = document.createElement("script");
                script.textContent = "window.injected = true";
                const style = document.createElement("style");
                style.textContent = "main { display: none }";
                document.body.append(script, style);
                const image = document.createElement("img");
                image.src = "https://192.0.2.1/x.png";
                document.body.append(image);
                await fetch("https://192.0.2.1/").catch(() => undefined);
            }"""
        )
        made.page.wait_for_function("window.seen.length >= 4")
        assert made.page.evaluate("window.injected") is None
        assert made.page.locator("main").is_visible()
        assert {text.partition(" of ")[2] for text in made.seen()} == {"script-src-elem", "style-src-elem", "img-src", "connect-src"}


def test_hostile_names_are_text(browser: Browser, tmp_path: Path) -> None:
    entry = forced("oauth", name=HOSTILE, product="kyocera") | {"reason": HOSTILE, "warnings": [HOSTILE]}
    entry["settings"]["user"] = entry["settings"]["from"] = HOSTILE
    (tmp_path / "contoso").mkdir()
    for name, text in files("contoso", [entry]).items():
        (tmp_path / name).write_text(text, "utf-8")
    for path in (tmp_path / "contoso").glob("*.html"):
        with show(browser, path) as made:
            assert made.page.locator("img, script, iframe, [onerror]").count() == 0
            assert "onerror=alert(1)" in made.page.locator("main").inner_text()
            assert (made.messages, made.seen()) == ([], [])


def test_links_lead_to_the_sheets(browser: Browser, directory: Path) -> None:
    with show(browser, directory / "index.html") as made:
        targets = made.page.eval_on_selector_all("a", "(links) => links.map((link) => link.getAttribute('href'))")
        assert len(targets) == len(entries()) + 1
        assert all((directory / target).is_file() for target in targets)
        made.page.get_by_role("link", name="Migration paths of the printer fleet").click()
        made.page.get_by_role("link", name="Scanner").click()
        assert made.page.locator("h1").inner_text() == "Scanner"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", [*PAGES, "old"])
def test_axe_reports_nothing_serious(browser: Browser, directory: Path, name: str, theme: Any) -> None:
    with show(browser, directory / f"{name}.html", color_scheme=theme) as made:
        assert _serious(made) == []


def _serious(made: Opened) -> list[str]:
    violations = Axe().run(made.page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in violations if one["impact"] in ("serious", "critical")]


@pytest.mark.parametrize(("name", "most", "landscape"), [
    ("scanner", 2, False),
    ("lexmark", 2, False),
    ("erp", 3, False),
    ("index", 4, False),
    ("printer-fleet", 10, True),
])  # fmt: skip
def test_print_is_few_pages_of_a4(browser: Browser, directory: Path, name: str, most: int, landscape: bool) -> None:
    with show(browser, directory / f"{name}.html") as made:
        printed = made.page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]", printed)
    assert 1 <= len(boxes) <= most
    assert {float(width) > float(height) for width, height in boxes} == {landscape}
    assert {round(max(map(float, box))) for box in boxes} == {842}, "A4"


def test_print_is_black_on_white_also_in_the_dark(browser: Browser, directory: Path) -> None:
    with show(browser, directory / "scanner.html", color_scheme="dark") as made:
        colour = "getComputedStyle(document.body).backgroundColor"
        assert made.page.evaluate(colour) != "rgb(255, 255, 255)"
        made.page.emulate_media(media="print", color_scheme="dark")
        assert made.page.evaluate(colour) == "rgb(255, 255, 255)"
        assert made.page.evaluate("getComputedStyle(document.querySelector('i')).color") == "rgb(0, 0, 0)"


def test_nothing_is_cut_off_on_paper(browser: Browser, directory: Path) -> None:
    for name in PAGES:
        with show(browser, directory / f"{name}.html", viewport={"width": 680, "height": 900}) as made:
            made.page.emulate_media(media="print")
            wider = "[...document.querySelectorAll('pre, table, .scroll')].filter((node) => node.scrollWidth > node.clientWidth + 1).length"
            assert made.page.evaluate(wider) == 0, name


@pytest.mark.parametrize("width", [1440, 768, 390])
def test_the_page_is_never_wider_than_the_window(browser: Browser, directory: Path, width: int) -> None:
    for name in PAGES:
        with show(browser, directory / f"{name}.html", viewport={"width": width, "height": 900}) as made:
            assert made.page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_what_to_enter_is_in_sight_on_a_telephone(browser: Browser, directory: Path) -> None:
    for name in PAGES:
        with show(browser, directory / f"{name}.html", viewport={"width": 390, "height": 800}) as made:
            outside = "[...document.querySelectorAll('th, td')].filter((cell) => cell.getBoundingClientRect().right > innerWidth).length"
            assert made.page.evaluate(outside) == 0, name
            assert _serious(made) == []


def test_paper_has_the_address_of_a_link(browser: Browser, directory: Path) -> None:
    with show(browser, directory / "scanner.html") as made:
        made.page.emulate_media(media="print")
        added = "getComputedStyle(document.querySelector('a[href^=http]'), '::after').content"
        assert "docs/device-settings.md" in made.page.evaluate(added)


def test_what_is_not_verified_is_in_italics(browser: Browser, directory: Path) -> None:
    with show(browser, directory / "scanner.html") as made:
        row = made.page.locator("tr", has=made.page.get_by_role("rowheader", name="Server", exact=True))
        assert row.locator("td").all_inner_texts() == ["SMTP Server Name", "relay.contoso.com", "no"]
        assert row.locator("i").inner_text() == "SMTP Server Name"
        verified = made.page.locator("tr", has=made.page.get_by_role("rowheader", name="Encryption", exact=True))
        assert verified.locator("td").first.locator("i").count() == 0
