"""The cost of an audit for a small and a large tenant, and personal data that reaches no file and no output."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.well_known import derived_id
from tests.contract import check_contract
from tests.emulator.conftest import STATE as BASE
from tests.emulator.conftest import Start

from .emulated import follow_clock
from .test_audit import STATE, reasons, run_audit
from .test_audit_applications import END, SENDING
from .test_playbooks import Playground

pytestmark = pytest.mark.one_python_is_enough
MOST = 14  # requests of a small tenant without senders, two of them tokens
PAGE = 1000


def audited(start: Start, tmp_path: Path, mailboxes: int, name: str) -> dict[str, Any]:
    listed = [{"address": "erp@contoso.com"}, {"generate": mailboxes - 1, "address": "user{n:05d}@contoso.com"}]
    (tmp_path / name).mkdir()
    result = run_audit(start(tenant=STATE | {"mailboxes": listed[: min(mailboxes, 2)]}), tmp_path / name, trace_days=30)
    assert set(reasons(result).values()) == {""}
    return result


def test_only_pages_of_mailboxes_make_a_large_tenant_dearer(start: Start, tmp_path: Path) -> None:
    small = audited(start, tmp_path, 1, "small")["cost"]["requests"]
    large = audited(start, tmp_path, 2 * PAGE + 1, "large")["cost"]["requests"]
    assert small <= MOST + 2, "two more windows of the message trace"
    assert large == small + 2 * 2, "two more pages each of Get-CASMailbox and Get-User"


def test_a_domain_costs_at_most_eight_dns_queries(start: Start, tmp_path: Path) -> None:
    costs = []
    for domains in (["contoso.com"], ["contoso.com", "adatum.com", "fabrikam.com"]):
        (tmp_path / str(len(domains))).mkdir()
        result = run_audit(start(tenant=STATE | {"domains": domains}), tmp_path / str(len(domains)))
        costs.append(result["audit"]["cost"])
    one, three = costs
    assert three["dns_queries"] - one["dns_queries"] == 2 * 7, "MX, SPF, DMARC, MTA-STS, TLS-RPT and two selectors of DKIM"
    assert three["requests"] == one["requests"], "the MX hosts of all domains are read in one batch"


def test_an_application_costs_one_request_and_one_with_several_keys_two(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = []
    for number, secrets in enumerate((0, 1, 2)):
        keys = [{"value": f"mailer{key}", "key_id": derived_id("key", str(key)), "end": END} for key in range(secrets)]
        mailers = [SENDING | {"display_name": f"mailer{n}", "secrets": keys} for n in range(3)] if keys else []
        api = start(tenant=STATE | {"applications": [*BASE["tenants"][0]["applications"], *mailers]})
        for mailer in mailers:
            api.new_token(mailer["display_name"], "https://outlook.office365.com/.default", client_secret="mailer0")
        follow_clock(monkeypatch, api)
        (tmp_path / str(number)).mkdir()
        costs.append(run_audit(api, tmp_path / str(number), date=None)["cost"]["requests"])
    assert [cost - costs[0] for cost in costs] == [0, 3 + 1, 2 * 3 + 1], "and one batch of enterprise applications"


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    made = Playground(tmp_path_factory.mktemp("audit-cost"))
    yield made
    made.sandbox.stop()


def send_directly(playground: Playground, sender: str, recipient: str, subject: str) -> None:
    """Send a message to the MX, as a device does with Direct Send."""
    cloud = playground.sandbox.ready["m365_cloud"]
    with smtplib.SMTP(cloud["mx_host"], cloud["mx_port"], timeout=20) as client:
        client.ehlo("device.example")
        client.sendmail(sender, [recipient], f"From: {sender}\r\nTo: {recipient}\r\nSubject: {subject}\r\n\r\n.\r\n")


def test_subjects_and_recipients_reach_no_output_file_and_log(playground: Playground, tmp_path: Path) -> None:
    send_directly(playground, "ups@northwind.example.com", "reception@northwind.example.com", "canary-subject")
    (tmp_path / "drafts").mkdir()
    variables = {"MAILOPS_AUDIT": str(tmp_path / "audit"), "ANSIBLE_LOG_PATH": str(tmp_path / "ansible.log")}
    drafts = ["-e", f"tenant_draft_directory={tmp_path / 'drafts'}"]
    run = playground.play("audit.yml", "-vvv", "--limit", "northwind", *drafts, variables=variables)
    assert run.code == 0, run.output
    assert "ups@northwind.example.com" in (tmp_path / "audit" / "report.json").read_text()
    files = [path for root in (tmp_path, playground.sandbox.directory / "journal") for path in root.rglob("*") if path.is_file()]
    assert {"report.json", "ansible.log", "northwind.draft.yml"} <= {path.name for path in files}
    texts = {str(path): path.read_text(errors="replace") for path in files} | {"output": run.output, "report": str(run.report)}
    for canary in ("canary-subject", "reception@northwind.example.com"):
        assert [name for name, text in texts.items() if canary in text] == []
    check_contract(playground.record_file)
