# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Relay hosts in the summary of a run."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._report.results import Hosts

from .test_summary import SENDER, Run, colours, result, table, texts


def relay_state(*problems: dict[str, Any], messages: int = 0) -> dict[str, Any]:
    queue = {"messages": messages, "held": 1 if messages else 0, "oldest": 900.0 if messages else None, "error": ""}
    return {
        "read_at": 1000.0, "queue": queue, "problems": list(problems), "token": {"expires": 3400.0},
        "mailboxes": [{"last_sent": None}, {"last_sent": 940.0}],
    }  # fmt: skip


def test_relay_hosts_have_a_table_and_their_problems_need_attention() -> None:
    problem = {
        "subject": "scanner@contoso.com", "cause": "SMTP AUTH is disabled for this mailbox", "remedy": "Enable it.", "code": "535 5.7.139",
        "messages": 3, "severity": "high",
    }  # fmt: skip
    report = Run()
    report.task("relay2", "Read", "relay_status", result(0, relay=relay_state(problem, messages=3)))
    report.task("relay1", "Read", "relay_status", result(0, relay=relay_state()))
    assert table(report, "RELAY") == [
        ["RELAY", "QUEUE", "OLDEST", "LAST", "SENT", "TOKEN", "STATE"],
        ["relay1", "0", "-", "1", "min", "ago", "40", "min", "left", "healthy"],
        ["relay2", "3,", "1", "held", "2", "min", "1", "min", "ago", "40", "min", "left", "1", "to", "solve"],
    ]
    assert texts(report)[3:6] == [
        "NEEDS ATTENTION",
        "relay2  scanner@contoso.com, 3 messages: SMTP AUTH is disabled for this mailbox (535 5.7.139).",
        "          Enable it.",
    ]
    assert (colours(report)["relay1"], colours(report)["relay2"]) == ("green", "red")
    assert report.as_json()["tenants"] == {}
    assert list(report.as_json()["relays"]) == ["relay1", "relay2"]


@pytest.mark.parametrize(("severity", "state"), [("high", "1 to solve"), ("medium", "1 that can wait"), ("low", "no action required")])
def test_state_of_a_relay_host_is_that_of_its_most_severe_problem(severity: str, state: str) -> None:
    problem = {"subject": "clock", "cause": "the clock is off", "remedy": "Run timedatectl.", "code": "", "messages": 0}
    report = Run()
    problems = [problem | {"severity": severity}, problem | {"severity": "info"}]
    report.task("relay1", "Read", "relay_status", result(0, relay=relay_state(*problems)))
    assert " ".join(table(report, "RELAY")[1]).endswith(f" {state}")


def test_queue_of_a_relay_host_that_cannot_be_read_is_not_empty() -> None:
    report, relay = Run(), relay_state()
    relay["queue"]["error"] = "Could not read Postfix's queue: down."
    report.task("relay1", "Read", "relay_status", result(0, relay=relay))
    assert table(report, "RELAY")[1][1] == "unreadable"


def windows_state(*, managed: bool = True, **products: Any) -> dict[str, Any]:
    return {"iis_smtp": None, "hmailserver": {"installed": False, "managed": False, "queue": None}} | {
        name: {"managed": managed} | product for name, product in products.items()
    }


def test_relays_on_windows_have_a_row_and_their_problems_are_listed_once() -> None:
    iis = {"queue": {"count": 2, "oldest": "2026-11-29T10:00:00.0000000Z"}}
    problem = {"kind": "relay", "subject": "win1", "problem": "The queue has 2 messages.", "remedy": "Mend the upstream."}
    expiring = {"kind": "key", "subject": "win2", "problem": "The certificate expires in 9 days.", "remedy": "Renew it."}
    waiting = {"installed": True, "queue": {"count": 1, "oldest": "2026-11-29T10:10:00Z"}}
    report = Run(hosts=Hosts())
    states = {
        "win1": (windows_state(iis_smtp={"virtual_server": iis}), [problem]),
        "win2": (windows_state(hmailserver=waiting), [expiring]),
        "win3": (windows_state(iis_smtp={"virtual_server": None}), []),
        "other": (windows_state(managed=False, iis_smtp={"virtual_server": iis}), []),
    }
    for name, (state, attention) in states.items():
        report.task(name, "Read", "windows_relay_info", result(0, windows_relay=state, read_at=1_795_948_200.0, attention=attention))
    assert table(report, "RELAY") == [
        ["RELAY", "QUEUE", "OLDEST", "LAST", "SENT", "TOKEN", "STATE"],
        ["win1", "2", "30", "min", "-", "-", "1", "to", "solve"],
        ["win2", "1", "20", "min", "-", "-", "1", "that", "can", "wait"],
        ["win3", "unreadable", "-", "-", "-", "healthy"],
    ]
    assert (colours(report)["win1"], colours(report)["win2"]) == ("red", "yellow")
    assert sum("The queue has 2 messages." in line for line in texts(report)) == 1
    assert list(report.as_json()["relays"]) == ["other", "win1", "win2", "win3"]


def test_a_relay_host_counts_by_its_group_and_changes_by_any_module() -> None:
    report = Run(hosts=Hosts(relays={"relay1", "relay2"}, changed={"relay1", "contoso"}, unreachable={"relay2"}))
    report.task("contoso", "a task", "smtp_auth", result())
    report.task("relay1", "Verify", "relay_probe", result(0, senders=[SENDER]))
    assert texts(report)[1] == ("tenants: 1 unchanged; relay hosts: 1 changed, 1 failed; senders: 1 verified; 0.0 s, 2 requests")
    assert report.as_json()["relays"]["relay1"]["verified"] == 1
