"""The state file: YAML or JSON, written by hand or by `save`."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import yaml

from emulator.clouds import CLOUDS
from emulator.faults import SERVICES
from emulator.settings import LAG_KINDS, Settings
from emulator.state import Message, State
from emulator.statefile.dns import dns_document, read_dns
from emulator.statefile.reader import Node, StateError
from emulator.statefile.tenant import read_tenant, tenant_document

__all__ = ["StateError", "load", "parse", "save", "state_document"]

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


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
    """The same of a document; relative paths in it start at `base`."""
    node = Node(document, "")
    state = State()
    domains: set[str] = set()
    for item in node.nodes("tenants"):
        tenant = read_tenant(item, base)
        if tenant.id in state.tenants:
            raise item.error(f"the id {tenant.id} is there twice", "id")
        taken = next((d for d in tenant.accepted_domains if d in domains), None)
        if taken:
            raise item.error(f"{taken} belongs to two tenants", "domains")
        domains.update(tenant.accepted_domains)
        state.tenants[tenant.id] = tenant
    state.network = {str(key): str(value) for key, value in node.take("network", dict, {}).items()}
    state.dns = read_dns(node.node("dns"))
    settings = _read_settings(node.node("settings"))
    state.messages = [_read_message(item) for item in node.nodes("messages")]
    node.done()
    return state, settings


def _read_settings(node: Node | None) -> Settings:
    settings = Settings()
    if node is None:
        return settings
    for field in fields(Settings):
        default = getattr(settings, field.name)
        value = node.take(field.name, type(default), default)
        for key, seconds in value.items() if field.name in ("lag", "latency") else ():
            known = LAG_KINDS if field.name == "lag" else SERVICES
            if key not in known:
                raise node.error(f"is not known; known: {', '.join(known)}", f"{field.name}.{key}")
            if not isinstance(seconds, (int, float)):
                raise node.error(f"must be seconds, not {seconds!r}", f"{field.name}.{key}")
        setattr(settings, field.name, value)
    if settings.cloud and settings.cloud not in CLOUDS:
        raise node.error(f"{settings.cloud!r} is no cloud; known: {', '.join(CLOUDS)}", "cloud")
    node.done()
    return settings


def _read_message(node: Node) -> Message:
    raw = base64.b64decode(node.text("raw"))
    given = node.rest()
    unknown = given.keys() - {field.name for field in fields(Message)}
    if unknown:
        raise node.error("is not known here", min(unknown))
    return Message(raw=raw, **given)


def state_document(state: State, settings: Settings) -> dict[str, Any]:
    """The canonical form: `parse` reads it back to equal objects."""
    return {
        "tenants": [tenant_document(tenant) for tenant in state.tenants.values()],
        "network": state.network,
        "dns": dns_document(state.dns),
        "settings": asdict(settings),
        "messages": [vars(m) | {"raw": base64.b64encode(m.raw).decode()} for m in state.messages],
    }


def save(path: Path, state: State, settings: Settings) -> None:
    """Write the canonical form to a file, in one step: JSON where the name says so, else YAML."""
    document = state_document(state, settings)
    if path.suffix == ".json":
        text = json.dumps(document, indent=1) + "\n"
    else:
        text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.chmod(0o600)
    temporary.replace(path)
