# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Senders that are not verifiable, and those that were verified from another host, in the summary."""

from __future__ import annotations

from .test_summary import FAILED_SENDER, SENDER, Run, result, table, texts


def test_senders_that_are_not_verifiable_for_one_reason_are_one_entry() -> None:
    """A control node whose network blocks port 25, and a hundred tenants."""
    blocked = SENDER | {"status": "not_verifiable", "reason": "no answer on port 25", "remedy": "Set verify_from.", "stage": "connect"}
    report = Run()
    for tenant in range(100):
        senders = [blocked | {"name": f"Sender {number}"} for number in range(3)]
        report.task(f"tenant-{tenant:03}", "Verify", "smtp_probe", result(senders=senders))
    items = report.as_json()["attention"]
    assert [(len(item["hosts"]), item["problems"], item["urgent"]) for item in items] == [
        (100, ["Not verifiable: no answer on port 25."], False)
    ] * 3
    rendered = texts(report)
    assert "senders: 300 not verifiable" in rendered[1]
    assert [text.strip() for text in rendered].count("Set verify_from.") == 1
    assert len(rendered) < 40


def test_host_that_a_sender_was_verified_from_is_named() -> None:
    report = Run()
    senders = [SENDER | {"name": name, "status": name, "verify_from": "office-1"} for name in ("verified", "not_verifiable")]
    senders.append(FAILED_SENDER | {"name": "failed", "verify_from": "office-1"})
    report.task("contoso", "Verify", "smtp_probe", result(senders=senders))
    rows = {row[1]: " ".join(row) for row in table(report, "TENANT   SENDER", full=True) if row[0] == "contoso"}
    assert rows["verified"].endswith(", from office-1")
    assert rows["not_verifiable"].endswith("not verifiable from office-1")
    assert rows["failed"].endswith(", from office-1")


def test_name_at_the_beginning_of_a_reason_keeps_its_capital_letter() -> None:
    report = Run()
    reason = "SMTP2GO accepts mail to ops@example.org and does not deliver it"
    report.task("contoso", "Verify", "smtp_probe", result(senders=[SENDER | {"status": "not_verifiable", "reason": reason}]))
    [item] = report.as_json()["attention"]
    assert item["problems"] == [f"Not verifiable: {reason}."]
