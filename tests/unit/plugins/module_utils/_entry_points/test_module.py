# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible.parsing.dataloader import DataLoader
from ansible_collections.mailops.m365.plugins.action.resource import resource_of
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._core.spec import DNS, EXPECTED, JOURNAL, TENANT, Spec
from ansible_collections.mailops.m365.plugins.module_utils._engine.resource import Plan
from ansible_collections.mailops.m365.plugins.module_utils._engine.run import is_tenant_resource
from ansible_collections.mailops.m365.plugins.module_utils._engine.windows_engine import OnWindowsHost
from ansible_collections.mailops.m365.plugins.module_utils._entry_points import arguments, module
from ansible_collections.mailops.m365.plugins.module_utils._planning.inventory import SECRET_ENDINGS

from ....conftest import CLIENT, parameters
from ....conftest import TENANT as TENANT_ID

PLUGINS = Path(__file__).parents[5] / "plugins"
MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))
SECRET_WORDS = (*SECRET_ENDINGS, "inventory_secrets")


def _options(options: dict[str, Any], prefix: str = "") -> list[tuple[str, dict[str, Any]]]:
    flattened = []
    for name, option in options.items():
        flattened += [(f"{prefix}{name}", option), *_options(option.get("options", {}), f"{prefix}{name}.")]
    return flattened


# -- the spec ---------------------------------------------------------------------------------------------------------


def test_specs_are_joined_and_the_right_one_wins() -> None:
    left = Spec(
        {"a": {"type": "str"}, "b": {"type": "str"}}, (("a", "b"),), (("a", "b"),), (("a", "b"),), (("a", 1, ("b",)),), writes=False
    )
    right = Spec({"b": {"type": "int"}}, (("b", "c"),))
    joined = left | right
    assert joined.options == {"a": {"type": "str"}, "b": {"type": "int"}}
    assert joined.mutually_exclusive == (("a", "b"), ("b", "c"))
    assert (joined.required_one_of, joined.required_together, joined.required_if) == ((("a", "b"),), (("a", "b"),), (("a", 1, ("b",)),))
    assert joined.writes is True
    assert (right | left).writes is False


def test_the_connection_has_variables_and_environment() -> None:
    spec = TENANT | JOURNAL
    assert spec.variables() == {option: f"m365_{option}" for option in spec.options}
    assert spec.options["client_secret"]["env"] == ("AZURE_CLIENT_SECRET", "AZURE_SECRET")


def test_secrets_in_lists_of_a_spec_are_collected() -> None:
    sender = {"password": {"type": "str", "no_log": True}, "name": {"type": "str"}}
    spec = TENANT | Spec({"senders": {"type": "list", "elements": "dict", "options": sender}})
    params = {"client_secret": "one", "certificate_password": None, "senders": [{"password": "two", "name": "n"}, {"password": None}]}
    assert spec.secrets(params) == ["one", "two"]
    assert spec.secrets({"senders": None}) == []


def test_secrets_in_suboptions_are_collected() -> None:
    key = {"tsig_secret": {"type": "str", "no_log": True}, "server": {"type": "str"}}
    spec = Spec({"dns": {"type": "dict", "options": key}})
    assert spec.secrets({"dns": {"tsig_secret": "one", "server": "192.0.2.53"}}) == ["one"]
    assert spec.secrets({"dns": None}) == []


def test_every_value_of_a_secret_mapping_is_a_secret() -> None:
    spec = Spec({"passwords": {"type": "dict", "no_log": True}})
    assert spec.secrets({"passwords": {"a@contoso.com": "one", "b@contoso.com": 2}}) == ["one", "2"]


@pytest.mark.parametrize("module", MODULES)
def test_secrets_and_nothing_else_are_hidden(module: str) -> None:
    for name, option in _options(resource_of(module).spec.options):
        leaf = name.rpartition(".")[2]
        is_secret = leaf.endswith(SECRET_WORDS) and leaf != "update_password"  # as in ansible.builtin.user: when it is written
        assert bool(option.get("no_log")) == is_secret, name


@pytest.mark.parametrize("module", MODULES)
def test_a_nested_option_of_a_patch_has_no_default_that_would_change_what_is_left_out(module: str) -> None:
    """Absent means: leave alone. What may have a default decides what the entry is, not what is written."""
    spec = resource_of(module).spec
    if not spec.writes or not is_tenant_resource(spec):
        return  # nothing is patched; a relay host's files are written whole
    identity = {"state", "type", "kind", "api", "method", "smtp_auth", "sign_in"}
    for name, option in _options(resource_of(module).spec.options):
        described = name.startswith(("senders.", "relays.", "dns."))  # what sends, and how records are written: no object that is patched
        if "." in name and "default" in option and not described:
            assert name.rpartition(".")[2] in identity, name


@pytest.mark.parametrize("module", MODULES)
def test_only_what_writes_has_a_journal(module: str) -> None:
    spec = resource_of(module).spec
    # The others manage the host that they run on, and have their journal there. Windows has no Python: its journal is on the control node.
    on_control_node = "tenant" in spec.options or isinstance(resource_of(module), OnWindowsHost)
    assert ("journal_dir" in spec.options) == (spec.writes and on_control_node)
    probes = ("mail_path_probe", "relay_probe", "smtp_probe", "smtp_test_message", "windows_relay_probe")
    assert spec.writes == (not module.endswith("_info") and module not in ("relay_status", "sender_plan", *probes))


# -- what ansible makes of it -----------------------------------------------------------------------------------------


def test_internal_spec_keys_are_not_in_the_argument_spec() -> None:
    made = arguments.argument_spec(TENANT | JOURNAL | Spec({}, (("tenant", "cloud"),)))
    for _name, option in _options(made["argument_spec"]):
        assert not {"env", "variable"} & set(option)
    assert made["argument_spec"]["tenant"]["fallback"][1] == ["AZURE_TENANT_ID", "AZURE_TENANT"]
    assert made["mutually_exclusive"] == [["tenant", "cloud"]]
    assert TENANT.options["tenant"]["variable"] == "m365_tenant"


def test_environment_has_the_lowest_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_SECRET", "from-environment")
    assert parameters(TENANT, client_secret="given")["client_secret"] == "given"
    fallback = arguments.argument_spec(TENANT)["argument_spec"]["client_secret"]["fallback"]
    assert fallback[0](*fallback[1]) == "from-environment"


def test_tagged_values_become_plain() -> None:
    tagged = DataLoader().load("a: {b: [text, 1, true, null]}")
    plain = arguments.plain(tagged)
    assert plain == {"a": {"b": ["text", 1, True, None]}}
    assert [type(item) for item in plain["a"]["b"]] == [str, int, bool, type(None)]
    assert type(plain["a"]["b"]) is list


# -- the module's entry point ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ToyParams:
    colour: str | None


class Toy:
    name = "toy"
    spec = TENANT | JOURNAL | Spec({"colour": {"type": "str"}})
    params_type = ToyParams

    def validate(self, params: ToyParams) -> list[str]:
        return ["colour is plaid."] if params.colour == "plaid" else []

    def plan(self, tenant: Any, params: ToyParams, check_mode: bool) -> Plan[str]:
        if params.colour == "stop":
            raise InvalidInput("no further")
        return Plan({}, {"c": params.colour}, "paint", {"colour": params.colour}, ["Mind."])

    def apply(self, tenant: Any, params: ToyParams, plan: Plan[str]) -> dict[str, Any]:
        return plan.outcome


def _run(capsys: pytest.CaptureFixture[str], **options: Any) -> tuple[int, dict[str, Any]]:
    args = {"tenant": TENANT_ID, "client_id": CLIENT, "client_secret": "s3cret-value", **options}
    with patch_module_args(args), pytest.raises(SystemExit) as ended:
        module.run_module(Toy())
    return int(ended.value.code or 0), json.loads(capsys.readouterr().out)


def test_a_module_ends_with_the_cores_result(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr(module.AnsibleModule, "warn", lambda self, text: warned.append(text))
    code, result = _run(capsys, colour="red", journal_dir=str(tmp_path))
    assert (code, result["changed"], result["colour"], result["diff"]["after"]) == (0, True, "red", {"c": "red"})
    assert warned == ["Mind."]
    assert "notes" not in result
    assert "s3cret-value" not in json.dumps(result)


@pytest.mark.parametrize(("colour", "words"), [("plaid", "colour is plaid."), ("stop", "no further")])
def test_failed_module_returns_the_error_sentence(capsys: pytest.CaptureFixture[str], colour: str, words: str) -> None:
    code, result = _run(capsys, colour=colour)
    assert (code, result["failed"], result["msg"]) == (1, True, words)


def test_a_module_in_check_mode_writes_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, result = _run(capsys, colour="red", journal_dir=str(tmp_path / "journal"), _ansible_check_mode=True)
    assert (code, result["changed"]) == (0, True)
    assert not (tmp_path / "journal").exists()


@pytest.mark.parametrize("name", MODULES)
def test_each_module_runs_its_resource(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(f"ansible_collections.mailops.m365.plugins.modules.{name}")
    ran: list[Any] = []
    of_host = "run_windows_module" if isinstance(resource_of(name), OnWindowsHost) else "run_host_module"
    entry_point = "run_module" if "tenant" in resource_of(name).spec.options else of_host
    monkeypatch.setattr(module, entry_point, ran.append)
    module.main()
    assert ran == [resource_of(name)]
    assert ran[0].name == name


@pytest.mark.parametrize("name", MODULES)
def test_documentation_and_spec_name_the_same_options(name: str) -> None:
    module = importlib.import_module(f"ansible_collections.mailops.m365.plugins.modules.{name}")
    documentation = yaml.safe_load(module.DOCUMENTATION)
    documented = dict(documentation.get("options", {}))
    for fragment in documentation["extends_documentation_fragment"]:
        documented |= _fragment(fragment.removeprefix("mailops.m365."))
    shared = (TENANT | JOURNAL | DNS | EXPECTED).options
    options = resource_of(name).spec.options
    own = {option: value for option, value in options.items() if option not in shared or option in documentation.get("options", {})}
    assert _shape(documented, "suboptions") == _shape(own, "options")


def _fragment(name: str) -> dict[str, Any]:
    """The options of a fragment that a few modules share; those of spec.py have a test of their own."""
    if name in ("tenant", "journal", "dns", "expected") or name.startswith("attributes"):
        return {}
    file, _dot, attribute = name.partition(".")
    fragment = importlib.import_module(f"ansible_collections.mailops.m365.plugins.doc_fragments.{file}").ModuleDocFragment
    return dict(yaml.safe_load(getattr(fragment, (attribute or "DOCUMENTATION").upper()))["options"])


def _shape(options: dict[str, Any], below: str) -> dict[str, Any]:
    kept = ("type", "elements", "required", "default", "choices")
    return {
        name: {**{word: option[word] for word in kept if option.get(word) is not None}, "below": _shape(option.get(below) or {}, below)}
        for name, option in options.items()
    }
