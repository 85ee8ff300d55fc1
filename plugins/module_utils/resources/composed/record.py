# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of what this collection creates and changes for senders: tags of an application that has no other purpose.

The application exists in every tenant in which there is something to record, whether senders use an app or not, and it has neither a
credential nor a permission. A tag is `mailops:<owner>:<kind>:<name>,<name>...:<value>`: entries that differ by the name only share
tags. Names and values are percent-encoded.
Sources: Microsoft Graph v1.0, "application resource type" (tags: custom strings); "Validation differences by supported account types"
(a tag has 1 to 256 characters and no whitespace; about 1,000 items in all collections of an application).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from urllib.parse import quote, unquote

from ..._clients import permissions
from ..._clients.graph import Call
from ..._clients.odata import key
from ..._clients.permissions import RequiredPermission
from ..._core.errors import GraphError, InvalidInput
from ..._core.params import NoParams
from ..._core.spec import JOURNAL, TENANT, Spec
from ..._engine.resource import Plan
from ..._engine.tenant import Tenant
from ..._entra import deleted_applications
from ..._entra.applications import is_replication_delay
from ..._planning import ownership

UNIQUE_NAME = ownership.RECORD_NAME
_DISPLAY_NAME = "mailops.m365 record"
_NOTES = "Record of what mailops.m365 has created. Its tags are the data. Do not delete."
_PATH = f"/applications(uniqueName='{key(UNIQUE_NAME)}')"
READ = Call("GET", f"{_PATH}?$select=id,tags", attempted="read the record of what was created")
_DENIED = ("Authorization_RequestDenied", "AccessDenied")

# Kinds of entries, and what the value is.
ACCESS = "access"  # a mailbox with permissions of an application: its unique name
HVE_ACCESS = "hve_access"  # a High Volume Email account that an application may send with: its unique name
SMTP_AUTH = "smtp_auth"  # a mailbox whose SMTP AUTH is enabled: the setting before
POLICY = "policy"  # a mailbox with the owner's authentication policy: the policy before, empty for the organization's default
DIRECT_SEND = "direct_send"  # the organization, where senders use Direct Send: REJECTED where it was rejected before
CONSENT = "consent"  # an application that senders need a permission for: the permission
GRANTED_CONSENT = "granted_consent"  # an application that was given a permission: the permission
MAILBOX, HVE_ACCOUNT, APPLICATION = "mailbox", "hve_account", "application"  # what was created
SMTP_USERNAME = "smtp_username"  # an SMTP username that was created: its Communication Services resource (see resource_of)
ACS_ROLE = "acs_role"  # an application that was assigned the role to send with a Communication Services resource: that resource
# The roles that create or change what the entries of a kind are about.
ROLES = {
    ACCESS: "entra_app",
    HVE_ACCESS: "hve_account",
    SMTP_AUTH: "smtp_auth",
    POLICY: "authentication_policy",
    DIRECT_SEND: "direct_send",
    CONSENT: "entra_app",
    GRANTED_CONSENT: "entra_app",
    MAILBOX: "shared_mailbox",
    HVE_ACCOUNT: "hve_account",
    APPLICATION: "entra_app",
    SMTP_USERNAME: "acs_smtp_username",
    ACS_ROLE: "acs_smtp_username",
}
OF_APPLICATIONS = frozenset({ACCESS, HVE_ACCESS})  # kinds whose value is an application
OF_ACS = frozenset({SMTP_USERNAME, ACS_ROLE})
WITH_VALUE = OF_APPLICATIONS | OF_ACS | {CONSENT, GRANTED_CONSENT}  # kinds of which a name may have several entries
OF_ACCOUNTS = frozenset({HVE_ACCESS, HVE_ACCOUNT})
OF_MAILBOXES = OF_ACCOUNTS | {ACCESS, SMTP_AUTH, POLICY, MAILBOX}  # kinds that are named by an address
ORGANIZATION, REJECTED = "organization", "rejected"
_PREFIX = "mailops"
_TAG_LENGTH = 256  # characters
_MAX_TAGS = 950  # of an application, whose other collections are empty
_UNENCODED = "@/!#$&'*+=?^`{|}"  # of addresses and permissions, beside letters, digits and _.-~


class Entry(NamedTuple):
    """One entry. `name`: an address in lower case, the unique name of an application, the name of an SMTP username, or ORGANIZATION."""

    kind: str
    name: str
    value: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What the entry is about: access by its application, too, and consent by its permission."""
        return (self.kind, self.name, self.value if self.kind in WITH_VALUE else "")


Key = tuple[str, str, str]


@dataclass(frozen=True)
class Record:
    """The entries of one owner, those of the other owners by owner, and all other tags. `exists`: whether there is the application."""

    entries: frozenset[Entry] = frozenset()
    by_owner: Mapping[str, frozenset[Entry]] = field(default_factory=dict)
    other_tags: tuple[str, ...] = (_PREFIX,)
    exists: bool = False

    def values(self, kind: str) -> dict[str, str]:
        """Name -> value of the owner's entries of a kind."""
        return {entry.name: entry.value for entry in sorted(self.entries) if entry.kind == kind}

    def value(self, kind: str, name: str) -> str | None:
        """The value of an entry, of the owner or else of another one; None without an entry."""
        own = (entry.value for one in (self.entries, self.others) for entry in sorted(one) if (entry.kind, entry.name) == (kind, name))
        return next(own, None)

    @property
    def others(self) -> frozenset[Entry]:
        """The entries of the other owners."""
        return frozenset().union(*self.by_owner.values())

    @property
    def is_empty(self) -> bool:
        """Whether no owner has an entry."""
        return not self.entries and not self.others

    @property
    def keys_of_others(self) -> frozenset[Key]:
        return frozenset(entry.key for entry in self.others)

    def with_entries(self, entries: Iterable[Entry]) -> Record:
        return replace(self, entries=frozenset(entries))

    def users_of(self, application: str) -> list[str]:
        """The other owners whose mailboxes or High Volume Email accounts an application has permissions on."""
        used = {owner: {entry.value for entry in entries if entry.kind in OF_APPLICATIONS} for owner, entries in self.by_owner.items()}
        return sorted(owner for owner, applications in used.items() if application in applications)

    def users_of_consent(self, entry: Entry) -> list[str]:
        """The other owners whose senders need a permission that this owner has given to an application."""
        needed = entry._replace(kind=CONSENT)
        return sorted(owner for owner, entries in self.by_owner.items() if needed in entries)

    def handed_over(self, entry: Entry, owner: str) -> Record:
        """The record in which another owner has the entry."""
        by_owner = {**self.by_owner, owner: self.by_owner.get(owner, frozenset()) | {entry}}
        return replace(self, entries=self.entries - {entry}, by_owner=by_owner, other_tags=(*self.other_tags, *_tags(owner, [entry])))

    def tags(self, owner: str) -> list[str]:
        """The application's tags with these entries."""
        return list(dict.fromkeys([*self.other_tags, *_tags(owner, self.entries)]))

    def renamed(self, primary: Callable[[str], str]) -> Record:
        """The record with the primary addresses of its mailboxes, where they are known."""

        def current(entry: Entry) -> Entry:
            return entry._replace(name=primary(entry.name)) if entry.kind in OF_MAILBOXES else entry

        by_owner = {owner: frozenset(map(current, entries)) for owner, entries in self.by_owner.items()}
        return replace(self, entries=frozenset(map(current, self.entries)), by_owner=by_owner)


def _tags(owner: str, entries: Iterable[Entry]) -> list[str]:
    """The tags of entries, sorted: as many names in each as it has room for."""
    names: dict[tuple[str, str], list[str]] = {}
    for entry in sorted(entries):
        names.setdefault((entry.kind, entry.value), []).append(_encoded(entry.name))
    return sorted(tag for (kind, value), listed in names.items() for tag in _packed(f"{_PREFIX}:{owner}:{kind}:", listed, value))


def _packed(start: str, names: Iterable[str], value: str) -> Iterator[str]:
    end = f":{_encoded(value)}" if value else ""
    text = ""
    for name in names:
        if text and len(start) + len(text) + 1 + len(name) + len(end) > _TAG_LENGTH:
            yield start + text + end
            text = ""
        text += f",{name}" if text else name
    yield start + text + end


def _encoded(text: str) -> str:
    return quote(text, safe=_UNENCODED)


def refuse_too_large(tags: Sequence[str]) -> None:
    """InvalidInput where Entra would refuse the record."""
    long = [tag for tag in tags if len(tag) > _TAG_LENGTH]
    problems = [f"The record of what is created has the entry {tag}: an entry has at most {_TAG_LENGTH} characters." for tag in long]
    if len(tags) > _MAX_TAGS:
        problems.append(
            f"The record of what is created (application {UNIQUE_NAME}) would have {len(tags):,} tags: Entra lets an application have "
            f"about 1,000, of which {_MAX_TAGS} are used. Let several senders of m365_senders share a mailbox, or distribute them over "
            "tenants."
        )
    if problems:
        raise InvalidInput(*problems)


def parse(tags: Iterable[str], owner: str) -> Record:
    """The record in an application's tags."""
    by_owner: dict[str, set[Entry]] = {}
    other_tags = []
    for tag in tags:
        prefix, holder, kind, name, value = (*tag.split(":", 4), "", "", "", "")[:5]
        if prefix != _PREFIX or not name:
            other_tags.append(tag)
            continue
        by_owner.setdefault(holder, set()).update(Entry(kind, unquote(one), unquote(value)) for one in name.split(","))
        if holder != owner:
            other_tags.append(tag)
    own = frozenset(by_owner.pop(owner, ()))
    return Record(own, {holder: frozenset(entries) for holder, entries in by_owner.items()}, tuple(other_tags), exists=True)


def read(tenant: Tenant, owner: str) -> Record | None:
    """The record, empty where there is none yet; None where it may not be read."""
    try:
        application = tenant.graph.read(READ)
    except GraphError as error:
        if error.code in _DENIED:
            return None
        raise
    return parse(application.get("tags") or [], owner) if application else Record()


# -- writing ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RecordChanges:
    """The tags of the application; none: it is removed."""

    tags: tuple[str, ...]


@dataclass
class RecordTags:
    """Writes the record: a resource without a module, which is a step of the tenant's plan. Without tags the application is removed."""

    tags: Sequence[str]
    name = "record"
    spec = TENANT | JOURNAL | Spec({})
    params_type = NoParams

    def validate(self, params: NoParams) -> list[str]:
        return []

    def plan(self, tenant: Tenant, params: NoParams, check_mode: bool) -> Plan[RecordChanges]:
        return Plan({}, {"tags": list(self.tags)}, RecordChanges(tuple(self.tags)))

    def required_permissions(self, changes: RecordChanges, /) -> list[RequiredPermission]:
        return [permissions.APPLICATIONS_WRITE]

    def apply(self, tenant: Tenant, params: NoParams, plan: Plan[RecordChanges]) -> dict[str, object]:
        tags = list(plan.pending.tags)
        body = {"displayName": _DISPLAY_NAME, "notes": _NOTES, "tags": tags or [_PREFIX]}
        calls = [Call("PATCH", _PATH, body, "record what is created", {"Prefer": "create-if-missing"})]
        if not tags:  # the directory keeps the application for 30 days, in which it may be restored: without old entries
            calls.append(Call("DELETE", _PATH, attempted="remove the record, which has no entries any more"))
        for call in calls:
            _write(tenant, call)
        return plan.outcome


def _write(tenant: Tenant, call: Call) -> None:
    """Write the application of the record. One that was deleted reserves its unique name, and is restored."""
    try:
        tenant.graph.write(call, retry_on=is_replication_delay, limit=tenant.wait_timeout)
    except GraphError as error:
        deleted = deleted_applications.find(tenant, UNIQUE_NAME) if deleted_applications.is_reserved(error) else None
        if not deleted:
            raise
        deleted_applications.restore(tenant, UNIQUE_NAME, deleted)
        tenant.graph.write(call, retry_on=_is_restored_later, limit=tenant.wait_timeout)


def _is_restored_later(error: GraphError) -> bool:
    """Whether the restored record has not reached every replica of the directory yet."""
    return is_replication_delay(error) or deleted_applications.is_reserved(error)
