"""Senders that are verified from another host of the inventory, which has Python 3.9 and no library."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.test_playbooks import REPO, Playground, Run

_PYENV = sorted((Path.home() / ".pyenv" / "versions").glob("3.9*/bin/python3.9"))
PYTHON = str(_PYENV[0]) if _PYENV else sys.executable
# What ssh would run on the host runs here, without the environment of the control node. The calls are counted.
SSH = """#!/bin/sh
echo "$@" >> {calls}
case "$*" in *unreachable*) echo "ssh: connect to host unreachable port 22: No route to host" >&2; exit 255;; esac
for last; do :; done
exec env -i PATH=/usr/bin:/bin HOME={home} /bin/sh -c "$last"
"""
MACHINE = {"name": "Plant", "method": "connector", "address": "machines@fabrikam.com", "verify_recipient": "it@fabrikam.com"}
MACHINE |= {"public_addresses": ["203.0.113.10"], "source_address": "127.0.0.10"}


class Offices:
    """The demo's tenants and three hosts beside them."""

    def __init__(self, directory: Path) -> None:
        self.playground = Playground(directory / "playground")
        self.calls = directory / "calls"
        inventory = directory / "inventory"
        shutil.copytree(REPO / "inventories" / "demo", inventory)
        ssh = directory / "ssh"
        ssh.write_text(SSH.format(calls=self.calls, home=directory))
        ssh.chmod(0o755)
        host = {"ansible_ssh_executable": str(ssh), "ansible_python_interpreter": PYTHON, "ansible_remote_tmp": str(directory / "remote")}
        hosts = {"all": {"children": {"offices": {"hosts": {"office-1": {}, "office-2": {}, "unreachable": {}}, "vars": host}}}}
        (inventory / "offices.yml").write_text(yaml.safe_dump(hosts))
        self.inventory = inventory

    def verify(self, senders: list[dict[str, Any]], *options: str, **variables: Any) -> tuple[Run, list[dict[str, Any]], list[str]]:
        """A run of playbook verify for Fabrikam; the senders' results and the calls of ssh."""
        self.calls.unlink(missing_ok=True)
        extra = json.dumps({"verify_senders": senders, **variables})
        run = self.playground.play("verify.yml", "--limit", "fabrikam", "-e", extra, *options, inventory=self.inventory)
        results = [sender for task in run.report["tasks"] for sender in task["senders"]]
        return run, results, self.calls.read_text().splitlines() if self.calls.exists() else []


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offices]:
    offices = Offices(tmp_path_factory.mktemp("offices"))
    run = offices.playground.play("site.yml", "--limit", "fabrikam", "-e", "verify_required=false")
    assert run.code == 0, run.output
    yield offices
    offices.playground.sandbox.stop()


def test_senders_are_verified_from_their_hosts(offices: Offices) -> None:
    """One module run for all senders of a host; the tenant's inventory host is local."""
    senders = [
        MACHINE | {"verify_from": "office-1"},
        MACHINE | {"name": "Scanner", "verify_from": "office-1"},
        MACHINE | {"name": "Elsewhere", "source_address": "127.0.0.11", "verify_from": "office-2"},
        MACHINE | {"name": "Here"},
    ]
    run, results, calls = offices.verify(senders)
    assert run.code == 0, run.output
    assert {one["name"]: (one["status"], one["accepted_by"], one["verify_from"]) for one in results} == {
        "Plant": ("verified", "connector", "office-1"),
        "Scanner": ("verified", "connector", "office-1"),
        "Elsewhere": ("not_verifiable", "", "office-2"),
        "Here": ("verified", "connector", ""),
    }
    hosts = [call for call in calls if "AnsiballZ" in call or "python" in call]
    assert [sum(name in call for call in hosts) for name in ("office-1", "office-2")] == [1, 1], calls
    assert (run.report["totals"]["senders"]["verified"], run.report["totals"]["senders"]["not_verifiable"]) == (3, 1)


def test_host_gets_no_credential_of_the_automation_app(offices: Offices) -> None:
    run, results, _calls = offices.verify([MACHINE | {"verify_from": "office-1"}], "-vvv")
    assert [one["status"] for one in results] == ["verified"], run.output
    secrets = [secret for secret in _leaves(offices.playground.secrets) if len(secret) > 11]
    assert not [secret for secret in secrets if secret in run.output]


def test_failure_here_does_not_lose_the_results_from_elsewhere(offices: Offices) -> None:
    senders = [MACHINE | {"name": "Here", "source_address": "127.0.0.11", "public_addresses": []}, MACHINE | {"verify_from": "office-1"}]
    run, results, _calls = offices.verify(senders)
    assert run.code != 0
    assert {one["name"]: one["status"] for one in results} == {"Here": "failed", "Plant": "verified"}, run.output


def test_host_that_cannot_be_reached_makes_its_senders_not_verifiable(offices: Offices) -> None:
    run, results, _calls = offices.verify(
        [MACHINE | {"verify_from": "unreachable"}, MACHINE | {"name": "Scanner", "verify_from": "office-1"}]
    )
    assert run.code == 0, run.output
    assert {one["name"]: one["status"] for one in results} == {"Plant": "not_verifiable", "Scanner": "verified"}
    [unreachable] = [one for one in results if one["name"] == "Plant"]
    assert "verify_from is unreachable" in unreachable["reason"]
    assert run.report["tenants"]["fabrikam"]["state"] == "unchanged"


def test_unknown_host_is_refused_before_anything_runs(offices: Offices) -> None:
    run, results, calls = offices.verify([MACHINE | {"verify_from": "ofice-1"}, MACHINE | {"name": "Here"}])
    assert (run.code, results, calls) == (2, [], []), run.output
    [message] = run.sentences().values()
    assert message == "verify_senders: Plant: verify_from is 'ofice-1', which is no host of the inventory: did you mean office-1?"

    sender = {"name": "Plant", "address": "machines@fabrikam.com", "public_addresses": ["203.0.113.10"], "verify_from": "ofice-1"}
    extra = json.dumps({"m365_senders": [sender]})
    before = len(offices.playground.writes())
    run = offices.playground.play("site.yml", "--limit", "fabrikam", "-e", extra, inventory=offices.inventory)
    assert run.code == 2
    assert list(run.sentences().values()) == [message.replace("verify_senders", "m365_senders")]
    assert len(offices.playground.writes()) == before


def test_check_run_connects_to_no_host(offices: Offices) -> None:
    run, results, calls = offices.verify([MACHINE | {"verify_from": "office-1"}], "--check")
    assert (run.code, [one["stage"] for one in results], calls) == (0, ["check_mode"], []), run.output
    run, results, calls = offices.verify([MACHINE | {"verify_from": "office-1"}], "--check", verify_reachability=True)
    assert [(one["stage"], one["verify_from"]) for one in results] == [("tls", "office-1")], run.output


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, str):
        yield value
