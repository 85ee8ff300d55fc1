"""What a run of role hosted_relay costs in requests, at each provider: the first one, and one without changes.

The accounts and the inventory are those of the Molecule scenario hosted_relay. Requests are those to the provider's API.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emulator.sandbox import Sandbox

ROOT = Path(__file__).resolve().parent.parent
SCENARIO = ROOT / "molecule" / "hosted_relay"
INVENTORIES = (ROOT / "inventories" / "demo", ROOT / "molecule" / "shared" / "inventory", SCENARIO / "inventory")
PROVIDERS = ("sendgrid", "smtp2go", "mailgun")
RUNS = ("first", "no_changes")
Requests = dict[str, dict[str, int]]


def measure() -> Requests:
    """Provider -> run -> requests."""
    requests: Requests = {provider: {} for provider in PROVIDERS}
    with tempfile.TemporaryDirectory(prefix="mailops-bench-") as directory, _sandbox(Path(directory) / "sandbox") as sandbox:
        for run in RUNS:
            sandbox.admin.reset_requests()
            _converge(sandbox)
            counted = sandbox.admin.requests().values()
            for provider in PROVIDERS:
                requests[provider][run] = sum(services.get(provider, 0) for services in counted)
    return requests


@contextmanager
def _sandbox(directory: Path) -> Iterator[Sandbox]:
    sandbox = Sandbox(directory)
    try:
        sandbox.start(sandbox.make())
        yield sandbox
    finally:
        sandbox.stop()


def _converge(sandbox: Sandbox) -> None:
    """Run the scenario's playbook; SystemExit with its output where it fails."""
    command = [str(Path(sys.executable).with_name("ansible-playbook")), str(SCENARIO / "converge.yml")]
    command += [f"--inventory={path}" for path in INVENTORIES]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "MAILOPS_DEMO_DIRECTORY": str(sandbox.directory)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout[-3000:] + done.stderr[-3000:])


def table(requests: Requests) -> str:
    rows = [("hosted relay", "first run", "no changes")]
    rows += [(provider, str(runs["first"]), str(runs["no_changes"])) for provider, runs in requests.items()]
    return "\n".join(f"{name:<14}{first:>11}{idle:>12}" for name, first, idle in rows)
