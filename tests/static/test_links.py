"""Links in the documentation lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

from .tree import REPO, files, for_every, name, text, under

OWN = "https://github.com/mailops/m365/blob/main"
PAGES = [path for path in files() if path.suffix == ".md"]
_LINK = re.compile(r"(?<!!)\[[^\]\[]*\]\(<?([^)\s>]+)>?\)|^\[[^\]]+\]: (\S+)", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the usual renderers make them."""
    seen_anchors: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", without_code(text(page)), re.MULTILINE):
        words = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-")
        number = sum(1 for other in seen_anchors if re.fullmatch(rf"{re.escape(anchor)}(-\d+)?", other))
        seen_anchors.add(f"{anchor}-{number}" if number else anchor)
    return seen_anchors


def without_code(content: str) -> str:
    return re.sub(r"^```.*?^```", "", content, flags=re.MULTILINE | re.DOTALL)


@for_every("page", PAGES, name)
def test_links_resolve(page: Path) -> None:
    for inline, reference in _LINK.findall(without_code(text(page))):
        target, _hash, anchor = (inline or reference).partition("#")
        target = target.removeprefix(f"{OWN}/")
        if re.match(r"https?:|mailto:", target):
            continue
        if target != (inline or reference).partition("#")[0]:
            assert (REPO / target).exists(), f"{target} does not exist"
            continue
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), f"{target} does not exist"
        assert path.is_relative_to(REPO), f"{target} is outside of the repository"
        if anchor and path.suffix == ".md":
            assert anchor in anchors(path), f"{name(path)} has no heading {anchor}"


@for_every("page", [REPO / "README.md", *under("roles", "README.md")], name)
def test_pages_that_galaxy_shows_have_absolute_links(page: Path) -> None:
    """Galaxy shows the README of the collection and of its roles away from the other files."""
    targets = [(inline or reference).partition("#")[0] for inline, reference in _LINK.findall(without_code(text(page)))]
    assert all(re.match(r"https?:|mailto:|$", target) for target in targets), targets


@for_every("page", PAGES, name)
def test_files_in_code_marks_exist(page: Path) -> None:
    """`roles/sender/README.md` in running text is a promise, too."""
    tops = "docs|emulator|inventories|molecule|playbooks|plugins|roles|scripts|testbed|tests|bench"
    for mention in re.findall(rf"`((?:{tops})/[\w./-]+)`", without_code(text(page))):
        assert (REPO / mention).exists(), f"{mention} does not exist"
