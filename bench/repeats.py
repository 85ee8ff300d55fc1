"""What a run asked twice: read from the emulator's record of every Graph and Exchange request."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def asked(record: Path) -> Iterator[tuple[str, str]]:
    """Tenant and request of all requests on record, alone or in a batch."""
    for line in record.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        yield from ((str(entry["tenant"]), text) for text in requests(entry))


def requests(entry: Mapping[str, Any]) -> Iterator[str]:
    """The requests of an entry of the record, each as method, path and body, or as cmdlet and parameters."""
    if entry["service"] == "exchange":
        yield _text(entry["cmdlet"], entry["parameters"], entry["query"])
    elif entry["path"].endswith("/$batch"):
        for item in entry["body"]["requests"]:
            yield _text(item["method"], item["url"], item.get("body"))
    else:
        path = entry["path"].partition("/v1.0")[2]
        yield _text(entry["method"], f"{path}?{entry['query']}" if entry["query"] else path, entry["body"])


def _text(*parts: Any) -> str:
    return " ".join(part if isinstance(part, str) else json.dumps(part, sort_keys=True) for part in parts if part)


def repeated(record: Path) -> list[tuple[str, str]]:
    """Every request that the same tenant was asked before."""
    counts = Counter(asked(record))
    return [one for one, count in counts.items() for _again in range(count - 1)]
