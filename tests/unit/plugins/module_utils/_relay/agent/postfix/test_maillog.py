# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Against log lines of Postfix 3.7 and 3.10, Dovecot 2.3 and 2.4: debian12.jsonl and debian13.jsonl were recorded on both releases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import reasons
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix import journal, maillog
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix.maillog import (
    Accepted,
    Activated,
    Delivery,
    Ended,
    Event,
    LimitReached,
    ProxyError,
    Rejected,
)

HERE = Path(__file__).parent
both = pytest.mark.parametrize("release", ["debian12", "debian13"])


def event_in(line: str) -> Event | None:
    entry = journal.parse_line(line)
    return maillog.event_of(entry) if entry else None


def recorded(release: str) -> list[Event]:
    lines = (HERE / f"{release}.jsonl").read_text("utf-8").splitlines()
    return [event for line in lines if (event := event_in(line))]


def deliveries(release: str) -> list[Delivery]:
    return [event for event in recorded(release) if isinstance(event, Delivery)]


def line_of(message: Any, identifier: str = "postfix/m365-1/smtp", unit: str | None = "postfix.service") -> str:
    return json.dumps(
        {"MESSAGE": message, "SYSLOG_IDENTIFIER": identifier, "_SYSTEMD_UNIT": unit, "__REALTIME_TIMESTAMP": "1795600000500000"}
    )


@both
def test_message_from_the_device_to_microsoft(release: str) -> None:
    events = recorded(release)
    accepted = next(event for event in events if isinstance(event, Accepted))
    assert (accepted.client, accepted.service) == ("localhost[127.0.0.1]", "smtpd")
    active = next(event for event in events if isinstance(event, Activated))
    assert (active.sender, active.recipients, active.size) == ("scanner@contoso.com", 1, 420)
    sent = next(event for event in deliveries(release) if event.status == "sent")
    assert (sent.label, sent.relay, sent.dsn) == ("m365-1", "127.0.0.1[127.0.0.1]:2587", "2.0.0")
    assert sent.text.startswith("250 2.0.0 OK <abc@standin>")
    assert len(sent.delays) == 4
    assert sent.delay == pytest.approx(sum(sent.delays), abs=1)
    assert next(event for event in events if isinstance(event, Ended)).outcome == "removed"


@both
@pytest.mark.parametrize(
    "reason",
    ["authentication-refused", "smtp-auth-off-mailbox", "send-as-denied", "not-authenticated", "too-many-connections", "relay-no-token"],
)
def test_each_refusal_has_its_catalog_entry(release: str, reason: str) -> None:
    assert reason in {reasons.explain(event.text).id for event in deliveries(release)}


@both
@pytest.mark.parametrize(
    "reason", ["relay-upstream-unreachable", "relay-name-not-found", "relay-upstream-certificate", "relay-connection-lost", "server-busy"]
)
def test_cause_of_a_454_is_in_the_proxys_log(release: str, reason: str) -> None:
    errors = [event for event in recorded(release) if isinstance(event, ProxyError)]
    matches = [event for event in errors if reasons.explain(event.text).id == reason]
    assert matches
    assert {event.mailbox for event in matches} <= {"scanner@contoso.com", ""}


def test_rejected_token_is_in_the_newer_proxys_log() -> None:
    assert "relay-token-rejected" in {reasons.explain(event.text).id for event in recorded("debian13") if isinstance(event, ProxyError)}


@both
def test_rejected_device_has_its_address(release: str) -> None:
    refused = [event for event in recorded(release) if isinstance(event, Rejected)]
    assert {event.stage for event in refused} == {"RCPT"}
    assert refused[0].client == "localhost[127.0.0.1]"


def test_quoted_local_part_cannot_forge_a_delivery() -> None:
    """A quoted local part may hold anything; the address ends where RFC 5321 ends it."""
    evil = '"x>, relay=none, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (y)"@example.net'
    line = f"ABCDEF0123: to=<{evil}>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred (it > failed, status=sent (z))"
    event = event_in(line_of(line))
    assert isinstance(event, Delivery)
    assert (event.recipient, event.status, event.text) == (evil, "deferred", "it > failed, status=sent (z)")
    forged = f"ABCDEF0123: from=<{evil.replace('relay=none', 'size=1, nrcpt=1 (queue active)')}>, size=9, nrcpt=2 (queue active)"
    active = event_in(line_of(forged, "postfix/qmgr"))
    assert isinstance(active, Activated)
    assert (active.size, active.recipients) == (9, 2)


@pytest.mark.parametrize("unit", [None, "", "session-1.scope", "user@1000.service", "cron.service"])
def test_other_units_are_ignored(unit: str | None) -> None:
    line = line_of("ABCDEF0123: to=<a@example.net>, relay=x[1.2.3.4]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 ok)")
    assert event_in(line)
    assert event_in(json.dumps(json.loads(line) | {"_SYSTEMD_UNIT": unit})) is None


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (
            "to=<a@b.c>, orig_to=<root>, relay=h[1.2.3.4]:25, conn_use=3, delay=0.5, delays=0.1/0/0.2/0.2, dsn=2.0.0, status=sent (250 ok)",
            "250 ok",
        ),
        ("to=<a@b.c>, relay=h[1.2.3.4]:25, delay=0.5, delays=0.1/0/0.2/0.2, dsn=2.0.0, tls=A, status=sent (250 ok)", "250 ok"),
        ("to=<a@b.c>, relay=h[1.2.3.4]:25, delay=0.5, delays=0.1/0/0.2/0.2, tls=TLSv1.3/x/y, dsn=2.0.0, status=sent (250 ok)", "250 ok"),
        ("to=<a@b.c>, relay=h[1.2.3.4]:25, delay=0.5, delays=0.1/0/0.2/0.2, dsn=2.0.0, status=sent (250 cut of", "250 cut of"),
        ("to=<a@b.c>, relay=none, delay=0.5, delays=0.1/0/0.2/0.2, dsn=4.0.0, status=deferred", ""),
    ],
)
def test_forms_of_a_delivery_line(line: str, text: str) -> None:
    event = event_in(line_of(f"4ZKcWB2hVcz9vJ: {line}"))
    assert isinstance(event, Delivery)
    assert (event.recipient, event.text, event.queue_id, event.timestamp) == ("a@b.c", text, "4ZKcWB2hVcz9vJ", 1795600000.5)


def test_expiry_and_bytes_that_are_not_utf8() -> None:
    expired = event_in(line_of("ABCDEF0123: from=<a@b.c>, status=expired, returned to sender", "postfix/qmgr"))
    assert isinstance(expired, Ended)
    assert expired.outcome == "expired"
    line = "ABCDEF0123: to=<ü@b.c>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred (x)".encode("latin-1")
    event = event_in(line_of(list(line)))
    assert isinstance(event, Delivery)
    assert event.recipient == "\N{REPLACEMENT CHARACTER}@b.c"


@pytest.mark.parametrize("line", ["", "{", "[]", "null", '"x"', json.dumps({"MESSAGE": None}), json.dumps({"MESSAGE": ["x", -1, 900]})])
def test_invalid_line_has_no_event(line: str) -> None:
    assert event_in(line) is None


def test_failed_login_has_the_devices_address() -> None:
    line = line_of(
        "warning: printer[10.0.0.5]: SASL LOGIN authentication failed: (reason unavailable), sasl_username=x", "postfix/submission/smtpd"
    )
    event = event_in(line)
    assert isinstance(event, Rejected)
    assert (event.stage, event.client, event.label) == ("AUTH", "printer[10.0.0.5]", "submission")


@pytest.mark.parametrize(
    ("message", "identifier", "kind", "name"),
    [
        (
            'warning: service "smtp" (25) has reached its process limit "200": new clients may experience noticeable delays',
            "postfix/master",
            "processes",
            "smtp",
        ),
        (
            'warning: service "192.0.2.1:2525" (192.0.2.1:2525) has reached its process limit "200": new clients may experience delays',
            "postfix/master",
            "processes",
            "192.0.2.1:2525",
        ),
        (
            "warning: Connection concurrency limit exceeded: 21 from unknown[192.0.2.5] for service smtp",
            "postfix/devices/smtpd",
            "client",
            "unknown[192.0.2.5]",
        ),
    ],
)
def test_reached_limits_of_connections(message: str, identifier: str, kind: str, name: str) -> None:
    event = event_in(line_of(message, identifier))
    assert isinstance(event, LimitReached)
    assert (event.kind, event.name) == (kind, name)
    assert event_in(line_of(message, identifier, unit="session-1.scope")) is None


def test_other_lines_of_the_master_are_no_events() -> None:
    assert event_in(line_of("to avoid this condition, increase the process count in master.cf", "postfix/master")) is None
