"""A domain whose MX host is under mx.microsoft, as that of every domain which was added since July 2026: no name is derived."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.emulator.conftest import Start

from .tenant_play import Play

HOST = "fabrikam-com.p-v1.mx.microsoft"
TENANT: dict[str, Any] = {
    "domains": ["contoso.com", "fabrikam.com"],
    "dns": {"fabrikam.com": [f"fabrikam.com 300 MX 0 {HOST}."]},
}
METHODS: dict[str, dict[str, Any]] = {
    "connector": {"public_addresses": ["203.0.113.10"]},
    "direct_send": {"recipients": "internal", "public_addresses": ["203.0.113.11"]},
}


@pytest.mark.parametrize("method", METHODS)
def test_a_sender_gets_the_mx_host_that_graph_names(start: Start, tmp_path: Path, method: str) -> None:
    play = Play(start(tenant=TENANT), tmp_path)
    sender = {"name": "Plant", "method": method, "address": "plant@fabrikam.com", **METHODS[method]}
    cloud = {name: value for name, value in play.api.emulator.cloud.items() if name != "mx_host"}
    result = play(sender, check_mode=True, cloud=cloud)
    assert "failed" not in result, result
    [entry] = result["plan"]
    assert entry["settings"]["server"] == HOST
