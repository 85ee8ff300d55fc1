"""The workflow files of docs/gitops: their own scripts run against the emulator, as the runner of each platform runs them.

A plan with changes, its comment, the run that applies exactly this plan, and the refusal of another. Sign-in is by the token of the job.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .comment_services import CommentService
from .site_runs import Site
from .workflow_jobs import GITOPS, MARKER, SUBJECTS, GitHub, Job, Repository, document


@pytest.fixture
def service() -> Iterator[CommentService]:
    with CommentService() as started:
        yield started


# -- GitHub Actions ---------------------------------------------------------------------------------------------------


def test_github_actions(site: Site, tmp_path: Path) -> None:
    repository = Repository(site, ("contoso",), tmp_path, names_token=False)
    for subject in SUBJECTS:
        repository.trust(site, site.sandbox.admin.id_token("github", sub=subject, aud="api://AzureADTokenExchange"))
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
    repository = Repository(site, ("fabrikam",), tmp_path)
    subject = "project_path:contoso/mail:ref_type:branch:ref:main"
    token = repository.trust(site, site.sandbox.admin.id_token("gitlab", sub=subject, aud="api://AzureADTokenExchange"))
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
    repository = Repository(site, ("northwind",), tmp_path, names_token=False)
    subject, connection = "sc://contoso/mail/mail", "5f0c6a52-4d0e-4f33-8f5c-1d6a4b6f0e11"
    repository.trust(site, site.sandbox.admin.id_token("azure-devops", sub=subject, aud="api://AzureADTokenExchange"))
    issued = site.sandbox.admin.start_job("azure-devops", sub=subject, service_connection=connection)
    # The agent sets the first one, the task AzureCLI the second one.
    signs_in = {"SYSTEM_OIDCREQUESTURI": issued["url"], "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": connection}
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
        if "task" in step:  # the emulator has its own System.AccessToken, and the comment's service one
            environment = environment | signs_in | {"SYSTEM_ACCESSTOKEN": issued["token"]} if environment else signs_in
        script = step["inputs"]["inlineScript"] if "task" in step else step["script"]
        return job.run(script, interpreter="bash", status=status, **planning["variables"], **environment, **more)

    def planned(*senders: dict[str, Any]) -> tuple[Job, str]:
        job = repository.checkout(*senders)
        run(steps["Install"], job)
        return job, run(steps["Plan"], job)

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
        run(deploy["Apply the plan"], job, status=status, PIPELINE_WORKSPACE=str(artifact))
    _job, output = planned()
    assert "##vso[task.setvariable variable=changes;isOutput=true]false\n" in output
    assert deployment["environment"] == "mail"
    assert "eq(dependencies.plan.outputs['plan.plan.changes'], 'true')" in apply["condition"]
