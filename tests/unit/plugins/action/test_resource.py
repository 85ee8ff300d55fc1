# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible_collections.mailops.m365.plugins.action import resource as action
from ansible_collections.mailops.m365.plugins.module_utils._engine.remote_host import HostFailed
from ansible_collections.mailops.m365.plugins.module_utils.resources import smtp_auth

from ...conftest import CLIENT, TENANT

REPOSITORY = Path(__file__).parents[4]
VARIABLES: dict[str, Any] = {"m365_tenant": TENANT, "m365_client_id": CLIENT, "m365_client_secret": "{{ vault }}", "vault": "from-vault"}


class Templar:
    def template(self, value: Any) -> Any:
        return VARIABLES["vault"] if value == "{{ vault }}" else value


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The calls of the core."""
    calls: list[dict[str, Any]] = []

    def core(resource: Any, params: dict[str, Any], **options: Any) -> dict[str, Any]:
        calls.append({"resource": resource, "params": params, **options})
        return {"changed": True, "notes": ["Mind."]}

    monkeypatch.setattr(action, "run", core)
    return calls


def _action(
    args: dict[str, Any],
    *,
    transport: str = "local",
    check_mode: bool = False,
    name: str = "mailops.m365.smtp_auth",
    environment: list[dict[str, Any]] | None = None,
    delegate_to: str | None = None,
) -> Any:
    task = SimpleNamespace(args=args, action=name, resolved_action=name, check_mode=check_mode, async_val=0, environment=environment)
    task.delegate_to = delegate_to
    connection = SimpleNamespace(transport=transport, _shell=SimpleNamespace(tmpdir="/nowhere", env_prefix=lambda **_variables: ""))
    return action.ActionModule(task, connection, SimpleNamespace(), None, Templar())


@pytest.mark.parametrize(
    ("name", "cls"),
    [("mailops.m365.smtp_auth", smtp_auth.SmtpAuth), ("smtp_auth_info", smtp_auth.SmtpAuthInfo), ("smtp_auth", smtp_auth.SmtpAuth)],
)
def test_a_modules_name_leads_to_its_resource(name: str, cls: type) -> None:
    assert isinstance(action.resource_of(name), cls)


def test_options_left_out_come_from_the_tenants_variables(ran: list[dict[str, Any]]) -> None:
    result = _action({"organization": "disabled"}).run(None, VARIABLES)
    assert result == {"changed": True}
    [call] = ran
    assert call["resource"] is smtp_auth.RESOURCE
    assert call["check_mode"] is False
    assert call["params"]["organization"] == "disabled"
    assert call["params"]["tenant"] == TENANT
    assert call["params"]["client_secret"] == "from-vault"
    assert (call["params"]["cloud"], call["params"]["wait_timeout"]) == ("global", 300)


def test_the_environment_of_play_and_task_holds_for_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    monkeypatch.setenv("AZURE_TENANT_ID", "other.example")
    seen: dict[str, Any] = {}

    def core(_resource: Any, params: dict[str, Any], **_options: Any) -> dict[str, Any]:
        seen.update(params=params, proxy=os.environ.get("HTTPS_PROXY"), number=os.environ.get("NUMBER"))
        return {"changed": False}

    monkeypatch.setattr(action, "run", core)
    play = {"HTTPS_PROXY": "http://proxy.example:3128", "AZURE_TENANT_ID": "play.example"}
    task = {"AZURE_TENANT_ID": "contoso.com", "AZURE_CLIENT_ID": CLIENT, "NUMBER": 7}
    _action({"organization": "disabled", "client_secret": "x"}, environment=[play, task]).run(None, {})
    assert (seen["proxy"], seen["number"]) == ("http://proxy.example:3128", "7")
    assert (seen["params"]["tenant"], seen["params"]["client_id"]) == ("contoso.com", CLIENT)
    assert (os.environ.get("HTTPS_PROXY"), os.environ["AZURE_TENANT_ID"]) == (None, "other.example")


def test_the_tasks_own_option_wins_and_check_mode_is_handed_down(ran: list[dict[str, Any]]) -> None:
    _action({"organization": "disabled", "tenant": "contoso.com", "wait_timeout": 5}, check_mode=True).run(
        None, {**VARIABLES, "m365_wait_timeout": 9}
    )
    assert ran[0]["params"]["tenant"] == "contoso.com"
    assert ran[0]["params"]["wait_timeout"] == 5
    assert ran[0]["check_mode"] is True


def test_an_empty_variable_is_a_left_out_one(ran: list[dict[str, Any]]) -> None:
    _action({"organization": "disabled"}).run(None, {**VARIABLES, "m365_certificate_path": "", "m365_cloud": None})
    assert ran[0]["params"]["certificate_path"] is None
    assert ran[0]["params"]["cloud"] == "global"


EVERY_CREDENTIAL = {"m365_certificate_path": "/c.pem", "m365_federated_token_variable": "TOKEN", "m365_auth_method": "certificate"}


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (
            {"m365_client_secret": "s"},
            {"client_secret": "s", "certificate_path": None, "federated_token_variable": None, "auth_method": "auto"},
        ),
        ({"m365_certificate_path": "/e.pem"}, {"client_secret": None, "certificate_path": "/e.pem", "auth_method": "auto"}),
        ({"m365_auth_method": "device_code"}, {"client_secret": "from-vault", "certificate_path": "/c.pem", "auth_method": "device_code"}),
        ({"m365_client_secret": "s", "m365_auth_method": "client_secret"}, {"certificate_path": None, "auth_method": "client_secret"}),
        ({"m365_client_secret": "s", "m365_certificate_path": "/e.pem"}, {"client_secret": "s", "certificate_path": "/e.pem"}),
        ({"other": 1}, {"client_secret": "from-vault", "certificate_path": "/c.pem", "auth_method": "certificate"}),
    ],
)
def test_a_credential_among_the_extra_vars_precedes_those_of_the_inventory(
    ran: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any], expected: dict[str, Any]
) -> None:
    monkeypatch.setattr(action, "load_extra_vars", lambda _loader: extra)
    _action({"organization": "disabled"}).run(None, {**VARIABLES, **EVERY_CREDENTIAL, **extra})
    assert {name: ran[0]["params"][name] for name in expected} == expected


def test_a_credential_of_the_task_precedes_the_extra_vars(ran: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(action, "load_extra_vars", lambda _loader: {"m365_client_secret": "s"})
    options = {"organization": "disabled", "auth_method": "certificate", "certificate_path": "/own.pem"}
    _action(options).run(None, {**VARIABLES, "m365_client_secret": "s"})
    assert (ran[0]["params"]["certificate_path"], ran[0]["params"]["auth_method"]) == ("/own.pem", "certificate")


def test_a_mapping_may_name_the_cloud(ran: list[dict[str, Any]]) -> None:
    cloud = {"authority": "https://a.example", "graph": "https://g.example", "exchange": "https://e.example", "smtp_host": "s.example"}
    _action({"organization": "disabled"}).run(None, {**VARIABLES, "m365_cloud": cloud})
    assert ran[0]["params"]["cloud"] == cloud


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"organization": "on"}, "organization is 'on': use one of enabled, disabled."),
        ({}, "organization or mailboxes is missing: set one of them."),
        ({"organization": "enabled", "mailbox": []}, "mailbox is no option: did you mean mailboxes?"),
        ({"mailboxes": [{"address": "a@contoso.com", "sign_in": "basci"}]},
         "mailboxes: a@contoso.com: sign_in is 'basci': did you mean basic? The choices are oauth, basic."),
    ],
)  # fmt: skip
def test_bad_options_never_reach_the_core(ran: list[dict[str, Any]], args: dict[str, Any], words: str) -> None:
    result = _action(args).run(None, VARIABLES)
    assert (result["failed"], result["msg"]) == (True, words)
    assert result["failure"]["problems"] == [words]
    assert ran == []


def test_an_empty_tenant_is_refused(ran: list[dict[str, Any]]) -> None:
    with pytest.raises(AnsibleActionFail, match=r"The option tenant is empty\."):
        _action({"organization": "enabled", "tenant": ""}).run(None, VARIABLES)
    assert ran == []


def test_a_wrong_kind_or_key_names_the_sender_and_the_nearest(ran: list[dict[str, Any]]) -> None:
    senders = [{"name": "Fax", "address": "fax@contoso.com", "kind": "scaner"}, {"name": "UPS", "adress": "ups@contoso.com"}]
    result = _action({}, name="mailops.m365.sender_plan").run(None, {**VARIABLES, "m365_senders": senders})
    assert [text.split(":")[:3] for text in result["failure"]["problems"]] == [
        ["m365_senders", " Fax", " kind is 'scaner'"],
        ["m365_senders", " UPS", " adress is no option"],
        ["m365_senders", " UPS", " address is missing"],
    ]
    assert "did you mean scanner?" in result["msg"]
    assert "did you mean address?" in result["msg"]
    assert ran == []


def test_an_option_that_is_null_is_unset_also_inside_lists(ran: list[dict[str, Any]]) -> None:
    sender = {"name": "Fax", "address": "fax@contoso.com", "kind": None, "public_addresses": None, "messages_per_minute": None}
    variables = {**VARIABLES, "m365_senders": [sender], "m365_unused_access": None, "m365_hve": None, "m365_licences": None}
    _action({"hosted_relay": None}, name="mailops.m365.sender_plan").run(None, variables)
    params = ran[0]["params"]
    assert (params["unused_access"], params["hve"], params["hosted_relay"], params["licences"]) == ("keep", False, None, None)
    assert (params["senders"][0]["kind"], params["senders"][0]["public_addresses"], params["senders"][0]["messages_per_minute"]) == (
        "other",
        [],
        1,
    )


def test_tokens_live_in_the_runs_own_directory(ran: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        _action({"organization": "disabled"}).run(None, VARIABLES)
    assert {call["token_directory"] for call in ran} == {os.path.join(constants.DEFAULT_LOCAL_TMP, "mailops-tokens")}
    assert "ansible-local-" in constants.DEFAULT_LOCAL_TMP
    assert list(tmp_path.iterdir()) == []


def test_notes_become_warnings(ran: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr(action.display, "warning", warned.append)
    assert "notes" not in _action({"organization": "disabled"}).run(None, VARIABLES)
    assert warned == ["Mind."]


def test_notes_of_a_windows_host_become_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr(action.display, "warning", warned.append)
    monkeypatch.setattr(action, "run_on_windows", lambda *_arguments, **_options: {"changed": False, "notes": ["Mind.", "Mind more."]})
    task = _action({}, transport="winrm", name="mailops.m365.windows_relay_info")
    task._connection._shell._IS_WINDOWS, task._connection.become = True, None
    task._connection.get_option = {"scheme": "https", "transport": ["basic"], "port": 5986}.get
    assert task.run(None, {"inventory_hostname": "win1"}) == {"changed": False}
    assert warned == ["Mind.", "Mind more."]


def test_on_another_connection_the_module_is_shipped(ran: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    shipped: list[dict[str, Any]] = []
    monkeypatch.setattr(action.ActionModule, "_execute_module", lambda self, **options: shipped.append(options) or {"changed": False})
    assert _action({"organization": "disabled"}, transport="ssh").run(None, VARIABLES) == {"changed": False}
    assert ran == []
    assert shipped[0]["module_name"] == "mailops.m365.smtp_auth"
    expected = {"organization": "disabled", "tenant": TENANT, "client_id": CLIENT, "client_secret": "from-vault"}
    # The environment's certificate and tokens stay out.
    others = ("certificate_path", "federated_token_file", "federated_token_variable", "federated_request_url")
    assert shipped[0]["module_args"] == {**expected, **dict.fromkeys(others)}


def test_resource_with_a_host_module_runs_here_and_its_host_module_on_the_other_connection(
    ran: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped: list[dict[str, Any]] = []
    answers: list[Any] = [{"senders": []}, {"failed": True, "msg": "no\npython"}, {}, AnsibleConnectionFailure("no route")]

    def execute(_self: Any, **options: Any) -> dict[str, Any]:
        shipped.append(options)
        if isinstance(answers[0], Exception):
            raise answers.pop(0)
        return answers.pop(0)  # type: ignore[no-any-return]

    monkeypatch.setattr(action.ActionModule, "_execute_module", execute)
    variables = {**VARIABLES, "groups": {"all": ["contoso", "office"]}}
    _action({"senders": []}, transport="ssh", name="mailops.m365.smtp_probe", delegate_to="office").run(None, variables)
    assert ran[0]["params"]["inventory_hosts"] == ["contoso", "office"]
    host = ran[0]["remote_host"]
    assert (host.name, host.run("smtp_test_message", {"prepared": {}}), shipped[0]["module_name"], shipped[0]["module_args"]) == (
        "office",
        {"senders": []},
        "mailops.m365.smtp_test_message",
        {"prepared": {}},
    )
    for text in ("no python", "the module has no result", "no route"):
        with pytest.raises(HostFailed, match=text):
            host.run("smtp_test_message", {"prepared": {}})


@pytest.mark.parametrize(("value", "in_process"), [(False, False), ("no", False), (True, True)])
def test_a_host_variable_chooses_the_module_on_a_local_connection(
    ran: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, value: Any, in_process: bool
) -> None:
    shipped: list[dict[str, Any]] = []
    monkeypatch.setattr(action.ActionModule, "_execute_module", lambda self, **options: shipped.append(options) or {})
    _action({"organization": "disabled"}).run(None, {**VARIABLES, "m365_in_process": value})
    assert (len(ran), len(shipped)) == (int(in_process), int(not in_process))


def test_every_module_is_routed_to_the_action() -> None:
    runtime = yaml.safe_load((REPOSITORY / "meta" / "runtime.yml").read_text())
    modules = {path.stem for path in (REPOSITORY / "plugins" / "modules").glob("*.py")}
    assert runtime["plugin_routing"]["modules"] == {name: {"action_plugin": "mailops.m365.resource"} for name in modules}
    assert set(runtime["action_groups"]["all"]) == modules


PLAY = """
- hosts: contoso
  gather_facts: false
  tasks:
    - mailops.m365.smtp_auth:
        mailboxes: [{address: nonsense}, {address: ""}]
      register: answer
      ignore_errors: true
    - ansible.builtin.copy:
        content: "{{ answer | to_json }}"
        dest: "{{ out }}"
        mode: "0600"
"""


def test_play_uses_the_in_process_action(tmp_path: Path) -> None:
    (tmp_path / "play.yml").write_text(PLAY)
    hosts = {
        "all": {
            "hosts": {
                "contoso": {
                    "ansible_connection": "local",
                    "ansible_python_interpreter": sys.executable,
                    **VARIABLES,
                    "out": str(tmp_path / "answer.json"),
                }
            }
        }
    }
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(hosts))
    (tmp_path / "ansible.cfg").write_text(f"[defaults]\ncollections_path = {REPOSITORY}/.ansible/collections\n")
    environment = {**os.environ, "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"), "NO_COLOR": "1"}
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(tmp_path / "hosts.yml"), "-vvv", str(tmp_path / "play.yml")]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    answer = json.loads((tmp_path / "answer.json").read_text())
    assert answer["failed"] is True
    assert answer["msg"] == (
        "2 problems:\n- mailboxes holds 'nonsense', which is no mail address (name@domain).\n- mailboxes holds an empty address: remove it."
    )
    assert "from-vault" not in ended.stdout + ended.stderr + json.dumps(answer)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ansible.cfg", "answer.json", "hosts.yml", "play.yml"]


def test_the_plan_gets_the_roles_variables_of_the_inventory_and_their_secrets_apart(ran: list[dict[str, Any]]) -> None:
    inventory = {
        "entra_app_exclusive": "false",
        "entra_app_certificates": None,
        "hve_account_accounts": [{"address": "a@contoso.com", "password": "geheim"}],
        "m365_sender": [],
        "other": 1,
    }
    variables = {**VARIABLES, "hostvars": {"contoso": inventory}, "inventory_hostname": "contoso"}
    _action({}, name="mailops.m365.sender_plan").run(None, variables)
    params = ran[0]["params"]
    assert params["inventory_variables"] == ["entra_app_exclusive", "hve_account_accounts", "m365_sender"]
    assert params["inventory_values"] == {"entra_app_exclusive": "false", "hve_account_accounts": [{"address": "a@contoso.com"}]}
    assert params["inventory_secrets"] == {"hve_account_accounts": {"0": {"password": "geheim"}}}
