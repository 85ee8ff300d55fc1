"""The client of Mailgun's API: forms of answers that the emulator does not give, refusals, lost answers, secrets."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import HostedRelayError, Unreachable
from ansible_collections.mailops.m365.plugins.module_utils._hosted.mailgun import MailgunDomains
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Transport

from ....conftest import FakeClock
from ....script import Script

KEY = "0123456789abcdef0123456789abcdef-11111111-22222222"
NAME, PATH = "mg.contoso.com", "/v4/domains/mg.contoso.com"


def answer(sending: Any = (), receiving: Any = (), **more: Any) -> dict[str, Any]:
    own = {"id": "5", "name": "Mg.contoso.com", "state": "unverified", "type": "custom", "web_prefix": "email", "is_disabled": False}
    return {"domain": own | more, "sending_dns_records": list(sending), "receiving_dns_records": list(receiving)}


@pytest.fixture
def client(transport: Transport) -> MailgunDomains:
    return MailgunDomains(transport, "https://api.eu.mailgun.example/", KEY, "eu")


def test_records_are_read_in_every_published_form(client: MailgunDomains, script: Script) -> None:
    sending = [
        {"name": "k1._domainkey.Mg.contoso.com", "record_type": "TXT", "value": "k=rsa; p=AAAA.", "valid": "VALID"},
        {"name": "Mg.contoso.com.", "record_type": "TXT", "value": "v=spf1 include:eu.mailgun.org ~all", "valid": "unknown"},
        {"name": "email.mg.contoso.com", "record_type": "CNAME", "value": "eu.mailgun.org", "valid": "valid"},
    ]
    receiving = [{"record_type": "MX", "value": "mxa.eu.mailgun.org.", "valid": "invalid", "priority": "10"}]
    script.expect("GET", PATH).header("Authorization", f"Basic {base64.b64encode(f'api:{KEY}'.encode()).decode()}").answers(
        200, answer(sending, receiving)
    )  # fmt: skip
    [domain] = client.read([NAME])
    assert (domain.name, domain.return_path, domain.labelled_name, domain.valid) == (NAME, NAME, f"email.{NAME}", False)
    assert [(one.purpose, one.name, one.value, one.valid, one.required, one.priority) for one in domain.records] == [
        ("dkim", f"k1._domainkey.{NAME}", "k=rsa; p=AAAA.", True, True, 0),
        ("spf", NAME, "v=spf1 include:eu.mailgun.org ~all", False, True, 0),
        ("return_path", NAME, "mxa.eu.mailgun.org", False, False, 10),
    ]  # fmt: skip


@pytest.mark.parametrize(("disabled", "sentence"), [
    ({"reason": "limit", "permanently": False, "until": "Sun, 05 Oct 2025 19:22:44 UTC"}, "it until Sun, 05 Oct 2025 19:22:44 UTC and"),
    ({"reason": "", "note": "by support", "permanently": True, "until": "2030"}, "disabled it and sends nothing for it: by support"),
    (None, "disabled it and sends nothing for it: no reason given"),
])  # fmt: skip
def test_disabled_domain_has_its_reason(client: MailgunDomains, script: Script, disabled: Any, sentence: str) -> None:
    script.expect("GET", PATH).answers(200, answer(is_disabled=True, disabled=disabled))
    assert sentence in client.read([NAME])[0].problem


@pytest.mark.parametrize("method", ["create", "verify", "remove"])
def test_writes_are_not_repeated_after_a_lost_answer(client: MailgunDomains, script: Script, method: str) -> None:
    predicted = client.predicted(NAME, "em-mailops")
    path = {"create": "/v4/domains", "verify": f"{PATH}/verify", "remove": "/v3/domains/mg.contoso.com"}[method]
    script.expect({"create": "POST", "verify": "PUT", "remove": "DELETE"}[method], path).fails(TimeoutError("no answer in time"))
    with pytest.raises(Unreachable):
        client.create(NAME, "em-mailops") if method == "create" else getattr(client, method)(predicted)
    assert len(script.requests) == 1


def test_domain_that_does_not_exist(client: MailgunDomains, script: Script) -> None:
    predicted = client.predicted(NAME, "em-mailops")
    script.expect("GET", PATH).answers(404, {"message": "Domain not found"})
    assert client.read([NAME]) == []
    script.expect("DELETE", "/v3/domains/mg.contoso.com").answers(404, {"message": "Domain not found"})
    script.expect("GET", PATH).answers(404, {"message": "Domain not found"})
    client.remove(predicted)
    script.expect("PUT", f"{PATH}/verify").answers(404, {"message": "Domain not found"})
    with pytest.raises(HostedRelayError, match="Domain not found"):
        client.verify(predicted)


@pytest.mark.parametrize(("status", "body", "sentence"), [
    (401, {"message": "Invalid private key"}, "the provider does not accept the API key in this region"),
    (401, "Forbidden", "the provider does not accept the API key in this region"),
    (403, "Forbidden", "the API key lacks the permission"),
    (400, {"Reason": "bad prefix"}, "bad prefix"),
    (400, {"Description": "bad name"}, "bad name"),
    (400, {"message": "This domain name is already taken"}, "another region or another account of Mailgun has this domain"),
])  # fmt: skip
def test_refusal_names_cause_and_remedy(client: MailgunDomains, script: Script, status: int, body: Any, sentence: str) -> None:
    script.expect("GET", PATH).answers(status, body)
    with pytest.raises(HostedRelayError) as caught:
        client.read([NAME])
    assert sentence in str(caught.value)


def test_answer_that_repeats_the_key_is_hidden(client: MailgunDomains, script: Script) -> None:
    script.expect("GET", PATH).answers(400, {"message": f"bad key {KEY}"})
    with pytest.raises(HostedRelayError) as caught:
        client.read([NAME])
    assert KEY not in str(caught.value.as_result())


def test_pause_of_a_throttled_account_is_that_of_its_answer(client: MailgunDomains, script: Script, clock: FakeClock) -> None:
    script.expect("GET", PATH).answers(429, {"retry-seconds": 17})
    script.expect("GET", PATH).answers(429, {"retry-seconds": 17}, {"X-RateLimit-Reset": str(int(clock.time) + 17 + 40)})
    script.expect("GET", PATH).answers(200, answer())
    assert len(client.read([NAME])) == 1
    assert clock.slept == [17.0, 40.0]
