"""Microsoft's own SDKs for Python, unmodified: azure-identity signs in, msgraph-sdk reads and provisions a tenant."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.launcher import Emulator
from tests.contract import check_contract
from tests.emulator.conftest import TENANT, app_id

pytestmark = [
    pytest.mark.one_python_is_enough,
    pytest.mark.tier_all,
    pytest.mark.xdist_group("graph_sdk"),
]  # one run of it serves all tests
HERE = Path(__file__).resolve().parent
PYTHON = HERE.parents[1] / ".venv-clients/bin/python"
SEND_AS_APP = "7146a1f0-8703-45b3-9eae-527a64c00995"


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sdk") / "requests.jsonl"


@pytest.fixture(scope="module")
def sdk_results(state: dict[str, Any], record: Path) -> Iterator[dict[str, Any]]:
    """What tests/emulator/clients/graph_sdk.py did and found in a tenant of its own."""
    if not PYTHON.exists():
        pytest.skip("msgraph-sdk is not installed (make test-emulator puts it into .venv-clients)")
    premium = {"licences": [{"sku": "SPB", "purchased": 30}], "sign_ins": [{"user": "ops@contoso.com", "created": int(time.time()) - 60}]}
    tenants = [state["tenants"][0] | premium, *state["tenants"][1:]]
    with Emulator(state | {"tenants": tenants}, record=record) as emulator:
        cloud = emulator.cloud
        where = {"authority": cloud["authority"], "graph": cloud["graph"], "tenant": TENANT}
        who = {"client_id": app_id("manager"), "client_secret": "manager-secret"}
        trust = {"SSL_CERT_FILE": cloud["ca_file"], "REQUESTS_CA_BUNDLE": cloud["ca_file"]}
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "NO_PROXY": "*"} | trust
        done = subprocess.run(
            [PYTHON, HERE / "clients/graph_sdk.py"],
            input=json.dumps(where | who),
            capture_output=True,
            text=True,
            env=environment,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        yield json.loads(done.stdout)
        assert emulator.stderr() == ""


def test_an_application_with_a_secret_and_consent(sdk_results: dict[str, Any]) -> None:
    made = sdk_results["provision"]
    assert made["hint_fits"]
    assert (made["roles"], made["resource"]) == ([SEND_AS_APP], "Office 365 Exchange Online")
    assert made["again"] == ["By the SDK", "changed", ["sdk"], 1]
    assert sdk_results["filtered"] == ["By the SDK"]
    assert sdk_results["deleted"] == []


def test_pages(sdk_results: dict[str, Any]) -> None:
    assert sdk_results["pages"]["first"] == 7
    assert sdk_results["pages"]["mails"] == ["noreply@contoso.com", "ops@contoso.com", *(f"user{n:03d}@contoso.com" for n in range(1, 26))]


def test_batches(sdk_results: dict[str, Any]) -> None:
    """With absolute URLs each request is refused, as Graph does."""
    assert sdk_results["batch"] == [[400, 400], [200, 404]]


def test_facts_of_the_tenant(sdk_results: dict[str, Any]) -> None:
    facts = sdk_results["facts"]
    assert facts["skus"] == [["SPB", 30, "EXCHANGE_S_STANDARD"]]
    services = ["Email", "OfficeCommunicationsOnline"]
    assert facts["domains"] == [["contoso.onmicrosoft.com", True, services], ["contoso.com", False, services]]
    assert facts["organization"] == ["Contoso", ["contoso.onmicrosoft.com", "contoso.com"]]
    assert facts["security_defaults"] is False
    assert [one[:2] for one in facts["sign_ins"]] == [["ops@contoso.com", 0]]


def test_errors_raise_the_sdks_exceptions(sdk_results: dict[str, Any]) -> None:
    assert sdk_results["refusals"] == [
        [404, "Request_ResourceNotFound"],
        [409, "Request_MultipleObjectsWithSameKeyValue"],
        [400, "Request_BadRequest"],
    ]


def test_sdk_requests_are_in_the_contract(sdk_results: dict[str, Any], record: Path) -> None:
    secret_free = record.read_text(encoding="utf-8")
    assert sdk_results
    assert "manager-secret" not in secret_free
    check_contract(record)
