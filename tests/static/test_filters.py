"""No text goes into a filter or a key of OData or OPATH without the quoting function of its syntax."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from .tree import for_every_file, name, text, under

QUOTING = {"key", "literal"}
# What comes right before a value in quotation marks: a comparison, the key of an OData path, a prefix such as smtp: inside of them.
BEFORE = re.compile(r"(?:(?: |%20)eq(?: |%20)|-(?:eq|ne|like|notlike) |\w=)'(?:\w+:)?$")
# The quoting functions' own files.
OWN = {"plugins/module_utils/_clients/odata.py", "plugins/module_utils/_exchange/opath.py"}
SOURCES = [path for path in under("plugins/module_utils", ".py") if name(path) not in OWN]


def unquoted_values(tree: ast.AST) -> Iterator[int]:
    """The lines of f-strings that put a value into quotation marks of a filter or key by hand."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.JoinedStr):
            continue
        before = ""
        for part in node.values:
            if isinstance(part, ast.Constant):
                before = str(part.value)
                continue
            value = part.value if isinstance(part, ast.FormattedValue) else part
            called = value.func if isinstance(value, ast.Call) else None
            function = called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
            if BEFORE.search(before) and function not in QUOTING:
                yield node.lineno
            before = ""


@for_every_file(SOURCES)
def test_values_of_filters_are_quoted(path: Path) -> None:
    assert list(unquoted_values(ast.parse(text(path)))) == []


def test_the_check_recognizes_what_it_refuses() -> None:
    refused = [
        "f\"Alias -eq '{alias}'\"",
        "f\"EmailAddresses -eq 'smtp:{address}'\"",
        "f\"?$filter=displayName eq '{title}'\"",
        "f\"principalId%20eq%20'{one.id}'\"",
        "f\"/applications(uniqueName='{name}')\"",
    ]
    assert all(list(unquoted_values(ast.parse(source))) == [1] for source in refused)
    assert list(unquoted_values(ast.parse("f\"uniqueName eq '{key(name)}' {other}\""))) == []
