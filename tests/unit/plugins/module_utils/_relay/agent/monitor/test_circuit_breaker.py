# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.circuit_breaker import (
    INITIAL_DELAY,
    LONGEST_DELAY,
    PROBE_TIMEOUT,
    Circuit,
    CircuitBreaker,
)

MAILBOX, BOSS = "scanner@contoso.com", "boss@contoso.com"


def test_missing_send_as_right_suspends_that_sender_only() -> None:
    breaker = CircuitBreaker()
    assert breaker.record_refusal(MAILBOX, BOSS, "A", "send-as-denied", 0).hold == ["A"]
    assert breaker.find_open(MAILBOX, BOSS)
    assert not breaker.find_open(MAILBOX, MAILBOX)


def test_lockout_suspends_the_whole_mailbox() -> None:
    breaker = CircuitBreaker()
    breaker.record_refusal(MAILBOX, BOSS, "A", "send-as-lockout", 0)
    assert breaker.find_open(MAILBOX, MAILBOX)
    assert not breaker.find_open("erp@contoso.com", "erp@contoso.com")


def test_later_messages_are_held_once_and_released_together() -> None:
    breaker = CircuitBreaker()
    breaker.record_refusal(MAILBOX, BOSS, "A", "send-as-denied", 0)
    circuit = breaker.find(MAILBOX, BOSS)
    assert circuit
    assert breaker.hold(circuit, "B").hold == ["B"]
    assert breaker.hold(circuit, "B").hold == []
    assert breaker.close(circuit).release == ["A", "B"]
    assert not breaker.find(MAILBOX, BOSS)


def test_one_probe_after_the_delay_then_all_messages() -> None:
    breaker = CircuitBreaker()
    breaker.record_refusal(MAILBOX, BOSS, "A", "send-as-denied", 0)
    breaker.record_refusal(MAILBOX, BOSS, "B", "send-as-denied", 1)
    assert breaker.start_probes(INITIAL_DELAY - 1).release == []
    assert breaker.start_probes(INITIAL_DELAY).release == ["A"]
    assert not breaker.find_open(MAILBOX, BOSS), "a half-open circuit lets the probe pass"
    assert breaker.start_probes(INITIAL_DELAY + 1).release == []
    assert breaker.record_success(MAILBOX, BOSS).release == ["B"]
    assert not breaker.circuits


def test_refused_probe_doubles_the_delay_up_to_the_longest() -> None:
    breaker, now, attempts = CircuitBreaker(), 0.0, 0
    breaker.record_refusal(MAILBOX, BOSS, "A", "send-as-denied", now)
    while now < 48 * 3600:
        now += 60
        for probe in breaker.start_probes(now).release:
            attempts += 1
            assert breaker.record_refusal(MAILBOX, BOSS, probe, "send-as-denied", now).hold == [probe]
    circuit = breaker.find(MAILBOX, BOSS)
    assert circuit
    assert circuit.delay == LONGEST_DELAY
    assert attempts == 8, "in two days: after 1, 3, 7 and 15 hours, then every 8"


def test_probe_without_a_result_times_out() -> None:
    breaker = CircuitBreaker()
    breaker.record_refusal(MAILBOX, BOSS, "A", "send-as-denied", 0)
    breaker.record_refusal(MAILBOX, BOSS, "B", "send-as-denied", 0)
    assert breaker.start_probes(INITIAL_DELAY).release == ["A"]
    breaker.start_probes(INITIAL_DELAY + PROBE_TIMEOUT)
    assert breaker.find_open(MAILBOX, BOSS)
    assert breaker.start_probes(2 * INITIAL_DELAY + PROBE_TIMEOUT).release == ["B"]


def test_circuit_without_messages_closes_after_its_delay() -> None:
    breaker = CircuitBreaker()
    breaker.record_refusal(MAILBOX, BOSS, "A", "send-as-denied", 0)
    breaker.retain(set())
    assert breaker.start_probes(INITIAL_DELAY).release == []
    assert not breaker.find(MAILBOX, BOSS)


def test_circuits_survive_a_restart() -> None:
    breaker = CircuitBreaker()
    breaker.record_refusal(MAILBOX, BOSS, "A", "send-as-denied", 0)
    again = CircuitBreaker([Circuit(**entry) for entry in json.loads(json.dumps(breaker.as_state()))])
    assert again.start_probes(INITIAL_DELAY).release == ["A"]
    assert again.find_open(MAILBOX, BOSS) is None


def test_earlier_message_that_is_sent_does_not_close_an_open_circuit() -> None:
    breaker = CircuitBreaker()
    breaker.record_refusal(MAILBOX, MAILBOX, "A", "send-as-lockout", 0)
    assert breaker.record_success(MAILBOX, MAILBOX).release == [], "that message was on its way when the circuit-out began"
    assert breaker.find_open(MAILBOX, MAILBOX)
