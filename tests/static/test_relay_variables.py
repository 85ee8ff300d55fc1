"""Variables of role relay_host that are left empty (null) count as unset: in Ansible's validation, in the role, and in what it computes."""

from __future__ import annotations

import copy
import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailops.m365.plugins.module_utils._relay.config import message_size

from .test_roles import defaults, specs
from .tree import PACKAGE, REPO, text, under

ROLE = "roles/relay_host"
SPECS = specs("relay_host")
PUBLIC = {name: spec for entry in SPECS.values() for name, spec in entry.items()}
GUID = "11111111-2222-4333-8444-555555555555"
# Values without which the role refuses its variables.
REQUIRED: dict[str, Any] = {"m365_tenant": GUID, "relay_client_id": GUID, "relay_mailboxes": [{"address": "scanner@contoso.com"}]}
# A value of every public variable, none of them its default.
SAMPLES: dict[str, Any] = {
    "relay_mailboxes": [
        {
            "address": "scanner@contoso.com",
            "senders": ["scanner@contoso.com"],
            "messages_per_minute": 20,
            "connections": 3,
            "recipients_per_day": 5,
        }
    ],
    "relay_devices": [
        {
            "name": "ERP",
            "networks": ["192.0.2.0/24"],
            "username": "erp",
            "password": "correct horse",
            "password_hash": "",
            "senders": ["scanner@contoso.com"],
            "rewrite": True,
        }
    ],
    "relay_smarthost": {"host": "mail.example.net", "port": 465, "username": "u", "password": "p", "tls": "encrypt"},
}


RoleValues = Callable[[dict[str, Any], str], Any]


@pytest.fixture(scope="module")
def role_values() -> Iterator[RoleValues]:
    """A variable of the role's vars, as Ansible evaluates it on a host with these variables."""
    program = Path(__file__).with_name("role_values.py")
    environment = os.environ | {"ANSIBLE_COLLECTIONS_PATH": str(REPO / ".ansible/collections")}
    with subprocess.Popen([sys.executable, program], stdin=-1, stdout=-1, text=True, cwd=REPO, env=environment) as process:
        assert process.stdin
        assert process.stdout
        stdin, stdout = process.stdin, process.stdout

        def evaluate(variables: dict[str, Any], name: str) -> Any:
            stdin.write(json.dumps([variables, name]) + "\n")
            stdin.flush()
            return json.loads(stdout.readline())

        yield evaluate
        stdin.close()


def parse(variables: dict[str, Any]) -> Any:
    return importlib.import_module(f"{PACKAGE}.module_utils._relay.config.parse").parse(variables)


def nested() -> Iterator[tuple[str, str]]:
    """Variable and key of each option in a list or mapping."""
    for name, spec in PUBLIC.items():
        yield from ((name, key) for key in spec.get("options") or {})


@pytest.mark.parametrize("name", PUBLIC)
def test_empty_variable_passes_the_validation_of_its_entry_points(name: str) -> None:
    for options in SPECS.values():
        if name in options:
            result = ArgumentSpecValidator({name: options[name]}).validate({name: None})
            assert not result.error_messages


@pytest.mark.parametrize(("name", "key"), nested())
def test_empty_option_passes_the_validation(name: str, key: str) -> None:
    spec = next(options[name] for options in SPECS.values() if name in options)
    entry = {key: None, **{other: "x" for other, option in spec["options"].items() if option.get("required")}}
    if spec["options"][key].get("required"):
        return
    lists = {other: ["x"] for other, option in spec["options"].items() if option.get("required") and option["type"] == "list"}
    value = {**entry, **lists}
    result = ArgumentSpecValidator({name: spec}).validate({name: [value] if spec["type"] == "list" else value})
    assert not result.error_messages


@pytest.mark.parametrize("name", sorted(set(PUBLIC) - set(REQUIRED)))
def test_empty_variable_has_its_default(role_values: RoleValues, name: str) -> None:
    unset, empty = role_values(REQUIRED, "__relay_variables"), role_values(REQUIRED | {name: None}, "__relay_variables")
    assert _values(empty) == _values(unset)
    assert parse(empty) == parse(unset)


def test_all_variables_may_be_empty_at_once(role_values: RoleValues) -> None:
    empty = dict.fromkeys(sorted(set(PUBLIC) - set(REQUIRED)))
    assert _values(role_values(REQUIRED | empty, "__relay_variables")) == _values(role_values(REQUIRED, "__relay_variables"))


def _values(variables: dict[str, Any]) -> dict[str, Any]:
    """The variables without the names of all variables, which are looked at for misspelt ones only."""
    assert set(REQUIRED) <= {*variables["variable_names"]}
    return {name: value for name, value in variables.items() if name != "variable_names"}


def test_empty_variables_of_the_verification_have_the_defaults_of_playbook_verify(role_values: RoleValues) -> None:
    empty = REQUIRED | {"relay_verify_wait": None, "relay_verify_required": None}
    for variables, wait, required in (({}, 120, True), ({"verify_wait": 300, "verify_required": False}, 300, False)):
        values = role_values(empty | variables, "__relay_values")
        assert (values["relay_verify_wait"], values["relay_verify_required"]) == (wait, required)
    assert role_values(REQUIRED | {"relay_verify_required": False}, "__relay_values")["relay_verify_required"] is False


def test_set_variable_keeps_its_value(role_values: RoleValues) -> None:
    values = role_values(REQUIRED | SAMPLES | {"relay_fail2ban": False, "relay_count": 2, "relay_delay_warning": "0h"}, "__relay_values")
    assert (values["relay_fail2ban"], values["relay_count"], values["relay_delay_warning"]) == (False, 2, "0h")
    assert values["relay_devices"] == SAMPLES["relay_devices"]


@pytest.mark.parametrize(("name", "key"), nested())
def test_empty_option_counts_as_left_out(role_values: RoleValues, name: str, key: str) -> None:
    if PUBLIC[name]["options"][key].get("required") or name not in SAMPLES:
        return
    empty, left_out = copy.deepcopy(SAMPLES), copy.deepcopy(SAMPLES)
    for samples, change in ((empty, {key: None}), (left_out, {})):
        entry = samples[name][0] if isinstance(samples[name], list) else samples[name]
        entry.pop(key, None)
        entry |= change
    upstream = {"relay_upstream": "smarthost"} if name == "relay_smarthost" else {}
    values = [role_values(REQUIRED | samples | upstream, "__relay_variables") for samples in (empty, left_out)]
    assert _outcome(values[0]) == _outcome(values[1])


def _outcome(variables: dict[str, Any]) -> object:
    """The configuration, or its problems."""
    errors = importlib.import_module(f"{PACKAGE}.module_utils._core.errors")
    try:
        return parse(variables)
    except errors.InvalidInput as error:
        return error.problems


def test_readme_has_the_defaults() -> None:
    """As in "`relay_processes` (200)"."""
    readme = " ".join(text(REPO / ROLE / "README.md").split())
    documented = {
        name: value.replace(",", "").replace(" days", "d") for name, value in re.findall(r"`(relay_\w+)` \((\d[\d,]*(?: days)?)\)", readme)
    }
    limits = (
        "relay_connections_per_client",
        "relay_processes",
        "relay_active_queue_limit",
        "relay_queue_lifetime",
    )
    assert set(limits) <= set(documented)
    assert documented == {name: str(defaults("relay_host")[name]) for name in documented}
    assert f"`relay_message_size_limit` octets ({message_size.DEFAULT:,} by default" in readme


def test_tasks_and_templates_read_the_variables_with_their_defaults() -> None:
    """Through __relay_values, where an empty variable has its default."""
    names = re.compile(rf"(?<![\w.])({'|'.join(sorted(defaults('relay_host')))})\b")
    for folder in ("tasks", "handlers", "templates"):
        for path in under(f"{ROLE}/{folder}"):
            for line in text(path).splitlines():
                expressions = re.findall(r"{{.*?}}|{%.*?%}|(?:when|that): .*", line)
                assert not [match[0] for expression in expressions for match in names.finditer(expression)], (path, line)
