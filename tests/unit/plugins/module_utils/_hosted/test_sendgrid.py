"""The client of SendGrid's API: what it reads from answers that the emulator does not give, refusals, lost answers, secrets."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import HostedRelayError, Unreachable
from ansible_collections.mailops.m365.plugins.module_utils._hosted.domains import DnsRecord
from ansible_collections.mailops.m365.plugins.module_utils._hosted.sendgrid import SendGridDomains
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Transport

from ....conftest import FakeClock
from ....script import Script, response

KEY = "SG.aaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
LIST = "/v3/whitelabel/domains?limit=50&offset=0&domain=contoso.com"


def item(number: int = 1, **more: Any) -> dict[str, Any]:
    dns = {
        "mail_cname": {"valid": False, "type": "cname", "host": "EM1.contoso.com", "data": "u1.wl1.sendgrid.net."},
        "dkim1": {"valid": True, "type": "cname", "host": "s1._domainkey.contoso.com", "data": "s1.domainkey.u1.wl1.sendgrid.net"},
    }
    return {"id": number, "domain": "contoso.com", "subdomain": "em1", "valid": False, "dns": dns} | more


@pytest.fixture
def client(transport: Transport) -> SendGridDomains:
    return SendGridDomains(transport, "https://api.sendgrid.example/", KEY, "global")


def test_domains_are_listed_oldest_first_and_those_of_other_names_left_out(client: SendGridDomains, script: Script) -> None:
    body = [item(7), item(3), item(1, domain="sub.contoso.com")]
    script.expect("GET", LIST).header("Authorization", f"Bearer {KEY}").answers(200, body)
    domains = client.read(["contoso.com"])
    assert [domain.id for domain in domains] == ["3", "7"]
    assert domains[0].return_path == "em1.contoso.com"
    assert domains[0].records[0] == DnsRecord("mail_cname", "return_path", "em1.contoso.com", "CNAME", "u1.wl1.sendgrid.net")
    assert domains[0].records[1].valid is True


def test_manual_security_has_other_records(client: SendGridDomains, script: Script) -> None:
    dns = {
        "mail_server": {"valid": True, "type": "mx", "host": "em1.contoso.com", "data": "mx.sendgrid.net."},
        "subdomain_spf": {"valid": True, "type": "txt", "host": "em1.contoso.com", "data": "v=spf1 include:sendgrid.net ~all"},
        "dkim": {"valid": False, "type": "txt", "host": "m1._domainkey.contoso.com", "data": "k=rsa; t=s; p=AAAA"},
    }
    script.expect("GET", LIST).answers(200, [item(dns=dns)])
    [domain] = client.read(["contoso.com"])
    assert [(record.purpose, record.type) for record in domain.records] == [("return_path", "MX"), ("spf", "TXT"), ("dkim", "TXT")]
    results = {"dkim": {"valid": True, "reason": None}, "mail_server": {"valid": False, "reason": "no MX"}, "subdomain_spf": None}
    script.expect("POST", "/v3/whitelabel/domains/1/validate").answers(200, {"id": 1, "valid": False, "validation_results": results})
    verified = client.verify(domain)
    assert [(record.valid, record.reason) for record in verified.records] == [(False, "no MX"), (False, ""), (True, "")]


def test_create_names_the_region_of_the_european_union_only(transport: Transport, script: Script) -> None:
    body = {"domain": "contoso.com", "subdomain": "em1", "automatic_security": True}
    for region, more in (("global", {}), ("eu", {"region": "eu"})):
        script.expect("POST", "/v3/whitelabel/domains").json_body(body | more).answers(201, item())
        assert SendGridDomains(transport, "https://api.sendgrid.example", KEY, region).create("contoso.com", "em1").id == "1"


def test_prediction_has_the_names_of_the_records_that_are_created(client: SendGridDomains, script: Script) -> None:
    predicted = client.predicted("contoso.com", "em1")
    script.expect("POST", "/v3/whitelabel/domains").answers(201, item())
    names = [record.name for record in client.create("contoso.com", "em1").records]
    assert [record.name for record in predicted.records] == [*names, "s2._domainkey.contoso.com"]
    assert predicted.id == ""


def test_create_is_not_repeated_after_a_lost_answer(client: SendGridDomains, script: Script) -> None:
    script.expect("POST", "/v3/whitelabel/domains").fails(TimeoutError("no answer in time"))
    with pytest.raises(Unreachable):
        client.create("contoso.com", "em1")
    assert len(script.requests) == 1


def test_removed_domain_is_no_error(client: SendGridDomains, script: Script) -> None:
    script.expect("GET", LIST).answers(200, [item()])
    [domain] = client.read(["contoso.com"])
    for status in (204, 404):
        script.expect("DELETE", "/v3/whitelabel/domains/1").answers(status)
        client.remove(domain)


def test_missing_rights_are_those_of_the_actions(client: SendGridDomains, script: Script) -> None:
    script.expect("GET", "/v3/scopes").answers(200, {"scopes": ["whitelabel.create", "2fa_required"]})
    assert client.missing_rights("create") == []
    assert client.missing_rights("create", "verify", "remove") == ["whitelabel.delete", "whitelabel.update"]


@pytest.mark.parametrize(("status", "body", "cause"), [
    (401, {"errors": [{"message": "authorization required", "field": None}]}, "the provider does not accept the API key in this region"),
    (403, {"errors": [{"message": "access forbidden"}]}, "the API key lacks the permission"),
    (400, {"errors": [{"message": "invalid subdomain"}, {"message": "invalid domain"}]}, "the service answered 400: invalid subdomain; in"),
    (404, "<html>", "the service answered 404: <html>"),
])  # fmt: skip
def test_refusal_names_cause_and_remedy(client: SendGridDomains, script: Script, status: int, body: Any, cause: str) -> None:
    script.expect("GET", LIST).answers(status, body)
    with pytest.raises(HostedRelayError) as caught:
        client.read(["contoso.com"])
    assert cause in str(caught.value)
    assert caught.value.status == status


def test_answer_that_repeats_the_key_is_hidden(client: SendGridDomains, script: Script) -> None:
    script.expect("GET", LIST).answers(400, {"errors": [{"message": f"bad key {KEY}"}]})
    with pytest.raises(HostedRelayError) as caught:
        client.read(["contoso.com"])
    assert KEY not in str(caught.value.as_result())


def test_failed_dns_query_of_the_provider_is_retried(client: SendGridDomains, script: Script, clock: FakeClock) -> None:
    script.expect("GET", LIST).answers(500, {"errors": [{"message": "internal error getting TXT"}]})
    script.expect("GET", LIST).answers(200, [])
    assert client.read(["contoso.com"]) == []
    assert len(clock.slept) == 1


def test_pause_of_a_throttled_account_is_that_of_its_header(client: SendGridDomains, script: Script, clock: FakeClock) -> None:
    for headers in ({"X-RateLimit-Reset": str(int(clock.time) + 40)}, {"X-RateLimit-Reset": "1"}, {"Retry-After": "7"}):
        script.expect("GET", LIST).answers(429, {"errors": []}, headers)
    script.expect("GET", LIST).answers(200, [], {"X-RateLimit-Reset": "99999999999"})
    assert client.read(["contoso.com"]) == []
    assert clock.slept == [40.0, 1.0, 7.0]


def test_header_of_the_reset_counts_for_429_only() -> None:
    assert response(503, None, {"X-RateLimit-Reset": "130"}).requested_pause(100.0) is None
    assert response(429, None, {"X-RateLimit-Reset": "soon"}).requested_pause(100.0) is None
    assert response(429, None, {"X-RateLimit-Reset": "130"}).requested_pause(100.0) == 30.0
