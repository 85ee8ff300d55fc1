"""Objects as the admin API shows them: the properties of every directory object, templates, sidecar annotations."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from emulator.exchange.errors import SERVER
from emulator.state import Tenant

Document = dict[str, Any]
FOREST = "EURPR01A001.PROD.OUTLOOK.COM"
GUIDS = {"Guid", "ExchangeObjectId", "ExchangeGuid", "ArchiveGuid", "DisabledArchiveGuid"}
CREATED = 1735689600.0  # of objects without a recorded creation: 2025-01-01


@cache
def template(kind: str) -> Document:
    """The properties that all objects of a kind share, with their defaults; never changed."""
    content: Document = json.loads(Path(__file__).with_name("objects.json").read_text(encoding="utf-8"))
    result: Document = content[kind]
    return result


def directory_object(tenant: Tenant, name: str, guid: str, object_class: str, identity: str | None = None) -> Document:
    """The properties that every object of the directory has."""
    created = tenant.created or CREATED
    listed = identity or name
    utc = datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000")
    domain = tenant.initial_domain
    units = f"{FOREST}/Microsoft Exchange Hosted Organizations/{domain} - {FOREST}/ConfigurationUnits/{domain}/Configuration"
    return {
        "AdminDisplayName": "",
        "ExchangeVersion": "0.20 (15.0.0.0)",
        "Name": name,
        "DistinguishedName": distinguished_name(tenant, name),
        "Identity": listed,
        "Id": listed,
        "ObjectCategory": f"{FOREST}/Configuration/Schema/{object_class}",
        "ObjectClass": ["top", object_class],
        "WhenChanged": f"{utc}+00:00",
        "WhenCreated": f"{utc}+00:00",
        "WhenChangedUTC": f"{utc}Z",
        "WhenCreatedUTC": f"{utc}Z",
        "ExchangeObjectId": guid,
        "OrganizationalUnitRoot": domain,
        "OrganizationId": units,
        "Guid": guid,
        "OriginatingServer": SERVER,
        "IsValid": True,
        "ObjectState": "Unchanged",
    }


def written(changed: float) -> Document:
    """When an object that remembers it was written last."""
    if not changed:
        return {}
    utc = datetime.fromtimestamp(changed, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0")
    return {"WhenChanged": f"{utc}+00:00", "WhenChangedUTC": f"{utc}Z"}


def distinguished_name(tenant: Tenant, name: str) -> str:
    parts = ",".join(f"DC={part}" for part in FOREST.split("."))
    return f"CN={name},OU={tenant.initial_domain},OU=Microsoft Exchange Hosted Organizations,{parts}"


def selected(document: Document, names: Collection[str]) -> Document:
    """The properties that $select names, in any case; unknown names are ignored."""
    if not names:
        return document
    requested = {name.lower() for name in names}
    return {name: value for name, value in document.items() if name.lower() in requested}


def annotated(document: Document) -> Document:
    """The properties with their sidecars: the types that JSON does not have."""
    result: Document = {}
    for name, value in document.items():
        if isinstance(value, list):
            result[f"{name}@odata.type"] = "#Collection(String)"
        elif name in GUIDS:
            result[f"{name}@data.type"] = "System.Guid"
            result[f"{name}@odata.type"] = "#Guid"
        elif isinstance(value, int) and not isinstance(value, bool):
            result[f"{name}@data.type"] = "System.Int32"
        elif name.startswith("When") and value:
            result[f"{name}@data.type"] = "System.DateTime"
        result[name] = value
    return result
