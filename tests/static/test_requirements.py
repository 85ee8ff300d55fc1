"""What the code imports stands in the requirements file of those who run it, so that a fresh machine has it."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from pathlib import Path

from .tree import REPO, for_every, imports, text, under

FILES = ("requirements.txt", "emulator/requirements.txt", "tests/requirements.txt")
CLIENTS = "tests/requirements-clients.txt"  # of an environment of its own
IMPORTER = "tests/requirements-importer.txt"  # likewise
DOCS = "tests/requirements-docs.txt"  # likewise
# Who runs a folder's code has installed so many of the files.
INSTALLED = {"plugins": 1, "emulator": 2, "tests": 3, "scripts": 3, "bench": 3, "testbed": 2}
OURS = {"ansible_collections", "emulator", "scripts", "testbed", "tests", "bench", "molecule"}


def required(files: tuple[str, ...]) -> set[str]:
    lines = [line for file in files for line in text(REPO / file).splitlines()]
    return {name_match[0].lower().replace("_", "-") for line in lines if (name_match := re.match(r"[\w-]+", line))}


@for_every("file", [*FILES, CLIENTS, IMPORTER, DOCS])
def test_requirements_are_listed(file: str) -> None:
    assert required((file,))


@for_every("folder", INSTALLED)
def test_imports_are_required(folder: str) -> None:
    distributions = importlib.metadata.packages_distributions()
    known = required(FILES[: INSTALLED[folder]])
    missing: dict[str, Path] = {}
    for path in under(folder, ".py"):
        if path.is_relative_to(REPO / "tests/emulator/clients"):
            continue  # run where CLIENTS is installed
        for top in {full.partition(".")[0] for full in imports(path)} - set(sys.stdlib_module_names) - OURS:
            names = {name.lower().replace("_", "-") for name in distributions.get(top, [top])}
            # A module that stands beside the importing file (a script's neighbour) belongs to no distribution.
            if not names & known and not (path.parent / f"{top}.py").exists():
                missing[top] = path
    assert not missing, f"not in {', '.join(FILES[: INSTALLED[folder]])}"
