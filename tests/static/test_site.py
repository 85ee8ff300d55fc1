"""`make site`: the documentation builds as a site that works without the network, and its links lead somewhere."""

from __future__ import annotations

import functools
import re
import subprocess
import urllib.parse
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.e2e.browser import started

from .tree import REPO, modules, roles, under

pytestmark = [pytest.mark.tier_all, pytest.mark.one_python_is_enough, pytest.mark.xdist_group("site")]  # built once

# Elements with an address that a browser loads by itself.
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
# Links that it does not load.
RELATIONS = {"canonical", "index", "search", "next", "prev", "author", "copyright", "genindex"}
# Pages that Sphinx makes itself.
SPHINX = {"genindex.html", "search.html"}
# A desktop screen and a telephone.
WIDTHS = (1440, 390)
NARROW = "[...document.querySelectorAll('td')].some((cell) => cell.textContent.length > 40 && cell.clientWidth < 80)"


class SitePage(HTMLParser):
    """A page's anchors, title, description and addresses."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids, self.title, self.description = set[str](), "", ""
        self.links, self.loaded = list[str](), list[str]()
        self._in_title = False
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        self.ids |= {values[key] for key in ("id", "name") if key in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag in LOADED and LOADED[tag] in values and values.get("rel") not in RELATIONS:
            self.loaded.append(values[LOADED[tag]])
        if tag == "meta" and values.get("name") == "description":
            self.description = values["content"]
        self._in_title = tag == "title" and not self.title

    def handle_data(self, data: str) -> None:
        self.title += data if self._in_title else ""
        self._in_title = False


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; Sphinx and antsibull-docs fail on a warning."""
    python = REPO / ".venv-docs/bin/python"
    if not python.exists():
        pytest.skip("Sphinx is not installed: it is the package Sphinx")
    target = tmp_path_factory.mktemp("site") / "html"
    done = subprocess.run([python, REPO / "scripts/build_site.py", "--output", target], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, SitePage]:
    """The site's pages by their path."""
    return {path.relative_to(site).as_posix(): SitePage(path) for path in site.rglob("*.html") if "_static" not in path.parts}


def test_every_source_has_a_page(pages: dict[str, SitePage]) -> None:
    expected = {f"{path.stem}.html" for path in under("docs", ".md") if path.name != "README.md"} | {"index.html", "roles.html"}
    expected |= {f"reference/{module}_module.html" for module in modules()}
    expected |= {f"roles/{role}.html" for role in roles()} | {f"reference/{role}_role.html" for role in roles()}
    filters = {path.stem for path in under("plugins/filter", ".yml")} | {"explain", "tenant_relays"}
    expected |= {f"reference/{one}_filter.html" for one in filters}
    expected |= {f"reference/{path.stem}_callback.html" for path in under("plugins/callback", ".py")}
    assert not expected - set(pages)


def test_links_lead_to_a_page_and_an_anchor_of_it(site: Path, pages: dict[str, SitePage]) -> None:
    @functools.cache
    def resolved(path: Path) -> str:
        return path.resolve().relative_to(site.resolve()).as_posix() if path.resolve().is_relative_to(site.resolve()) else ""

    broken, checked = [], 0
    for name, page in pages.items():
        for link in page.links:
            address = urllib.parse.urlsplit(link)
            if address.scheme or address.netloc:
                continue
            target = resolved(site / name if not address.path else site / Path(name).parent / urllib.parse.unquote(address.path))
            checked += 1
            anchor = urllib.parse.unquote(address.fragment)
            if not target or not (site / target).is_file() or (anchor and target in pages and anchor not in pages[target].ids):
                broken.append(f"{name}: {link}")
    assert checked > 1000
    assert not broken, "\n".join(broken)


def test_links_into_the_repository_lead_to_a_file(pages: dict[str, SitePage]) -> None:
    targets = {link for page in pages.values() for link in page.links if link.startswith("https://github.com/mailops/m365/blob/main/")}
    assert targets
    missing = [link for link in targets if not (REPO / urllib.parse.urlsplit(link).path.partition("/main/")[2]).exists()]
    assert not missing


def test_nothing_is_loaded_from_another_host(site: Path, pages: dict[str, SitePage]) -> None:
    loaded = {(name, address) for name, page in pages.items() for address in page.loaded}
    assert loaded
    assert not [(name, address) for name, address in loaded if re.match(r"([a-z]+:)?//", address)]
    styles = [path for path in site.rglob("*.css") if re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", path.read_text("utf-8"))]
    assert not styles


def test_every_page_has_a_title_and_a_description_of_its_own(pages: dict[str, SitePage]) -> None:
    own = {name: page for name, page in pages.items() if name not in SPHINX}
    assert not [name for name, page in own.items() if len(page.description) < 30 or not page.title.endswith("- mailops.m365 0.1.0")]
    for texts in ([page.title for page in own.values()], [page.description for page in own.values()]):
        assert not {one for one in texts if texts.count(one) > 1}


def test_search_finds_a_code_a_variable_and_a_word(site: Path) -> None:
    """From files, without a server."""
    expected = {"AADSTS7000215": "errors.html", "m365_plan_expected": "plan.html", "hMailServer": "windows.html"}
    with started() as browser:
        for term, target in expected.items():
            page = browser.new_page()
            page.goto(f"{(site / 'search.html').as_uri()}?q={term}")
            page.wait_for_selector(f"#search-results a[href*='{target}']", timeout=120_000)
            page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_fit_the_screen(site: Path, pages: dict[str, SitePage], width: int) -> None:
    """No page scrolls sideways, because a wide table scrolls by itself, and no column is as narrow as a few letters."""
    wide, narrow, requests = [], [], list[str]()
    with started() as browser:
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.on("request", lambda request: requests.append(request.url))
        for name in sorted(pages):
            page.goto((site / name).as_uri(), wait_until="domcontentloaded")
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wide.append(name)
            if page.evaluate(NARROW):
                narrow.append(name)
    assert not wide
    assert not narrow
    assert len(requests) > len(pages)
    assert not [url for url in requests if not url.startswith(("file:", "data:"))]
