"""The names and types of WMI, ADSI and COM that scripts are held to (contract.json, from Microsoft's references and hMailServer's IDL)."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any


@functools.cache
def contract() -> dict[str, Any]:
    return dict(json.loads(Path(__file__).with_name("contract.json").read_text(encoding="utf-8")))


def class_types(namespace: str, name: str) -> dict[str, str]:
    """The properties of a WMI class with their types; `namespace` as root/cimv2."""
    properties = contract()["wmi"][namespace][name]["properties"]
    return {one: str(spec["type"]) for one, spec in properties.items()}
