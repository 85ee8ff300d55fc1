"""The workflow files of docs/gitops: their own scripts run against the emulator, as the runner of each platform runs them.

A plan with changes, its comment, the run that applies exactly this plan, and the refusal of another. Sign-in is by the token of the job.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest
import yaml

from .comment_services import CommentService
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


@dataclass
class Job:
    """A job's workspace: a checkout of the repository, and what the runner sets."""

    workspace: Path
    environment: dict[str, str]
    log: str = ""

    def run(self, script: str, *, interpreter: str = "bash -e", status: int = 0, **more: str) -> str:
        """Run a script and check its exit status; its output."""
        command = [*interpreter.split(), "-c", script]
        done = subprocess.run(
            command, cwd=self.workspace, env=self.environment | more, check=False, capture_output=True, text=True, timeout=300
        )
        self.log += done.stdout + done.stderr
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout


@dataclass
class Repository:
    """A repository with one tenant of the demo, whose inventory has no credential, at most the name of the token's variable."""

    site: Site
    tenant: str
    directory: Path
    names_token: bool = True
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
        """A new job. `senders`: more of them than the plan was made with."""
        self.jobs += 1
        workspace = self.directory / f"job{self.jobs}"
        inventory = workspace / "inventory"
        (inventory / "host_vars").mkdir(parents=True)
        shutil.copytree(REPO / "inventories/demo/group_vars", inventory / "group_vars")
        (workspace / "ansible.cfg").write_text(CONFIG)
        (inventory / "hosts.yml").write_text(yaml.safe_dump({"tenants": {"hosts": {self.tenant: None}}}))
        variables = {name: value for name, value in self.site.variables(self.tenant).items() if name not in CREDENTIALS}
        variables |= {"m365_federated_token_variable": "M365_ID_TOKEN"} if self.names_token else {}
        variables["m365_senders"] = [*variables["m365_senders"], *senders]
        (inventory / "host_vars" / f"{self.tenant}.yml").write_text(yaml.safe_dump(variables))
        path = f"{self.directory / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        return Job(workspace, {"PATH": path, "HOME": str(self.directory), "MAILOPS_DEMO_DIRECTORY": str(self.site.sandbox.directory)})

    def trust(self, token: str) -> str:
        """Let the automation app accept the issuer and subject of a token; the token."""
        claims = jwt.decode(token, options={"verify_signature": False})
        credential = {"name": f"job-{len(self.tokens)}", "issuer": claims["iss"], "subject": claims["sub"]}
        options = {"app_id": "{{ m365_client_id }}", "credentials": [credential]}
        play = {"hosts": "tenants", "gather_facts": False, "tasks": [{"name": "Trust", "mailops.m365.federated_credential": options}]}
        playbook = self.directory / "trust.yml"
        playbook.write_text(yaml.safe_dump([play]))
        done = self.site.play({self.tenant: self.site.variables(self.tenant)}, None, str(playbook))
        assert done.code == 0, done.output
        self.tokens.append(token)
        return token

    def other(self) -> dict[str, Any]:
        """A sender that the reviewed plan does not have."""
        domain = self.site.variables(self.tenant)["m365_tenant"]
        return {"name": "New", "kind": "website", "address": f"new@{domain}"}


@pytest.fixture
def service() -> Iterator[CommentService]:
    with CommentService() as started:
        yield started


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


def test_github_actions(site: Site, tmp_path: Path) -> None:
    repository = Repository(site, "contoso", tmp_path, names_token=False)
    for subject in SUBJECTS:
        repository.trust(site.sandbox.admin.id_token("github", sub=subject, aud="api://AzureADTokenExchange"))
    github = GitHub(repository)
    person = {"id": 1, "user": {"type": "User"}, "body": f"{MARKER} of a person"}
    github.comments.write_text(json.dumps([person]))

    job = repository.checkout()
    assert github.run("plan", "pull_request", SUBJECTS[0], job) == {"changes": "true"}
    assert "pip install --requirement requirements.txt\n" in job.log
    [body] = github.bodies()
    assert body.startswith(f"{MARKER}\n## Plan: ")
    assert len(body.encode()) <= 60_000
    assert (job.workspace / "summary").read_text() == body
    github.run("plan", "pull_request", SUBJECTS[0], repository.checkout(repository.other()))
    [updated] = github.bodies()
    assert "new@contoso.com" in updated, "the comment was updated"
    assert json.loads(github.comments.read_text())[0] == person

    assert github.run("plan", "push", SUBJECTS[1], repository.checkout()) == {"changes": "true"}
    job = repository.checkout(repository.other())
    github.run("apply", "push", SUBJECTS[2], job, status=2)
    assert "mailbox new@contoso.com (add) is not in the reviewed plan" in " ".join(job.log.split())
    github.run("apply", "push", SUBJECTS[2], repository.checkout())
    assert github.run("plan", "push", SUBJECTS[1], repository.checkout()) == {"changes": "false"}


def test_github_gives_no_token_to_forks_and_applies_behind_the_environment() -> None:
    workflow = document("github-actions.yml")
    plan, apply = workflow["jobs"]["plan"], workflow["jobs"]["apply"]
    assert workflow["permissions"] == {}
    assert plan["if"] == "github.event_name == 'push' || github.event.pull_request.head.repo.full_name == github.repository"
    assert (apply["needs"], apply["environment"]) == ("plan", "mail")
    assert apply["if"] == "github.event_name == 'push' && needs.plan.outputs.changes == 'true'"
    assert "pull_request_target" not in (GITOPS / "github-actions.yml").read_text()


# -- GitLab CI/CD -----------------------------------------------------------------------------------------------------


def test_gitlab_ci(site: Site, tmp_path: Path, service: CommentService) -> None:
    repository = Repository(site, "fabrikam", tmp_path)
    subject = "project_path:contoso/mail:ref_type:branch:ref:main"
    token = repository.trust(site.sandbox.admin.id_token("gitlab", sub=subject, aud="api://AzureADTokenExchange"))
    pipeline = document("gitlab-ci.yml")
    common = {"M365_ID_TOKEN": token, "CI_API_V4_URL": f"{service.url}/api/v4", "CI_PROJECT_ID": "42", "CI_MERGE_REQUEST_IID": "7"}

    def run(name: str, job: Job, *, status: int = 0) -> Job:
        """The scripts of a job, `before_script` first. The exit status is that of the last one."""
        definition = pipeline[".mail"] | pipeline[name] if "extends" in pipeline[name] else pipeline[name]
        environment = common | definition.get("variables", {})
        for script in definition.get("before_script", []):
            job.run(script, **environment)
        for script in definition["script"]:
            job.run(script, status=status, **environment)
        return job

    def comment(planned: Job) -> None:
        job = repository.checkout()
        shutil.copy(planned.workspace / "plan.md", job.workspace)
        common["MAIL_COMMENT_TOKEN"] = service.token
        run("comment", job)
        del common["MAIL_COMMENT_TOKEN"]

    [changes] = pipeline["plan"]["allow_failure"]["exit_codes"]
    service.notes.append({"id": 1, "body": "a note"})
    planned = run("plan", repository.checkout(), status=changes)
    assert {"plan.json", "plan.md", "plan.xml"} <= {path.name for path in planned.workspace.iterdir()}
    comment(planned)
    comment(run("plan", repository.checkout(repository.other()), status=changes))
    assert [note["id"] for note in service.notes] == [1, 2], "the second plan updates the note"
    assert service.notes[1]["body"].startswith(f"{MARKER}\n## Plan: ")
    assert "new@fabrikam.com" in service.notes[1]["body"]

    for senders, status in (([repository.other()], 2), ([], 0)):
        job = repository.checkout(*senders)
        shutil.copy(planned.workspace / "plan.json", job.workspace)
        run("apply", job, status=status)
    run("plan", repository.checkout())
    assert pipeline["apply"]["rules"] == [{"if": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH", "when": "manual"}]
    fork = "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID"
    assert all(fork in pipeline[name]["rules"][0]["if"] for name in ("plan", "comment"))


# -- Azure DevOps -----------------------------------------------------------------------------------------------------


def test_azure_pipelines(site: Site, tmp_path: Path, service: CommentService) -> None:
    repository = Repository(site, "northwind", tmp_path)
    token = repository.trust(site.sandbox.admin.id_token("azure-devops", sub="sc://contoso/mail/mail", aud="api://AzureADTokenExchange"))
    plan, apply = document("azure-pipelines.yml")["stages"]
    [planning], [deployment] = plan["jobs"], apply["jobs"]
    steps = {step.get("displayName"): step for step in planning["steps"]}
    deploy = {step.get("displayName"): step for step in deployment["strategy"]["runOnce"]["deploy"]["steps"]}
    predefined = {
        "$(System.AccessToken)": service.token, "$(System.CollectionUri)": f"{service.url}/", "$(System.TeamProjectId)": "mail",
        "$(Build.Repository.ID)": "42", "$(System.PullRequest.PullRequestId)": "7",
    }  # fmt: skip

    def run(step: dict[str, Any], job: Job, *, status: int = 0, **more: str) -> str:
        environment = {name: predefined[value] for name, value in step.get("env", {}).items()}
        script = step["inputs"]["inlineScript"] if "task" in step else step["script"]
        return job.run(script, interpreter="bash", status=status, **planning["variables"], **environment, **more)

    def planned(*senders: dict[str, Any]) -> tuple[Job, str]:
        job = repository.checkout(*senders)
        run(steps["Install"], job)
        return job, run(steps["Plan"], job, idToken=token)

    job, output = planned()
    assert "##vso[task.setvariable variable=changes;isOutput=true]true\n##vso[task.complete result=SucceededWithIssues;]" in output
    service.threads.append({"id": 1, "comments": [{"id": 1, "content": "a comment"}, {"id": 2}]})
    run(steps["Comment the plan"], job)
    other, _output = planned(repository.other())
    run(steps["Comment the plan"], other)
    assert [thread["id"] for thread in service.threads] == [1, 2], "the second plan updates the comment"
    [comment] = service.threads[1]["comments"]
    assert comment["content"].startswith(f"{MARKER}\n## Plan: ")
    assert "new@northwind.example.com" in comment["content"]

    artifact = tmp_path / "pipeline"
    (artifact / "plan").mkdir(parents=True)
    shutil.copy(job.workspace / "plan.json", artifact / "plan")
    for senders, status in (([repository.other()], 2), ([], 0)):
        job = repository.checkout(*senders)
        run(deploy["Install"], job)
        run(deploy["Apply the plan"], job, status=status, idToken=token, PIPELINE_WORKSPACE=str(artifact))
    _job, output = planned()
    assert "##vso[task.setvariable variable=changes;isOutput=true]false\n" in output
    assert deployment["environment"] == "mail"
    assert "eq(dependencies.plan.outputs['plan.plan.changes'], 'true')" in apply["condition"]
