"""The clients read the answers that the providers publish as examples (tests/contract/hosted-relays.json)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._hosted.credentials import CreatedCredential
from ansible_collections.mailops.m365.plugins.module_utils._hosted.domains import SenderDomain
from ansible_collections.mailops.m365.plugins.module_utils._hosted.mailgun import MailgunCredentials, MailgunDomains
from ansible_collections.mailops.m365.plugins.module_utils._hosted.sendgrid import SendGridCredentials, SendGridDomains
from ansible_collections.mailops.m365.plugins.module_utils._hosted.smtp2go import Smtp2GoCredentials, Smtp2GoDomains
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Transport

from tests.contract.check_answers import contract

from ....script import Script

URL, KEY = "https://api.hosted.example", "key-0123456789abcdef"
NAME, TARGET = "mg.contoso.com", "u1446226.wl123.sendgrid.net"


@pytest.fixture
def play(script: Script) -> Any:
    """Answer one request as the example of an operation does. `base`: the path of the API, which the example's path is below."""

    def played(service: str, method: str, path: str, base: str = "") -> dict[str, Any]:
        listed = contract()["examples"]
        [example] = [one for one in listed if (one["service"], one["method"], one["path"]) == (service, method, path)]
        script.expect(method, base + path).answers(example["status"], example["answer"])
        return dict(example["answer"])

    return played


def records(domain: SenderDomain) -> list[tuple[str, str, str, str]]:
    return [(one.purpose, one.type, one.name, one.value) for one in domain.records]


def test_domains_of_smtp2go(transport: Transport, play: Any) -> None:
    play("smtp2go", "POST", "/domain/view", "/v3")
    [domain] = Smtp2GoDomains(transport, f"{URL}/v3", KEY, "global").read(["contoso.com"])
    assert (domain.name, domain.return_path, domain.valid) == ("contoso.com", "em123456.contoso.com", False)
    assert records(domain) == [
        ("return_path", "CNAME", "em123456.contoso.com", "return.smtp2go.net"),
        ("dkim", "CNAME", "s123456._domainkey.contoso.com", "dkim.smtp2go.net"),
    ]


def test_user_of_smtp2go(transport: Transport, play: Any) -> None:
    play("smtp2go", "POST", "/users/smtp/add", "/v3")
    created = Smtp2GoCredentials(transport, f"{URL}/v3", KEY, "global").create("erp@contoso.com", "", "Aa1" * 10)
    assert created == CreatedCredential("erp@contoso.com", "erp@contoso.com", "Aa1" * 10)


def test_domain_of_sendgrid_is_created_and_validated(transport: Transport, play: Any) -> None:
    client = SendGridDomains(transport, URL, KEY, "global")
    play("sendgrid", "POST", "/v3/whitelabel/domains")
    domain = client.create("contoso.com", "em1234")
    assert (domain.id, domain.return_path, domain.valid) == ("302183", "em1234.contoso.com", False)
    assert records(domain) == [
        ("return_path", "CNAME", "em1234.contoso.com", TARGET),
        *(("dkim", "CNAME", f"s{number}._domainkey.contoso.com", f"s{number}.domainkey.{TARGET}") for number in (1, 2)),
    ]
    play("sendgrid", "POST", "/v3/whitelabel/domains/302183/validate")
    verified = client.verify(domain)
    assert (verified.valid, [one.valid for one in verified.records]) == (False, [False, True, True])
    assert [one.reason for one in verified.records] == [f'Expected CNAME for "em1234.contoso.com" to match "{TARGET}".', "", ""]


def test_key_of_sendgrid(transport: Transport, play: Any) -> None:
    answer = play("sendgrid", "POST", "/v3/api_keys")
    created = SendGridCredentials(transport, URL, KEY, "global").create("mailops erp 2026-11-28", "", "")
    assert created == CreatedCredential(answer["api_key_id"], "apikey", answer["api_key"])


def test_domain_of_mailgun(transport: Transport, play: Any) -> None:
    play("mailgun", "GET", f"/v4/domains/{NAME}")
    [domain] = MailgunDomains(transport, URL, KEY, "us").read([NAME])
    assert (domain.labelled_name, domain.valid, domain.problem) == (f"email.{NAME}", False, "")
    assert records(domain) == [
        ("spf", "TXT", NAME, "v=spf1 include:mailgun.org ~all"),
        *(("dkim", "CNAME", f"pdk{number}._domainkey.{NAME}", f"pdk{number}._domainkey.9d876.dkim1.mailgun.com") for number in (1, 2)),
        *(("return_path", "MX", NAME, f"mx{letter}.mailgun.org") for letter in "ab"),
    ], "no record for tracking"


def test_credential_of_mailgun_is_created_and_removed(transport: Transport, play: Any, script: Script) -> None:
    client = MailgunCredentials(transport, URL, KEY, "us")
    play("mailgun", "POST", f"/v3/domains/{NAME}/credentials")
    created = client.create("erp", NAME, "Aa1" * 10)
    assert created == CreatedCredential(f"erp@{NAME}", f"erp@{NAME}", "Aa1" * 10)
    play("mailgun", "DELETE", f"/v3/domains/{NAME}/credentials/erp@{NAME}")
    client.remove(created.id)
    assert len(script.requests) == 2
