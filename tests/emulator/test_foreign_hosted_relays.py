"""The providers' own libraries for Python, unmodified, against the emulated APIs of hosted relays: sendgrid and mailgun.

SMTP2GO's (smtp2go, 2022) sends mail only; the emulator has the paths that provision an account.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.contract import check_contract
from tests.emulator.conftest import Start
from tests.emulator.test_hosted_accounts import ADDRESS, RIGHTS, entry

from . import test_mailgun, test_sendgrid

pytestmark = [pytest.mark.one_python_is_enough, pytest.mark.tier_all]
HERE = Path(__file__).resolve().parent
PYTHON = HERE.parents[1] / ".venv-clients/bin/python"
PROVISIONING = ["mail.send", *test_sendgrid.RIGHTS, "api_keys.create", "api_keys.read", "api_keys.delete"]


def run(start: Start, state: dict[str, Any], directory: Path, script: str, path: str, **options: str) -> dict[str, Any]:
    """What a script of tests/emulator/clients did and found; its requests follow the contract."""
    if not PYTHON.exists():
        pytest.skip("the providers' libraries are not installed (make test-emulator puts them into .venv-clients)")
    record = directory / "record.jsonl"
    api = start(record=record)
    api.admin.reset(state)
    ca = api.emulator.cloud["ca_file"]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "NO_PROXY": "*", "SSL_CERT_FILE": ca, "REQUESTS_CA_BUNDLE": ca}
    done = subprocess.run(
        [PYTHON, HERE / "clients" / script],
        input=json.dumps({"url": f"{api.emulator.cloud['graph']}/{path}", **options}),
        capture_output=True,
        text=True,
        env=environment,
        timeout=240,
        check=False,
    )
    if "ModuleNotFoundError" in done.stderr:
        pytest.skip("the providers' libraries are not installed (make test-emulator puts them into .venv-clients)")
    assert done.returncode == 0, done.stderr
    check_contract(record)
    return dict(json.loads(done.stdout))


def test_sendgrids_own_library(start: Start, state: dict[str, Any], tmp_path: Path) -> None:
    keys = [{"value": test_sendgrid.OWNER, "scopes": [*PROVISIONING, *RIGHTS]}]
    account = test_sendgrid.ACCOUNTS[0] | {"keys": keys, "suppressions": [entry("bounces")]}
    domain = state["tenants"][0]["domains"][0]
    results = run(
        start, state | {"sendgrid": [account]}, tmp_path, "sendgrid_sdk.py", "sendgrid/global",
        key=test_sendgrid.OWNER, domain=domain, address=ADDRESS,
    )  # fmt: skip
    assert {*PROVISIONING} <= {*results["scopes"]}
    assert results["created"] == [201, "em1", False, ["dkim1", "dkim2", "mail_cname"]]
    assert results["listed"] == [True]
    assert results["again"][0] == 400
    assert results["validated"] == [False, ["dkim1", "dkim2", "mail_cname"]]
    assert results["key"][:2] == [201, True]
    assert "mail.send" in results["key"][2]
    assert results["keys"] == ["mailops-erp-20261129"]
    assert results["forbidden"] == [403, "access forbidden"]
    assert results["deleted"] == [204, 204]
    assert results["gone"][0] == 404
    assert [one["email"] for one in results["bounces"]] == [ADDRESS]
    assert {"remain", "total", "used", "next_reset"} <= {*results["credits"]}
    assert results["wrong_key"] == [401, "authorization required"]


def test_mailguns_own_library(start: Start, state: dict[str, Any], tmp_path: Path) -> None:
    """It creates and reads domains by version 3 of the API, which Mailgun's documents have replaced with version 4."""
    account = test_mailgun.ACCOUNT | {"domains": [{"name": test_mailgun.NAME, "state": "active"}]}
    results = run(
        start, state | {"mailgun": [account]}, tmp_path, "mailgun_sdk.py", "mailgun/us",
        key=test_mailgun.OWNER, domain=test_mailgun.NAME, address=ADDRESS,
    )  # fmt: skip
    login = f"mailops-erp-20261129@{test_mailgun.NAME}"
    assert results["listed"] == [[test_mailgun.NAME, "active"]]
    assert results["credential"][0] == 200
    assert login in results["credentials"]
    assert results["removed"][0] == 200
    assert results["bounce"] == [404, "Address not found in bounces table"]
    assert results["deleted"] == [200, "Domain will be deleted in the background"]
    assert results["wrong_key"] == 401
