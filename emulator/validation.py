"""Forms of identifiers that more than one service checks."""

from __future__ import annotations

import re

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_guid(text: str) -> bool:
    return GUID.fullmatch(text) is not None
