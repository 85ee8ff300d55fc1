# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of Postfix that fail, from the lines that Postfix logs; tests/hosts/test_health.py breaks a real one."""

from __future__ import annotations

import json

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import config
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.state import MonitorState
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix import maillog
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix.journal import JournalEntry

NOW = 1_795_600_000.0
SMTPD, QMGR = "/usr/lib/postfix/sbin/smtpd", "/usr/lib/postfix/sbin/qmgr"
ERROR = "fatal: parameter smtpd_timeout: bad time value or unit: abc"
CONNECTED = ("postfix/devices/smtpd", "connect from unknown[192.0.2.5]")
REJECT = "NOQUEUE: reject: RCPT from unknown[192.0.2.5]: {}; from=<a@example.net> to=<b@example.net> proto=ESMTP helo=<x>"


def exited(path: str = SMTPD, how: str = "exit status 1") -> tuple[str, str]:
    return "postfix/master", f"warning: process {path} pid 4711 {how}"


def throttled(path: str = SMTPD) -> tuple[str, str]:
    return "postfix/master", f"warning: {path}: bad command startup -- throttling"


def monitor(*lines: tuple[str, str], state: MonitorState | None = None, at: float = NOW) -> MonitorState:
    state = state or MonitorState(config.AgentConfig())
    for identifier, message in lines:
        event = maillog.event_of(JournalEntry("", at, "postfix.service", identifier, message))
        if event:
            state.process(event)
    return state


def failing(state: MonitorState, at: float = NOW) -> list[tuple[str, str, str]]:
    return [(failure.label, failure.program, failure.text) for failure in state.daemons.failing(at)]


def test_process_that_cannot_start_has_its_error() -> None:
    state = monitor(("postfix/devices/smtpd", ERROR), exited(), throttled(), exited(QMGR), throttled(QMGR))
    assert failing(state) == [("devices", "smtpd", ERROR.removeprefix("fatal: ")), ("", "qmgr", "exit status 1")]


def test_listener_fails_until_a_client_reaches_it() -> None:
    """A device may connect days later: nothing is logged until then."""
    state = monitor(("postfix/devices/smtpd", ERROR), exited(), throttled())
    assert failing(state, NOW + 86_400)
    monitor(("postfix/legacy/smtpd", REJECT.format("554 5.7.1 denied")), state=state)
    assert failing(state), "another listener"
    monitor(CONNECTED, state=state)
    assert failing(state) == []
    monitor(CONNECTED, ("postfix/devices/smtpd", "fatal: no SASL authentication mechanisms"), exited(), throttled(), state=state)
    assert failing(state) == [("devices", "smtpd", "no SASL authentication mechanisms")], "it ended before it replied"


def test_other_process_fails_while_it_is_started_again() -> None:
    state = monitor(exited(QMGR), throttled(QMGR))
    assert failing(state, NOW + 599)
    assert failing(state, NOW + 600) == []
    state = monitor(exited(SMTPD, "killed by signal 9"), throttled())
    assert failing(state, NOW + 600) == [], "killed from outside"


@pytest.mark.parametrize(
    "line", ["reload -- version 3.10.13, configuration /etc/postfix", "daemon started -- version 3.7.11, configuration x"]
)
def test_reload_begins_anew(line: str) -> None:
    state = monitor(exited(), throttled(), exited(QMGR), throttled(QMGR), ("postfix/master", line))
    assert failing(state) == []


def test_process_that_ends_often_after_it_served_clients_is_failing() -> None:
    state = monitor(exited(), exited())
    assert failing(state) == []
    monitor(exited(), CONNECTED, state=state, at=NOW + 599)
    assert failing(state, NOW + 599) == [("", "smtpd", "exit status 1")]
    state = monitor(exited(), exited())
    monitor(exited(), state=state, at=NOW + 601)
    assert failing(state, NOW + 601) == [], "seldom"


def test_processes_that_a_reload_ends_do_not_fail() -> None:
    assert failing(monitor(*[exited(SMTPD, "killed by signal 15")] * 5)) == []


def test_mail_that_is_processed_ends_a_failure_of_all() -> None:
    state = monitor(exited(QMGR), throttled(QMGR), exited("/usr/lib/postfix/sbin/smtp"), throttled("/usr/lib/postfix/sbin/smtp"))
    monitor(("postfix/qmgr", "ABCDEF0123: from=<a@b.c>, size=1, nrcpt=1 (queue active)"), state=state)
    assert [program for _label, program, _text in failing(state)] == ["smtp"]
    sent = "ABCDEF0123: to=<a@b.c>, relay=x[192.0.2.1]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 ok)"
    monitor(("postfix/m365-1/smtp", sent), state=state)
    assert failing(state) == []


@pytest.mark.parametrize(
    ("reply", "cause"),
    [("451 4.3.0 <b@example.net>: Temporary lookup failure", "a table"), ("451 4.3.5 Server configuration error", "a parameter")],
)
def test_listener_that_refuses_for_its_own_failure_is_failing(reply: str, cause: str) -> None:
    state = monitor(("postfix/submission/smtpd", REJECT.format(reply)))
    (failure,) = state.daemons.failing(NOW + 599)
    assert (failure.label, failure.program) == ("submission", "smtpd")
    assert failure.text.startswith(f"it replies {reply[:9]} to clients, because {cause} ")
    monitor(("postfix/submission/smtpd", "connect from unknown[192.0.2.5]"), state=state)
    assert failing(state), "a connection alone is no success"
    assert state.daemons.failing(NOW + 600) == ()


def test_failures_survive_a_restart_of_the_monitor() -> None:
    state = monitor(("postfix/devices/smtpd", ERROR), exited(), throttled())
    restarted = MonitorState(config.AgentConfig())
    restarted.load(json.loads(json.dumps(state.as_state())))
    assert failing(restarted) == failing(state) != []
