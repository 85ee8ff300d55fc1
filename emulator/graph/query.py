"""Query options: $select, $filter, $top and paging, as far as directory objects support them.

Source: "Use query parameters to customize Microsoft Graph responses" and "Advanced query capabilities on Microsoft
Entra ID objects" (what needs ConsistencyLevel: eventual and $count=true).
"""

from __future__ import annotations

import base64
import binascii
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from emulator.graph.call import Call
from emulator.graph.errors import bad_request, unsupported_query
from emulator.graph.types import TYPES
from emulator.http import Response

Document = dict[str, Any]
Test = Callable[[Document], bool]

KNOWN_OPTIONS = {"$select", "$filter", "$top", "$count", "$orderby", "$search", "$expand", "$skiptoken", "$format"}
DEFAULT_PAGE, LARGEST_PAGE = 100, 999
# What ge, gt, le and lt fit here, without the advanced query capabilities.
ORDERS: dict[str, Callable[[Any, Any], bool]] = {"ge": operator.ge, "gt": operator.gt, "le": operator.le, "lt": operator.lt}
COMPARABLE = {"signIn": {"createdDateTime"}, "betaSignIn": {"createdDateTime"}}
NOT_FILTERABLE = {"application": {"uniqueName"}}  # its description does not have "Supports $filter"; it is a key
TOKEN = re.compile(r"\s*('(?:[^']|'')*'|[(),]|[\w./:@+-]+)")


def check_options(call: Call, type_name: str, *, many: bool) -> None:
    for name in call.options:
        if name.startswith("$") and name not in KNOWN_OPTIONS:
            raise bad_request(f"The query parameter '{name}' is not supported.", "BadRequest")
    if not many and call.options.keys() & {"$filter", "$top", "$search", "$orderby"}:
        raise bad_request("Query options that page or filter fit a collection only.", "BadRequest")
    if "$expand" in call.options or "$search" in call.options:
        raise unsupported_query("Unsupported Query.")
    for name in _selected(call):
        if name not in TYPES[type_name]:
            text = f"Parsing OData Select and Expand failed: Could not find a property named '{name}' on type "
            raise bad_request(f"{text}'microsoft.graph.{type_name}'.", "BadRequest")


def _selected(call: Call) -> list[str]:
    return [name.strip() for name in call.options.get("$select", "").split(",") if name.strip()]


def select(call: Call, document: Document) -> Document:
    names = _selected(call)
    return {name: document[name] for name in ("@odata.type", *names) if name in document} if names else document


def one(call: Call, type_name: str, document: Document, fragment: str, status: int = 200) -> Response:
    """A single object, its properties selected."""
    check_options(call, type_name, many=False)
    body = {"@odata.context": call.context(f"{fragment}/$entity")} | select(call, document)
    return Response(status, body)


def page(
    call: Call,
    type_name: str,
    rows: Iterable[Any],
    fragment: str,
    show: Callable[[Any], Document] = dict,
    largest: int = LARGEST_PAGE,
) -> Response:
    """A page of the rows that $filter leaves, with a nextLink where there are more; `show` makes documents of them.

    Without $filter and $orderby only the documents of the page are built, however many objects there are.
    """
    check_options(call, type_name, many=True)
    result: Sequence[Any] = rows if isinstance(rows, Sequence) else list(rows)
    if call.options.get("$filter"):
        test = parse_filter(call, type_name)
        result, show = [document for document in map(show, result) if test(document)], dict
    if call.options.get("$orderby"):
        result, show = _ordered(call, type_name, [show(row) for row in result]), dict
    size = _page_size(call, largest)
    start = _offset(call)
    body: Document = {"@odata.context": call.context(fragment)}
    if call.options.get("$count") == "true":
        body["@odata.count"] = len(result)
    if start + size < len(result):
        body["@odata.nextLink"] = _next_link(call, start + size)
    body["value"] = [select(call, show(row)) for row in result[start : start + size]]
    return Response(200, body)


def _page_size(call: Call, largest: int) -> int:
    text = call.options.get("$top")
    if text is None:
        return largest if largest > LARGEST_PAGE else DEFAULT_PAGE
    if not text.isdigit() or not 1 <= int(text) <= largest:
        raise bad_request(f"Invalid page size specified: '{text}'. Must be between 1 and {largest} inclusive.")
    return int(text)


def _ordered(call: Call, type_name: str, documents: list[Document]) -> list[Document]:
    name, _, direction = call.options["$orderby"].partition(" ")
    if name not in TYPES[type_name] or direction not in ("", "asc", "desc"):
        raise bad_request(f"Invalid $orderby clause '{call.options['$orderby']}'.", "BadRequest")
    if call.options.get("$filter"):
        _need_advanced(call)
    return sorted(documents, key=lambda d: str(d.get(name)).casefold(), reverse=direction == "desc")


def _next_link(call: Call, offset: int) -> str:
    token = base64.urlsafe_b64encode(f"DSpt\x02{call.path}\x00{offset}".encode()).decode().rstrip("=")
    options = {k: v for k, v in call.options.items() if k != "$skiptoken"} | {"$skiptoken": token}
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in options.items())
    return f"{call.url(call.path.strip('/'))}?{query}"


def _offset(call: Call) -> int:
    token = call.options.get("$skiptoken")
    if token is None:
        return 0
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    head, _, offset = text.partition("\x00")
    if head != f"DSpt\x02{call.path}" or not offset.isdigit():
        raise bad_request("The specified page token value is not valid.", "Directory_InvalidPageToken")
    return int(offset)


def _need_advanced(call: Call) -> None:
    if call.headers.get("consistencylevel", "").lower() != "eventual" or call.options.get("$count") != "true":
        raise unsupported_query("Unsupported Query. Use ConsistencyLevel: eventual and $count=true.")


def parse_filter(call: Call, type_name: str) -> Test:
    """A $filter expression as a test of documents: eq, ne, in, startswith, endswith, any, and, or, not."""
    text = call.options["$filter"]
    tokens = _tokens(text)
    parser = _Parser(call, type_name, tokens)
    test = parser.alternatives()
    if parser.tokens:
        raise bad_request(f"Invalid filter clause near '{parser.tokens[0]}'.", "BadRequest")
    return test


def _tokens(text: str) -> list[str]:
    tokens, position, text = [], 0, text.rstrip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise bad_request(f"Invalid filter clause: syntax error at position {position}.", "BadRequest")
        tokens.append(match.group(1))
        position = match.end()
    return tokens


class _Parser:
    def __init__(self, call: Call, type_name: str, tokens: list[str]) -> None:
        self.call = call
        self.type_name = type_name
        self.tokens = tokens

    def next(self, expected: str | None = None) -> str:
        if not self.tokens or (expected and self.tokens[0].lower() != expected):
            raise bad_request("Invalid filter clause: syntax error.", "BadRequest")
        return self.tokens.pop(0)

    def peek(self) -> str:
        return self.tokens[0].lower() if self.tokens else ""

    def alternatives(self) -> Test:
        tests = [self.conjunction()]
        while self.peek() == "or":
            self.next()
            tests.append(self.conjunction())
        if len(tests) > 15:
            raise unsupported_query("Too many child clauses specified in search filter expression.")
        return tests[0] if len(tests) == 1 else lambda document: any(test(document) for test in tests)

    def conjunction(self) -> Test:
        tests = [self.term()]
        while self.peek() == "and":
            self.next()
            tests.append(self.term())
        return tests[0] if len(tests) == 1 else lambda document: all(test(document) for test in tests)

    def term(self) -> Test:
        word = self.next()
        if word == "(":
            test = self.alternatives()
            self.next(")")
            return test
        if word.lower() == "not":
            _need_advanced(self.call)
            inner = self.term()
            return lambda document: not inner(document)
        if self.peek() == "(" and word.lower() in ("startswith", "endswith"):
            return self.function(word.lower())
        if self.peek() == "(" and word.endswith("/any"):
            return self.any_of(word.removesuffix("/any"))
        return self.comparison(word)

    def function(self, name: str) -> Test:
        if name == "endswith":
            _need_advanced(self.call)
        self.next("(")
        read = self.reader(self.next())
        self.next(",")
        requested = str(self.literal(self.next())).casefold()
        self.next(")")
        method = str.startswith if name == "startswith" else str.endswith
        return lambda document: method(str(read(document) or "").casefold(), requested)

    def any_of(self, path: str) -> Test:
        """collection/any(x:x eq 'value')"""
        read = self.reader(path)
        self.next("(")
        variable, _, first = self.next().partition(":")
        if first != variable:
            raise unsupported_query("Unsupported lambda expression.")
        comparison = self.next().lower()
        requested = self.literal(self.next())
        self.next(")")
        if comparison != "eq":
            raise unsupported_query("Unsupported lambda expression.")
        return lambda document: any(_same(item, requested) for item in read(document) or ())

    def comparison(self, path: str) -> Test:
        read = self.reader(path)
        word = self.next().lower()
        if word == "in":
            self.next("(")
            requested = [self.literal(self.next())]
            while self.peek() == ",":
                self.next()
                requested.append(self.literal(self.next()))
            self.next(")")
            if len(requested) > 15:
                raise unsupported_query("Too many values in the 'in' expression.")
            return lambda document: any(_same(read(document), value) for value in requested)
        value = self.literal(self.next())
        if word in ORDERS and path in COMPARABLE.get(self.type_name, ()):
            return self.order(read, ORDERS[word], value)
        if word == "eq":
            return lambda document: _same(read(document), value)
        if word == "ne":
            _need_advanced(self.call)
            return lambda document: not _same(read(document), value)
        raise unsupported_query(f"Unsupported or invalid query filter operator '{word}' for property '{path}'.")

    def order(self, read: Callable[[Document], Any], compare: Callable[[Any, Any], bool], value: Any) -> Test:
        """Before or after a point in time."""
        limit = _moment(value)
        if limit is None:
            raise bad_request(f"Invalid filter clause: '{value}' is no DateTimeOffset.", "BadRequest")
        return lambda document: compare(_moment(read(document)), limit)

    def reader(self, path: str) -> Callable[[Document], Any]:
        names = path.split("/")
        if names[0] not in TYPES[self.type_name]:
            text = f"Could not find a property named '{names[0]}' on type 'microsoft.graph.{self.type_name}'."
            raise bad_request(f"Invalid filter clause: {text}", "BadRequest")
        if names[0] in NOT_FILTERABLE.get(self.type_name, ()):
            text = f"Unsupported or invalid query filter clause specified for property '{names[0]}' of resource "
            raise unsupported_query(f"{text}'{self.type_name.capitalize()}'.")

        def read(document: Document) -> Any:
            value: Any = document
            for name in names:
                value = value.get(name) if isinstance(value, dict) else None
            return value

        return read

    def literal(self, text: str) -> Any:
        if text.startswith("'"):
            return text[1:-1].replace("''", "'")
        words = {"true": True, "false": False, "null": None}
        if text.lower() in words:
            return words[text.lower()]
        if re.fullmatch(r"-?\d+", text):
            return int(text)
        if re.fullmatch(r"[0-9a-fA-F-]{36}|\d{4}-\d\d-\d\d(T[\d:.]+Z?)?", text):
            return text
        raise bad_request(f"Invalid filter clause: '{text}' is no literal.", "BadRequest")


def _moment(value: Any) -> datetime | None:
    try:
        result = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return result if result.tzinfo else result.replace(tzinfo=UTC)


def _same(result: Any, requested: Any) -> bool:
    """Directory strings compare without regard to case."""
    if isinstance(result, str) and isinstance(requested, str):
        return result.casefold() == requested.casefold()
    return bool(result == requested)
