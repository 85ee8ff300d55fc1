"""The pages that `make site` builds from: the index, and the links and labels that change on the way."""

from __future__ import annotations

import pytest

from scripts import build_site

from .tree import REPO, for_every, name, text, under

PAGES = [path for path in under("docs", ".md") if path.name != "README.md"]
DESCRIPTIONS = build_site.index_entries(text(REPO / "docs/README.md"))
MAIN = "https://github.com/mailops/m365/blob/main"


@for_every("page", PAGES, name)
def test_index_describes_every_page(page: object) -> None:
    """A page that the index does not list has no place in the navigation and no description for a search engine."""
    assert name(REPO / str(page)).removeprefix("docs/") in DESCRIPTIONS, "add to docs/README.md: - [Title](page.md): Description."


def test_descriptions_fit_a_search_result() -> None:
    assert len(set(DESCRIPTIONS.values())) == len(DESCRIPTIONS), "two pages have one description"
    wrong = {page: len(about) for page, about in DESCRIPTIONS.items() if not 50 <= len(about) <= 160 or not about.endswith(".")}
    assert not wrong, wrong


@pytest.mark.parametrize(
    ("target", "folder", "expected"),
    [
        ("setup.md#inventory", "", "setup.md#inventory"),
        ("#settings", "", "#settings"),
        ("modules.md#entra_app", "", "reference/entra_app_module.rst"),
        (f"{MAIN}/docs/modules.md#tenant", "roles", "../reference/tenant_module.rst"),
        (f"{MAIN}/docs/plan.md#exit", "roles", "../plan.md#exit"),
        (f"{MAIN}/roles/spf/README.md", "", "roles/spf.md"),
        (f"{MAIN}/roles/spf/README.md#dns", "roles", "../roles/spf.md#dns"),
        (f"{MAIN}/CONTRIBUTING.md", "roles", f"{MAIN}/CONTRIBUTING.md"),
        ("gitops/gitlab-ci.yml", "", f"{MAIN}/docs/gitops/gitlab-ci.yml"),
        ("https://postfix.org/x.md", "", "https://postfix.org/x.md"),
        ("../README.md#roles", "", "roles.md"),
    ],
)
def test_links_of_the_repository_become_links_of_the_site(target: str, folder: str, expected: str) -> None:
    assert build_site.site_target(target, folder) == expected


def test_links_in_code_are_not_changed() -> None:
    page = "[a](modules.md#tenant)\n\n```text\n[a](modules.md#tenant)\n```\n"
    assert build_site.site_links(page) == "[a](reference/tenant_module.rst)\n\n```text\n[a](modules.md#tenant)\n```\n"


def test_labels_of_other_documentation_become_addresses() -> None:
    page = ":ref:`here <common_return_values>`, :ref:`x <ansible_collections.mailops.m365.x_module>`, :envvar:`A\\_B`, :envvar:`C\\_D`"
    assert build_site.reference_page(page, "About.", {"C_D"}) == (
        ".. meta::\n  :description: About.\n\n"
        "`here <https://docs.ansible.com/ansible/latest/reference_appendices/common_return_values.html>`__, "
        ":ref:`x <ansible_collections.mailops.m365.x_module>`, ``A_B``, :envvar:`C\\_D`"
    )
