"""Jobs of the workflow files of docs/gitops, as the runner of each platform runs them: a checkout, its environment, and its scripts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import jwt
import yaml

from emulator.sandbox import Sandbox

from .site_runs import REPO, Site

GITOPS = REPO / "docs" / "gitops"
MARKER = "<!-- mailops.plan -->"
GH = Path(__file__).with_name("gh.py")
CONFIG = f"""[defaults]
inventory = inventory
collections_path = {REPO}/.ansible/collections
stdout_callback = mailops.m365.concise
callbacks_enabled = mailops.m365.summary
"""
CREDENTIALS = ("m365_client_secret", "m365_certificate_path", "m365_certificate_password")


class Tenants(Protocol):
    """Tenants in an emulator, with the variables of their inventory."""

    sandbox: Sandbox

    def variables(self, host: str, **changes: Any) -> dict[str, Any]:
        """The variables of a tenant."""


@dataclass
class Job:
    """A job's workspace: a checkout of the repository, and what the runner sets."""

    workspace: Path
    environment: dict[str, str]
    log: str = ""
    patience: float = 300  # seconds for a script

    def run(self, script: str, *, interpreter: str = "bash -e", status: int = 0, **more: str) -> str:
        """Run a script and check its exit status; its output."""
        command = [*interpreter.split(), "-c", script]
        done = subprocess.run(
            command, cwd=self.workspace, env=self.environment | more, check=False, capture_output=True, text=True, timeout=self.patience
        )
        self.log += done.stdout + done.stderr
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout


@dataclass
class Repository:
    """A repository with tenants whose inventory has no credential, at most the name of the token's variable."""

    site: Tenants
    tenants: tuple[str, ...]
    directory: Path
    names_token: bool = True
    patience: float = 300
    jobs: int = 0
    tokens: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        stubs = self.directory / "bin"
        stubs.mkdir(parents=True)
        for name in ("pip", "ansible-galaxy"):
            (stubs / name).write_text(f'#!/bin/sh\necho "{name} $*"\n')
        (stubs / "gh").write_text(f'#!/bin/sh\nexec {sys.executable} {GH} "$@"\n')
        for stub in stubs.iterdir():
            stub.chmod(0o755)

    def checkout(self, *senders: dict[str, Any]) -> Job:
        """A new job. `senders`: more of them in the last tenant than the plan was made with."""
        self.jobs += 1
        workspace = self.directory / f"job{self.jobs}"
        inventory = workspace / "inventory"
        (inventory / "host_vars").mkdir(parents=True)
        shutil.copytree(REPO / "inventories/demo/group_vars", inventory / "group_vars")
        (workspace / "ansible.cfg").write_text(CONFIG)
        (inventory / "hosts.yml").write_text(yaml.safe_dump({"tenants": {"hosts": dict.fromkeys(self.tenants)}}))
        for tenant in self.tenants:
            variables = {name: value for name, value in self.site.variables(tenant).items() if name not in CREDENTIALS}
            variables |= {"m365_federated_token_variable": "M365_ID_TOKEN"} if self.names_token else {}
            variables["m365_senders"] = [*variables["m365_senders"], *(senders if tenant == self.tenants[-1] else ())]
            (inventory / "host_vars" / f"{tenant}.yml").write_text(yaml.safe_dump(variables))
        path = f"{self.directory / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {"PATH": path, "HOME": str(self.directory), "MAILOPS_DEMO_DIRECTORY": str(self.site.sandbox.directory)}
        return Job(workspace, environment, patience=self.patience)

    def trust(self, site: Site, token: str) -> str:
        """Let the automation app accept the issuer and subject of a token; the token."""
        claims = jwt.decode(token, options={"verify_signature": False})
        credential = {"name": f"job-{len(self.tokens)}", "issuer": claims["iss"], "subject": claims["sub"]}
        options = {"app_id": "{{ m365_client_id }}", "credentials": [credential]}
        play = {"hosts": "tenants", "gather_facts": False, "tasks": [{"name": "Trust", "mailops.m365.federated_credential": options}]}
        playbook = self.directory / "trust.yml"
        playbook.write_text(yaml.safe_dump([play]))
        done = site.play({name: site.variables(name) for name in self.tenants}, None, str(playbook))
        assert done.code == 0, done.output
        self.tokens.append(token)
        return token

    def other(self) -> dict[str, Any]:
        """A sender that the reviewed plan does not have."""
        domain = self.site.variables(self.tenants[-1])["m365_tenant"]
        return {"name": "New", "kind": "website", "address": f"new@{domain}"}


def document(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((GITOPS / name).read_text())
    return loaded


# -- GitHub Actions ---------------------------------------------------------------------------------------------------

SUBJECTS = ("repo:contoso/mail:pull_request", "repo:contoso/mail:ref:refs/heads/main", "repo:contoso/mail:environment:mail")


# "Workflow syntax for GitHub Actions", shell: without one, a failure inside of a pipeline is not noticed.
GITHUB_SHELLS = {"bash": "bash --noprofile --norc -eo pipefail", None: "bash -e"}


class GitHub:
    """Runs a job of the workflow. Expressions have the values of `context`; an unknown one is an error."""

    def __init__(self, repository: Repository) -> None:
        self.repository, self.workflow = repository, document("github-actions.yml")
        self.artifact = repository.directory / "artifact"
        self.comments = repository.directory / "comments.json"
        self.comments.write_text("[]")

    def run(self, name: str, event: str, subject: str, job: Job, *, status: int = 0) -> dict[str, str]:
        """The outputs of the job's steps. `status`: exit status of the step that runs the playbook."""
        issued = self.repository.site.sandbox.admin.start_job("github", sub=subject)
        output, summary = job.workspace / "output", job.workspace / "summary"
        output.touch()
        runner = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_REPOSITORY": "contoso/mail"}
        runner |= {"ACTIONS_ID_TOKEN_REQUEST_URL": issued["url"], "ACTIONS_ID_TOKEN_REQUEST_TOKEN": issued["token"]}
        runner |= {"FAKE_GITHUB": str(self.comments)}
        definition, shell = self.workflow["jobs"][name], GITHUB_SHELLS[self.workflow.get("defaults", {}).get("run", {}).get("shell")]
        for step in definition["steps"]:
            if "pull_request" in str(step.get("if")) and event != "pull_request":
                continue
            if step.get("uses", "").startswith("actions/upload-artifact@"):
                shutil.copy(job.workspace / step["with"]["path"], self.artifact)
            if step.get("uses", "").startswith("actions/download-artifact@"):
                shutil.copy(self.artifact, job.workspace / "plan.json")
            if "run" in step:
                environment = runner | definition.get("env", {}) | self.evaluated(step.get("env", {}))
                is_playbook = "ansible-playbook" in step["run"]
                job.run(step["run"], interpreter=shell, status=status if is_playbook else 0, **environment)
        return dict(line.split("=", 1) for line in output.read_text().splitlines())

    def evaluated(self, values: dict[str, str]) -> dict[str, str]:
        context = {"${{ github.token }}": "ghs_token", "${{ github.event.pull_request.number }}": "7"}
        return {name: context[value] for name, value in values.items()}

    def bodies(self) -> list[str]:
        return [str(comment["body"]) for comment in json.loads(self.comments.read_text()) if comment["user"]["type"] == "Bot"]
