"""No file imports, directly or through others, a file that imports it: imports for types are imports, too."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from .tree import PACKAGE, REPO, imports, under

ROOTS = {"emulator": REPO, "plugins/module_utils": REPO / "plugins"}


def module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("folder", ROOTS)
def test_imports_have_no_circle(folder: str) -> None:
    prefix = f"{PACKAGE}." if folder.startswith("plugins") else ""
    modules = {prefix + module_name(path, ROOTS[folder]): path for path in under(folder, ".py")}
    packages = {module for module, path in modules.items() if path.name == "__init__.py"}
    graph = {}
    for module, path in modules.items():
        # `from package import module` inside of the package imports the module, not what its __init__ imports.
        own = {full for full in packages if module.startswith(f"{full}.")}
        graph[module] = {full for full in imports(path) if full in modules} - own - {module}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
