"""The SMTP endpoints of the hosted relays: their words, AUTH, senders, addresses, limits, the way to the tenants' mailboxes."""

from __future__ import annotations

import json
import smtplib
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract import CHECKER
from tests.emulator.conftest import Api, Start

from .test_sendgrid import api_key

REPLIES = json.loads(CHECKER.with_name("hosted-relays.json").read_text("utf-8"))["smtp"]
PASSWORD = "PasswordOfTheErp0123456789abcdef"
SENDING = api_key("sending")
CREDENTIALS = {"smtp2go": ("mailops-erp-20261129", PASSWORD), "sendgrid": ("apikey", SENDING), "mailgun": ("erp@mg.contoso.com", PASSWORD)}
REGIONS = {"smtp2go": "global", "sendgrid": "global", "mailgun": "us"}
ACCOUNTS: dict[str, dict[str, Any]] = {
    "smtp2go": {
        "username": "contoso",
        "users": [{"username": CREDENTIALS["smtp2go"][0], "password": PASSWORD}],
        "domains": [{"domain": "contoso.com", "return_path": "em-mailops", "rpath_verified": True, "dkim_verified": True}],
    },
    "sendgrid": {
        "username": "contoso",
        "user_id": 1446226,
        "keys": [{"value": SENDING, "scopes": ["mail.send"]}, {"value": api_key("reading"), "scopes": ["whitelabel.read"]}],
        "domains": [{"id": 1, "domain": "contoso.com", "subdomain": "em-mailops", "mail_cname": True, "dkim1": True, "dkim2": True}],
    },
    "mailgun": {
        "username": "contoso",
        "domains": [
            {"name": "mg.contoso.com", "state": "active", "credentials": [{"login": CREDENTIALS["mailgun"][0], "password": PASSWORD}]}
        ],
    },
}
PATHS = {
    "smtp2go": ("@em-mailops.contoso.com", "d=contoso.com; s=s123456"),
    "sendgrid": ("@em-mailops.contoso.com", "d=contoso.com; s=s1"),
    "mailgun": ("@mg.contoso.com", "d=mg.contoso.com; s=pdk1"),
}
RECIPIENT = "ops@contoso.com"
every_provider = pytest.mark.parametrize("provider", [*ACCOUNTS])


def message(sender: str = "erp@contoso.com") -> bytes:
    return f"From: ERP <{sender}>\r\nTo: {RECIPIENT}\r\nMessage-ID: <1@contoso.com>\r\n\r\nhello\r\n".encode()


class Relay:
    """A provider with one account, and clients of its endpoint."""

    def __init__(self, api: Api, state: dict[str, Any], provider: str, **account: Any) -> None:
        self.api, self.provider, self.replies = api, provider, REPLIES[provider]["replies"]
        api.admin.reset(state | {provider: [ACCOUNTS[provider] | account]})

    def connect(self, region: str = "", *, tls: bool = True) -> smtplib.SMTP:
        port = self.api.emulator.hosted_smtp_ports[self.provider][region or REGIONS[self.provider]]
        client = smtplib.SMTP("127.0.0.1", port, "client.example.net", timeout=20)
        client.ehlo()
        if tls:
            client.starttls(context=ssl.create_default_context(cafile=self.api.emulator.cloud["ca_file"]))
            client.ehlo()
        return client

    def signed_in(self) -> smtplib.SMTP:
        client = self.connect()
        client.login(*CREDENTIALS[self.provider])
        return client

    def send(self, sender: str = "erp@contoso.com", recipients: str | list[str] = RECIPIENT, mail_from: str | None = None) -> str:
        """The last reply of a transaction, whichever command it answers; lines are joined by |."""
        client = self.signed_in()
        with client:
            client.mail(sender if mail_from is None else mail_from)
            for recipient in [recipients] if isinstance(recipients, str) else recipients:
                code, text = client.rcpt(recipient)
                if code != 250:
                    return reply(code, text)
            code, text = client.docmd("DATA")
            if code == 354:
                client.send(message(sender) + b".\r\n")
                code, text = client.getreply()
        return reply(code, text)

    @property
    def account(self) -> dict[str, Any]:
        [account] = self.api.admin.accounts(self.provider)
        return account

    def messages(self) -> list[dict[str, Any]]:
        return self.api.admin.messages()


def reply(code: int, text: bytes) -> str:
    return f"{code} {text.decode().replace(chr(10), '|')}"


Make = Callable[..., Relay]


@pytest.fixture
def make(start: Start, state: dict[str, Any]) -> Make:
    return lambda provider, **account: Relay(start(), state, provider, **account)


def test_smtp2go_user_has_a_limit_of_its_own(make: Make) -> None:
    """Refused beyond it, and not queued; the account's quota goes on counting what was accepted."""
    [user] = ACCOUNTS["smtp2go"]["users"]
    limit = {"custom_ratelimit": True, "custom_ratelimit_value": 2, "custom_ratelimit_period": "0:30:00"}
    relay = make("smtp2go", users=[user | limit])
    assert relay.send().startswith("250 OK id=")
    assert relay.send(recipients=[RECIPIENT, "a@example.net"]) == "550 the sending limit of this SMTP user is exceeded"
    assert relay.send().startswith("250 OK id=")
    assert relay.send() == "550 the sending limit of this SMTP user is exceeded"
    assert (relay.account["cycle_used"], len(relay.messages())) == (2, 2)
    relay.api.admin.advance(1799)
    assert relay.send().startswith("550 ")
    relay.api.admin.advance(2)
    assert relay.send().startswith("250 OK id=")


@every_provider
def test_words_are_those_of_published_sessions(make: Make, provider: str) -> None:
    relay = make(provider)
    replies, port = relay.replies, relay.api.emulator.hosted_smtp_ports[provider][REGIONS[provider]]
    client = smtplib.SMTP(local_hostname="client.example.net", timeout=20)
    code, banner = client.connect("127.0.0.1", port)
    assert REPLIES[provider]["banner"].startswith(reply(code, banner))
    client.ehlo()
    lines = (client.ehlo_resp or b"").decode().split("\n")[1:]
    assert lines == REPLIES[provider]["ehlo"][1:]
    code, text = client.docmd("AUTH", "LOGIN")
    assert code == 334, "AUTH is offered before TLS"
    client.docmd("*")
    assert reply(*client.docmd("STARTTLS")) == replies["starttls"]
    client.close()
    client = relay.connect()
    client.user, client.password = CREDENTIALS[provider]
    assert reply(*client.auth("PLAIN", client.auth_plain)) == replies["auth_ok"]
    assert reply(*client.mail("erp@contoso.com")) == replies["mail"]
    accepted = replies.get("rcpt", "250 Recipient address accepted").replace("RECIPIENT", RECIPIENT)
    assert reply(*client.rcpt(RECIPIENT)) == accepted
    code, text = client.docmd("DATA")
    assert reply(code, text) == replies.get("data", "354 Continue")
    client.send(message() + b".\r\n")
    assert reply(*client.getreply()).startswith(replies["queued"].partition("ID")[0])
    assert reply(*client.quit()) == replies["quit"]


@every_provider
def test_every_mechanism_is_accepted(make: Make, provider: str) -> None:
    relay = make(provider)
    for mechanism in REPLIES[provider]["ehlo"][6 if provider == "smtp2go" else -2 if provider == "sendgrid" else 1].split()[1:]:
        client = relay.connect()
        client.user, client.password = CREDENTIALS[provider]
        method = getattr(client, f"auth_{mechanism.lower().replace('-', '_')}")
        assert client.auth(mechanism, method)[0] == 235
        client.quit()


@every_provider
def test_wrong_password_and_no_authentication_are_refused(make: Make, provider: str) -> None:
    relay = make(provider)
    client = relay.connect()
    client.user, client.password = CREDENTIALS[provider][0], "wrong"
    with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        client.auth("LOGIN", client.auth_login)
    expected = relay.replies.get("auth_bad_key") or relay.replies["auth_bad"]
    assert expected.startswith(reply(refused.value.smtp_code, bytes(refused.value.smtp_error)))
    answers = [reply(*client.mail("erp@contoso.com")), reply(*client.rcpt(RECIPIENT))]
    assert relay.replies["no_auth"] in answers


def test_sendgrid_user_name_region_and_permission(make: Make) -> None:
    relay = make("sendgrid")
    for user, password, region, name in [
        ("contoso", SENDING, "global", "auth_bad_user"), ("apikey", SENDING, "eu", "auth_bad_key"),
        ("apikey", api_key("reading"), "global", "auth_bad_key"),
    ]:  # fmt: skip
        client = relay.connect(region)
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            client.login(user, password)
        assert reply(refused.value.smtp_code, bytes(refused.value.smtp_error)) == relay.replies[name]


def test_mailgun_domain_exists_in_one_region(make: Make) -> None:
    client = make("mailgun").connect("eu")
    with pytest.raises(smtplib.SMTPAuthenticationError, match="535"):
        client.login(*CREDENTIALS["mailgun"])


@every_provider
def test_message_reaches_the_mailbox_with_the_return_path_and_a_signature(make: Make, provider: str) -> None:
    relay = make(provider)
    assert relay.send(recipients=[RECIPIENT, "someone@example.net"]).startswith("250")
    [received] = relay.messages()
    path, signature = PATHS[provider]
    assert (received["recipients"], received["authenticated_as"]) == ([RECIPIENT], CREDENTIALS[provider][0])
    assert received["mail_from"].endswith(path)
    raw = relay.api.admin.raw_message(received["number"]).decode()
    assert signature in raw
    assert "dmarc=pass header.from=contoso.com" in raw
    used = {"smtp2go": "cycle_used", "sendgrid": "credits_used", "mailgun": "monthly_used"}[provider]
    assert relay.account[used] == 2


def test_unverified_sender_is_refused_after_the_data(make: Make) -> None:
    smtp2go, other = make("smtp2go"), "erp@fabrikam.com"
    assert smtp2go.send(other) == (
        "550 From header sender domain not verified (fabrikam.com)|On your Sending > Verified Senders page|"
        "verify the sender domain or email to be allowed to send."
    )
    assert "not verified (fabrikam.com)" in smtp2go.send(mail_from=other)
    sendgrid = make("sendgrid")
    assert sendgrid.send(other) == sendgrid.replies["from_unverified"]
    assert make("sendgrid", verified_senders=[other]).send(other).startswith("250")
    assert make("smtp2go", single_senders=[other]).send(other).startswith("250")
    mailgun = make("mailgun")
    assert mailgun.send(other) == "250 Great success"
    assert b"dmarc=fail header.from=fabrikam.com" in mailgun.api.admin.raw_message(mailgun.messages()[-1]["number"])


def test_address_outside_of_the_allow_list_is_refused(make: Make) -> None:
    entry = {"public_address": "203.0.113.7", "allow_list": [{"address": "192.0.2.1"}]}
    smtp2go = make("smtp2go", public_address="203.0.113.7", smtp_allow_list=entry["allow_list"], smtp_allow_list_enabled=True)
    assert smtp2go.send() == smtp2go.replies["address_not_allowed"]
    for provider, name in (("sendgrid", "auth_address"), ("mailgun", "auth_bad")):
        relay = make(provider, **entry)
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            relay.signed_in()
        assert relay.replies[name].startswith(reply(refused.value.smtp_code, bytes(refused.value.smtp_error)))


def test_quota_counts_recipients(make: Make) -> None:
    assert make("smtp2go", cycle_max=1).send(recipients=[RECIPIENT, "user001@contoso.com"]).startswith("550")
    sendgrid = make("sendgrid", credits=1)
    assert sendgrid.send(recipients=[RECIPIENT, "user001@contoso.com"]) == sendgrid.replies["limits"]
    assert sendgrid.send().startswith("250")
    with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        sendgrid.signed_in()
    assert reply(refused.value.smtp_code, bytes(refused.value.smtp_error)) == sendgrid.replies["auth_no_credits"]
    mailgun = make("mailgun", monthly_limit=5, monthly_used=5)
    assert mailgun.send().startswith("421 Domain mg.contoso.com is not allowed to send: recipient limit exceeded, try again after ")


def test_mailgun_421_of_free_disabled_and_inactive_accounts(make: Make) -> None:
    [domain] = ACCOUNTS["mailgun"]["domains"]
    sandbox = make("mailgun", domains=[domain | {"type": "sandbox"}], authorized_recipients=["user001@contoso.com"])
    assert sandbox.send() == sandbox.replies["free_account"].replace("DOMAIN", "mg.contoso.com")
    assert sandbox.send(recipients="user001@contoso.com") == "250 Great success"
    inactive = make("mailgun", activated=False)
    assert inactive.send() == inactive.replies["not_activated"].replace("DOMAIN", "mg.contoso.com")
    disabled = make("mailgun", domains=[domain | {"state": "disabled", "disabled_reason": "spam complaints"}])
    assert disabled.send() == "421 Domain mg.contoso.com is not allowed to send: spam complaints"


@every_provider
def test_suppressed_recipient_is_accepted_and_gets_nothing(make: Make, provider: str) -> None:
    entry = {"address": RECIPIENT, "list": {"smtp2go": "bounce", "sendgrid": "bounces", "mailgun": "bounces"}[provider]}
    account: dict[str, Any] = {"suppressions": [entry]}
    if provider == "mailgun":
        account = {"domains": [ACCOUNTS[provider]["domains"][0] | account]}
    relay = make(provider, **account)
    assert relay.send(recipients=[RECIPIENT, "user001@contoso.com"]).startswith("250")
    assert [one["recipients"] for one in relay.messages()] == [["user001@contoso.com"]]


def test_sandbox_and_blocked_users_of_smtp2go(make: Make) -> None:
    [user] = ACCOUNTS["smtp2go"]["users"]
    sandbox = make("smtp2go", users=[user | {"status": "sandbox"}])
    assert sandbox.send().startswith("250 OK id=")
    assert sandbox.messages() == []
    with pytest.raises(smtplib.SMTPAuthenticationError, match="535"):
        make("smtp2go", users=[user | {"status": "blocked"}]).signed_in()


@every_provider
def test_refusal_of_the_tenant_suppresses_the_address(make: Make, provider: str) -> None:
    relay = make(provider)
    assert relay.send(recipients="nobody@contoso.com").startswith("250")
    assert relay.messages() == []
    suppressed = relay.account["domains"][0]["suppressions"] if provider == "mailgun" else relay.account["suppressions"]
    assert [one["address"] for one in suppressed] == ["nobody@contoso.com"]


def test_blank_sender_and_too_many_recipients(make: Make) -> None:
    smtp2go = make("smtp2go")
    assert smtp2go.send(mail_from="") == smtp2go.replies["blank_sender"]
    many = [f"user{number}@example.net" for number in range(101)]
    assert smtp2go.send(recipients=many).startswith("452")
    assert make("mailgun").send(recipients=many).startswith("250")


def test_removed_key_is_refused(make: Make) -> None:
    relay = make("sendgrid")
    relay.api.admin.replace_accounts(
        "sendgrid", [ACCOUNTS["sendgrid"] | {"keys": [{"value": SENDING, "scopes": ["mail.send"], "removed": 1}]}]
    )
    with pytest.raises(smtplib.SMTPAuthenticationError, match="535"):
        relay.signed_in()


def test_faults_of_the_endpoint(make: Make) -> None:
    relay = make("mailgun")
    relay.api.admin.fault("hosted_smtp", match={"provider": "mailgun", "stage": "auth"}, status=454, body="try later", count=2)
    with pytest.raises(smtplib.SMTPAuthenticationError, match="454"):
        relay.signed_in()
    assert relay.send() == "250 Great success"
