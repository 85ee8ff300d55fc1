"""Tables of the state file's keys, from the dataclasses: for docs/emulator.md."""

from __future__ import annotations

import inspect
from typing import Any

from emulator.settings import LAG_KINDS
from emulator.smtp.settings import SmtpSettings
from emulator.state import EnterpriseApplication
from emulator.statefile import directory, mailboxes
from emulator.statefile.codec import Record, Slot, slots_of
from emulator.statefile.document import StateDocument
from emulator.statefile.forms import Form, ListOf, MapOf

Row = tuple[str, str, str, str]  # key, type, default, meaning
# Keys that no field of the dataclass holds.
FURTHER: dict[str, list[tuple[str, str, str]]] = {
    "Tenant": [directory.RESOURCES_KEY],
    "Application": [directory.PRINCIPAL_KEY],
    "EnterpriseApplication": [directory.ROLES_KEY],
    "Mailbox": [mailboxes.GENERATE_KEY],
    "DeletedItem": [("application", "a mapping", "an application"), directory.PRINCIPAL_KEY],
}


def tables() -> list[tuple[str, str, list[Row]]]:
    """Every mapping of the state file: name, meaning, and its keys; in the order in which a reader meets them."""
    matches: list[tuple[str, str, list[Row]]] = []
    waiting: list[type[Any]] = [StateDocument]
    seen = set(waiting)
    while waiting:
        of = waiting.pop(0)
        matches.append((of.__name__, (inspect.getdoc(of) or "").partition("\n")[0], rows_of(of)))
        inner = _records(of)
        inner += [directory.GrantedRole] if of is EnterpriseApplication else []
        inner += [SmtpSettings] if any(slot.name == "options" for slot in slots_of(of)) else []
        waiting += [one for one in inner if one not in seen]
        seen |= set(inner)
    return matches


def _records(of: type[Any]) -> list[type[Any]]:
    """The dataclasses that the fields of another hold."""
    matches: list[type[Any]] = []
    for slot in slots_of(of):
        record = _record(slot)
        if record:
            matches += _records(record) if slot.key.inline else [record]
    return matches


def rows_of(of: type[Any]) -> list[Row]:
    rows: list[Row] = []
    for slot in sorted(slots_of(of), key=lambda slot: list(of.__dataclass_fields__).index(slot.field.name)):
        record = _record(slot)
        rows += rows_of(record) if slot.key.inline and record else [_row(slot)]
    return rows + [(f"`{name}`", kind.removeprefix("a "), "", meaning) for name, kind, meaning in FURTHER.get(of.__name__, [])]


def lag_kinds() -> list[tuple[str, str]]:
    return list(LAG_KINDS.items())


def _row(slot: Slot) -> Row:
    record, form = _record(slot), slot.form
    kind = slot.special.kind if slot.special and not record else form.kind
    if record:
        link = f"[{record.__name__}](#{record.__name__.lower()})"
        kind = link if isinstance(form, Record) else f"list of {link}"
    choices = [one for one in slot.key.choices if one]
    meaning = slot.key.meaning + (f"; one of {', '.join(choices)}" if choices else "")
    names = "any other" if slot.key.rest else ", ".join(f"`{name}`" for name in (slot.name, *slot.key.instead))
    return names, kind.removeprefix("a "), _default(slot), meaning


def _record(slot: Slot) -> type[Any] | None:
    """The dataclass of a slot's value or of its items."""
    form: Form = slot.form
    inner = form.form if isinstance(form, (ListOf, MapOf)) else form
    return inner.of if isinstance(inner, Record) else None


def _default(slot: Slot) -> str:
    if slot.key.rest:
        return ""
    if slot.key.default:
        return slot.key.default
    if slot.required:
        return "required"
    value = slot.field.default
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value) if isinstance(value, (str, int)) else ""
