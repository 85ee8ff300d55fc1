"""How the state file writes the fields of the state's dataclasses: metadata that emulator/statefile reads.

A field without `key(...)` is not in the file. Its type says how a value is read, checked and written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Protocol

from emulator.well_known import derived_id

Moment = Annotated[float, "moment"]  # Unix seconds; the file may hold ISO 8601
Lower = Annotated[str, "lower"]  # kept in lower case
Base64 = Annotated[bytes, "base64"]
Replicating = Annotated[dict[str, tuple[float, Any]], "replicating"]  # a field's name -> until when its old value counts, old value


class UnfitError(ValueError):
    """A value that a field does not take. `key` names the place inside the value."""

    def __init__(self, text: str, key: str = "") -> None:
        super().__init__(text)
        self.key = key


class OwningTenant(Protocol):
    """What the keys of its parts read of a tenant (state/tenant.py). The classes of its parts are defined above this file."""

    id: Lower
    initial_domain: Lower
    mailboxes: dict[str, Any]
    enterprise_applications: dict[str, Any]
    billing_policies: dict[str, Any]
    policies: Any

    @property
    def accepted_domains(self) -> list[str]: ...

    def mailbox(self, name: str, /) -> Any: ...

    def enterprise_application(self, app_id: str, /) -> Any: ...

    def trustee_sid(self, name: str, /) -> str | None: ...


@dataclass
class At:
    """The surroundings of a value: fields of its object that were read before, the object's owner, and the tenant."""

    base: Path  # relative paths start here
    values: dict[str, Any] = field(default_factory=dict)
    parent: At | None = None
    owning_tenant: OwningTenant | None = None

    def __getitem__(self, name: str) -> Any:
        """A field that was read; None where the file does not have it and nothing is derived."""
        return self.values.get(name)

    @property
    def owner(self) -> At:
        """The object that holds this one."""
        if self.parent is None:
            raise LookupError("a part outside of its owner")
        return self.parent

    @property
    def tenant(self) -> OwningTenant:
        if self.owning_tenant is None:
            raise LookupError("a part outside of a tenant")
        return self.owning_tenant


Convert = Callable[[Any, At], Any]


@dataclass(frozen=True)
class Key:
    """One key of the state file. Only `meaning` has to be given."""

    meaning: str
    name: str = ""  # where it is not the field's name
    choices: Collection[str] = ()  # of a text, or of each text of a list
    keys: Collection[str] = ()  # of a mapping
    least: float | None = None
    most: float | None = None
    derive: Callable[[At], Any] | None = None  # the default, where it depends on other fields; None: the key is required
    default: str = ""  # in words, for the documentation
    convert: Convert | None = None  # from the value in the file; raises UnfitError
    write: Callable[[Any], Any] | None = None  # the inverse
    instead: Mapping[str, Convert] = field(default_factory=dict)  # keys that may be given instead of this one
    index: str = ""  # a dict that the file holds as a list: the attribute that its items are found by
    fold: bool = False  # the index is in lower case
    entry: str = ""  # a dict of moments that the file holds as a list of names, or of {entry: name, effective_from: moment}
    late: bool = False  # read when the object exists
    after: bool = False  # read after the other fields
    inline: bool = False  # its keys are the owner's
    rest: bool = False  # takes all keys that no other field takes
    omit: bool = False  # not written where it has its default


def key(meaning: str, **options: Any) -> dict[str, Key]:
    """Metadata of a dataclass field. Options: the fields of Key."""
    return {"key": Key(meaning, **options)}


def derived(kind: str, *names: str, of_owner: str = "") -> dict[str, Any]:
    """Options of a key whose default is an id that is the same in every run."""

    def derive(at: At) -> str:
        first = at.owner[of_owner] if of_owner else at.tenant.id
        return derived_id(first, kind, *(str(at[name]) for name in names))

    return {"derive": derive, "default": f"derived from {', '.join(names)}"}
