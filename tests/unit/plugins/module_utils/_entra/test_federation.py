# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Issuer and subject of each platform, and the problems of credentials."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.params import make_params
from ansible_collections.mailops.m365.plugins.module_utils._entra.federation import OPTIONS, Credential, problems

GITHUB = "https://token.actions.githubusercontent.com"
GUID = "11111111-2222-4333-8444-55555555AAAA"


def credential(name: str = "one", state: str = "present", **options: Any) -> Credential:
    for platform, values in options.items():
        if isinstance(values, dict):
            options[platform] = dict.fromkeys(OPTIONS[platform]["options"]) | values
    return make_params(Credential, dict.fromkeys(OPTIONS) | {"name": name, "state": state} | options)


@pytest.mark.parametrize(
    ("options", "issuer", "subject"),
    [
        ({"issuer": "https://i.example", "subject": "s"}, "https://i.example", "s"),
        (
            {"github": {"repository": "contoso/infra", "branch": "main"}},
            GITHUB,
            "repo:contoso/infra:ref:refs/heads/main",
        ),
        (
            {"github": {"repository": "contoso@1/infra@2", "tag": "v1"}},
            GITHUB,
            "repo:contoso@1/infra@2:ref:refs/tags/v1",
        ),
        (
            {"github": {"repository": "o/r", "environment": "Prod"}},
            GITHUB,
            "repo:o/r:environment:Prod",
        ),
        ({"github": {"repository": "o/r", "pull_request": True}}, GITHUB, "repo:o/r:pull_request"),
        (
            {"gitlab": {"project": "it/mail", "branch": "main"}},
            "https://gitlab.com",
            "project_path:it/mail:ref_type:branch:ref:main",
        ),
        (
            {"gitlab": {"host": "git.contoso.com", "project": "it/mail", "tag": "v1"}},
            "https://git.contoso.com",
            "project_path:it/mail:ref_type:tag:ref:v1",
        ),
        (
            {"azure_devops": {"organization": "o", "organization_id": GUID, "project": "p", "service_connection": "c"}},
            f"https://vstoken.dev.azure.com/{GUID.lower()}",
            "sc://o/p/c",
        ),
        (
            {"kubernetes": {"issuer": "https://k.example", "namespace": "n", "service_account": "a"}},
            "https://k.example",
            "system:serviceaccount:n:a",
        ),
        (
            {"automation_platform": {"url": "https://aap.example/", "organization": "Mail", "job_template": "Converge tenants"}},
            "https://aap.example/o",
            "workload_type:aap_controller_automation_job:organization:Mail:job_template:Converge tenants",
        ),
        ({"managed_identity": {"object_id": GUID}}, "https://own.example/v2.0", GUID.lower()),
    ],
)
def test_issuer_and_subject_of_a_platform(options: dict[str, Any], issuer: str, subject: str) -> None:
    assert credential(**options).identity("https://own.example/v2.0") == (issuer, subject)
    assert problems([credential(**options)]) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "issuer and subject are not set: set both, or one of github, gitlab"),
        ({"issuer": "https://i.example"}, "issuer and subject are not set"),
        (
            {"issuer": "https://i.example", "github": {"repository": "o/r", "branch": "main"}},
            "github and issuer are set",
        ),
        ({"github": {"repository": "o/r"}}, "github: give one of branch, tag, environment, pull_request."),
        ({"github": {"repository": "o/r", "branch": "a", "tag": "b"}}, "give one of branch, tag, environment, pull_request, not 2."),
        ({"github": {"repository": "https://github.com/o/r", "branch": "a"}}, "give OWNER/REPOSITORY"),
        ({"gitlab": {"project": " ", "branch": "main"}}, "gitlab: project is empty"),
        ({"gitlab": {"project": "p"}}, "gitlab: give one of branch, tag."),
        ({"managed_identity": {"object_id": "mine"}}, "managed_identity: the object_id is 'mine': give the id, a GUID."),
        ({"kubernetes": {"issuer": "http://k.example", "namespace": "n", "service_account": "a"}}, "give its https URL"),
        ({"issuer": "https://i.example", "subject": "s" * 601}, "the subject has 601 characters: the limit is 600."),
        ({"issuer": "https://" + "i" * 600, "subject": "s"}, "the issuer has 608 characters"),
    ],
)
def test_problems_of_a_credential(options: dict[str, Any], words: str) -> None:
    [problem] = problems([credential("pipe", **options)])
    assert problem.startswith("credentials: pipe: ")
    assert words in problem


def test_names_and_identities_are_unique_and_twenty_at_most() -> None:
    options = {"issuer": "https://i.example", "subject": "s"}
    assert problems([credential("with blanks", **options)]) == [
        "credentials: the name 'with blanks' is invalid: use 1 to 120 letters, digits, hyphens and underscores."
    ]
    assert problems([credential(**options), credential(state="absent")]) == ["credentials holds one twice: keep one of them."]
    assert problems([credential("a", **options), credential("b", **options)]) == [
        "credentials: a and b have the same issuer and subject: keep one of them."
    ]
    many = [credential(f"n{number}", issuer="https://i.example", subject=str(number)) for number in range(21)]
    assert problems(many) == ["credentials holds 21: an application may have at most 20; leave some out."]
    assert problems([*many[1:], credential("gone", state="absent")]) == []
