"""The workflow of GitHub Actions with five hundred tenants: its own steps plan them, comment within the limit, and apply exactly this plan.

The apply job's inventory has twenty of them, to save time. One has a sender that the reviewed plan does not have: this tenant is refused,
the others are applied.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bench.run import tenant_document
from emulator.sandbox import Sandbox

from .workflow_jobs import MARKER, SUBJECTS, GitHub, Repository

pytestmark = [pytest.mark.one_python_is_enough, pytest.mark.tier_all]
NAMES = tuple(f"tenant{number}" for number in range(500))
APPLIED = NAMES[-20:]
ISSUER = "https://token.actions.githubusercontent.com"
FEDERATED = [
    {"name": f"job-{number}", "issuer": ISSUER, "subject": subject, "audiences": ["api://AzureADTokenExchange"]}
    for number, subject in enumerate(SUBJECTS)
]


def state(name: str) -> dict[str, Any]:
    """A tenant whose automation app trusts the jobs of the repository."""
    document = tenant_document(NAMES.index(name), [{"address": f"scanner@{name}.example"}])
    [application] = document["applications"]
    return document | {"applications": [application | {"federated": FEDERATED, "secrets": []}]}


@dataclass
class Fleet:
    """Tenants with one scanner each, in an emulator."""

    directory: Path
    sandbox: Sandbox = field(init=False)

    def __post_init__(self) -> None:
        tenants = self.directory / "tenants.yml"
        tenants.write_text(json.dumps({"tenants": [state(name) for name in NAMES]}))
        self.sandbox = Sandbox(self.directory / "sandbox")
        self.sandbox.start(self.sandbox.make(tenants), patience=600)

    def variables(self, host: str, **changes: Any) -> dict[str, Any]:
        document = state(host)
        scanner = {"name": "Scanner", "kind": "scanner", "address": f"scanner@{host}.example", "public_addresses": ["203.0.113.10"]}
        client = document["applications"][0]["app_id"]
        return {"m365_tenant": f"{host}.example", "m365_client_id": client, "m365_senders": [scanner], **changes}

    def connectors(self, host: str) -> int:
        return len(self.sandbox.admin.tenant(f"{host}.example")["inbound_connectors"])


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    made = Fleet(tmp_path)
    yield made
    made.sandbox.stop()


def test_github_actions_with_five_hundred_tenants(fleet: Fleet, tmp_path: Path) -> None:
    repository = Repository(fleet, NAMES, tmp_path / "repository", names_token=False, patience=3000)
    github = GitHub(repository)
    job = repository.checkout()
    assert github.run("plan", "pull_request", SUBJECTS[0], job) == {"changes": "true"}
    plan = json.loads((job.workspace / "plan.json").read_text())
    assert (plan["totals"]["hosts"], plan["totals"]["failed"], plan["changes"]) == (len(NAMES), 0, True)
    assert {host["state"] for host in plan["tenants"].values()} == {"changed"}
    [body] = github.bodies()
    assert body.startswith(
        f"{MARKER}\n**Too long for a comment: the changes of each host are left out. The whole plan is in `plan.json`.**\n"
    )
    assert len(body.encode()) <= 60_000
    assert [name for name in NAMES if f"| `{name}` |" not in body] == [], "every tenant has its row"

    repository.tenants = APPLIED
    job = repository.checkout(repository.other())
    github.run("apply", "push", SUBJECTS[2], job, status=2)
    assert f"mailbox new@{NAMES[-1]}.example (add) is not in the reviewed plan" in " ".join(job.log.split())
    assert {fleet.connectors(name) for name in APPLIED[:-1]} == {1}, "exactly the plan"
    assert fleet.connectors(APPLIED[-1]) == 0, "nothing was changed in the refused tenant"
