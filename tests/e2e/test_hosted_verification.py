"""Senders of a hosted relay verified with their credential: delivered, suppressed, in the sandbox, refused, from another region."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.m365.plugins.module_utils._hosted.account_state import DOMAIN_REMEDY, USER_REMEDY
from ansible_collections.mailops.m365.plugins.module_utils._hosted.mailgun import MailgunAccount
from ansible_collections.mailops.m365.plugins.module_utils.resources.hosted_account import INFO as ACCOUNT_INFO
from ansible_collections.mailops.m365.plugins.module_utils.resources.hosted_credential import RESOURCE as CREDENTIAL
from ansible_collections.mailops.m365.plugins.module_utils.resources.smtp_probe import RESOURCE

from tests.contract import check_contract
from tests.emulator import test_mailgun, test_smtp2go
from tests.emulator.conftest import Start
from tests.emulator.test_hosted_credentials import KEYS, MANAGER, USERS

from .emulated import Run

RECIPIENT, ADDRESS = "ops@contoso.com", "news@contoso.com"
SENDER: dict[str, Any] = {"address": ADDRESS, "method": "hosted", "credential": "news", "verify_recipient": RECIPIENT}
READING = ["suppression.read", "user.credits.read", "user.account.read"]
SENDGRID_KEYS = [KEYS[0] | {"scopes": [*KEYS[0]["scopes"], *READING]}]
PATHS = [*USERS, "/suppression/view", "/stats/email_cycle", "/stats/email_bounces"]
ACCOUNTS: dict[str, tuple[str, dict[str, Any]]] = {
    "smtp2go": (
        test_smtp2go.OWNER,
        {
            "username": "contoso",
            "keys": [{"value": test_smtp2go.OWNER, "paths": PATHS}],
            "domains": [{"domain": "contoso.com", "return_path": "em-mailops", "rpath_verified": True, "dkim_verified": True}],
        },
    ),
    "sendgrid": (
        MANAGER,
        {
            "username": "contoso",
            "user_id": 1,
            "keys": SENDGRID_KEYS,
            "domains": [{"id": 1, "domain": "contoso.com", "subdomain": "em-mailops", "mail_cname": True, "dkim1": True, "dkim2": True}],
        },
    ),
    "mailgun": (test_mailgun.OWNER, test_mailgun.ACCOUNT | {"domains": [{"name": test_mailgun.NAME, "state": "active"}]}),
}
API = {"smtp2go": "smtp2go/global/v3", "sendgrid": "sendgrid/global", "mailgun": "mailgun/{region}"}
every_provider = pytest.mark.parametrize("provider", [*ACCOUNTS])


class World:
    """A tenant with an account and the credential news. `__call__` verifies the sender."""

    def __init__(self, start: Start, state: dict[str, Any], directory: Path, provider: str, **options: Any) -> None:
        self.api, self.provider = start(**options), provider
        self.key, account = ACCOUNTS[provider]
        self.api.admin.reset(state | {provider: [account]})
        self.run = Run(self.api, directory / "run")
        self.store = str(directory / "store")
        self.url = f"{self.api.emulator.cloud['graph']}/{API[provider]}"
        self.port = next(iter(self.api.emulator.hosted_smtp_ports[provider].values()))
        item = {"name": "news"} | ({"domain": test_mailgun.NAME} if provider == "mailgun" else {})
        made = self.run(
            CREDENTIAL, provider=provider, api_key=self.key, api_url=self.url, store=self.store, smtp_host="127.0.0.1",
            smtp_port=self.port, credentials=[item],
        )  # fmt: skip
        assert made["credentials"][0]["verified"] is True, made

    def __call__(self, *, check_mode: bool = False, key: str | None = None, region: str | None = None, **sender: Any) -> dict[str, Any]:
        result = self.probe([SENDER | sender], check_mode=check_mode, key=key, region=region)
        [row] = result["senders"]
        return dict(row) | {"cost": result["cost"]}

    def probe(
        self, senders: list[dict[str, Any]], *, check_mode: bool = False, key: str | None = None, region: str | None = None
    ) -> dict[str, Any]:
        options = {
            "hosted_relay": self.provider, "hosted_relay_api_key": self.key if key is None else key, "hosted_relay_api_url": self.url,
            "hosted_credential_store": self.store, "hosted_relay_smtp_host": "127.0.0.1", "hosted_relay_smtp_port": self.port,
        }  # fmt: skip
        options |= {"hosted_relay_region": region} if region else {}
        result: dict[str, Any] = self.run(RESOURCE, check_mode=check_mode, senders=senders, required=False, **options)
        return result

    @property
    def account(self) -> dict[str, Any]:
        [account] = self.api.admin.accounts(self.provider)
        return account

    def change(self, account: dict[str, Any]) -> None:
        self.api.admin.replace_accounts(self.provider, [account])


MakeWorld = Callable[..., World]


@pytest.fixture
def make(start: Start, state: dict[str, Any], tmp_path: Path) -> MakeWorld:
    return lambda provider, **options: World(start, state, tmp_path, provider, **options)


@every_provider
def test_sender_is_verified_and_the_quota_is_reported(make: MakeWorld, provider: str, tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    world = make(provider, record=record)
    row = world()
    assert (row["status"], row["accepted_by"]) == ("verified", "hosted_relay"), row
    assert ("of the provider's quota are used" in row["reason"]) == (provider != "mailgun")
    [message] = world.api.admin.messages()
    assert (message["recipients"], message["header_from"]) == ([RECIPIENT], ADDRESS)
    check_contract(record)


@every_provider
def test_suppressed_recipient_is_not_verifiable_and_gets_no_message(make: MakeWorld, provider: str) -> None:
    world = make(provider)
    account, entry = (
        world.account,
        {"address": RECIPIENT, "list": {"smtp2go": "bounce"}.get(provider, "bounces"), "added": world.api.admin.now()},
    )
    (account["domains"][0] if provider == "mailgun" else account)["suppressions"] = [entry]
    world.change(account)
    row = world()
    assert (row["status"], row["stage"]) == ("not_verifiable", "source")
    assert f"accepts mail to {RECIPIENT} and does not deliver it, because the address is in its list" in row["reason"]
    assert "set another verify_recipient" in row["remedy"]
    assert world.api.admin.messages() == []


@every_provider
def test_without_a_key_the_lists_are_not_read(make: MakeWorld, provider: str) -> None:
    row = make(provider)(key="")
    assert (row["status"], row["cost"]["requests"]) == ("verified", 0)
    assert row["reason"] == "without m365_hosted_relay_api_key the suppression lists of the provider were not read"


def test_user_in_the_sandbox_is_not_verifiable(make: MakeWorld) -> None:
    world = make("smtp2go")
    account = world.account
    account["users"][0]["status"] = "sandbox"
    world.change(account)
    row = world()
    assert (row["status"], "is in the sandbox" in row["reason"], world.api.admin.messages()) == ("not_verifiable", True, [])


@every_provider
def test_credential_that_the_provider_has_removed_fails(make: MakeWorld, provider: str) -> None:
    world = make(provider)
    world.change(ACCOUNTS[provider][1])
    row = world()
    assert (row["status"], "any more: replace the credential with role hosted_relay" in row["reason"]) == ("failed", True)


@pytest.mark.parametrize("provider", ["smtp2go", "sendgrid"])
def test_domain_that_is_not_verified_is_one_sentence(make: MakeWorld, provider: str) -> None:
    """Mailgun does not check the sender; its domain is the credential's."""
    row = make(provider)(address="news@fabrikam.com")
    assert (row["status"], row["stage"], row["reason"]) == ("failed", "message", "the provider has not verified the domain of the sender")
    assert "hosted_domain" in row["remedy"]


def test_domain_that_mailgun_has_disabled_is_known_before_a_message(make: MakeWorld) -> None:
    world = make("mailgun")
    account = world.account
    account["domains"][0] |= {"state": "disabled", "disabled_reason": "too many bounces"}
    world.change(account)
    row = world()
    assert (row["status"], row["stage"], world.api.admin.messages()) == ("not_verifiable", "source", [])
    assert row["reason"].endswith("Mailgun has disabled it and sends nothing for it: too many bounces")
    options = {"provider": "mailgun", "api_key": world.key, "api_url": world.url, "store": world.store}
    [credential] = world.run(ACCOUNT_INFO, **options, credentials=["news"])["credentials"]
    assert credential["problem"].endswith("sends nothing for it: too many bounces")


def test_domain_that_mailgun_has_not_verified_is_known_before_a_message(make: MakeWorld) -> None:
    """Mailgun accepts the message; a receiver that refuses it would get the recipient into Mailgun's list of bounces."""
    world = make("mailgun")
    account = world.account
    account["domains"][0] |= {"state": "unverified"}
    world.change(account)
    row = world()
    assert (row["status"], row["stage"], world.api.admin.messages()) == ("not_verifiable", "source", [])
    assert row["reason"] == f"{test_mailgun.NAME}: Mailgun has not verified it, so that receivers may refuse its mail"
    assert row["remedy"].startswith("Publish the DNS records of the domain")


@pytest.mark.parametrize(("provider", "used", "label", "reason"), [
    ("smtp2go", {"cycle_max": 1, "cycle_used": 1}, "SMTP2GO: the quota is exhausted (1 of 1 messages)", ""),
    (
        "sendgrid", {"credits": 1, "credits_used": 1}, "SendGrid: the quota is exhausted (1 of 1 recipients)",
        "the account at SendGrid has used the messages of its plan",
    ),
    (
        "mailgun", {"monthly_limit": 1, "monthly_used": 1}, "Mailgun: the quota is exhausted (1 of 1 messages)",
        "the Mailgun domain has reached a limit of its plan",
    ),
])  # fmt: skip
def test_exhausted_quota_is_one_sentence(make: MakeWorld, provider: str, used: dict[str, int], label: str, reason: str) -> None:
    """SMTP2GO has not published its reply."""
    world = make(provider)
    world.change(world.account | used)
    result = world.probe([SENDER])
    [row] = result["senders"]
    assert (row["status"], row["stage"] in ("sign-in", "message"), bool(row["reason"])) == ("failed", True, True), row
    assert reason in row["reason"]
    assert [text for text in result["notes"] if text.startswith(label)]


def test_quota_that_will_be_exhausted_soon_is_a_warning(make: MakeWorld) -> None:
    world = make("smtp2go")
    world.change(world.account | {"cycle_max": 10, "cycle_used": 8})
    result = world.probe([SENDER])
    assert result["senders"][0]["status"] == "verified"
    assert result["senders"][0]["reason"] == "8 of 10 messages of the provider's quota are used"
    assert [text for text in result["notes"] if text.startswith("SMTP2GO: 80 % of the quota is used")]


def test_missing_credential_and_missing_permission_are_named(make: MakeWorld) -> None:
    world = make("sendgrid")
    row = world(credential="other")
    assert (row["status"], "create it with role hosted_relay" in row["reason"]) == ("failed", True)
    account = world.account
    account["keys"][0]["scopes"].remove("suppression.read")
    world.change(account)
    assert "m365_hosted_relay_api_key lacks the permissions suppression.read" in world()["reason"]
    assert world.api.admin.messages() == []


def test_region_that_the_provider_does_not_have_is_named(make: MakeWorld) -> None:
    row = make("sendgrid")(region="us")
    assert row["status"] == "failed"
    assert row["reason"].startswith("m365_hosted_relay_region is 'us', which SendGrid does not have: use ")


def test_quota_that_cannot_be_read_is_a_note(make: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: MailgunAccount) -> None:
        raise MailopsError("Could not read the account: the key may not read it.")

    monkeypatch.setattr(MailgunAccount, "quota", refuse)
    row = make("mailgun")()
    assert row["status"] == "verified"
    assert row["reason"] == "the provider's quota was not read: Could not read the account: the key may not read it"


def test_check_run_sends_nothing(make: MakeWorld) -> None:
    """Neither with a credential, nor with one that the real run creates before."""
    world = make("smtp2go")
    for name in ("news", "later"):
        row = world(check_mode=True, credential=name)
        assert (row["status"], row["stage"], row["cost"]["requests"], world.api.admin.messages()) == ("not_verified", "check_mode", 0, [])


def test_sender_without_recipient_needs_no_credential(make: MakeWorld) -> None:
    row = make("smtp2go")(credential="later", verify_recipient=None)
    assert (row["status"], row["reason"]) == ("not_verified", "there is no recipient of a test message")


def test_credential_that_nobody_can_create_without_a_key_is_not_verifiable(make: MakeWorld) -> None:
    """The plan advises without a key: the person who follows the advice may have an SMTP user that this project does not know."""
    world = make("sendgrid")
    row = world(credential="later", key="")
    assert (row["status"], world.api.admin.messages()) == ("not_verifiable", [])
    assert row["reason"].startswith("m365_hosted_relay_api_key is not set, and the SMTP credential later does not exist in the store (")
    assert "verify_passwords" in row["remedy"]
    row = world(credential="later", key="", password="wrong")
    assert (row["stage"], row["code"]) == ("sign-in", "535"), "the user name of every account is known"


@every_provider
def test_account_has_the_state_of_a_stored_credential(make: MakeWorld, provider: str) -> None:
    """What a relay host's verification reads on the controller; Mailgun's domain is that of the credential."""
    world = make(provider)
    account = world.account
    place = account["domains"][0] if provider == "mailgun" else account
    place["suppressions"] = [{"address": RECIPIENT, "list": {"smtp2go": "bounce"}.get(provider, "bounces"), "added": world.api.admin.now()}]
    if provider == "smtp2go":
        account["users"][0]["status"] = "sandbox"
    world.change(account)
    options: dict[str, Any] = {
        "provider": provider, "api_key": world.key, "api_url": world.url, "store": world.store, "purposes": ["suppressions"],
    }  # fmt: skip
    options |= {"client_id": None, "client_secret": None}  # a relay host has no credential of the tenant
    result = world.run(ACCOUNT_INFO, **options, credentials=["news"], addresses=[RECIPIENT])
    [row] = result["credentials"]
    assert (row["name"], row["exists"], "sandbox" in (row["problem"] or "")) == ("news", True, provider == "smtp2go")
    assert (row["remedy"], row["limit"]) == (USER_REMEDY if provider == "smtp2go" else None, None)
    assert [one["address"] for one in result["suppressed"]] == [RECIPIENT]
    if provider == "mailgun":
        place["state"] = "disabled"
        world.change(account)
        [row] = world.run(ACCOUNT_INFO, **options, credentials=["news"])["credentials"]
        assert (row["problem"].startswith(f"{test_mailgun.NAME}: "), row["remedy"]) == (True, DOMAIN_REMEDY)
    world.change(ACCOUNTS[provider][1])
    assert world.run(ACCOUNT_INFO, **options, credentials=["news"])["credentials"] == [
        {"name": "news", "exists": False, "problem": None, "remedy": None, "limit": None}
    ]
    refused = world.run(ACCOUNT_INFO, **options, credentials=["other"])
    assert "credentials lists what the store does not have" in refused["msg"]


def test_limit_of_an_smtp_user(make: MakeWorld) -> None:
    """The message beyond it is refused; SMTP2GO does not return how many were sent."""
    world = make("smtp2go")
    account = world.account
    account["users"][0] |= {"custom_ratelimit": True, "custom_ratelimit_value": 1, "custom_ratelimit_period": "1 day"}
    world.change(account)
    clause = f"the SMTP user {account['users'][0]['username']} may send 1 message in 1 day"
    row = world()
    assert (row["status"], clause in row["reason"]) == ("verified", True), row
    row = world()
    assert (row["status"], row["transient"], row["remedy"]) == (
        "failed",
        True,
        "Wait for the next period, or raise the limit of the SMTP user or the plan at the provider.",
    )


@every_provider
def test_account_is_read_once_for_all_senders(make: MakeWorld, provider: str) -> None:
    world = make(provider)
    one = world()["cost"]["requests"]
    assert world.probe([SENDER, SENDER | {"name": "second"}, SENDER | {"name": "third"}])["cost"]["requests"] == one


def test_sender_with_user_name_and_password_needs_no_store(make: MakeWorld) -> None:
    world = make("smtp2go")
    row = world(credential=None, username="nobody", password="WrongPassword0123456789")
    assert (row["status"], row["stage"], row["code"]) == ("failed", "sign-in", "535")
    assert "WrongPassword0123456789" not in str(row)
    assert world(credential=None)["reason"].startswith("method hosted needs credential, or username and password")
