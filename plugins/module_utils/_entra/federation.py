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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

GITHUB = "https://token.actions.githubusercontent.com"
MAX_CREDENTIALS = 20  # of an application
MAX_LENGTH = 600  # characters of an issuer, and of a subject
_NAME = re.compile(r"[A-Za-z0-9_-]{1,120}")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_REPOSITORY = re.compile(r"[\w.-]+(@\d+)?/[\w.-]+(@\d+)?")

PlatformOptions = Mapping[str, str | bool | None]


class TokenIdentity(NamedTuple):
    """The claims iss and sub of the tokens that a credential accepts."""

    issuer: str
    subject: str


@dataclass(frozen=True)
class Credential:
    """One credential of a task. `platforms` holds the options of each platform that is set."""

    name: str
    issuer: str | None = None
    subject: str | None = None
    audience: str | None = None
    description: str | None = None
    platforms: Mapping[str, PlatformOptions] = field(default_factory=dict)
    state: str = "present"

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Credential:
        platforms = {name: options[name] for name in PLATFORMS if options.get(name)}
        names = ("issuer", "subject", "audience", "description")
        return cls(options["name"], **{name: options.get(name) for name in names}, platforms=platforms, state=options["state"])

    @property
    def is_present(self) -> bool:
        return self.state == "present"


@dataclass(frozen=True)
class Platform:
    """A platform with a shorthand: its argument spec, the options of which exactly one is required, and its token identity."""

    options: dict[str, dict[str, object]]
    identity: Callable[[PlatformOptions, str], TokenIdentity]
    one_of: tuple[str, ...] = ()


def token_identity(credential: Credential, tenant_issuer: str) -> TokenIdentity:
    """The issuer and subject of a credential; `tenant_issuer` is the issuer of managed identities."""
    for name, options in credential.platforms.items():
        return PLATFORMS[name].identity(options, tenant_issuer)
    return TokenIdentity(str(credential.issuer), str(credential.subject))


# -- platforms --------------------------------------------------------------------------------------------------------


def _github(options: PlatformOptions, _tenant_issuer: str) -> TokenIdentity:
    return TokenIdentity(GITHUB, f"repo:{options['repository']}:{_github_context(options)}")


def _github_context(options: PlatformOptions) -> str:
    if options.get("pull_request"):
        return "pull_request"
    if options.get("environment"):
        return f"environment:{options['environment']}"
    return f"ref:refs/heads/{options['branch']}" if options.get("branch") else f"ref:refs/tags/{options['tag']}"


def _gitlab(options: PlatformOptions, _tenant_issuer: str) -> TokenIdentity:
    kind = "branch" if options.get("branch") else "tag"
    subject = f"project_path:{options['project']}:ref_type:{kind}:ref:{options[kind]}"
    return TokenIdentity(f"https://{options.get('host') or 'gitlab.com'}", subject)


def _azure_devops(options: PlatformOptions, _tenant_issuer: str) -> TokenIdentity:
    subject = f"sc://{options['organization']}/{options['project']}/{options['service_connection']}"
    return TokenIdentity(f"https://vstoken.dev.azure.com/{str(options['organization_id']).lower()}", subject)


def _kubernetes(options: PlatformOptions, _tenant_issuer: str) -> TokenIdentity:
    return TokenIdentity(str(options["issuer"]), f"system:serviceaccount:{options['namespace']}:{options['service_account']}")


def _automation_platform(options: PlatformOptions, _tenant_issuer: str) -> TokenIdentity:
    workload = "workload_type:aap_controller_automation_job"
    subject = f"{workload}:organization:{options['organization']}:job_template:{options['job_template']}"
    return TokenIdentity(f"{str(options['url']).rstrip('/')}/o", subject)


def _managed_identity(options: PlatformOptions, tenant_issuer: str) -> TokenIdentity:
    return TokenIdentity(tenant_issuer, str(options["object_id"]).lower())


def _optional() -> dict[str, object]:
    return {"type": "str"}


def _required() -> dict[str, object]:
    return {"type": "str", "required": True}


PLATFORMS: dict[str, Platform] = {
    "github": Platform(
        {
            "repository": _required(),
            "branch": _optional(),
            "tag": _optional(),
            "environment": _optional(),
            "pull_request": {"type": "bool"},
        },
        _github,
        one_of=("branch", "tag", "environment", "pull_request"),
    ),
    "gitlab": Platform(
        {"host": _optional(), "project": _required(), "branch": _optional(), "tag": _optional()}, _gitlab, one_of=("branch", "tag")
    ),
    "azure_devops": Platform(
        {"organization": _required(), "organization_id": _required(), "project": _required(), "service_connection": _required()},
        _azure_devops,
    ),
    "kubernetes": Platform({"issuer": _required(), "namespace": _required(), "service_account": _required()}, _kubernetes),
    "automation_platform": Platform({"url": _required(), "organization": _required(), "job_template": _required()}, _automation_platform),
    "managed_identity": Platform({"object_id": _required()}, _managed_identity),
}


# -- problems ---------------------------------------------------------------------------------------------------------


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
            other = by_identity.setdefault(token_identity(credential, ""), name)
            if other != name:
                sentences.append(f"credentials: {other} and {name} have the same issuer and subject: keep one of them.")
    present = sum(credential.is_present for credential in credentials)
    if present > MAX_CREDENTIALS:
        sentences.append(f"credentials holds {present}: an application may have at most {MAX_CREDENTIALS}; leave some out.")
    return sentences


def _credential_problems(credential: Credential) -> list[str]:
    platforms = list(credential.platforms)
    claims = [option for option, value in (("issuer", credential.issuer), ("subject", credential.subject)) if value]
    if len(platforms) > 1 or (platforms and claims):
        return [f"{' and '.join(platforms + claims)} are set: set one platform, or issuer and subject."]
    if not platforms and len(claims) < 2:
        return [f"issuer and subject are not set: set both, or one of {', '.join(PLATFORMS)}."]
    sentences = _platform_problems(platforms[0], credential.platforms[platforms[0]]) if platforms else []
    if sentences:
        return sentences
    identity = token_identity(credential, "https://issuer.invalid")
    if not identity.issuer.startswith("https://"):
        sentences.append(f"the issuer is {identity.issuer!r}: give its https URL, as in the claim iss of its tokens.")
    for option, value in zip(("issuer", "subject"), identity, strict=True):
        if len(value) > MAX_LENGTH:
            sentences.append(f"the {option} has {len(value)} characters: the limit is {MAX_LENGTH}.")
    return sentences


def _platform_problems(name: str, options: PlatformOptions) -> list[str]:
    platform = PLATFORMS[name]
    empty = [option for option, spec in platform.options.items() if spec.get("required") and not str(options[option]).strip()]
    if empty:
        return [f"{name}: {', '.join(empty)} is empty: give a value."]
    selected = [option for option in platform.one_of if options.get(option)]
    if platform.one_of and len(selected) != 1:
        return [f"{name}: give one of {', '.join(platform.one_of)}{f', not {len(selected)}' if selected else ''}."]
    if name == "github" and not _REPOSITORY.fullmatch(str(options["repository"])):
        return [f"github: the repository is {options['repository']!r}: give OWNER/REPOSITORY, as in the subject of its tokens."]
    for option in ("object_id", "organization_id"):
        if option in options and not _GUID.fullmatch(str(options[option])):
            return [f"{name}: the {option} is {options[option]!r}: give the id, a GUID."]
    return []
