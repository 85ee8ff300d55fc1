# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Request, Response
from ansible_collections.mailops.m365.plugins.module_utils.resources.hosted_domain import INFO, RESOURCE

from ....conftest import Play, problems_of
from ....nameserver import NameServer
from ....script import response
from ....services import Exchange

KEY = "SG.aaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
ACCOUNT = {"provider": "sendgrid", "api_key": KEY}
MX = {"valid": False, "type": "mx", "host": "contoso.com", "data": "mx.sendgrid.net"}
TXT = {"valid": False, "type": "txt", "host": "m1._domainkey.contoso.com", "data": "k=rsa; p=AAAA"}


@pytest.fixture
def named() -> Iterator[NameServer]:
    server = NameServer({("m1._domainkey.contoso.com", "TXT"): ['"k=rsa; p=BBBB"']})
    yield server
    server.close()


class Services(Exchange):
    """Exchange with one accepted domain, and a SendGrid account with one domain of manual security, whose envelope is the domain itself."""

    def __init__(self) -> None:
        super().__init__(self.sendgrid, Get_AcceptedDomain=lambda _parameters: [{"DomainName": "contoso.com"}])
        self.urls: list[str] = []

    def sendgrid(self, request: Request) -> Response:
        self.urls.append(f"{request.method} {request.url}")
        assert request.headers["Authorization"] == f"Bearer {KEY}"
        item = {"id": 5, "domain": "contoso.com", "subdomain": "em1", "valid": False, "dns": {"mail_server": MX, "dkim": TXT}}
        return response(200, [item])


def test_mx_record_of_the_provider_is_never_asked_for_where_microsoft_receives(play: Play, named: NameServer) -> None:
    services = Services()
    result = play(RESOURCE, services, **ACCOUNT, domains=[{"name": "Contoso.com."}], dns_servers=[named.address])
    assert result["changed"] is False
    [row] = result["domains"]
    assert [record["type"] for record in row["records"]] == ["TXT"]
    note = "contoso.com: publish the TXT record m1._domainkey.contoso.com with the value k=rsa; p=AAAA in place of k=rsa; p=BBBB."
    assert result["notes"] == [note]
    assert services.urls == ["GET https://api.sendgrid.com/v3/whitelabel/domains?limit=50&offset=0&domain=contoso.com"]


@pytest.mark.parametrize(("text", "published"), [("k=rsa; p=AAAA", True), ("k=rsa; p=aaaa", False)])
def test_case_of_a_key_in_a_text_counts(play: Play, named: NameServer, text: str, published: bool) -> None:
    named.records["m1._domainkey.contoso.com", "TXT"] = [f'"{text}"']
    result = play(INFO, Services(), **ACCOUNT, domains=["contoso.com"], dns_servers=[named.address])
    assert result["domains"][0]["records"][1]["published"] is published


def test_region_selects_the_api_of_the_table(play: Play, named: NameServer) -> None:
    services = Services()
    play(INFO, services, **ACCOUNT, region="eu", domains=["contoso.com"], dns_servers=[named.address])
    assert services.urls == ["GET https://api.eu.sendgrid.com/v3/whitelabel/domains?limit=50&offset=0&domain=contoso.com"]
    assert services.requests == 0, "the info module needs nothing of Exchange"


def test_dns_that_cannot_be_read_is_noted_and_nothing_is_verified(play: Play, named: NameServer) -> None:
    named.faults["m1._domainkey.contoso.com", "TXT"] = "SERVFAIL"
    services = Services()
    result = play(RESOURCE, services, **ACCOUNT, domains=[{"name": "contoso.com"}], dns_servers=[named.address])
    assert result["changed"] is False
    assert "the DNS servers answered SERVFAIL" in result["notes"][0]
    assert len(services.urls) == 1


def test_all_problems_of_the_input_are_reported_at_once() -> None:
    domains: list[dict[str, Any]] = [{"name": "contoso.com"}, {"name": "Contoso.com", "return_path": "a.b"}, {"name": "x@contoso.com"}]
    problems = problems_of(RESOURCE, region="eu", api_url="http://127.0.0.1", domains=domains, dns_servers=["ns.example"])
    starts = [
        "dns_servers holds 'ns.example'", "m365_hosted_relay is not set", "m365_hosted_relay_region is 'eu', and no hosted relay",
        "m365_hosted_relay_api_key is not set", "m365_hosted_relay_api_url is 'http://127.0.0.1'", "domains holds 'x@contoso.com'",
        "domains: Contoso.com: return_path is 'a.b'", "domains lists contoso.com more than once",
    ]  # fmt: skip
    assert len(problems) == len(starts)
    assert all(problem.startswith(start) for problem, start in zip(problems, starts, strict=True)), problems
    assert problems_of(INFO, **ACCOUNT, domains=["nothing"]) == ["domains holds 'nothing', which is not a domain name."]
