"""Imports only point down: resources know clients, clients know the transport, and one file knows Ansible."""

from __future__ import annotations

from pathlib import Path

import pytest

from .tree import PACKAGE, REPO, imports, name, under

UTILS = f"{PACKAGE}.module_utils"
# From the bottom. A file may import from its own layer and from those below. A new file has to be given its place here.
LAYERS = (
    {"authorization", "conditional_access", "error_table", "errors", "federation", "networks", "opath"}
    | {"redaction", "relay_report", "report", "spec", "spf"},
    {"certificates", "clouds", "identity", "transport"},
    {"arm", "authorized", "dns", "dns_update", "exchange", "graph", "run_facts", "smtp"},
    {"addresses", "authentication_policies", "journal", "machine", "replication", "tenant"},
    {"applications", "engine", "entra", "intent", "mail_exchangers", "mailbox_delegates", "probe", "rbac", "relay", "user_sign_in"},
    {"resources"},
    {"doors"},
)
FILES = under("plugins/module_utils", ".py")


def part_of(path: Path) -> str:
    return path.relative_to(REPO / "plugins/module_utils").parts[0].removesuffix(".py")


def layer_of(part: str) -> int:
    places = [number for number, layer in enumerate(LAYERS) if part in layer]
    assert places, f"{part}: give it a place in LAYERS"
    return places[0]


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_point_down(path: Path) -> None:
    here = layer_of(part_of(path))
    ours = {full.removeprefix(f"{UTILS}.").split(".")[0] for full in imports(path) if full.startswith(f"{UTILS}.")}
    above = {part for part in ours if layer_of(part) > here}
    assert not above, f"{name(path)} imports {', '.join(sorted(above))}, which stand above it"


@pytest.mark.parametrize("path", [path for path in FILES if path.stem != "doors"], ids=name)
def test_only_the_doors_know_ansible(path: Path) -> None:
    assert not {full for full in imports(path) if full.split(".")[0] == "ansible"}


@pytest.mark.parametrize("path", under("plugins", ".py"), ids=name)
def test_no_private_part_of_ansible(path: Path) -> None:
    private = {full for full in imports(path) if full.startswith("ansible.") and "._" in full}
    assert not private


@pytest.mark.parametrize("path", under("plugins/modules", ".py"), ids=name)
def test_a_module_is_a_door_and_nothing_else(path: Path) -> None:
    allowed = ("__future__", f"{UTILS}.doors", f"{UTILS}.resources")
    assert all(full.startswith(allowed) for full in imports(path) if full != UTILS), imports(path)


@pytest.mark.parametrize("path", under("emulator", ".py"), ids=name)
def test_the_emulator_shares_no_code_with_what_it_tests(path: Path) -> None:
    assert not {full for full in imports(path) if "module_utils" in full or full.split(".")[0] == "ansible"}


def test_the_layers_name_files_that_exist() -> None:
    assert set().union(*LAYERS) <= {part_of(path) for path in FILES}
