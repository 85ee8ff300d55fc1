"""Module tenant against the emulator: one plan before the first write, applied in order, and its changes as data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from emulator.launcher import Emulator
from tests.emulator.conftest import TENANT, Api, Start

from .random_lists import AZURE, INVENTORY
from .tenant_play import Play

ERP = {"name": "ERP", "kind": "erp", "address": "erp@contoso.com"}
SCANNER = {"name": "Scanner", "kind": "scanner", "address": "noreply@contoso.com", "public_addresses": ["203.0.113.10"]}


@pytest.fixture
def play(start: Start, tmp_path: Path) -> Play:
    return Play(start(), tmp_path)


def statuses(result: dict[str, Any]) -> dict[str, str]:
    return {part["module"]: part["status"] for part in result["components"]}


def test_a_check_run_predicts_the_changes_of_the_real_run_and_a_second_run_has_none(play: Play) -> None:
    before = play.state()
    planned = play(ERP, SCANNER, check_mode=True)
    assert planned["changed"], planned
    assert play.state() == before
    assert play.journal() == []
    assert not [note for note in planned.get("notes", []) if "prediction" in note], "the plan itself creates what is missing"
    applied = play(ERP, SCANNER)
    assert "failed" not in applied, applied
    assert applied["changes"] == planned["changes"]
    expected = ("shared_mailbox", "entra_app", "exchange_service_principal", "smtp_auth", "inbound_connector")
    assert statuses(applied) == dict.fromkeys(expected, "applied") | {"spf": "unchanged"}
    journal = [entry["resource"] for entry in play.journal() if entry["phase"] == "before"]
    assert journal == ["record", *expected], "what is created is recorded before"
    assert applied["app"]["app_id"]
    assert not applied.keys() & {"sign_ins", "expected_mailboxes", "relay_certificates", "relay_retired_certificates"}
    again = play(ERP, SCANNER)
    assert (again["changed"], again["changes"]) == (False, [])
    assert set(statuses(again).values()) == {"unchanged"}
    assert "failed" not in play(ERP, SCANNER, check_mode=True)


def test_changes_say_what_why_and_which_risk(play: Play) -> None:
    result = play(ERP, SCANNER, check_mode=True)
    changes = {change["key"]: change for change in result["changes"]}
    assert changes["mailbox:erp@contoso.com"] | {"after": None} == {
        "action": "add",
        "kind": "mailbox",
        "object": "erp@contoso.com",
        "key": "mailbox:erp@contoso.com",
        "before": None,
        "after": None,
        "reason": "sender ERP",
        "risk": "",
    }
    risks = {(change["kind"], change["action"], change["risk"], change["reason"]) for change in result["changes"]}
    assert ("smtp_auth", "change", "opens", "sender ERP") in risks
    assert ("mailbox_permission", "add", "grants", "sender ERP") in risks
    assert ("inbound_connector", "add", "opens", "sender Scanner") in risks
    headers = [part["before_header"].split()[1] for part in result["diff"]]
    assert headers == ["shared_mailbox", "entra_app", "exchange_service_principal", "smtp_auth", "inbound_connector"]


def test_a_failure_in_the_middle_says_what_was_applied_and_the_next_run_applies_the_rest(play: Play) -> None:
    fault = {"status": 400, "body": {"error": {"code": "BadRequest", "message": "|Microsoft.Exchange.Refused|No."}}}
    play.api.admin.fault("exchange", match={"cmdlet": "New-InboundConnector"}, **fault)
    failed = play(ERP, SCANNER)
    assert failed["failed"]
    assert failed["changed"]
    assert "Applied before it: shared_mailbox, entra_app, exchange_service_principal, smtp_auth." in failed["msg"]
    assert statuses(failed)["inbound_connector"] == "failed"
    assert failed["failure"]["applied"] == ["shared_mailbox", "entra_app", "exchange_service_principal", "smtp_auth"]
    play.api.admin.clear_faults()
    done = play(ERP, SCANNER)
    assert {name for name, status in statuses(done).items() if status == "applied"} == {"inbound_connector"}


def test_what_follows_a_failure_is_not_applied(play: Play) -> None:
    fault = {"status": 400, "body": {"error": {"code": "BadRequest", "message": "|Microsoft.Exchange.Refused|No."}}}
    play.api.admin.fault("exchange", match={"cmdlet": "New-ServicePrincipal"}, **fault)
    failed = play(ERP, SCANNER)
    assert statuses(failed) == {
        "shared_mailbox": "applied",
        "entra_app": "applied",
        "exchange_service_principal": "failed",
        "smtp_auth": "not applied",
        "inbound_connector": "not applied",
        "spf": "unchanged",
    }, failed
    assert "Not applied: smtp_auth, inbound_connector; the next run applies what is missing." in failed["msg"]
    assert play.state()["inbound_connectors"] == []


SHOP = {"name": "shop", "username": "shop", "app": "shop"}
REFUSED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "connector": (
        {"inbound_connector_connectors": [{"name": "Plant", "sender_ip_addresses": ["10.0.0.7"]}]},
        ("'10.0.0.7', which is not a public address",),
    ),
    "mailboxes": (
        {"smtp_auth_mailboxes": [{"address": "nobody@contoso.com"}]},
        ("Exchange has no mailbox nobody@contoso.com",),
    ),
    "missing": (
        {
            "acs_smtp_username_communication_service": "mail",
            "acs_smtp_username_usernames": [{"name": "shop", "username": "shop", "app": "shop"}],
        },
        ("acs_smtp_username_subscription_id is missing", "acs_smtp_username_resource_group is missing"),
    ),
    "several": (
        {
            "smtp_auth_mailboxes": [{"address": "nobody@contoso.com"}],
            "authentication_policy_policies": [{"name": "Nobody", "mailboxes": ["someone@contoso.com"]}],
        },
        ("Exchange has no mailbox nobody@contoso.com", "Exchange has no mailbox someone@contoso.com"),
    ),
    "file": ({"entra_app_certificates": ["/nowhere/sender.crt"]}, ("/nowhere/sender.crt",)),
    "RBAC for Applications": (
        {"entra_app_authorization": "rbac", "entra_app_full_access": ["no-reply@contoso.com", "nobody@contoso.com"]},
        ("Exchange has no mailbox nobody@contoso.com",),
    ),
}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, state: dict[str, Any]) -> Iterator[Api]:
    """An emulator with a record, for runs that must not write."""
    directory = tmp_path_factory.mktemp("recorded")
    with Emulator(state, directory=directory, record=directory / "record.jsonl") as emulator:
        api = Api(emulator)
        api.rows("Get-TransportConfig")
        assert len((directory / "record.jsonl").read_text().splitlines()) == 1
        yield api


def written(api: Api) -> list[dict[str, Any]]:
    """The write requests on record."""
    record = api.emulator.directory / "record.jsonl"
    return [entry for line in record.read_text().splitlines() if (entry := json.loads(line))["write"]]


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("name", list(REFUSED))
def test_nothing_is_written_where_any_component_refuses(recorded: Api, tmp_path: Path, name: str, check_mode: bool) -> None:
    inventory, sentences = REFUSED[name]
    assert_refused(Play(recorded, tmp_path), sentences, ERP, SCANNER, check_mode=check_mode, inventory=inventory)


def assert_refused(play: Play, sentences: Sequence[str], *senders: dict[str, Any], **options: Any) -> None:
    """The run names every problem, and neither the tenant nor the record nor the journal shows a write."""
    before = play.api.admin.tenant(TENANT)
    refused = play(*senders, **options)
    assert refused.get("failed"), refused
    assert not refused["changed"]
    for sentence in sentences:
        assert sentence in refused["msg"]
    assert (play.api.admin.tenant(TENANT), written(play.api), play.journal()) == (before, [], [])


ACS: dict[str, Any] = {
    "acs_smtp_username_subscription_id": "0d2b0a5e-8c4f-4a1c-9d1e-3f6a5b7c8d9e",
    "acs_smtp_username_resource_group": "mail",
    "acs_smtp_username_communication_service": "mail",
}


HVE: dict[str, Any] = {"name": "Bulk", "method": "hve", "recipients": "internal", "address": "news@contoso.com"}


def hve_account(*apps: str) -> dict[str, Any]:
    return {"hve_account_password": "a-long-password", "hve_account_accounts": [{"address": "news@contoso.com", "apps": list(apps)}]}


def connector_sender(**options: Any) -> dict[str, Any]:
    return {"name": "Plant", "method": "connector", "address": "plant@contoso.com", "public_addresses": ["203.0.113.77"]} | options


def acs_sender(name: str) -> dict[str, Any]:
    return {"name": name, "method": "acs", "address": f"{len(name)}@contoso.com"}


# Mistakes of a sender that only the service, or a later role, would refuse: options of module tenant, senders, sentences.
MISTAKES: dict[str, tuple[dict[str, Any], list[dict[str, Any]], tuple[str, ...]]] = {
    "connector of 65 characters": (
        {},
        [connector_sender(connector="x" * 65)],
        ("m365_senders: Plant: connector", "65 characters, more than the 64 of a connector"),
    ),
    "name of a connector in the inventory": (
        {"inventory": {"inbound_connector_connectors": [{"name": "y" * 65, "sender_ip_addresses": ["203.0.113.78"]}]}},
        [],
        ("inbound_connector_connectors: ", "65 characters, more than the 64 of a connector"),
    ),
    "certificate name with spaces": (
        {},
        [connector_sender(certificate_name="relay contoso com", public_addresses=[])],
        ("Plant: certificate_name is 'relay contoso com'",),
    ),
    "reserved address": ({}, [connector_sender(public_addresses=["240.1.1.1"])], ("Plant: public_addresses", "240.1.1.1")),
    "ACS name without a letter": ({"inventory": ACS}, [acs_sender("Магазин")], ("Магазин",)),
    "two ACS names that become one": ({"inventory": ACS}, [acs_sender("Web-Shop"), acs_sender("Web Shop!")], ("Web-Shop", "Web Shop!")),
    "private address of a relay host": (
        {"relays": [{"name": "relay1", "host": "relay1.contoso.com", "public_addresses": ["10.0.0.5"]}]},
        [{"name": "Press", "method": "relay_host", "address": "press@contoso.com"}],
        ("10.0.0.5",),
    ),
    "one address for a mailbox and a High Volume Email account": (
        {"inventory": {"hve_account_password": "a-long-password"}},
        [
            {"name": "Bulk", "method": "hve", "recipients": "internal", "address": "news@contoso.com"},
            {"name": "News", "kind": "erp", "address": "noreply@contoso.com", "mailbox": "news@contoso.com"},
        ],
        ("m365_senders: Bulk, News: news@contoso.com would be a shared mailbox and a High Volume Email account",),
    ),
    "what is no domain": (
        {
            "inventory": {
                "inbound_connector_connectors": [{"name": "Gate", "sender_ip_addresses": ["203.0.113.78"], "sender_domains": ["the plant"]}]
            }
        },
        [],
        ("inbound_connector_connectors: Gate: sender_domains holds 'the plant', which is no domain",),
    ),
    "certificate file that is missing": (
        {"inventory": {"entra_app_certificates": ["/nowhere/sender.crt"]}},
        [],
        ("entra_app_certificates: '/nowhere/sender.crt' cannot be read",),
    ),
}


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("name", list(MISTAKES))
def test_a_mistake_of_one_sender_stops_the_tenant_before_its_first_write(
    recorded: Api, tmp_path: Path, name: str, check_mode: bool
) -> None:
    options, senders, sentences = MISTAKES[name]
    assert_refused(Play(recorded, tmp_path), sentences, ERP, SCANNER, *senders, check_mode=check_mode, **options)


UNREGISTERED = "Entra has no enterprise application for mailops-nope: register it first (role entra_app)."
# What names an application that neither the tenant nor the plan has, also beside one that the plan registers: inventory, sender, sentence.
APPLICATIONS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "High Volume Email": (hve_account("mailops-nope"), HVE, f"news@contoso.com (Bulk): {UNREGISTERED}"),
    "High Volume Email with two": (
        hve_account("mailops-smtp-sender", "mailops-nope"),
        HVE,
        f"news@contoso.com (Bulk): {UNREGISTERED}",
    ),
    "Communication Services": (
        {**INVENTORY, "acs_smtp_username_app": "mailops-nope"},
        {"name": "Web shop", "method": "acs", "address": "shop@contoso.com"},
        f"web-shop (Web shop): {UNREGISTERED}",
    ),
    "Communication Services with two": (
        {
            **INVENTORY,
            "acs_smtp_username_usernames": [
                {"name": "s1", "username": "shop@contoso.com", "app": "mailops-nope"},
                {"name": "s2", "username": "erp@contoso.com"},
            ],
        },
        {"name": "Web shop", "method": "acs", "address": "shop@contoso.com"},
        f"s1 (Web shop): {UNREGISTERED}",
    ),
    "sign-in of a user": (
        {
            "delegated_sign_in_app_unique_name": "mailops-nope",
            "delegated_sign_in_app_register": False,
            "delegated_sign_in_users": [{"user": "ops@contoso.com", "token_store": {"path": "/nowhere/ops.token"}}],
        },
        ERP,
        "Entra has no application mailops-nope: register it first (module entra_app, public_client true).",
    ),
}


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("name", list(APPLICATIONS))
def test_an_application_that_nothing_registers_stops_the_tenant_before_its_first_write(
    start: Start, tmp_path: Path, name: str, check_mode: bool
) -> None:
    inventory, sender, sentence = APPLICATIONS[name]
    play = Play(start(tenant={"azure": AZURE}), tmp_path, prompt=lambda text: None)
    before = play.api.admin.tenant(TENANT)
    refused = play({**ERP, "name": "Books"}, sender, check_mode=check_mode, hve=True, inventory=inventory)
    assert refused["failure"]["problems"] == [sentence], refused["msg"]
    assert (play.api.admin.tenant(TENANT), play.journal()) == (before, [])


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_sign_in_that_cannot_succeed_stops_the_tenant_before_its_first_write(play: Play, tmp_path: Path, check_mode: bool) -> None:
    """The plan registers the application, so that nobody can have signed in to it yet."""
    before = play.state()

    def refusal(prompt: Callable[[str], None] | None, **store: Any) -> list[str]:
        users = [{"user": "ops@contoso.com", "token_store": store}]
        refused = Play(play.api, tmp_path, prompt)(
            ERP, check_mode=check_mode, inventory={"delegated_sign_in_app_unique_name": "mailops-user", "delegated_sign_in_users": users}
        )
        assert (play.state(), play.journal()) == (before, []), refused
        problems: list[str] = refused["failure"]["problems"]
        return problems

    [hidden] = refusal(None, path=str(tmp_path / "ops.token"))
    assert hidden.startswith("ops@contoso.com has to sign in, and this task cannot show the code: ")
    [unwritable] = refusal(print, kind="environment", variable="NO_SUCH_TOKEN")
    assert unwritable.startswith("ops@contoso.com has to sign in, but the token store cannot be written: ")
    (tmp_path / "file").write_text("")
    [no_directory] = refusal(print, path=str(tmp_path / "file" / "ops.token"))
    assert no_directory.endswith("ops.token cannot be read: Not a directory.")


@pytest.mark.parametrize("check_mode", [True, False])
def test_mistakes_of_several_kinds_are_named_in_one_run(recorded: Api, tmp_path: Path, check_mode: bool) -> None:
    names = ("connector of 65 characters", "ACS name without a letter", "two ACS names that become one")
    senders = [sender for name in names for sender in MISTAKES[name][1]]
    gate = connector_sender(name="Gate", address="gate@contoso.com", certificate_name="gate contoso com", public_addresses=[])
    inventory = ACS | {"entra_app_certificates": ["/nowhere/sender.crt"]}
    sentences = [sentence for name in names for sentence in MISTAKES[name][2]]
    sentences += ["Gate: certificate_name is 'gate contoso com'", "/nowhere/sender.crt"]
    assert_refused(Play(recorded, tmp_path), sentences, ERP, *senders, gate, check_mode=check_mode, inventory=inventory)


@pytest.mark.parametrize("check_mode", [True, False])
def test_an_alias_with_rbac_for_applications_is_the_mailbox_that_has_it(play: Play, check_mode: bool) -> None:
    shop = {"name": "Shop", "kind": "website", "address": "no-reply@contoso.com"}
    rbac = {"inventory": {"entra_app_authorization": "rbac", "entra_app_settle_time": 0}}
    result = play(shop, check_mode=check_mode, **rbac)
    assert "failed" not in result, result
    [change] = [change for change in result["changes"] if change["kind"] == "rbac_for_applications"]
    assert "noreply@contoso.com" in json.dumps(change["after"])
    assert "no-reply@contoso.com" not in json.dumps(change["after"])
    if not check_mode:
        assert not play(shop, **rbac)["changed"]


def test_an_application_and_what_needs_its_id_are_applied_in_one_run(play: Play) -> None:
    """The High Volume Email account allows an application that the same run registers."""
    sender = {"name": "Bulk", "kind": "erp", "method": "hve", "address": "bulk@contoso.com", "recipients": "internal"}
    options: dict[str, Any] = {"hve": True, "inventory": {"hve_account_password": "a-long-password"}}
    planned = play(sender, check_mode=True, **options)
    assert "failed" not in planned, planned
    applied = play(sender, **options)
    assert "failed" not in applied, applied
    assert applied["changes"] == planned["changes"]
    assert statuses(applied)["hve_account"] == "applied"
    assert "a-long-password" not in json.dumps(applied)
    assert not play(sender, **options)["changed"]


def test_a_relay_host_may_have_the_name_of_a_sender(play: Play) -> None:
    """Also where the sender had the name before."""
    plant = connector_sender(address="noreply@contoso.com")
    relay = {"name": "plant", "host": "plant.example.com", "public_addresses": ["203.0.113.40"], "managed": False}
    fax = {"name": "Fax", "method": "relay_host", "address": "noreply@contoso.com", "relay_host": "plant"}
    for first in ((), (plant,)):
        play(*first)
        assert "failed" not in play(plant, fax, relays=[relay])
        listed = {one["name"].lower(): one["SenderIPAddresses"] for one in play.state()["inbound_connectors"]}
        assert listed == {"mailops plant": ["203.0.113.40"], "mailops plant 2": ["203.0.113.77"]}
        assert not play(plant, fax, relays=[relay])["changed"]
        play()
        assert play.state()["inbound_connectors"] == []


def test_unused_access_is_disabled_without_any_sender(play: Play) -> None:
    applied = play(unused_access="disable")
    assert "failed" not in applied, applied
    assert play.state()["smtp_client_authentication_disabled"] is True
    assert {change["reason"] for change in applied["changes"]} == {"m365_unused_access"}
    assert not play(unused_access="disable")["changed"]


def test_a_new_mailbox_may_appear_late(play: Play) -> None:
    play.api.admin.fault("exchange", "stale_replica", match={"cmdlet": "Set-CASMailbox"}, count=1)
    applied = play(ERP)
    assert "failed" not in applied, applied
    assert statuses(applied)["smtp_auth"] == "applied"
