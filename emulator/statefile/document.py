"""A whole state document: read from a file, written to a file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from emulator.settings import Settings
from emulator.state import Dns, MailgunAccount, Message, SendGridAccount, Smtp2GoAccount, State, Tenant, WindowsHost
from emulator.state.keys import At, key
from emulator.statefile import directory, mailboxes, policies  # noqa: F401 (they register their forms)
from emulator.statefile.codec import Document, Record
from emulator.statefile.reader import Location, StateError

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@dataclass
class StateDocument:
    """The whole file."""

    tenants: list[Tenant] = field(default_factory=list, metadata=key("the tenants"))
    network: dict[str, str] = field(default_factory=dict, metadata=key("source address on this host -> public address that it stands for"))
    dns: Dns = field(default_factory=Dns, metadata=key("DNS that belongs to no tenant"))
    sendgrid: list[SendGridAccount] = field(default_factory=list, metadata=key("accounts of SendGrid"))
    smtp2go: list[Smtp2GoAccount] = field(default_factory=list, metadata=key("accounts of SMTP2GO"))
    mailgun: list[MailgunAccount] = field(default_factory=list, metadata=key("accounts of Mailgun"))
    windows: list[WindowsHost] = field(default_factory=list, metadata=key("hosts that run Windows"))
    settings: Settings = field(default_factory=Settings, metadata=key("settings of the emulator"))
    messages: list[Message] = field(default_factory=list, metadata=key("received messages"))


def load(path: Path) -> tuple[State, Settings]:
    """The state and the settings of a file."""
    return load_text(read(path), path)


def read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise StateError(f"{path}: cannot be read: {error.strerror}") from None


def load_text(text: str, path: Path) -> tuple[State, Settings]:
    """The state and the settings of a file's text; `path` is named in errors, and paths in the text are relative to it."""
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, _Loader)  # noqa: S506 (safe)
    except (json.JSONDecodeError, yaml.YAMLError) as error:
        raise StateError(f"{path}: is neither JSON nor YAML: {error}") from None
    try:
        return parse(document, path.parent)
    except StateError as error:
        raise StateError(f"{path}: {error}") from None


def parse(document: Any, base: Path) -> tuple[State, Settings]:
    """The state and the settings of a document; relative paths in it start at `base`."""
    result: StateDocument = Record(StateDocument).read(document, Location(), At(base))
    state = State(network=result.network, dns=result.dns, messages=result.messages)
    state.sendgrid, state.smtp2go, state.mailgun = result.sendgrid, result.smtp2go, result.mailgun
    state.windows = _distinct(result.windows)
    domains = set[str]()
    for number, tenant in enumerate(result.tenants):
        location = Location("tenants").item(number)
        if tenant.id in state.tenants:
            raise location.key("id").error(f"the id {tenant.id} is there twice")
        taken = next((d for d in tenant.accepted_domains if d in domains), None)
        if taken:
            raise location.key("domains").error(f"{taken} belongs to two tenants")
        domains.update(tenant.accepted_domains)
        state.tenants[tenant.id] = tenant
    return state, result.settings


def _distinct(hosts: list[WindowsHost]) -> list[WindowsHost]:
    """The hosts, whose names are different."""
    names = [host.name.lower() for host in hosts]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise Location("windows").item(number).key("name").error(f"the name {hosts[number].name} is there twice")
    return hosts


def state_document(state: State, settings: Settings) -> Document:
    """The canonical form: `parse` reads it back to equal objects."""
    document = StateDocument(
        list(state.tenants.values()),
        state.network,
        state.dns,
        state.sendgrid,
        state.smtp2go,
        state.mailgun,
        state.windows,
        settings,
        state.messages,
    )
    return Record(StateDocument).write(document)


def save(path: Path, state: State, settings: Settings) -> None:
    """Write the canonical form to a file, in one step: JSON for a .json file, else YAML."""
    document = state_document(state, settings)
    if path.suffix == ".json":
        text = json.dumps(document, indent=1) + "\n"
    else:
        text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.chmod(0o600)
    temporary.replace(path)
