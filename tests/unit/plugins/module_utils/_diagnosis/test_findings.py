"""Observations, and the causes that they show."""

from __future__ import annotations

import dataclasses
import random

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._diagnosis.causes import CAUSES, Finding
from ansible_collections.mailops.m365.plugins.module_utils._diagnosis.findings import Expectation, judge
from ansible_collections.mailops.m365.plugins.module_utils._diagnosis.observations import (
    Answer,
    Certificate,
    Endpoint,
    Observations,
    Observed,
    Sample,
    Transport,
)  # fmt: skip

from .seen import (
    GATEWAY,
    HOSTED,
    HTTPS,
    KEYWORDS,
    MX,
    PORT_25,
    PUBLIC,
    SUBMISSION,
    TLS,
    failed,
    good,
    lookup,
    network,
    observed,
)  # fmt: skip

BLOCKED = failed("connect", "timeout")
RESET = failed("greeting", "reset")
NO_STARTTLS = tuple(word for word in KEYWORDS if word != "STARTTLS")
RELAY = Endpoint("relay1.contoso.com", 25)
GATEWAY_CA = Certificate("Contoso Security", "Contoso Web Gateway CA", "smtp.office365.com", "unable to get local issuer certificate")


def judged(observations: Observations, device_tls: str = "", issuers: tuple[str, ...] = ()) -> list[Finding]:
    return judge(observations, Expectation(issuers, device_tls))


def every(*samples: Sample) -> list[Observed]:
    """The same sessions with each SMTP endpoint of Microsoft's."""
    return [observed(one, *samples) for one in (SUBMISSION, PORT_25, MX)]


@pytest.mark.parametrize(
    ("changed", "cause", "part"),
    [
        ([observed(one, *[BLOCKED] * 3, tls={}) for one in (PORT_25, MX)], "port_blocked", "use|587"),
        ([observed(one, *[failed("connect", "refused")] * 3, tls={}) for one in (PORT_25, MX)], "port_blocked", "connection refused"),
        ([observed(MX, *[BLOCKED] * 3, tls={})], "endpoint_blocked", "other servers answer"),
        (
            [observed(one, *[BLOCKED] * 3, tls={}) for one in (SUBMISSION, PORT_25, MX, HTTPS, HOSTED)],
            "no_network",
            "default route",
        ),
        ([observed(SUBMISSION, *[good()] * 5, *[RESET] * 5)], "connection_limit", "After 5 connections"),
        ([observed(SUBMISSION, *[good()] * 3, RESET, failed("connect", "reset"), RESET)], "connection_limit", "After 3 connections"),
        ([observed(SUBMISSION, *[good()] * 2, *[failed("connect", "refused")] * 4)], "connection_limit", "connection refused"),
        ([observed(SUBMISSION, *[good()] * 2, *[BLOCKED] * 4)], "connection_limit", "no answer in time"),
        ([observed(SUBMISSION, good(), RESET, good(), RESET, good())], "intermittent", "2 of 5"),
        ([observed(SUBMISSION, *[good()] * 4, RESET)], "intermittent", "1 of 5"),
        ([observed(PORT_25, *[failed("greeting", "timeout")] * 5)], "no_greeting", "no answer in time"),
        ([observed(PORT_25, *[RESET] * 5)], "no_greeting", "connection reset"),
        ([observed(one, *[good(banner="220 smtp.provider.example ESMTP")] * 5) for one in (PORT_25, MX)], "smtp_redirected", "provider"),
        ([observed(SUBMISSION, *[failed("starttls", "missing", keywords=("XXXXXXXA", "SIZE"))] * 5)], "ehlo_rewritten", "inspect esmtp"),
        ([observed(SUBMISSION, *[good(banner="220 ****************************")] * 5)], "ehlo_rewritten", "greeting"),
        ([observed(SUBMISSION, *[good(keywords=("SIZE 10240000", "STARTTLS"))] * 5)], "ehlo_rewritten", "PIPELINING"),
        ([observed(SUBMISSION, *[failed("starttls", "missing", keywords=NO_STARTTLS)] * 5)], "starttls_stripped", "removes STARTTLS"),
        ([observed(HOSTED, *[failed("starttls", "missing", keywords=NO_STARTTLS)] * 5)], "starttls_stripped", "sendgrid"),
        ([observed(SUBMISSION, *[failed("starttls", "reply", "500 Unrecognized")] * 5)], "starttls_refused", "500 Unrecognized"),
        ([observed(SUBMISSION, *[failed("starttls", "reset")] * 5, tls={})], "tls_reset", "connection reset"),
        ([observed(SUBMISSION, *[failed("tls", "closed")] * 5, tls=dict.fromkeys(TLS, "closed"))], "tls_reset", "connection closed"),
        ([observed(SUBMISSION, *[good(certificate=GATEWAY_CA)] * 5)], "tls_inspection", "Contoso Security, Contoso Web Gateway CA"),
        ([observed(HTTPS, *[good(certificate=dataclasses.replace(GATEWAY_CA, problem=""))] * 5)], "tls_inspection", "Contoso Security"),
        (
            [observed(SUBMISSION, *[good(certificate=Certificate("DigiCert Inc", "CA", "x", "unable to get issuer"))] * 5)],
            "certificate_not_trusted",
            "ca-certificates",
        ),
        (
            [observed(SUBMISSION, *[good(certificate=Certificate("Sectigo Limited", "CA", "mail.example", "Hostname mismatch"))] * 5)],
            "certificate_of_another_server",
            "mail.example",
        ),
        (
            [observed(SUBMISSION, *[failed("tls", "protocol")] * 5, tls={**dict.fromkeys(TLS, "refused"), "1.0": "accepted"})],
            "old_tls_only",
            "TLS 1.0",
        ),
        ([observed(SUBMISSION, *[failed("tls", "reset")] * 5, tls={**TLS, "1.3": "reset"})], "tls_13_blocked", "TLS 1.3"),
        (
            [observed(one, *[failed("tls", "timeout")] * 5, tls={}, small_segment=1260) for one in (SUBMISSION, PORT_25)],
            "path_mtu",
            "1300 bytes",
        ),
        ([observed(SUBMISSION, *[good(transport=Transport(20, 4, 20.0, 1500))] * 5)], "loss", "percent"),
        ([observed(SUBMISSION, *[good(transport=Transport(12, 0, 650.0, 1500))] * 5)], "latency", "650 ms"),
        ([observed(SUBMISSION, good(), good(source="203.0.113.11"))], "address_changes", "203.0.113.10, 203.0.113.11"),
    ],
)  # fmt: skip
def test_sessions_show_one_cause(changed: list[Observed], cause: str, part: str) -> None:
    findings = judged(network(*changed))
    assert [one.cause for one in findings] == [cause]
    assert any(text in findings[0].sentence for text in part.split("|"))
    assert set(findings[0].subjects) == {one.endpoint.label for one in changed} or cause == "address_changes"


@pytest.mark.parametrize(
    ("changes", "cause", "part"),
    [
        ({"lookups": (lookup(MX.host, ("10.1.2.3",)),)}, "internal_dns", "10.0.0.53"),
        ({"lookups": (lookup(MX.host, ()),)}, "internal_dns", MX.host),
        ({"lookups": (lookup(MX.host, public=()),)}, "internal_dns", MX.host),
        ({"lookups": (lookup(MX.host, system=("192.168.1.5",)),)}, "hosts_file", "/etc/hosts"),
        ({"lookups": (lookup(MX.host, (), (), configured=(Answer("10.0.0.53", error="SERVFAIL"),)),)}, "dns_failed", "SERVFAIL"),
        ({"lookups": (lookup(MX.host, (), (), configured=()),)}, "dns_failed", "none is configured"),
        (
            {"lookups": (lookup(MX.host, configured=(Answer("10.0.0.53", (PUBLIC,)), Answer("10.0.0.54", error="no answer"))),)},
            "dns_server_down",
            "10.0.0.54",
        ),
        ({"mx_problems": {"contoso.com": "10.0.0.53: no MX record"}}, "mx_missing", "contoso.com"),
    ],
)
def test_names_show_one_cause(changes: dict[str, object], cause: str, part: str) -> None:
    findings = judged(network(**changes))
    assert [one.cause for one in findings] == [cause]
    assert part in findings[0].sentence


@pytest.mark.parametrize(
    "observations",
    [
        network(),
        # Addresses of a service differ by place and time.
        network(lookups=(lookup(SUBMISSION.host, ("52.98.7.7",)),)),
        # A network that lets no query to public servers pass.
        network(lookups=(lookup(SUBMISSION.host, public=(Answer("1.1.1.1", error="no answer"),)),)),
        # A relay host, which internal DNS or the hosts file alone knows.
        network(observed(RELAY), lookups=(lookup(RELAY.host, ("10.20.3.25",), ()),)),
        network(observed(RELAY), lookups=(lookup(RELAY.host, ("10.20.3.25",), ("203.0.113.25",)),)),
        network(observed(RELAY), lookups=(lookup(RELAY.host, (), (), system=("10.20.3.25",)),)),
        # An MX host of somebody else's: without STARTTLS, with a certificate of its own, another greeting.
        network(observed(GATEWAY, *[failed("starttls", "missing", banner="220 mx", keywords=("SIZE",))] * 5)),
        network(observed(GATEWAY, *[good(banner="220 mx", keywords=("STARTTLS",), certificate=GATEWAY_CA)] * 5)),
        # A hosted relay offers other keywords and has no TLS 1.3.
        network(observed(HOSTED, *[good(banner="220 SG ESMTP", keywords=("8BITMIME", "STARTTLS"))] * 5, tls={**TLS, "1.3": "refused"})),
        # One packet of a run, and IPv6 beside IPv4.
        network(observed(SUBMISSION, *[good()] * 4, good(transport=Transport(12, 1, 20.0, 1500)))),
        network(observed(SUBMISSION, good(), good(source="2001:db8::1"))),
        # Microsoft drops a keyword.
        network(observed(SUBMISSION, *[good(keywords=tuple(word for word in KEYWORDS if word != "CHUNKING"))] * 5)),
    ],
)
def test_a_clean_network_has_no_finding(observations: Observations) -> None:
    assert judged(observations) == []


def test_an_expected_issuer_is_no_inspection() -> None:
    observations = network(observed(SUBMISSION, *[good(certificate=dataclasses.replace(GATEWAY_CA, problem=""))] * 5))
    assert judged(observations, issuers=("contoso security",)) == []


def test_a_device_with_old_tls() -> None:
    (one,) = judged(network(), device_tls="1.0")
    assert one.cause == "device_tls_too_old"
    assert "relay_legacy_address" in one.remedy
    assert HTTPS.label not in one.subjects
    listener = observed(Endpoint("relay1.contoso.com", 2525), *[good(certificate=GATEWAY_CA)] * 5, tls=dict.fromkeys(TLS, "accepted"))
    assert "relay1.contoso.com:2525" not in judged(network(listener), device_tls="1.0")[0].subjects
    assert judged(network(), device_tls="1.2") == []


def test_a_host_without_tls_12() -> None:
    versions = {"1.0": "refused", "1.1": "refused", "1.2": "unavailable", "1.3": "unavailable"}
    changed = [observed(one, *[failed("tls", "protocol")] * 3, tls=versions) for one in (SUBMISSION, PORT_25, MX, HTTPS, HOSTED)]
    assert [one.cause for one in judged(network(*changed))] == ["no_tls_12"]


def test_what_dns_explains_is_one_finding() -> None:
    """Sessions with the address of the internal server fail in any way."""
    changed = [observed(SUBMISSION, *[BLOCKED] * 3, tls={}), observed(PORT_25, *[BLOCKED] * 3, tls={})]
    findings = judged(network(*changed, lookups=(lookup(SUBMISSION.host, ("10.1.2.3",)),)))
    assert [one.cause for one in findings] == ["internal_dns"]


ANOTHER_SERVER = [
    [good(banner="220 mail.contoso.com ESMTP Postfix")] * 3,
    [good(certificate=GATEWAY_CA)] * 3,
    [failed("starttls", "missing", keywords=NO_STARTTLS)] * 3,
    [failed("greeting", "closed")] * 3,
]
ELSEWHERE = lookup(SUBMISSION.host, ("203.0.113.25",))


@pytest.mark.parametrize("samples", ANOTHER_SERVER)
def test_a_public_address_of_another_server_is_a_cause_of_dns(samples: list[Sample]) -> None:
    """The sessions with the address of public DNS are clean, so nothing on the path changes them."""
    (one,) = judged(network(observed(SUBMISSION, *samples, public_session=good()), lookups=(ELSEWHERE,)))
    assert (one.cause, one.subjects) == ("internal_dns", (SUBMISSION.host,))
    assert "10.0.0.53" in one.problem


@pytest.mark.parametrize("samples", ANOTHER_SERVER)
def test_a_public_address_of_another_server_in_the_hosts_file(samples: list[Sample]) -> None:
    own = lookup(SUBMISSION.host, system=("203.0.113.25",))
    (one,) = judged(network(observed(SUBMISSION, *samples, public_session=good()), lookups=(own,)))
    assert (one.cause, one.subjects) == ("hosts_file", (SUBMISSION.host,))
    assert "203.0.113.25" in one.problem


@pytest.mark.parametrize("samples", ANOTHER_SERVER)
def test_a_path_that_changes_sessions_with_every_address_is_no_cause_of_dns(samples: list[Sample]) -> None:
    """The name has other addresses in public DNS, as those of large services have."""
    findings = judged(network(observed(SUBMISSION, *samples, public_session=samples[0]), lookups=(ELSEWHERE,)))
    assert [one.cause for one in findings] == [judged(network(observed(SUBMISSION, *samples)))[0].cause]
    assert findings[0].cause not in ("internal_dns", "hosts_file")


def test_a_blocked_address_is_no_cause_of_dns() -> None:
    """A rule that lists addresses blocks one and not the other."""
    findings = judged(network(observed(SUBMISSION, *[BLOCKED] * 3, tls={}, public_session=good()), lookups=(ELSEWHERE,)))
    assert [one.cause for one in findings] == ["endpoint_blocked"]


def test_lost_packets_explain_failures_in_no_order() -> None:
    lossy = good(transport=Transport(20, 4, 20.0, 1500))
    changed = [observed(one, lossy, failed("tls", "timeout"), lossy, lossy, failed("ehlo", "timeout")) for one in (SUBMISSION, MX)]
    assert [one.cause for one in judged(network(*changed))] == ["loss"]


def test_an_appliance_that_inspects_all_servers_is_one_finding() -> None:
    (one,) = judged(network(*every(good(certificate=GATEWAY_CA))))
    assert one.subjects == (SUBMISSION.label, PORT_25.label, MX.label)


def test_two_causes_are_two_findings() -> None:
    changed = [observed(one, *[BLOCKED] * 3, tls={}) for one in (PORT_25, MX)]
    changed.append(observed(SUBMISSION, *[good(certificate=GATEWAY_CA)] * 5))
    assert [one.cause for one in judged(network(*changed))] == ["port_blocked", "tls_inspection"]


def test_every_observation_is_judged() -> None:
    """Any mixture of endings has findings with whole sentences, and none where all sessions ended well."""
    chance = random.Random(15)  # noqa: S311 - not a secret
    stages, errors = (
        ("resolve", "connect", "greeting", "ehlo", "starttls", "tls"),
        ("timeout", "reset", "closed", "refused", "reply", "protocol"),
    )
    for _number in range(500):
        samples = [good() if chance.random() < 0.5 else failed(chance.choice(stages), chance.choice(errors)) for _one in range(6)]
        findings = judged(network(observed(SUBMISSION, *samples)))
        complete = all(sample.complete for sample in samples)
        assert bool(findings) != complete or all(sample.stage == "resolve" for sample in samples)
        assert all(one.cause in CAUSES and "{" not in one.sentence and one.sentence.endswith(".") for one in findings)
