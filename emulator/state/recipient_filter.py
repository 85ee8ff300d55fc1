"""Recipient filters (OPATH): parsed, read back in the service's spacing, and matched against mailboxes.

Source: "Filterable properties for the RecipientFilter parameter on Exchange cmdlets"; New-ManagementScope. Played are the
comparisons -eq, -ne and -like, joined by -and, -or and -not; other operators and properties are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from emulator.state.exchange import Mailbox
from emulator.state.hve import HveAccount

TOKEN = re.compile(r"\s*(?:(?P<mark>[()])|(?P<text>'(?:[^']|'')*')|(?P<word>-?[A-Za-z][A-Za-z0-9]*|\$[A-Za-z]+))")
COMPARISONS = ("-eq", "-ne", "-like")
CUSTOM = tuple(f"CustomAttribute{number}" for number in range(1, 16))
PROPERTIES = {
    name.lower(): name
    for name in ("PrimarySmtpAddress", "EmailAddresses", "Alias", "DisplayName", "Name", "RecipientTypeDetails", "RecipientType", *CUSTOM)
}


class FilterError(Exception):
    """A filter that cannot be parsed; the text names the position."""


@dataclass(frozen=True)
class Comparison:
    name: str
    operator: str
    value: str

    def __str__(self) -> str:
        quoted = self.value.replace("'", "''")
        return f"{self.name} {self.operator} '{quoted}'"

    def matches(self, mailbox: Mailbox | HveAccount) -> bool:
        held = [value.lower() for value in _values(self.name, mailbox)]
        requested = self.value.lower()
        if self.operator == "-like":
            pattern = re.sub(r"[\[\]?]", lambda result: f"[{result[0]}]", requested)  # only * is a wildcard
            return any(fnmatchcase(value, pattern) for value in held)
        return (requested in held) == (self.operator == "-eq")


@dataclass(frozen=True)
class Junction:
    operator: str  # -and, -or
    parts: tuple[Filter, ...]

    def __str__(self) -> str:
        return "(" + f" {self.operator} ".join(_enclosed(part) for part in self.parts) + ")"

    def matches(self, mailbox: Mailbox | HveAccount) -> bool:
        matches = (part.matches(mailbox) for part in self.parts)
        return all(matches) if self.operator == "-and" else any(matches)


@dataclass(frozen=True)
class Negation:
    part: Filter

    def __str__(self) -> str:
        return f"-not{_enclosed(self.part)}"

    def matches(self, mailbox: Mailbox | HveAccount) -> bool:
        return not self.part.matches(mailbox)


Filter = Comparison | Junction | Negation


def _enclosed(part: Filter) -> str:
    text = str(part)
    return text if isinstance(part, Junction) else f"({text})"


def _values(name: str, mailbox: Mailbox | HveAccount) -> list[str]:
    """A property's values; addresses are known with and without their kind (SMTP:)."""
    if name == "EmailAddresses":
        own = [mailbox.address, *mailbox.aliases]
        return [*own, *(f"smtp:{address}" for address in own)]
    if name in CUSTOM:
        return [str(mailbox.properties.get(name) or "")] if isinstance(mailbox, Mailbox) else [""]
    known = {
        "PrimarySmtpAddress": mailbox.address,
        "Alias": mailbox.name,
        "Name": mailbox.name,
        "DisplayName": mailbox.display_name,
        "RecipientTypeDetails": mailbox.kind,
        "RecipientType": mailbox.recipient_type,
    }
    return [known[name]]


def parse(text: str) -> Filter:
    """A filter, else a FilterError."""
    parser = _Parser(text)
    result = parser.alternatives()
    if parser.tokens:
        raise FilterError(f"'{parser.tokens[0]}' is not expected")
    return result


class _Parser:
    """-not binds tighter than -and, -and tighter than -or."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        place = 0
        while text[place:].strip():
            match = TOKEN.match(text, place)
            if match is None:
                raise FilterError(f"'{text[place:].strip()[:20]}' is not understood")
            self.tokens.append(match[0].strip())
            place = match.end()

    def _next(self) -> str:
        if not self.tokens:
            raise FilterError("the filter ends too early")
        return self.tokens.pop(0)

    def _takes(self, word: str) -> bool:
        if self.tokens and self.tokens[0].lower() == word:
            self.tokens.pop(0)
            return True
        return False

    def alternatives(self) -> Filter:
        parts = [self._all()]
        while self._takes("-or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Junction("-or", tuple(parts))

    def _all(self) -> Filter:
        parts = [self._one()]
        while self._takes("-and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Junction("-and", tuple(parts))

    def _one(self) -> Filter:
        if self._takes("-not"):
            return Negation(self._one())
        if self._takes("("):
            inner = self.alternatives()
            if not self._takes(")"):
                raise FilterError("a parenthesis is not closed")
            return inner
        return self._comparison()

    def _comparison(self) -> Comparison:
        values, operator, value = self._next(), self._next().lower(), self._next()
        name = PROPERTIES.get(values.lower())
        if name is None:
            raise FilterError(f"'{values}' isn't a filterable property that is played here")
        if operator not in COMPARISONS:
            raise FilterError(f"the operator '{operator}' is not played here")
        if not value.startswith("'"):
            raise FilterError(f"'{value}' must be enclosed in quotation marks")
        return Comparison(name, operator, value[1:-1].replace("''", "'"))
