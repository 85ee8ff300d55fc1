"""The draft of an audit: a tenant that grew by hand becomes code in one step, and converging the draft changes nothing."""

from __future__ import annotations

import json
import smtplib
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from scripts import demo_audit
from tests.emulator.conftest import Start

from .tenant_play import STATE, Play
from .test_audit import run_audit
from .test_playbooks import REPO, Playground

pytestmark = pytest.mark.one_python_is_enough
NOW = datetime.now(UTC)
END = {"basic_auth_end_date": "2099-12-31"}  # whenever this test runs


def mailbox(name: str, **more: Any) -> dict[str, Any]:
    return {"address": f"{name}@contoso.com", "password": "a password"} | more


def used(name: str, *sources: str, error_code: int = 0) -> list[dict[str, Any]]:
    created = NOW.timestamp() - 3600
    return [{"user": f"{name}@contoso.com", "created": created, "ip_address": one, "error_code": error_code} for one in sources]


# SMTP AUTH of the organization, of mailboxes, a policy, a connector: all set by hand over the years.
GROWN: dict[str, Any] = {
    "smtp_client_authentication_disabled": False,
    "licences": [{"sku": "SPE_E3", "purchased": 10}],
    "policies": {"authentication": [{"name": "Allow SMTP", "allow_basic_auth_smtp": True}]},
    "mailboxes": [
        mailbox("scan3", display_name="Scanner, third floor: {{ lookup('pipe', 'id') }}"),
        mailbox("crm", display_name="CRM", smtp_client_authentication_disabled=False, authentication_policy="Allow SMTP"),
        mailbox("crm2", display_name="crm", smtp_client_authentication_disabled=False),
        mailbox("shared", kind="SharedMailbox"),
        mailbox("guessed", display_name="Guessed\n- name: injected"),
        mailbox("ada", display_name="Ada"),
    ],
    "inbound_connectors": [
        {"name": "Office", "SenderIPAddresses": ["203.0.113.10"], "Comment": "made in 2019", "ConnectorType": "OnPremises"}
    ],
    "sign_ins": [
        *used("scan3", "203.0.113.9"),
        *used("crm", "198.51.100.7", "198.51.100.8", "192.0.2.1", "192.0.2.2"),
        *used("crm2", "10.0.0.8"),
        *used("shared", "203.0.113.9"),
        *used("gone", "203.0.113.9"),
        *used("guessed", "192.0.2.9", error_code=50126),
    ],
}


class Loader(yaml.SafeLoader):
    """YAML with Ansible's tag for data that is no template."""


Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def loaded(text: str) -> dict[str, Any]:
    return dict(yaml.load(text, Loader))  # noqa: S506 (a SafeLoader)


def converge(play: Play, variables: dict[str, Any], **options: Any) -> dict[str, Any]:
    own = {name: value for name, value in variables.items() if not name.startswith("m365_")}
    result = play(*variables["m365_senders"], inventory=own, **END, **options)
    assert "msg" not in result, result["msg"]
    return result


def test_converging_the_draft_changes_nothing(start: Start, tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    api = start(tenant=GROWN, record=record)
    draft = run_audit(api, tmp_path, **END)["draft"]
    variables = loaded(draft["text"])
    assert (draft["senders"], draft["left_out"]) == (3, 3)
    assert [(one["name"], one["kind"], one["method"]) for one in variables["m365_senders"]] == [
        ("crm", "application", "basic"),
        ("CRM (crm@contoso.com)", "application", "basic"),
        ("Scanner, third floor: {{ lookup('pipe', 'id') }}", "scanner", "basic"),
    ]
    play = Play(api, tmp_path)
    before = play.state()
    assert converge(play, variables, check_mode=True)["changes"] == []
    assert converge(play, variables)["changes"] == []
    assert converge(play, variables)["changed"] is False
    after = play.state()
    writes = [line for line in map(json.loads, record.read_text().splitlines()) if line["write"]]
    assert [line["path"] for line in writes] == ["/v1.0/applications(uniqueName='mailops-record')"], "the collection's own record"
    assert {**after, "applications": before["applications"]} == before


def test_ansible_reads_the_draft_and_takes_no_name_as_a_template(start: Start, tmp_path: Path) -> None:
    text = run_audit(start(tenant=GROWN), tmp_path, **END)["draft"]["text"]
    variables = DataLoader().load(text)
    assert json.loads(json.dumps(variables)) == loaded(text)
    templated = Templar(loader=DataLoader(), variables=variables).template(variables["m365_senders"])
    assert templated[-1]["name"] == "Scanner, third floor: {{ lookup('pipe', 'id') }}"


def test_a_second_plan_is_empty_where_the_senders_decide(start: Start, tmp_path: Path) -> None:
    """Without the variables that keep the settings, only what the draft names changes."""
    api = start(tenant=GROWN)
    variables = {"m365_senders": loaded(run_audit(api, tmp_path, **END)["draft"]["text"])["m365_senders"]}
    play = Play(api, tmp_path)
    before = play.state()
    converge(play, variables)
    assert converge(play, variables, check_mode=True)["changes"] == []
    after = play.state()
    named = {one["address"] for one in variables["m365_senders"]}
    for state in (before, after):
        state["mailboxes"] = [one for one in state["mailboxes"] if one["address"] not in named]
        del state["policies"], state["applications"]
    assert after == before


def test_comments_have_the_evidence_and_what_is_not_drafted(start: Start, tmp_path: Path) -> None:
    api = start(tenant=GROWN)
    text = run_audit(api, tmp_path, **END)["draft"]["text"]
    day = (NOW - timedelta(hours=1)).date()
    assert f"  # Basic authentication: 1 sign-ins until {day}, from 203.0.113.9." in text
    assert "kind: scanner  # guess: by its name" in text
    assert "public_addresses: [203.0.113.9]  # guess: static" in text
    assert "10.0.0.8]" not in text, "no public address"
    assert "192.0.2.1]" not in text, "four addresses are not a device's"
    assert "# - shared@contoso.com: Basic authentication: 1 sign-ins" in text
    assert "# - guessed@contoso.com: all 1 sign-ins with Basic authentication failed" in text
    assert "no user of the organization has this address any more" in " ".join(text.replace("#   ", "").split())
    assert "# - Office: 203.0.113.10" in text
    assert "injected" not in str(loaded(text)), "a display name ends no line"
    assert "ada@contoso.com" not in text, "no sender was seen there"


def test_senders_of_the_inventory_are_not_drafted(start: Start, tmp_path: Path) -> None:
    api = start(tenant=GROWN)
    result = run_audit(api, tmp_path, {"name": "CRM", "address": "crm@contoso.com", "method": "basic"}, **END)
    variables = loaded(result["draft"]["text"])
    assert set(variables) == {"m365_senders"}
    assert "crm@contoso.com" not in {one["address"] for one in variables["m365_senders"]}
    assert "add these to that list" in result["draft"]["text"]


def test_an_unreadable_log_is_named_in_the_draft(start: Start, tmp_path: Path) -> None:
    api = start(tenant=GROWN | {"licences": []})
    draft = run_audit(api, tmp_path, licences=10)["draft"]
    assert loaded(draft["text"]) == {"m365_senders": []}
    assert "Not readable, so that senders may be missing: sign-in log (Basic authentication)." in draft["text"]


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    made = Playground(tmp_path_factory.mktemp("draft"))
    yield made
    made.sandbox.stop()


def test_the_playbook_writes_a_draft_for_each_tenant(playground: Playground, tmp_path: Path) -> None:
    run = playground.play("audit.yml", "-e", f"tenant_draft_directory={tmp_path}")
    assert run.code == 0, run.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["contoso.draft.yml", "fabrikam.draft.yml", "northwind.draft.yml"]
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert loaded(path.read_text())["m365_senders"] == []
    assert playground.writes() == []


def test_a_missing_directory_is_one_sentence(playground: Playground, tmp_path: Path) -> None:
    run = playground.play("audit.yml", "--limit", "contoso", "-e", f"tenant_draft_directory={tmp_path / 'missing'}")
    assert run.code == 2, run.output
    [sentence] = run.sentences().values()
    assert sentence.startswith(f"tenant_draft_directory is {tmp_path / 'missing'}, which is no directory")


TENANT = "northwind.example.com"
GROUP = "inventories/demo/group_vars/tenants.yml"


def grow(playground: Playground) -> None:
    """What administrators have set by hand over the years, and programs that send with it."""
    demo_audit.license_sign_in_log(playground.sandbox)
    playground.admin.change(TENANT, "mailboxes", f"labels@{TENANT}", smtp_client_authentication_disabled=False)
    for _time in range(2):
        demo_audit.send_with_basic_authentication(playground.sandbox, playground.secrets["any_password"])
    cloud = playground.sandbox.ready["m365_cloud"]
    source = ("127.0.0.10", 0)  # 203.0.113.10 for the emulator
    with smtplib.SMTP(cloud["mx_host"], cloud["mx_port"], timeout=20, source_address=source) as client:
        client.sendmail(f"ups@{TENANT}", [f"oncall@{TENANT}"], f"From: ups@{TENANT}\r\nSubject: Battery\r\n\r\n.\r\n")


def inventory_without_senders(directory: Path) -> Path:
    """An inventory that has one tenant and how to sign in to it; the directory host_vars of that tenant."""
    (directory / "group_vars").mkdir(parents=True)
    (directory / "hosts.yml").write_text("tenants:\n  hosts:\n    northwind:\n")
    values = (REPO / GROUP).read_text().replace("inventory_dir ~ '/../../.demo'", "'/nonexistent'")
    (directory / "group_vars" / "tenants.yml").write_text(values)
    own = directory / "host_vars" / "northwind"
    own.mkdir(parents=True)
    sign_in = {"m365_tenant": TENANT, "m365_client_id": "6a1d0b5e-3333-4c1e-9b3a-0a5f3d1c0003"}
    sign_in["m365_certificate_path"] = "{{ demo_directory }}/keys/northwind-automation.pem"
    (own / "tenant.yml").write_text(yaml.safe_dump(sign_in))
    return own


def state(playground: Playground) -> dict[str, Any]:
    """Everything of the tenant that a run may change, but the collection's own record."""
    tenant: dict[str, Any] = playground.admin.tenant(TENANT)
    applications = [one for one in tenant["applications"] if one.get("unique_name") != "mailops-record"]
    return {name: tenant[name] for name in STATE} | {"applications": applications}


def test_a_tenant_that_grew_by_hand_becomes_code_in_one_step(tmp_path: Path) -> None:
    """The draft as a file of host_vars: playbook site changes nothing, a second run neither, and the next audit knows the senders."""
    playground = Playground(tmp_path / "playground")
    own, drafts = inventory_without_senders(tmp_path / "inventory"), tmp_path / "drafts"
    drafts.mkdir()
    inventory = tmp_path / "inventory"
    try:
        grow(playground)
        before = state(playground)
        audit = playground.play("audit.yml", "-e", f"tenant_draft_directory={drafts}", inventory=inventory)
        assert audit.code == 0, audit.output
        (drafts / "northwind.draft.yml").rename(own / "senders.yml")
        senders = {one["address"]: one["method"] for one in loaded((own / "senders.yml").read_text())["m365_senders"]}
        assert senders == {demo_audit.PROGRAM: "basic", f"ups@{TENANT}": "direct_send"}
        for options in (["--check"], [], ["--check"], []):
            run = playground.play("site.yml", *options, inventory=inventory)
            assert (run.code, run.total("changed")) == (0, 0), run.output
            assert state(playground) == before, options
        written = [line["path"] for line in playground.writes() if not line["path"].endswith("/token")]
        assert set(written) <= {"/v1.0/applications(uniqueName='mailops-record')"}
        again = playground.play("audit.yml", "-e", f"tenant_draft_directory={drafts}", inventory=inventory)
        assert again.code == 0, again.output
        assert loaded((drafts / "northwind.draft.yml").read_text())["m365_senders"] == [], "every sender is in the inventory now"
    finally:
        playground.sandbox.stop()
