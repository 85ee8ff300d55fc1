"""Identifiers that the emulator makes up."""

from __future__ import annotations

import uuid

from emulator.well_known import NAMESPACE


def new_guid() -> str:
    return str(uuid.uuid4())


def derived_sid(*parts: str) -> str:
    """A security identifier of the form that Exchange Online shows, the same in every run."""
    digest = uuid.uuid5(NAMESPACE, "/".join(parts).lower()).bytes
    a, b, c, d = (int.from_bytes(digest[start : start + 4], "big") for start in (0, 4, 8, 12))
    return f"S-1-5-21-{a}-{b}-{c}-{d % 10**8}"
