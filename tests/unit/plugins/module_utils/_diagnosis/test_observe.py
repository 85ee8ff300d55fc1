"""Bisection, endpoints, and the table."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._diagnosis import endpoints, table
from ansible_collections.mailops.m365.plugins.module_utils._diagnosis.lookups import other_addresses
from ansible_collections.mailops.m365.plugins.module_utils._diagnosis.observations import Endpoint, Hop
from ansible_collections.mailops.m365.plugins.module_utils._diagnosis.observe import largest
from ansible_collections.mailops.m365.plugins.module_utils._diagnosis.session import own_address
from ansible_collections.mailops.m365.plugins.module_utils._diagnosis.thresholds import SEGMENTS
from ansible_collections.mailops.m365.plugins.module_utils._http.clouds import CLOUDS
from ansible_collections.mailops.m365.plugins.module_utils._planning import mail_domains

from .seen import PORT_25, PUBLIC, SUBMISSION, failed, good, lookup, network, observed


@pytest.mark.parametrize("limit", [*SEGMENTS, 1299, 5000])
def test_the_largest_segment_that_passes(limit: int) -> None:
    tried: list[int] = []

    def passes(size: int) -> bool:
        tried.append(size)
        return size <= limit

    assert largest(SEGMENTS, passes) == max(size for size in SEGMENTS if size <= limit)
    assert len(tried) <= 5


def test_no_segment_passes() -> None:
    assert largest(SEGMENTS, lambda size: False) == 0


@pytest.mark.parametrize("cloud", list(CLOUDS))
def test_endpoints_of_a_cloud(cloud: str) -> None:
    every = {endpoint.label for endpoint in endpoints.of_cloud(CLOUDS[cloud])}
    assert {f"{CLOUDS[cloud].smtp_host}:587", f"{CLOUDS[cloud].smtp_host}:25"} < every
    assert len([label for label in every if label.endswith(":443")]) == 2


def test_endpoints_of_hosted_relays() -> None:
    every = list(endpoints.of_hosted_relays(["smtp2go", "mailgun"]))
    assert [(one.label, one.tls) for one in every][:3] == [
        ("mail.smtp2go.com:25", "starttls"), ("mail.smtp2go.com:465", "implicit"), ("mail.smtp2go.com:587", "starttls"),
    ]  # fmt: skip
    assert {one.operator for one in every} == {"SMTP2GO", "Mailgun"}


def test_mx_hosts_at_microsoft_are_known() -> None:
    hosts = ["contoso-com.mail.protection.outlook.com", "contoso-com.p-v1.mx.microsoft", "mx.contoso.com"]
    assert [one.operator for one in endpoints.of_mx(hosts)] == ["Microsoft", "Microsoft", ""]


def test_an_endpoint_is_tested_once() -> None:
    twice = [Endpoint("a", 25, "Microsoft"), Endpoint("b", 25), Endpoint("a", 25)]
    assert endpoints.unique(twice) == (Endpoint("a", 25, "Microsoft"), Endpoint("b", 25))


@pytest.mark.parametrize("text", ["contoso.com", "relay1", "smtp.office365.com.", "192.0.2.1", "2001:db8::1", "_dmarc.contoso.com"])
def test_hosts(text: str) -> None:
    assert endpoints.is_host(text)


@pytest.mark.parametrize("text", ["", "a b", "-a.com", "https://contoso.com", "contoso.com:25", "erp@contoso.com", "a..b", "x" * 64])
def test_texts_that_are_no_host(text: str) -> None:
    assert not endpoints.is_host(text)


def test_the_address_of_public_dns_is_tried_where_the_host_gets_others() -> None:
    same, other = lookup("a.contoso.com"), lookup("b.contoso.com", ("10.1.2.3",))
    silent, missing = lookup("c.contoso.com", ("10.1.2.3",), ()), lookup("d.contoso.com", ())
    assert other_addresses([same, other, silent, missing]) == {"b.contoso.com": PUBLIC}


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("AM0PR02.outlook.office365.com Hello [203.0.113.7]", "203.0.113.7"),
        ("mx Hello [IPv6:2001:db8::7]", "2001:db8::7"),
        ("mx Hello [2001:db8::7]", "2001:db8::7"),
        ("mx at your service", ""),
        ("mx [999.1.1.1]", ""),
    ],
)
def test_own_address(line: str, address: str) -> None:
    assert own_address(line) == address


def test_table() -> None:
    changed = observed(PORT_25, *[failed("connect", "timeout", "no answer in time")] * 3, tls={})
    rows = table.rows(network(changed, routes={SUBMISSION.host: (Hop(1, "192.168.1.1", 0.4), Hop(2), Hop(3, "203.0.113.1", 9.0, 1492))}))
    steps = [(row["hop"], row["result"]) for row in rows if row["endpoint"] == SUBMISSION.label]
    assert ("TCP", "5 of 5") in steps
    assert ("public DNS", "52.98.1.2") in steps
    assert ("loss", "0 of 60 packets") in steps
    assert {row["hop"]: row["result"] for row in rows if row["endpoint"] == PORT_25.label} == {"TCP": "0 of 3, no answer in time"}
    routers = [(row["hop"], row["result"], row["detail"]) for row in rows if row["endpoint"] == SUBMISSION.host]
    assert routers == [
        ("router 1", "192.168.1.1", "0.4 ms"), ("router 2", "no answer", ""), ("router 3", "203.0.113.1", "9.0 ms, MTU 1492"),
    ]  # fmt: skip
    lines = table.lines(rows)
    assert lines[0].split() == ["ENDPOINT", "HOP", "RESULT", "DETAIL"]
    assert sum(SUBMISSION.label in line for line in lines) == 1


def test_the_table_counts_the_sessions_that_passed_a_step() -> None:
    rows = table.rows(network(observed(SUBMISSION, good(), failed("greeting", "reset"), failed("starttls", "missing"))))
    steps = {row["hop"]: row["result"] for row in rows if row["endpoint"] == SUBMISSION.label}
    assert steps["TCP"] == "3 of 3"
    assert steps["greeting"] == "2 of 3, connection reset"
    assert steps["STARTTLS"] == "1 of 2, STARTTLS is missing"
    assert steps["TLS"] == "1 of 1"


def test_domains_of_tenants() -> None:
    tenants = [
        {"m365_tenant": "contoso.com", "m365_senders": [{"address": "erp@Mail.Contoso.com"}, {"address": "x"}, {"name": "none"}]},
        {"m365_tenant": "0f2b6d5a-1111-4f7e-8f2e-5c1d9b000001", "m365_senders": [{"address": "a@fabrikam.com"}]},
        {},
    ]
    assert mail_domains.of_inventory(tenants) == ["mail.contoso.com", "contoso.com", "fabrikam.com"]
