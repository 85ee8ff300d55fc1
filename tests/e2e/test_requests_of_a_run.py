"""What a run costs in requests: `make bench` measures the seconds, here only the requests are held."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bench.repeats import repeated
from bench.run import Bench
from emulator.launcher import Emulator
from emulator.sandbox import Sandbox
from tests.contract import check_contract

MOST = 10  # of a tenant whose four senders are as they should be; Microsoft's own hosts ask for one more token
pytestmark = pytest.mark.one_python_is_enough


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    sandbox = Sandbox(tmp_path / "keys")
    sandbox.make()
    return sandbox.keys / "contoso-sender.crt"


def test_run_without_changes_repeats_no_request(tmp_path: Path, certificate: Path) -> None:
    bench = Bench(tmp_path)
    inventory, documents = bench.fleet(2, certificate)
    with Emulator({"tenants": documents}, record=bench.record) as emulator:
        first = bench.play(inventory, emulator)
        assert first["changed"] > 0
        second = bench.play(inventory, emulator)
    assert (second["changed"], second["repeated"]) == (0, 0), repeated(bench.record)
    assert second["requests_a_tenant"] <= MOST
    tasks = [task for task in json.loads(bench.report_file.read_text())["tasks"] if not task["is_component"]]
    one_task = {"tenant": 1, "smtp_probe": 1}  # configures everything; verifies
    assert {host: Counter(task["module"] for task in tasks if task["tenant"] == host) for host in ("tenant0", "tenant1")} == {
        "tenant0": one_task,
        "tenant1": one_task,
    }
    check_contract(bench.record)


def graph(path: str, tenant: str = "a", **body: Any) -> dict[str, Any]:
    method = "POST" if body else "GET"
    return {"service": "graph", "method": method, "path": f"/v1.0{path}", "query": "", "body": body or None, "tenant": tenant}


def batch(url: str) -> dict[str, Any]:
    return graph("/$batch", requests=[{"id": "1", "method": "GET", "url": url}])


def mailboxes(query: str = "") -> dict[str, Any]:
    return {"service": "exchange", "cmdlet": "Get-CASMailbox", "parameters": {"Anr": "x"}, "query": query, "tenant": "a"}


def test_what_counts_as_repeated(tmp_path: Path) -> None:
    """The same of the same tenant, alone or in a batch; another page is another request."""
    record = tmp_path / "record.jsonl"
    entries = [graph("/domains"), graph("/domains", "b"), batch("/organization"), mailboxes(), mailboxes("$skiptoken=1")]
    record.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    assert repeated(record) == []
    entries += [batch("/domains"), mailboxes()]
    record.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    assert repeated(record) == [("a", "GET /domains"), ("a", 'Get-CASMailbox {"Anr": "x"}')]
