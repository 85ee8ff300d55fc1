"""The syntax tree of a script, by tree-sitter's grammar of PowerShell."""

from __future__ import annotations

import re
from collections.abc import Iterator

import tree_sitter
import tree_sitter_powershell

from emulator.windows.powershell.errors import Failure, OutsideSubsetError

Node = tree_sitter.Node
_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
# The grammar has a rule for every level of precedence; a level without an operator has one child.
_LEVELS = {
    "left_assignment_expression", "logical_expression", "bitwise_expression", "comparison_expression", "additive_expression",
    "multiplicative_expression", "format_expression", "range_expression", "array_literal_expression", "unary_expression",
    "argument_expression", "logical_argument_expression", "bitwise_argument_expression", "comparison_argument_expression",
    "additive_argument_expression", "multiplicative_argument_expression", "format_argument_expression", "range_argument_expression",
}  # fmt: skip
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


class Script:
    """A parsed script. A text that the grammar does not parse is refused before the first statement: it may be PowerShell, or none."""

    def __init__(self, source: str) -> None:
        self.source = source.replace("\r\n", "\n")
        self._bytes = self.source.encode()
        self.root = _PARSER.parse(self._bytes).root_node
        if self.root.has_error:
            raise self.refuse(next(_broken(self.root)), "a text that the grammar does not parse")

    def text(self, node: Node) -> str:
        return self._bytes[node.start_byte : node.end_byte].decode()

    def between(self, start: int, end: int) -> str:
        return self._bytes[start:end].decode()

    def refuse(self, node: Node, what: str = "") -> OutsideSubsetError:
        """The error for a node that the subset does not have."""
        line, column = node.start_point
        return OutsideSubsetError(f"{what or node.type} at line {line + 1}, column {column + 1}: {self.text(node)[:80]}")

    def located(self, failure: Failure, node: Node) -> Failure:
        """The failure with its place, unless a more exact one is known."""
        if not failure.line:
            row, column = node.start_point
            failure.line, failure.column = row + 1, column + 1
            failure.text = self.source.splitlines()[row].strip() if self.source.splitlines() else ""
        return failure


def _broken(node: Node) -> Iterator[Node]:
    for child in node.children:
        if child.is_error or child.is_missing:
            yield child
        elif child.has_error:
            yield from _broken(child)
    yield node


def reduced(node: Node) -> Node:
    """The node below the levels of precedence that have no operator here."""
    while node.type in _LEVELS and len(node.children) == 1:
        node = node.children[0]
    return node


def child(node: Node, kind: str) -> Node | None:
    return next((one for one in node.named_children if one.type == kind), None)


def required(node: Node, kind: str) -> Node:
    found = child(node, kind)
    if found is None:
        raise OutsideSubsetError(f"{node.type} without {kind}")
    return found


def verbatim(text: str) -> str:
    """A string in single quotes: '' is one quote (about_Quoting_Rules)."""
    return text[1:-1].replace("''", "'")


def here_string(text: str) -> str:
    """A verbatim here-string: the lines between @' and '@ (about_Quoting_Rules)."""
    return "\n".join(text.split("\n")[1:-1])


def expanded(text: str) -> str:
    """Escapes of a string in double quotes: a backtick and a character, two quotes for one (about_Special_Characters)."""
    return re.sub(r"`(.)|\"\"", lambda match: '"' if match[1] is None else _ESCAPES.get(match[1], match[1]), text, flags=re.DOTALL)


def whole_number(text: str) -> int:
    """An integer literal without a suffix, decimal or hexadecimal (about_Numeric_Literals)."""
    if re.fullmatch(r"0[xX][0-9a-fA-F]{1,8}", text):
        value = int(text, 16)
        return value - 2**32 if value >= 2**31 else value  # a literal of 32 bits has a sign
    if re.fullmatch(r"\d+", text) and int(text) < 2**63:
        return int(text)
    raise OutsideSubsetError(f"the number {text}")
