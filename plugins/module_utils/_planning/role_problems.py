# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles of a tenant would refuse: every derived input, validated by the resource that takes it, before anything is written."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from .._core import option_values
from .._core.errors import InvalidInput
from .._core.spec import JOURNAL, TENANT, Spec
from .._engine.resource import Resource
from .._engine.run import params_of
from .._identity import credentials, key_files
from . import address_conflicts
from .context import PlanningContext, PlanSettings
from .role_inputs import RoleInput, role_inputs
from .role_variables import derive, roles_to_run, with_defaults
from .sending_plan import SendingPlan

Resources: TypeAlias = "Mapping[str, Resource[Any, Any, Any]]"  # by the module's name
# What a sender's own options are called in a sentence of a resource: module -> its words -> those of m365_senders.
_SENDER_WORDS = {
    "inbound_connector": {
        "connectors": "connector",
        "tls_sender_certificate_name": "certificate_name",
        "sender_ip_addresses": "public_addresses",
    },
    "spf": {"ip4": "public_addresses", "includes": "hosted relay"},
    "rbac_for_applications": {"mailboxes": "mailbox"},
    "authentication_policy": {"policies": "mailbox"},
    "acs_smtp_username": {"usernames": "SMTP username"},
    "exchange_service_principal": {"full_access": "mailbox", "send_as": "address"},
    "shared_mailbox": {"mailboxes": "mailbox"},
    "smtp_auth": {"mailboxes": "mailbox"},
    "hve_account": {"accounts": "address"},
    "smtp_probe": {"senders": "verify_connection"},
}
# Stands for a credential that only role verify needs, and that this run may not have.
_LATER = "set when the senders are verified"


@dataclass(frozen=True)
class RoleProblem:
    """One problem of a task's options. `text`: the sentence in the module's words."""

    input: RoleInput
    text: str

    @property
    def variable(self) -> str:
        """The inventory's variable for the option that the sentence begins with; "" where it begins with none."""
        first = re.match(r"\w+", self.text)
        return self.input.variables.get(first[0], "") if first else ""

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.input.role, self.input.module, self.text)

    def sentence(self) -> str:
        """The sentence in the words of the inventory."""
        text, item = _renamed(self.text, self.input.variables), self.input.item
        if not self.input.item_of or self.variable:
            return text
        return f"{self.input.item_of}: {text}" if item in text else f"{self.input.item_of}: {item}: {text}"

    def sender_sentence(self, senders: Sequence[str]) -> str:
        """The sentence for the senders whose options cause the problem."""
        words = dict(self.input.variables) | _SENDER_WORDS.get(self.input.module, {})
        return f"m365_senders: {', '.join(senders)}: {_renamed(self.text, words)}" if senders else f"m365_senders: {self.sentence()}"


def problems_of(inputs: Iterable[RoleInput], resources: Resources) -> list[RoleProblem]:
    """Everything that the resources refuse in these inputs, each problem once: types, choices, missing options, and `validate`."""
    problems = {problem.key: problem for task in inputs for problem in _task_problems(task, resources[task.module])}
    return list(problems.values())


def _task_problems(task: RoleInput, resource: Resource[Any, Any, Any]) -> Iterator[RoleProblem]:
    values, texts = option_values.check(_own(resource.spec), task.options)
    if not texts:
        texts = resource.validate(params_of(resource, values))
    yield from (RoleProblem(task, text) for text in [*texts, *_file_problems(task)])


def _file_problems(task: RoleInput) -> Iterator[str]:
    """What is wrong with the files with keys of role verify. Its module reports them as the result of each sender."""
    if task.module != "smtp_probe":
        return
    path, password = (task.options.get(f"app_certificate_{part}") for part in ("path", "password"))
    if isinstance(path, str):
        yield from _problems_of(lambda: credentials.load_certificate(_expanded(path), _text(password), prefix="app_"))
    senders = task.options.get("senders")
    for sender in senders if isinstance(senders, list) else []:
        own = sender.get("certificate_path") if isinstance(sender, Mapping) else None
        if isinstance(own, str):
            name = f"senders: {sender.get('name') or sender.get('address')}: certificate_path"
            yield from _problems_of(
                functools.partial(_check_connector_file, name, _expanded(own), _text(sender.get("certificate_password")))
            )


def _check_connector_file(name: str, path: str, password: str | None) -> None:
    """InvalidInput where a file holds no private key with a valid certificate; a connector takes any kind of key."""
    _key, leaf = key_files.open_pair(path, password, name, "certificate_password")
    for clause in key_files.date_problems(leaf):
        raise InvalidInput(f"{name} is {path}, whose certificate ({leaf.subject.rfc4514_string()}) {clause}.")


def _problems_of(check: Callable[[], object]) -> list[str]:
    try:
        check()
    except InvalidInput as error:
        return error.problems
    return []


def _expanded(path: str) -> str:
    return os.path.expanduser(os.path.expandvars(path))


def _text(value: object) -> str | None:
    return str(value) if value else None


def _own(spec: Spec) -> Spec:
    """A resource's spec without the connection and the journal, which belong to the task and not to the plan."""
    shared = TENANT.options.keys() | JOURNAL.options.keys()
    return replace(spec, options={name: option for name, option in spec.options.items() if name not in shared})


def _renamed(text: str, words: Mapping[str, str]) -> str:
    """A sentence with other names for options: at its beginning, and wherever a name with an underscore stands."""
    first = re.match(r"\w+", text)
    if first and first[0] in words:
        text = words[first[0]] + text[first.end() :]
    names = [name for name in words if "_" in name]
    return re.sub(rf"(?<![\w.])({'|'.join(names)})(?!\w)", lambda match: words[match[1]], text) if names else text


# -- of a plan --------------------------------------------------------------------------------------------------------


def plan_problems(
    plans: Sequence[SendingPlan], context: PlanningContext, settings: PlanSettings, inventory: Mapping[str, Any], resources: Resources
) -> list[str]:
    """What a role of this tenant would refuse, one sentence each, in the words of the variable or the sender that causes it.

    `inventory`: the role variables that the inventory sets, with their values; None is unset.
    """
    own = {name: value for name, value in inventory.items() if value is not None}
    derived = derive(plans, context, settings)
    problems = problems_of(_inputs(derived | own), resources)
    caused: dict[tuple[str, str, str], list[str]] = {}
    if problems:
        for plan in plans:
            for problem in problems_of(_inputs(derive([plan], context, settings)), resources):
                caused.setdefault(problem.key, []).append(plan.sender.name)
    conflicts = address_conflicts.problems(plans, derived | own)
    return list(dict.fromkeys([*(_sentence(problem, caused, own) for problem in problems), *conflicts]))


def _inputs(variables: Mapping[str, Any]) -> list[RoleInput]:
    roles = roles_to_run(variables)
    return [_with_credentials(task) for task in role_inputs(roles, with_defaults(variables))]


def _with_credentials(task: RoleInput) -> RoleInput:
    """The input of module smtp_probe as if the senders' credentials were set: a run that only configures may not have them."""
    if task.module != "smtp_probe":
        return task
    options = dict(task.options)
    if not options.get("app_client_secret") and not options.get("app_certificate_path"):
        options["app_client_secret"] = _LATER
    senders = options.get("senders")
    listed = [sender for sender in senders if isinstance(sender, Mapping)] if isinstance(senders, list) else []
    addresses = [str(sender.get("mailbox") or sender.get("address")) for sender in listed if sender.get("method") == "basic"]
    passwords = options.get("passwords")
    if isinstance(passwords, Mapping) or passwords is None:
        options["passwords"] = dict.fromkeys(addresses, _LATER) | {**(passwords or {})}
    return replace(task, options=options)


def _sentence(problem: RoleProblem, caused: Mapping[tuple[str, str, str], list[str]], inventory: Mapping[str, Any]) -> str:
    if problem.key in caused:
        return problem.sender_sentence(caused[problem.key])
    derived = bool(problem.variable) and problem.variable not in inventory
    return problem.sender_sentence(()) if derived and " is missing" not in problem.text else problem.sentence()
