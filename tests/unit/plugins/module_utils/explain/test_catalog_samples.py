# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every entry of the error catalog is explained from its service's own text, and in what wraps that text."""

from __future__ import annotations

import base64
import html
import json
import quopri
import re
import textwrap
from email.message import EmailMessage

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.error_catalog import ENTRIES, MAIL_SERVICES, ErrorEntry
from ansible_collections.mailops.m365.plugins.module_utils.explain.recognition import explain

APIS = [entry for entry in ENTRIES if entry.service in ("graph", "arm")]
EXCHANGE = [entry for entry in ENTRIES if entry.service == "exchange" and entry.sample.count("|") == 2]
REPLIES = [entry for entry in ENTRIES if entry.service in ("smtp", "hosted_smtp")]
TOKENS = [entry for entry in ENTRIES if entry.service == "entra"]


def every(entries: list[ErrorEntry] | tuple[ErrorEntry, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("entry", entries, ids=lambda entry: f"{entry.service}-{entry.id}-{entry.code}")


def ids(text: str, service: str = "") -> list[str]:
    return [explanation.entry.id for explanation in explain(text, service).explanations]


def status_code(reply: str) -> str:
    """The enhanced status code of a reply; without one, that of its class, as Postfix writes it."""
    word = reply.split()[1]
    return word if re.fullmatch(r"\d\.\d{1,3}\.\d{1,3}", word) else f"{reply[0]}.0.0"


def hint(entry: ErrorEntry) -> str:
    """Replies of different mail services can be the same text."""
    return entry.service if entry.service in MAIL_SERVICES else ""


@every(ENTRIES)
def test_text_of_the_service_is_explained_by_its_entry_alone(entry: ErrorEntry) -> None:
    result = explain(entry.sample, hint(entry))
    assert [explanation.entry for explanation in result.explanations] == [entry]
    assert result.unknown_codes == ()


@every(ENTRIES)
def test_text_in_a_paragraph_is_explained_by_its_entry_alone(entry: ErrorEntry) -> None:
    text = f"Hello,\n\nsince yesterday (29 November 2026, 4.18.0) our printer at 10.5.7.1 reports this:\n\n{entry.sample}\n\nThanks, Eve"
    assert [explanation.entry for explanation in explain(text, hint(entry)).explanations] == [entry]


@every(ENTRIES)
def test_message_of_a_failed_task_is_explained(entry: ErrorEntry) -> None:
    code = explain(entry.sample, hint(entry)).explanations[0].code or entry.sample
    message = f"Could not do something: {entry.cause} ({code}). {entry.remedy} [request 1234]"
    for text in (
        message,
        textwrap.fill(message, 60, break_on_hyphens=False),
        f"fatal: [contoso]: FAILED! => {json.dumps({'msg': message})}",
    ):
        assert [explanation.entry.id for explanation in explain(text).explanations] in ([entry.id], _same_cause(entry)), text


def _same_cause(entry: ErrorEntry) -> list[str]:
    """Entries of two services can have one cause; the first one counts."""
    return [next(other.id for other in ENTRIES if other.cause == entry.cause)]


@every(REPLIES)
def test_reply_in_a_delivery_report_of_exchange_is_explained(entry: ErrorEntry) -> None:
    report = delivery_report(entry.sample)
    assert ids(report) == [entry.id]
    assert ids(report.replace("\n", "\r\n")) == [entry.id]


def delivery_report(reply: str) -> str:
    """A delivery report as Exchange sends it: text, HTML, delivery status, and the original message, which has errors of its own."""
    code = status_code(reply)
    plain = f"Your message couldn't be delivered.\n\nDiagnostic information for administrators:\n\nRemote server returned '{reply}'\n"
    page = f"<html><style>p {{ color: red }}</style><body><p>Reported error:</p><p>{html.escape(reply)}</p>&nbsp;</body></html>"
    folded = "\n ".join(textwrap.wrap(f"smtp;{reply}", 60, break_long_words=False, break_on_hyphens=False))
    original = "From: scan@contoso.com\nSubject: scan\n\nAADSTS7000215 and 550 5.7.708 are not the error\n"
    parts = [
        ("text/plain; charset=utf-8", "quoted-printable", quopri.encodestring(plain.encode()).decode()),
        ("text/html; charset=utf-8", "base64", base64.encodebytes(page.encode()).decode()),
        (
            "message/delivery-status",
            "7bit",
            f"Reporting-MTA: dns;mx\n\nFinal-Recipient: rfc822;x@y.example\nAction: failed\nStatus: {code}\nDiagnostic-Code: {folded}\n",
        ),
        ("message/rfc822", "7bit", original),
    ]
    body = "".join(f"--x\nContent-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n\n{text}\n" for kind, encoding, text in parts)
    return (
        "Received: from AM0PR02CA0134.outlook.com (10.5.7.64) by mx.example with SMTP id 15.20.7784.15\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="x"\n\n{body}--x--\n'
    )


@every(REPLIES)
def test_reply_in_a_line_of_postfix_is_explained(entry: ErrorEntry) -> None:
    line = (
        "2026-11-29T01:00:00.1+00:00 relay postfix/smtp[123]: 4B2C1ABCDE: to=<x@y.example>, relay=mx.example[192.0.2.5]:25, delay=3, "
        f"dsn={status_code(entry.sample)}, status=bounced (host mx.example[192.0.2.5] said: {entry.sample} (in reply to RCPT TO))"
    )
    assert ids(line) == [entry.id]
    assert ids(f"{line}\n{line}") == [entry.id]


@every(APIS)
def test_error_body_of_graph_and_resource_manager_is_explained(entry: ErrorEntry) -> None:
    code, _colon, message = entry.sample.partition(": ")
    inner = {"innerError": {"request-id": "1", "date": "2026-11-29T00:00:00"}} if entry.service == "graph" else {}
    body = {"error": {"code": code, "message": message, **inner}}
    assert ids(json.dumps(body)) == [entry.id]
    assert ids(f"HTTP/1.1 400 Bad Request\nContent-Type: application/json\n\n{json.dumps(body, indent=2)}") == [entry.id]
    assert ids(json.dumps({"responses": [{"id": "1", "status": 200, "body": {}}, {"id": "2", "status": 400, "body": body}]})) == [entry.id]


@every(EXCHANGE)
def test_error_body_of_exchange_is_explained(entry: ErrorEntry) -> None:
    error = {
        "code": "BadRequest",
        "message": "Error executing cmdlet",
        "details": [{"code": "Client", "target": "", "message": entry.sample}],
    }
    kind, text = entry.sample.split("|")[1:]
    inner = {"message": "Error executing cmdlet", "internalexception": {"message": text, "type": kind, "stacktrace": ""}}
    assert ids(json.dumps({"error": error})) == [entry.id]
    assert ids(json.dumps({"error": {"code": "BadRequest", "message": "Error", "innererror": inner}}, indent=1)) == [entry.id]


@every(TOKENS)
def test_answer_of_the_token_endpoint_is_explained(entry: ErrorEntry) -> None:
    description = f"{entry.sample} Trace ID: 1 Correlation ID: 2" if entry.code.isdigit() else "AADSTS1: new"
    body = {"error": "invalid_client" if entry.code.isdigit() else entry.code, "error_description": description, "error_codes": [1]}
    assert ids(json.dumps(body)) == [entry.id]
    assert ids(json.dumps(body, indent=2)) == [entry.id]


def test_report_of_the_python_email_library_is_explained() -> None:
    message = EmailMessage()
    message["Subject"] = "Undeliverable"
    message.set_content("Text")
    message.add_alternative(
        "<p>Server returned <i>&#39;550 5.7.64 TenantAttribution; Relay Access Denied SMTP&#39;</i></p>", subtype="html"
    )
    assert ids(message.as_string()) == ["relay-denied"]
