"""A file imports only from its own layer and from lower ones; only the entry points import Ansible."""

from __future__ import annotations

from pathlib import Path

from .tree import PACKAGE, REPO, for_every_file, imports, name, under

UTILS = f"{PACKAGE}.module_utils"
# From the bottom. A file may import from its own folder and from those before it.
LAYERS = (
    "error_catalog",
    "_core",
    "_http",
    "_identity",
    "_spf",
    "_clients",
    "_hosted",
    "_windows",
    "_engine",
    "_entra",
    "_exchange",
    "_products",
    "_planning",
    "_sheets",
    "_audit",
    "_verification",
    "_diagnosis",
    "_relay/agent",
    "_relay/config",
    "_composition",
    "resources",
    "_entry_points",
    "_report",
    "explain",
)
FILES = under("plugins/module_utils", ".py")


def layer_of(module: str) -> int | None:
    """The number of the layer that a module below module_utils is in; None for a folder that only holds layers."""
    return next((number for number, layer in enumerate(LAYERS) if f"{module}.".startswith(layer.replace("/", ".") + ".")), None)


def test_imports_point_down() -> None:
    wrong = []
    for path in FILES:
        here = layer_of(path.relative_to(REPO / "plugins/module_utils").with_suffix("").as_posix().replace("/", "."))
        ours = {full.removeprefix(f"{UTILS}.") for full in imports(path) if full.startswith(f"{UTILS}.")}
        above = {module for module in ours if here is not None and (layer_of(module) or 0) > here}
        wrong += [f"{name(path)} imports {', '.join(sorted(above))}"] if above else []
    assert not wrong


def test_every_file_is_in_a_layer() -> None:
    """A folder beside the layers holds nothing but them."""
    paths = [path.relative_to(REPO / "plugins/module_utils") for path in FILES]
    loose = [path for path in paths if layer_of(path.with_suffix("").as_posix().replace("/", ".")) is None and path.name != "__init__.py"]
    assert not loose


@for_every_file([path for path in FILES if path.parent.name != "_entry_points"])
def test_only_entry_points_import_ansible(path: Path) -> None:
    assert not {full for full in imports(path) if full.split(".")[0] == "ansible"}


@for_every_file(under("plugins", ".py"))
def test_no_private_import_from_ansible(path: Path) -> None:
    private = {full for full in imports(path) if full.startswith("ansible.") and "._" in full}
    assert not private


@for_every_file(under("plugins/modules", ".py"))
def test_module_is_only_an_entry_point(path: Path) -> None:
    allowed = ("__future__", f"{UTILS}._entry_points", f"{UTILS}.resources")
    assert all(full.startswith(allowed) for full in imports(path) if full != UTILS), imports(path)


@for_every_file(under("emulator", ".py"))
def test_the_emulator_shares_no_code_with_what_it_tests(path: Path) -> None:
    assert not {full for full in imports(path) if "module_utils" in full or full.split(".")[0] == "ansible"}


def test_the_layers_exist() -> None:
    assert all((REPO / "plugins/module_utils" / layer / "__init__.py").is_file() for layer in LAYERS)
