# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What report.html is made of; tests/e2e/test_audit_page.py opens it in a browser."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files import page
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files.comparison import compared
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files.page import fleet
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files.page.configuration import configuration
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files.page.data import page_data
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files.page.evidence import evidence
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files.page.plain_text import plain
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files.page.timeline import timeline

from ..documents import FINDING, NO_EVIDENCE, SAFE, SENDER, TIMETABLE, UNLISTED, audited, document

SCRIPTS = sorted(Path(str(page.__file__)).parent.glob("*.js"))
MOST_SCRIPT = 32_000  # bytes: what a reader can still review
FLEET = document(
    contoso=audited(SENDER, SAFE, UNLISTED, findings=(FINDING,), unreadable=("sign_ins",)),
    fabrikam=audited(SAFE),
    northwind="The secret is wrong.",
)


def sources(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "label": name, "readable": True, "reason": ""} for name in names]


def test_the_policy_has_the_hashes_of_style_and_script() -> None:
    text = page.render(FLEET)
    policy = html.unescape(text.partition('http-equiv="Content-Security-Policy" content="')[2].partition('"')[0])
    style = text.partition("<style>")[2].partition("</style>")[0]
    for content in (style, page.script_of(text)):
        assert f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert not re.search(r"""(src|href)=["']?(https?:)?//|@import|url\(""", text)


def test_the_scripts_make_no_html_and_stay_small() -> None:
    text = "".join(path.read_text("utf-8") for path in SCRIPTS)
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|fetch\(|XMLHttpRequest|\bimport\b", text
    )
    assert len(text.encode()) < MOST_SCRIPT


def test_the_data_cannot_end_its_element() -> None:
    hostile = "</script><!--<script>&\u2028\u2029"
    made = page.render(document(contoso=audited(SENDER | {"name": hostile, "address": hostile})))
    text = made.partition('id="data">')[2].partition("</script>")[0]
    assert not set(text) & set("<>&\u2028\u2029")
    data = json.loads(text)
    assert data["senders"]["address"] == [plain(hostile)]
    assert made.count("<script") == 2


def test_the_template_escapes_names() -> None:
    made = page.render(document(**{"<b>x</b>": audited(SENDER | {"reason": "<i>y</i>"}, findings=(FINDING | {"subject": "<u>z</u>"},))}))
    before_data = made.partition('<script type="application/json"')[0]
    assert "<b>x</b>" not in before_data
    assert "&lt;b&gt;x&lt;/b&gt;" in before_data
    assert "<i>y</i>" not in before_data


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\u202eb", "a\ufffdb"),
        ("a\x00\x1b[31m", "a\ufffd\ufffd[31m"),
        ("a\nb", "a b"),
        ("x" * 500, "x" * 400 + "…"),
        (None, "None"),
        ("é", "é"),
    ],
)
def test_text_of_others_is_plain(text: object, expected: str) -> None:
    assert plain(text) == expected


def test_each_text_is_in_the_data_once() -> None:
    senders = [SENDER | {"address": f"s{number}@contoso.com"} for number in range(100)]
    data = page_data(document(contoso=audited(*senders)))
    assert data["texts"].count("Basic authentication was used.") == 1
    assert len(data["senders"]["address"]) == len(data["senders"]["verdict"]) == 100


def test_unknown_keys_and_sources_are_on_the_page() -> None:
    later = audited(SENDER | {"messages": {"total": 812, "internal": None}}, findings=({**FINDING, "id": "tls_old"},))
    later |= {"volume": {"seen": [{"day": 1}]}, "sources": sources("spf", "message_trace")}
    later["findings"].append(FINDING | {"id": "message_trace_gap"})
    data = page_data(document(contoso=later))
    more = [data["texts"][number] for number in data["senders"]["more"][0]]
    assert dict(zip(more[::2], more[1::2], strict=True))["messages"] == "total 812"
    assert data["tenants"][0]["more"]["volume"] == {"seen": [{"day": 1}]}
    assert data["checks"] == [["spf", "spf"], ["message_trace", "message_trace"], ["other", "other findings"]]
    assert data["tenants"][0]["cells"] == {"spf": "ok", "message_trace": "medium", "other": "medium"}


def evidence_of(**values: Any) -> dict[str, str]:
    return dict(evidence({**SENDER, **NO_EVIDENCE, **values}, {}))


def test_the_evidence_of_a_sender_is_in_words() -> None:
    basic = {"succeeded": 1_812, "failed": 0, "last_succeeded": "2026-11-27", "last_failed": None, "addresses": ["203.0.113.9"]}
    mail = {"messages": 9, "recipients": 12, "external_recipients": 3, "recipients_per_day": 5, "last": "2026-11-27", "sources": []}
    clients = {"basic": True, "oauth": True, "messages": 9, "old_tls": ["TLS 1.0"]}
    relay = {"name": "relay1", "host": "relay1.contoso.com", "upstream": "oauth", "users": ["printer"]}
    texts = evidence_of(basic=basic, mail=mail, clients=clients, relay_host=relay, verified="2026-11-20", connector="")
    assert texts["Sign-ins with Basic authentication"] == "1,812 succeeded (last 2026-11-27), 0 failed, from 203.0.113.9"
    assert texts["Message trace"] == "9 messages to 12 recipients (3 external), last 2026-11-27, 5 recipients on a busy day"
    assert texts["Report SMTP AUTH clients"] == "Basic authentication and OAuth, 9 messages, TLS 1.0"
    assert texts["Relay host"] == "relay1 (relay1.contoso.com), upstream oauth"
    assert texts["Verified"] == "2026-11-20"
    assert "Inbound connector" not in texts, "it was read, and there is none"


def test_evidence_that_was_not_read_and_a_setting_without_mailbox_differ() -> None:
    unread = evidence_of(smtp_auth=None, basic_allowed=None, mailbox=None)
    names = ("SMTP AUTH", "Basic authentication by policy", "Sign-ins with Basic authentication", "Message trace", "Inbound connector")
    assert {unread[name] for name in names} == {"not read"}
    without = evidence_of(smtp_auth=None, basic_allowed=None, mailbox=False)
    assert (without["SMTP AUTH"], without["Basic authentication by policy"]) == ("no mailbox", "no mailbox")
    zero = evidence_of(basic={"succeeded": 0, "failed": 0, "last_succeeded": None, "last_failed": None, "addresses": []})
    assert zero["Sign-ins with Basic authentication"] == "0 succeeded, 0 failed"
    assert "Relay host" not in unread


def test_the_configuration_has_labels_and_a_default_is_not_unread() -> None:
    ews = "Exchange Web Services"
    labelled = configuration({"protocols": {"legacy_tls": False, "ews": "default"}, "connectors": [{"name": "a\u202eb", "enabled": True}]})
    assert labelled == {
        "protocols": {
            "TLS 1.0 and 1.1 for SMTP AUTH": False,
            ews: "not set: blocked by default since 2026-10-01, except for the applications that may use it",
        },
        "connectors": [{"name": "a\ufffdb", "enabled": True}],
    }
    assert configuration({"expires": "2027-01-10T07:06:40+00:00"}) == {"expires": "2027-01-10"}
    assert configuration({"ews": None, "spf": None, "dns": []}) == {ews: None, "spf": None, "dns": []}
    deep: Any = "end"
    for _level in range(50):
        deep = {"x": [deep]}
    assert len(json.dumps(configuration(deep))) < 400


def test_the_cost_of_a_tenant_is_on_its_page() -> None:
    cost = {"requests": 1_414, "retries": 2, "waited": 11.5, "services": {"Exchange Online": 5, "Microsoft Graph": 1_409}}
    audit = audited(SENDER) | {"cost": cost | {"dns_queries": 7, "seconds": 14.2}}
    [tenant] = page_data(document(contoso=audit))["tenants"]
    assert tenant["cost"] == (
        "1,414 HTTP requests (5 to Exchange Online, 1,409 to Microsoft Graph), 2 of them retries; 7 DNS queries; 14.2 seconds, "
        "of which 11.5 waiting for a limit of a service."
    )
    assert "cost" not in tenant["more"]
    assert page_data(FLEET)["tenants"][0]["cost"] == "", "a report of an earlier version"


def test_the_first_screen_has_twenty_tenants_and_no_more() -> None:
    made = page.render(document(**{f"tenant{number:02}": audited(SENDER) for number in range(25)}))
    table = made.partition('<table class="worst">')[2].partition("</table>")[0]
    assert table.count('<th scope="row">') == 20


@pytest.mark.parametrize(
    ("finding", "check"),
    [
        ("smtp_auth_open", "smtp_auth"), ("key_ends", "applications"), ("client_secret", "applications"), ("dkim_cname", "dns"),
        ("mta_sts_missing", "dns"), ("direct_send_open", "direct_send"), ("connector_disabled", "connectors"), ("spf", "spf"),
        ("service_principal_object_id", "applications"), ("connector_overlap", "connectors"),
    ],
)  # fmt: skip
def test_a_finding_is_in_the_column_of_its_source(finding: str, check: str) -> None:
    names = ("smtp_auth", "applications", "dns", "direct_send", "connectors", "spf")
    audit = audited(findings=(FINDING | {"id": finding},)) | {"sources": sources(*names)}
    [row] = fleet.summary(document(contoso=audit)).tenants
    assert {name for name, state in row.cells.items() if state == "medium"} == {check}


def test_what_could_not_be_read_is_never_ok() -> None:
    rows = {row.name: row for row in fleet.summary(FLEET).tenants}
    assert rows["contoso"].cells["sign_ins"] == "unreadable"
    assert set(rows["northwind"].cells.values()) == {"none"}
    assert (rows["northwind"].attention, rows["fabrikam"].attention) == (True, False)
    assert [row.name for row in fleet.summary(FLEET).tenants] == ["contoso", "northwind", "fabrikam"]


def headline(days: int, **tenants: Any) -> str:
    made = document(**tenants)
    made["timetable"] = [TIMETABLE[0] | {"days": days}]
    return fleet.summary(made).headline


def test_the_first_sentence() -> None:
    until = "33 days until Microsoft disables Basic authentication for SMTP AUTH by default."
    assert headline(33, a=audited(SENDER), b=audited(SAFE)) == f"{until} 1 of 2 tenants have senders that break: 1 sender."
    assert headline(33, a=audited(SENDER, SENDER)) == f"{until} 2 senders break."
    assert headline(33, a=audited(SAFE)) == f"{until} No sender breaks."
    assert headline(-3, a=audited(SAFE), b=audited(SAFE)).endswith(
        "disabled Basic authentication for SMTP AUTH by default. No sender of 2 tenants breaks."
    )
    assert headline(33, a="refused") == f"{until} No tenant was audited."
    assert fleet.summary(FLEET).words == "End of December 2026: Basic authentication is disabled by default."


def test_the_timeline_has_dates_on_the_line_and_the_others_in_the_list() -> None:
    second = TIMETABLE[0] | {"id": "second", "first_day": "2027-01-01", "days": 34}
    done = TIMETABLE[0] | {"id": "done", "first_day": "2026-06-01", "status": "done", "days": -180}
    made = document(contoso=audited(SENDER)) | {"timetable": [done, second, *TIMETABLE]}
    made["tenants"]["contoso"]["configuration"]["applications"] = [
        {"credentials": [{"expires": "2027-01-10T00:00:00Z"}, {"expires": None}]}
    ]
    line = timeline(made)
    assert [(mark.number, mark.level) for mark in line.marks] == [(1, 0), (2, 1)], "the second is above the first"
    assert [entry.number for entry in line.entries] == [1, 2, 0]
    assert [entry.days for entry in line.entries] == ["in 33 days", "in 34 days", ""]
    assert [entry.days for entry in line.former] == ["180 days ago"]
    assert [text for _position, text in line.keys] == ["1 key ends on 2027-01-10"]
    assert [(name, year) for _position, name, year in line.months][:2] == [("Dec", ""), ("Jan", "2027")]


def test_the_page_says_what_an_earlier_audit_had() -> None:
    earlier = document("2026-10-28T16:00:00Z", contoso=audited(SENDER | {"address": "old@contoso.com"}), fabrikam=audited(SAFE))
    made = compared(FLEET, earlier)
    assert page.data_of(page.render(made))["gone"] == [["unknown", "contoso", "old@contoso.com", "high", "Basic authentication was used."]]
    assert "Compared with the audit of 2026-10-28" in page.render(made)


def test_a_run_in_which_no_tenant_was_audited_has_a_page() -> None:
    assert "northwind" in page.render(document(northwind="The secret is wrong.") | {"timetable": []})
