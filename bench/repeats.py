"""What a run asked twice: read from the emulator's record of every Graph and Exchange request."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def asked(record: Path) -> Iterator[tuple[str, str]]:
    """Tenant and request (method, path, body; cmdlet, parameters) of all requests, alone or in a batch."""
    for line in record.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        tenant = str(entry["tenant"])
        if entry["service"] == "exchange":
            yield tenant, _text(entry["cmdlet"], entry["parameters"], entry["query"])
        elif entry["path"].endswith("/$batch"):
            for item in entry["body"]["requests"]:
                yield tenant, _text(item["method"], item["url"], item.get("body"))
        else:
            path = entry["path"].partition("/v1.0")[2]
            yield tenant, _text(entry["method"], f"{path}?{entry['query']}" if entry["query"] else path, entry["body"])


def _text(*parts: Any) -> str:
    return " ".join(part if isinstance(part, str) else json.dumps(part, sort_keys=True) for part in parts if part)


def repeated(record: Path) -> list[tuple[str, str]]:
    """Every request that the same tenant was asked before."""
    counts = Counter(asked(record))
    return [one for one, count in counts.items() for _again in range(count - 1)]
