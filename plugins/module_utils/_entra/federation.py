# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Federated identity credentials: issuer and subject of the tokens of each platform.

Sources: "Configure an app to trust an external identity provider"; GitHub, "OpenID Connect reference"; GitLab, "OpenID Connect
authentication using ID tokens"; Azure DevOps, workload identity service connections; Kubernetes, "Service accounts"; Red Hat
Ansible Automation Platform 2.7, "Claims for workload identity".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from .._core.params import nested
from .._core.spec import Option

GITHUB = "https://token.actions.githubusercontent.com"
MAX_CREDENTIALS = 20  # of an application
MAX_LENGTH = 600  # characters of an issuer, and of a subject
_NAME = re.compile(r"[A-Za-z0-9_-]{1,120}")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_REPOSITORY = re.compile(r"[\w.-]+(@\d+)?/[\w.-]+(@\d+)?")


class TokenIdentity(NamedTuple):
    """The claims iss and sub of the tokens that a credential accepts."""

    issuer: str
    subject: str


# -- platforms --------------------------------------------------------------------------------------------------------


class Platform(Protocol):
    """The options of a platform with a shorthand."""

    def identity(self, tenant_issuer: str) -> TokenIdentity:
        """The issuer and subject of its tokens; `tenant_issuer` is the issuer of managed identities."""

    def problems(self) -> list[str]:
        """At most one problem of values that the argument spec accepts."""


@dataclass(frozen=True)
class GitHub:
    """Actions of a repository; exactly one of the optional values is required."""

    repository: str
    branch: str | None
    tag: str | None
    environment: str | None
    pull_request: bool | None

    def identity(self, tenant_issuer: str) -> TokenIdentity:
        return TokenIdentity(GITHUB, f"repo:{self.repository}:{self._context()}")

    def _context(self) -> str:
        if self.pull_request:
            return "pull_request"
        if self.environment:
            return f"environment:{self.environment}"
        return f"ref:refs/heads/{self.branch}" if self.branch else f"ref:refs/tags/{self.tag}"

    def problems(self) -> list[str]:
        contexts = {"branch": self.branch, "tag": self.tag, "environment": self.environment, "pull_request": self.pull_request}
        problems = _one_of(contexts)
        if not problems and not _REPOSITORY.fullmatch(self.repository):
            problems.append(f"the repository is {self.repository!r}: give OWNER/REPOSITORY, as in the subject of its tokens.")
        return problems


@dataclass(frozen=True)
class GitLab:
    """Pipelines of a project, for a branch or a tag."""

    host: str | None
    project: str
    branch: str | None
    tag: str | None

    def identity(self, tenant_issuer: str) -> TokenIdentity:
        ref = f"ref_type:branch:ref:{self.branch}" if self.branch else f"ref_type:tag:ref:{self.tag}"
        return TokenIdentity(f"https://{self.host or 'gitlab.com'}", f"project_path:{self.project}:{ref}")

    def problems(self) -> list[str]:
        return _one_of({"branch": self.branch, "tag": self.tag})


@dataclass(frozen=True)
class AzureDevOps:
    """A workload identity service connection."""

    organization: str
    organization_id: str
    project: str
    service_connection: str

    def identity(self, tenant_issuer: str) -> TokenIdentity:
        subject = f"sc://{self.organization}/{self.project}/{self.service_connection}"
        return TokenIdentity(f"https://vstoken.dev.azure.com/{self.organization_id.lower()}", subject)

    def problems(self) -> list[str]:
        return _guid("organization_id", self.organization_id)


@dataclass(frozen=True)
class Kubernetes:
    """A service account of a cluster."""

    issuer: str
    namespace: str
    service_account: str

    def identity(self, tenant_issuer: str) -> TokenIdentity:
        return TokenIdentity(self.issuer, f"system:serviceaccount:{self.namespace}:{self.service_account}")

    def problems(self) -> list[str]:
        return []


@dataclass(frozen=True)
class AutomationPlatform:
    """A job template of Ansible Automation Platform."""

    url: str
    organization: str
    job_template: str

    def identity(self, tenant_issuer: str) -> TokenIdentity:
        workload = "workload_type:aap_controller_automation_job"
        subject = f"{workload}:organization:{self.organization}:job_template:{self.job_template}"
        return TokenIdentity(f"{self.url.rstrip('/')}/o", subject)

    def problems(self) -> list[str]:
        return []


@dataclass(frozen=True)
class ManagedIdentity:
    """A managed identity of the tenant's own."""

    object_id: str

    def identity(self, tenant_issuer: str) -> TokenIdentity:
        return TokenIdentity(tenant_issuer, self.object_id.lower())

    def problems(self) -> list[str]:
        return _guid("object_id", self.object_id)


def _one_of(options: Mapping[str, object]) -> list[str]:
    selected = [option for option, value in options.items() if value]
    if len(selected) == 1:
        return []
    return [f"give one of {', '.join(options)}{f', not {len(selected)}' if selected else ''}."]


def _guid(option: str, value: str) -> list[str]:
    return [] if _GUID.fullmatch(value) else [f"the {option} is {value!r}: give the id, a GUID."]


# -- credentials ------------------------------------------------------------------------------------------------------

_STR: Option = {"type": "str"}
_REQUIRED: Option = {"type": "str", "required": True}
OPTIONS: dict[str, Option] = {
    "name": _REQUIRED,
    "issuer": _STR,
    "subject": _STR,
    "audience": _STR,
    "description": _STR,
    "github": {
        "type": "dict",
        "options": {"repository": _REQUIRED, "branch": _STR, "tag": _STR, "environment": _STR, "pull_request": {"type": "bool"}},
    },
    "gitlab": {"type": "dict", "options": {"host": _STR, "project": _REQUIRED, "branch": _STR, "tag": _STR}},
    "azure_devops": {
        "type": "dict",
        "options": {"organization": _REQUIRED, "organization_id": _REQUIRED, "project": _REQUIRED, "service_connection": _REQUIRED},
    },
    "kubernetes": {"type": "dict", "options": {"issuer": _REQUIRED, "namespace": _REQUIRED, "service_account": _REQUIRED}},
    "automation_platform": {"type": "dict", "options": {"url": _REQUIRED, "organization": _REQUIRED, "job_template": _REQUIRED}},
    "managed_identity": {"type": "dict", "options": {"object_id": _REQUIRED}},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
PLATFORMS = ("github", "gitlab", "azure_devops", "kubernetes", "automation_platform", "managed_identity")


@dataclass(frozen=True)
class Credential:
    """One credential of a task: issuer and subject, or one platform."""

    name: str
    issuer: str | None
    subject: str | None
    audience: str | None
    description: str | None
    state: str
    github: GitHub | None = nested(GitHub)
    gitlab: GitLab | None = nested(GitLab)
    azure_devops: AzureDevOps | None = nested(AzureDevOps)
    kubernetes: Kubernetes | None = nested(Kubernetes)
    automation_platform: AutomationPlatform | None = nested(AutomationPlatform)
    managed_identity: ManagedIdentity | None = nested(ManagedIdentity)

    @property
    def is_present(self) -> bool:
        return self.state == "present"

    @property
    def platforms(self) -> dict[str, Platform]:
        """The platforms that are set, by option."""
        options: dict[str, Platform | None] = {
            "github": self.github,
            "gitlab": self.gitlab,
            "azure_devops": self.azure_devops,
            "kubernetes": self.kubernetes,
            "automation_platform": self.automation_platform,
            "managed_identity": self.managed_identity,
        }
        return {name: platform for name, platform in options.items() if platform}

    def identity(self, tenant_issuer: str) -> TokenIdentity:
        """The issuer and subject of the tokens that it accepts; `tenant_issuer` is the issuer of managed identities."""
        for platform in self.platforms.values():
            return platform.identity(tenant_issuer)
        return TokenIdentity(str(self.issuer), str(self.subject))


def problems(credentials: Sequence[Credential]) -> list[str]:
    """The problems of a list of credentials that can be detected without a request: one sentence each."""
    sentences: list[str] = []
    names: set[str] = set()
    by_identity: dict[TokenIdentity, str] = {}
    for credential in credentials:
        name = credential.name
        if not _NAME.fullmatch(name):
            sentences.append(f"credentials: the name {name!r} is invalid: use 1 to 120 letters, digits, hyphens and underscores.")
        if name in names:
            sentences.append(f"credentials holds {name} twice: keep one of them.")
        names.add(name)
        if not credential.is_present:
            continue
        invalid = _credential_problems(credential)
        sentences += [f"credentials: {name}: {text}" for text in invalid]
        if not invalid:
            other = by_identity.setdefault(credential.identity(""), name)
            if other != name:
                sentences.append(f"credentials: {other} and {name} have the same issuer and subject: keep one of them.")
    present = sum(credential.is_present for credential in credentials)
    if present > MAX_CREDENTIALS:
        sentences.append(f"credentials holds {present}: an application may have at most {MAX_CREDENTIALS}; leave some out.")
    return sentences


def _credential_problems(credential: Credential) -> list[str]:
    platforms = credential.platforms
    claims = [option for option, value in (("issuer", credential.issuer), ("subject", credential.subject)) if value]
    if len(platforms) > 1 or (platforms and claims):
        return [f"{' and '.join([*platforms, *claims])} are set: set one platform, or issuer and subject."]
    if not platforms and len(claims) < 2:
        return [f"issuer and subject are not set: set both, or one of {', '.join(PLATFORMS)}."]
    sentences = [f"{name}: {text}" for name, platform in platforms.items() for text in _platform_problems(name, platform)]
    if sentences:
        return sentences
    identity = credential.identity("https://issuer.invalid")
    if not identity.issuer.startswith("https://"):
        sentences.append(f"the issuer is {identity.issuer!r}: give its https URL, as in the claim iss of its tokens.")
    for option, value in zip(("issuer", "subject"), identity, strict=True):
        if len(value) > MAX_LENGTH:
            sentences.append(f"the {option} has {len(value)} characters: the limit is {MAX_LENGTH}.")
    return sentences


def _platform_problems(name: str, platform: Platform) -> list[str]:
    options = OPTIONS[name]["options"]
    empty = [option for option, spec in options.items() if spec.get("required") and not getattr(platform, option).strip()]
    return [f"{', '.join(empty)} is empty: give a value."] if empty else platform.problems()
