"""SMTP credentials at the three hosted relays: created, rotated with overlap, removed; permissions, regions, requests of an idle run."""

from __future__ import annotations

import json
import smtplib
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible.constants import DEFAULT_VAULT_IDENTITY
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.mailops.m365.plugins.module_utils.resources.hosted_credential import INFO, RESOURCE

from tests.contract import check_contract
from tests.emulator import test_mailgun, test_smtp2go
from tests.emulator.conftest import Start
from tests.emulator.test_hosted_credentials import KEYS, LISTER, MANAGER, USERS

from .emulated import Run, follow_clock

DAY = 86_400
VAULT_PASSWORD = "correct horse"
VAULT = VaultLib([(DEFAULT_VAULT_IDENTITY, VaultSecret(VAULT_PASSWORD.encode()))])


@dataclass(frozen=True)
class Provider:
    """A provider with one account, a key that may do everything, and one that only reads."""

    name: str
    path: str
    account: dict[str, Any]
    key: str
    reader: str
    refusal: str
    domain: str = ""

    def labels(self, account: dict[str, Any]) -> list[str]:
        """The names of the account's credentials in its state document."""
        if self.name == "sendgrid":
            return [one["name"] for one in account["keys"] if one.get("name") not in ("manager", "", None)]
        if self.name == "smtp2go":
            return [one["username"] for one in account.get("users", [])]
        return [one["login"].partition("@")[0] for domain in account["domains"] for one in domain.get("credentials", [])]


PROVIDERS = {
    one.name: one
    for one in (
        Provider(
            "sendgrid", "global", {"username": "contoso", "user_id": 1, "keys": KEYS}, MANAGER, LISTER,
            "m365_hosted_relay_api_key lacks the permissions api_keys.create, mail.send",
        ),
        Provider(
            "smtp2go", "global/v3",
            {"username": "contoso", "keys": [{"value": test_smtp2go.OWNER, "paths": USERS},
                                             {"value": test_smtp2go.READER, "paths": ["/users/smtp/view"]}]},
            test_smtp2go.OWNER, test_smtp2go.READER, "m365_hosted_relay_api_key lacks the permissions /users/smtp/add",
        ),
        Provider(
            "mailgun", "{region}",
            test_mailgun.ACCOUNT | {"domains": [{"name": test_mailgun.NAME}, {"name": "eu.contoso.com", "region": "eu"}]},
            test_mailgun.OWNER, test_mailgun.READER, "the API key lacks the permission", test_mailgun.NAME,
        ),
    )
}  # fmt: skip


def _decrypted(text: str) -> str:
    return text if text.startswith("{") else VAULT.decrypt(text).decode()


class World:
    """`__call__` runs hosted_credential for the credential erp."""

    def __init__(self, start: Start, state: dict[str, Any], directory: Path, provider: Provider, **options: Any) -> None:
        self.api, self.provider, self.directory = start(**options), provider, directory
        self.api.admin.reset(state | {provider.name: [provider.account]})
        self.run = Run(self.api, directory / "run")

    def __call__(self, resource: Any = RESOURCE, *, key: str = "", items: Any = None, **options: Any) -> dict[str, Any]:
        url = f"{self.api.emulator.cloud['graph']}/{self.provider.name}/{self.provider.path}"
        account = {"provider": self.provider.name, "api_key": key or self.provider.key, "api_url": url}
        item = {"name": "erp"} | ({"domain": self.provider.domain} if self.provider.domain else {})
        own = {"credentials": [item] if items is None else items} if resource is RESOURCE else {}
        ports = self.api.emulator.hosted_smtp_ports[self.provider.name]
        port = ports.get(str(options.get("region")), next(iter(ports.values())))
        smtp = {"smtp_host": "127.0.0.1", "smtp_port": port, "store": str(self.directory / "store")}
        return self.run(resource, **account, **smtp, **own, **options)

    @property
    def labels(self) -> list[str]:
        return self.provider.labels(self.account)

    @property
    def account(self) -> dict[str, Any]:
        [account] = self.api.admin.accounts(self.provider.name)
        return account

    def replace(self, account: dict[str, Any]) -> None:
        self.api.admin.replace_accounts(self.provider.name, [account])

    def secrets(self) -> list[tuple[str, str]]:
        """User names and passwords in the store."""
        files = [json.loads(_decrypted(path.read_text("ascii"))) for path in (self.directory / "store").rglob("*.json")]
        return [(secret["username"], secret["password"]) for content in files for secret in (content["current"], content["next"]) if secret]

    def passwords(self) -> list[str]:
        return [password for _user, password in self.secrets()]


MakeWorld = Callable[..., World]


@pytest.fixture
def make(start: Start, state: dict[str, Any], tmp_path: Path) -> Iterator[MakeWorld]:
    worlds: list[World] = []

    def world(provider: str, **options: Any) -> World:
        worlds.append(World(start, state, tmp_path, PROVIDERS[provider], **options))
        return worlds[-1]

    yield world
    for each in worlds:
        texts = [path.read_text("utf-8") for path in (each.directory / "run" / "journal").rglob("*") if path.is_file()]
        secrets = [each.provider.key, *each.passwords()]
        assert not [text for text in texts if any(secret in text for secret in secrets)]


every_provider = pytest.mark.parametrize("provider", [*PROVIDERS])


@every_provider
def test_credential_is_created_rotated_with_overlap_and_removed(
    make: MakeWorld, provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "record.jsonl"
    world = make(provider, record=record)
    follow_clock(monkeypatch, world.api)
    planned = world(check_mode=True)
    assert (planned["changed"], world.labels) == (True, [])
    created = world()
    assert (created["changed"], created["diff"]) == (True, planned["diff"])
    [row] = created["credentials"]
    assert world.labels == [row["credential"]]
    [password] = world.passwords()
    assert password not in str(created)
    idle = world()
    assert (idle["changed"], idle["cost"]["requests"]) == (False, 1)
    assert world(INFO)["credentials"] == idle["credentials"]

    world.api.admin.advance(30 * DAY)
    monkeypatch.undo()
    clock = follow_clock(monkeypatch, world.api)
    clock.waited = 30 * DAY
    rotated = world(renew="30")
    assert rotated["credentials"][0]["previous"] == [row["credential"]]
    assert len(world.labels) == 2
    retired = world(renew="30")
    assert (retired["changed"], world.labels) == (True, [rotated["credentials"][0]["credential"]])
    assert world(renew="30")["changed"] is False
    assert world.passwords() != [password]

    item = {"name": "erp", "state": "absent"}
    assert world(items=[item])["changed"] is True
    assert (world.labels, world.passwords()) == ([], [])
    assert world(items=[item])["changed"] is False
    assert password not in record.read_text("utf-8")
    check_contract(record)


@every_provider
def test_key_without_the_right_to_write_is_refused(make: MakeWorld, provider: str) -> None:
    world = make(provider)
    refused = world(key=PROVIDERS[provider].reader)
    assert PROVIDERS[provider].refusal in refused["msg"]
    assert world.labels == []
    assert "the provider does not accept the API key" in world(key="SG.unknown")["msg"]


@every_provider
def test_credential_that_was_removed_by_hand_is_replaced(make: MakeWorld, provider: str) -> None:
    world = make(provider)
    first = world()["credentials"][0]["credential"]
    world.replace(PROVIDERS[provider].account)
    [row] = world()["credentials"]
    assert (row["reason"], row["previous"]) == ("the provider does not have it any more", [])
    assert world.labels == [row["credential"]] != [first]


@pytest.mark.parametrize("provider", ["smtp2go", "mailgun"])
def test_password_that_was_changed_by_hand_is_replaced(make: MakeWorld, provider: str) -> None:
    """The secret of an API key never changes."""
    world = make(provider)
    [row] = world()["credentials"]
    assert row["verified"] is True
    account = world.account
    changed = account["users"] if provider == "smtp2go" else account["domains"][0]["credentials"]
    changed[0]["password"] = "ChangedByHand0123456789abcdefghi"
    world.replace(account)
    [replaced] = world()["credentials"]
    assert (replaced["reason"], replaced["previous"]) == ("SMTP does not accept it", [row["credential"]])
    assert world()["changed"] is True
    [idle] = world()["credentials"]
    assert (idle["credential"], idle["verified"], world.labels) == (replaced["credential"], True, [replaced["credential"]])


def test_mail_flows_with_both_credentials_during_the_overlap(make: MakeWorld) -> None:
    """A device that has the replaced credential goes on sending until it has the new one."""
    world = make("smtp2go")
    domain = {"domain": "contoso.com", "return_path": "em-mailops", "rpath_verified": True, "dkim_verified": True}
    world.replace(world.account | {"domains": [domain]})
    world()
    [first] = world.secrets()
    world(renew="now", overlap=7)
    [second] = world.secrets()
    for username, password in (first, second):
        with smtplib.SMTP("127.0.0.1", world.api.emulator.hosted_smtp_ports["smtp2go"]["global"], "erp.contoso.com", timeout=20) as client:
            client.starttls(context=ssl.create_default_context(cafile=world.api.emulator.cloud["ca_file"]))
            client.login(username, password)
            client.sendmail("erp@contoso.com", ["ops@contoso.com"], "From: erp@contoso.com\r\nTo: ops@contoso.com\r\n\r\nhello\r\n")
    assert [one["authenticated_as"] for one in world.api.admin.messages()] == [first[0], second[0]]


def test_domain_of_another_region_is_refused_before_a_write(make: MakeWorld, tmp_path: Path) -> None:
    world = make("mailgun")
    items = [{"name": "erp", "domain": "eu.contoso.com"}]
    assumed = world(items=items, check_mode=True)
    assert (assumed["changed"], assumed["notes"]) == (True, ["Mailgun has the domain eu.contoso.com by then."])
    refused = world(items=items)
    assert "credentials names eu.contoso.com, which Mailgun does not have in the region us" in refused["msg"]
    assert (refused["changed"], world.labels, (tmp_path / "store").exists()) == (False, [], False)
    assert world(items=items, region="eu")["changed"] is True


def test_credential_moves_to_another_domain(make: MakeWorld) -> None:
    world = make("mailgun")
    world.replace(world.account | {"domains": [*world.account["domains"], {"name": "news.contoso.com"}]})
    first = world()["credentials"][0]["username"]
    moved = world(items=[{"name": "erp", "domain": "news.contoso.com"}])
    [row] = moved["credentials"]
    assert (first.partition("@")[2], row["username"].partition("@")[2]) == ("mg.contoso.com", "news.contoso.com")
    assert row["reason"] == "it belongs to mg.contoso.com"
    assert world(items=[{"name": "erp", "domain": "news.contoso.com"}])["changed"] is True
    assert world.labels == [row["credential"]]


def test_throttled_key_creation_is_waited_for(make: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make("sendgrid")
    world.replace(world.account | {"key_interval": 3})
    clock = follow_clock(monkeypatch, world.api)
    done = world(items=[{"name": "erp"}, {"name": "crm"}])
    assert (len(world.labels), done["cost"]["retries"]) == (2, 1)
    assert clock.waited <= 4


def test_user_in_the_sandbox_is_noted(make: MakeWorld) -> None:
    world = make("smtp2go")
    world()
    world.replace(world.account | {"users": [world.account["users"][0] | {"status": "sandbox"}]})
    result = world()
    problem = "SMTP2GO accepts its messages and delivers none, because the user is in the sandbox: set its status to allowed."
    assert (result["changed"], result["credentials"][0]["problem"], result["notes"]) == (False, problem, [f"erp: {problem}"])


@every_provider
def test_password_in_a_vault_is_in_no_file_result_or_sentence(make: MakeWorld, provider: str, tmp_path: Path) -> None:
    """Created and rotated with overlap; with a wrong vault password nothing is changed."""
    world, file = make(provider), tmp_path / "vault-password"
    file.write_text(VAULT_PASSWORD, encoding="utf-8")
    results = [world(vault_password_file=str(file), renew=renew) for renew in ("never", "now", "never")]
    assert [result["credentials"][0]["verified"] for result in results] == [True, True, True]
    assert len(world.labels) == 1
    results += [world(INFO, vault_password_file=str(file))]
    passwords = world.passwords()
    assert len(passwords) == 1
    file.write_text("another", encoding="utf-8")
    labels = world.labels
    for resource, more in ((RESOURCE, {"renew": "now"}), (RESOURCE, {}), (INFO, {})):
        refused = world(resource, vault_password_file=str(file), **more)
        assert "was encrypted with another password: give that one" in refused["msg"]
        results.append(refused)
    results.append(world())
    assert "is encrypted with Ansible Vault, and m365_hosted_credential_vault_password_file is not set" in results[-1]["msg"]
    assert world.labels == labels
    texts = [str(result) for result in results] + [path.read_text("utf-8", "replace") for path in tmp_path.rglob("*") if path.is_file()]
    assert not [text for text in texts if passwords[0] in text]
