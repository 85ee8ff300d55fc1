"""What stops a tenant before its first write: mistakes of senders and variables, and what the tenant's state refuses."""

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


SHOP = {"name": "shop", "username": "shop", "app": "shop"}
REFUSED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "connector": (
        {"inbound_connector_connectors": [{"name": "Plant", "sender_ip_addresses": ["10.0.0.7"]}]},
        ("'10.0.0.7', which is not a public address",),
    ),
    "mailboxes": (
        {"smtp_auth_mailboxes": [{"address": "nobody@contoso.com"}]},
        ("smtp_auth_mailboxes: Exchange has no mailbox nobody@contoso.com",),
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
        (
            "smtp_auth_mailboxes: Exchange has no mailbox nobody@contoso.com",
            "authentication_policy_policies: Exchange has no mailbox someone@contoso.com",
        ),
    ),
    "file": ({"entra_app_certificates": ["/nowhere/sender.crt"]}, ("/nowhere/sender.crt",)),
    "RBAC for Applications": (
        {"entra_app_authorization": "rbac", "entra_app_full_access": ["no-reply@contoso.com", "nobody@contoso.com"]},
        ("entra_app_full_access: Exchange has no mailbox nobody@contoso.com",),
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


NEWS = {"hve_account_accounts": [{"address": "news@contoso.com"}, {"address": "ops@contoso.com", "password": "a-long-password"}]}
NEW_ACCOUNT = "password is not set, and news@contoso.com does not exist yet: give the new account a password (it is used once)."
PERSON = "ops@contoso.com is a UserMailbox, which cannot become a High Volume Email account: choose another address."
# What only the tenant's state refuses: inventory, senders, all problems (the beginning of each).
PLANNED: dict[str, tuple[dict[str, Any], list[dict[str, Any]], list[str]]] = {
    "accounts of senders": (
        {},
        [HVE, HVE | {"name": "Gala", "address": "ops@contoso.com"}],
        [
            f"m365_senders: Bulk: hve_account_{NEW_ACCOUNT}",
            f"m365_senders: Gala: address: {PERSON}",
        ],
    ),
    "accounts of the inventory": (
        NEWS | {"hve_account_billing_policy": "Gold"},
        [HVE],
        [
            f"m365_senders: Bulk: hve_account_{NEW_ACCOUNT}",
            f"hve_account_accounts: {PERSON}",
            "hve_account_billing_policy is Gold, and the tenant has no such billing policy for High Volume Email: it has none; ",
        ],
    ),
    "mailboxes": (
        {
            "shared_mailbox_mailboxes": [
                {"address": "erp@contoso.com"},
                {"address": "ops@contoso.com", "send_as": ["nobody@contoso.com"]},
                {"address": "x@contoso.example"},
            ]
        },
        [],
        [
            "shared_mailbox_mailboxes: ops@contoso.com is a UserMailbox, not a SharedMailbox, ",
            "shared_mailbox_mailboxes: nobody@contoso.com: no mailbox of this tenant, so it cannot send: ",
            "shared_mailbox_mailboxes: x@contoso.example: not in an accepted domain of this tenant (contoso.com, ",
        ],
    ),
    "connectors": (
        {"inbound_connector_connectors": [{"name": "Plant", "restrict_domains_to_certificate": True}]},
        [],
        [
            "inbound_connector_connectors: Plant: it has neither sender_ip_addresses nor tls_sender_certificate_name: ",
            "inbound_connector_connectors: Plant: restrict_domains_to_certificate works with type Partner only: ",
            "inbound_connector_connectors: Plant: restrict_domains_to_certificate needs tls_sender_certificate_name.",
        ],
    ),
    "connector of a sender": (
        {},
        [connector_sender(connector="Old gate")],
        ["m365_senders: Plant: connector: Old gate exists, and its comment has the mark of m365_owner others: "],
    ),
    "grants": (
        {"entra_app_full_access": ["ops@contoso.com", "nobody@contoso.com"], "entra_app_send_as": ["none@contoso.example"]},
        [],
        [
            "entra_app_full_access: Exchange has no mailbox nobody@contoso.com: create it",
            "entra_app_send_as: none@contoso.example: not in an accepted domain of this tenant",
        ],
    ),
    "application": (
        {"entra_app_display_name": "taken", "entra_app_permissions": [{"name": "SMTP.SendAsAp"}]},
        [],
        ["entra_app_display_name 'taken' belongs to the application with the unique name 'theirs': use that as entra_app_unique_name, "],
    ),
    "permissions": (
        {"entra_app_permissions": [{"name": "SMTP.SendAsAp"}]},
        [],
        ["entra_app_permissions: Office 365 Exchange Online offers no application permission 'SMTP.SendAsAp'"],
    ),
    "policies": (
        {"authentication_policy_organization": "Nobody", "smtp_auth_mailboxes": [{"address": "none@contoso.com"}]},
        [],
        [
            "smtp_auth_mailboxes: Exchange has no mailbox none@contoso.com: create it",
            "authentication_policy_organization is Nobody, but there is no such authentication policy: ",
        ],
    ),
    "domains": (
        {"spf_domains": ["contoso.example"]},
        [],
        ["spf_domains holds contoso.example, no accepted domain of this tenant (contoso"],
    ),
    "Communication Services": (
        {**INVENTORY, "acs_smtp_username_communication_service": "gone", "acs_smtp_username_app": "mailops-smtp-sender"},
        [acs_sender("Web shop")],
        ["acs_smtp_username_communication_service is gone, and Azure has no such Communication Services resource in the resource group "],
    ),
}


@pytest.fixture(scope="module")
def occupied(tmp_path_factory: pytest.TempPathFactory, state: dict[str, Any]) -> Iterator[Api]:
    """An emulator whose tenant has what others made, for runs that must not write."""
    tenant = state["tenants"][0]
    applications = [*tenant["applications"], {"display_name": "taken", "unique_name": "theirs"}]
    connector = {"name": "Old gate", "SenderIPAddresses": ["203.0.113.200"], "Comment": "mailops.m365 [others] Gate"}
    own = tenant | {"applications": applications, "inbound_connectors": [connector], "azure": AZURE}
    directory = tmp_path_factory.mktemp("occupied")
    with Emulator({**state, "tenants": [own, *state["tenants"][1:]]}, directory=directory) as emulator:
        yield Api(emulator)


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("name", list(PLANNED))
def test_what_the_tenants_state_refuses_names_the_sender_or_the_variable(
    occupied: Api, tmp_path: Path, name: str, check_mode: bool
) -> None:
    inventory, senders, sentences = PLANNED[name]
    before = occupied.admin.tenant(TENANT)
    play = Play(occupied, tmp_path)
    problems = play(ERP, *senders, check_mode=check_mode, hve=True, inventory=inventory)["failure"]["problems"]
    assert len(problems) == len(sentences), problems
    for problem, sentence in zip(sorted(problems), sorted(sentences), strict=True):
        assert problem.startswith(sentence), problem
    assert (occupied.admin.tenant(TENANT), play.journal()) == (before, [])


UNREGISTERED = "Entra has no enterprise application for mailops-nope: register it first (role entra_app)."
# What names an application that neither the tenant nor the plan has, also beside one that the plan registers: inventory, sender, sentence.
APPLICATIONS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "High Volume Email": (hve_account("mailops-nope"), HVE, f"hve_account_accounts: news@contoso.com: {UNREGISTERED}"),
    "High Volume Email with two": (
        hve_account("mailops-smtp-sender", "mailops-nope"),
        HVE,
        f"hve_account_accounts: news@contoso.com: {UNREGISTERED}",
    ),
    "Communication Services": (
        {**INVENTORY, "acs_smtp_username_app": "mailops-nope"},
        {"name": "Web shop", "method": "acs", "address": "shop@contoso.com"},
        f"acs_smtp_username_app: {UNREGISTERED}",
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
        f"acs_smtp_username_usernames: s1: {UNREGISTERED}",
    ),
    "sign-in of a user": (
        {
            "delegated_sign_in_app_unique_name": "mailops-nope",
            "delegated_sign_in_app_register": False,
            "delegated_sign_in_users": [{"user": "ops@contoso.com", "token_store": {"path": "/nowhere/ops.token"}}],
        },
        ERP,
        "delegated_sign_in_app_unique_name: Entra has no application mailops-nope: register it first (role delegated_sign_in with "
        "delegated_sign_in_app_register, or module entra_app with public_client).",
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
    assert hidden.startswith("delegated_sign_in_users: ops@contoso.com has to sign in, and this task cannot show the code: ")
    [unwritable] = refusal(print, kind="environment", variable="NO_SUCH_TOKEN")
    assert unwritable.startswith("delegated_sign_in_users: ops@contoso.com has to sign in, but the token store cannot be written: ")
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
