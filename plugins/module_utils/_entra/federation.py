# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose tokens a federated credential means: issuer and subject as each platform writes them.

Private to the collection. Sources: "Configure an app to trust an external identity provider"; GitHub, "OpenID Connect
reference"; GitLab, "OpenID Connect authentication using ID tokens"; Azure DevOps, workload identity service connections;
Kubernetes, "Service accounts"; Red Hat Ansible Automation Platform 2.7, "Claims for workload identity".
"""

from __future__ import annotations

import re
from typing import Any

GITHUB = "https://token.actions.githubusercontent.com"
MOST = 20  # credentials of an application
LONGEST = 600  # characters of an issuer, and of a subject
_NAME = re.compile(r"[A-Za-z0-9_-]{1,120}")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_REPOSITORY = re.compile(r"[\w.-]+(@\d+)?/[\w.-]+(@\d+)?")
_OPTIONAL = {"type": "str"}
_REQUIRED = {"type": "str", "required": True}

# The platforms with a shorthand, and what each is told by.
PLATFORMS: dict[str, dict[str, dict[str, Any]]] = {
    "github": {
        "repository": _REQUIRED,
        "branch": _OPTIONAL,
        "tag": _OPTIONAL,
        "environment": _OPTIONAL,
        "pull_request": {"type": "bool"},
    },
    "gitlab": {"host": _OPTIONAL, "project": _REQUIRED, "branch": _OPTIONAL, "tag": _OPTIONAL},
    "azure_devops": {"organization": _REQUIRED, "organization_id": _REQUIRED, "project": _REQUIRED, "service_connection": _REQUIRED},
    "kubernetes": {"issuer": _REQUIRED, "namespace": _REQUIRED, "service_account": _REQUIRED},
    "automation_platform": {"url": _REQUIRED, "organization": _REQUIRED, "job_template": _REQUIRED},
    "managed_identity": {"object_id": _REQUIRED},
}
# Of these a shorthand needs exactly one.
_ONE_OF = {"github": ("branch", "tag", "environment", "pull_request"), "gitlab": ("branch", "tag")}


def problems(credentials: list[dict[str, Any]]) -> list[str]:
    """What is wrong with a list of credentials, found without a request: one sentence a problem."""
    found: list[str] = []
    names: set[str] = set()
    pairs: dict[tuple[str, str], str] = {}
    present = [credential for credential in credentials if credential["state"] == "present"]
    for credential in credentials:
        name = credential["name"]
        if not _NAME.fullmatch(name):
            found.append(f"credentials: the name {name!r} cannot be used: use 1 to 120 letters, digits, hyphens and underscores.")
        if name in names:
            found.append(f"credentials holds {name} twice: keep one of them.")
        names.add(name)
        if credential["state"] == "absent":
            continue
        wrong = _problems_of(credential)
        found += [f"credentials: {name}: {text}" for text in wrong]
        if not wrong:
            pair = trusted(credential, "")
            other = pairs.setdefault(pair, name)
            if other != name:
                found.append(f"credentials: {other} and {name} have the same issuer and subject: keep one of them.")
    if len(present) > MOST:
        found.append(f"credentials holds {len(present)}: an application may have at most {MOST}; leave some out.")
    return found


def _problems_of(credential: dict[str, Any]) -> list[str]:
    shorthands = [platform for platform in PLATFORMS if credential.get(platform)]
    pair = [option for option in ("issuer", "subject") if credential.get(option)]
    if len(shorthands) > 1 or (shorthands and pair):
        return [f"{' and '.join(shorthands + pair)} are given: give one platform, or issuer and subject."]
    if not shorthands and len(pair) < 2:
        return [f"nothing says whose tokens it means: give issuer and subject, or one of {', '.join(PLATFORMS)}."]
    found = _problems_of_shorthand(shorthands[0], credential[shorthands[0]]) if shorthands else []
    if found:
        return found
    issuer, subject = trusted(credential, "https://issuer.invalid")
    if not issuer.startswith("https://"):
        found.append(f"the issuer is {issuer!r}: give its https URL, as its tokens say it.")
    for option, value in (("issuer", issuer), ("subject", subject)):
        if len(value) > LONGEST:
            found.append(f"the {option} has {len(value)} characters: {LONGEST} are the most.")
    return found


def _problems_of_shorthand(platform: str, told: dict[str, Any]) -> list[str]:
    empty = [option for option, spec in PLATFORMS[platform].items() if spec.get("required") and not str(told[option]).strip()]
    if empty:
        return [f"{platform}: {', '.join(empty)} is empty: give a value."]
    choices = _ONE_OF.get(platform, ())
    given = [option for option in choices if told.get(option)]
    if choices and len(given) != 1:
        return [f"{platform}: give one of {', '.join(choices)}{f', not {len(given)}' if given else ''}."]
    if platform == "github" and not _REPOSITORY.fullmatch(told["repository"]):
        return [f"github: the repository is {told['repository']!r}: give OWNER/REPOSITORY, as the tokens' subject has it."]
    for option in ("object_id", "organization_id"):
        if option in told and not _GUID.fullmatch(told[option]):
            return [f"{platform}: the {option} is {told[option]!r}: give the id, a GUID."]
    return []


def trusted(credential: dict[str, Any], own_issuer: str) -> tuple[str, str]:
    """Issuer and subject; `own_issuer` is the tenant's own, which managed identities have."""
    if told := credential.get("github"):
        return GITHUB, f"repo:{told['repository']}:{_github_context(told)}"
    if told := credential.get("gitlab"):
        kind = "branch" if told.get("branch") else "tag"
        return f"https://{told.get('host') or 'gitlab.com'}", f"project_path:{told['project']}:ref_type:{kind}:ref:{told[kind]}"
    if told := credential.get("azure_devops"):
        subject = f"sc://{told['organization']}/{told['project']}/{told['service_connection']}"
        return f"https://vstoken.dev.azure.com/{told['organization_id'].lower()}", subject
    if told := credential.get("kubernetes"):
        return told["issuer"], f"system:serviceaccount:{told['namespace']}:{told['service_account']}"
    if told := credential.get("automation_platform"):
        kind = "workload_type:aap_controller_automation_job"
        return f"{told['url'].rstrip('/')}/o", f"{kind}:organization:{told['organization']}:job_template:{told['job_template']}"
    if told := credential.get("managed_identity"):
        return own_issuer, told["object_id"].lower()
    return str(credential["issuer"]), str(credential["subject"])


def _github_context(told: dict[str, Any]) -> str:
    if told.get("pull_request"):
        return "pull_request"
    if told.get("environment"):
        return f"environment:{told['environment']}"
    return f"ref:refs/heads/{told['branch']}" if told.get("branch") else f"ref:refs/tags/{told['tag']}"
