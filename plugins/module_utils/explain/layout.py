# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Explanations as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from .recognition import Explanation, Result

NOTHING_RECOGNIZED = (
    "Could not explain the text: it has no error of the error catalog. Looked for: AADSTS codes and OAuth errors, SMTP replies and "
    "enhanced status codes (5.7.139), delivery reports, log lines of Postfix and Dovecot, errors of Microsoft Graph, the Exchange admin "
    "API and Azure Resource Manager, DNS response codes, and failed connections."
)
_SERVERS = {
    "hve": "High Volume Email (smtp.hve.mx.microsoft)",
    "acs": "Azure Communication Services (smtp.azurecomm.net)",
    "hosted_smtp": "a hosted relay (smtp2go.com, sendgrid.net, mailgun.org)",
}
_QUEUE = {"defer": "keeps the message in the queue and tries again", "hold": "holds the message until it is released",
          "bounce": "returns the message to relay_postmaster"}  # fmt: skip
_LABEL = 13


def lines(result: Result, width: int) -> Iterator[str]:
    """The explanations, numbered where there are several; no line is longer than the width unless a single word is."""
    several = len(result.explanations) > 1
    for number, explanation in enumerate(result.explanations, 1):
        if number > 1:
            yield ""
        yield from textwrap.wrap((f"{number}. " if several else "") + _heading(explanation), width, break_on_hyphens=False)
        for label, text in _rows(explanation):
            yield from textwrap.wrap(
                text,
                width,
                initial_indent=f"  {label:<{_LABEL - 2}}",
                subsequent_indent=" " * _LABEL,
                break_on_hyphens=False,
            )
    if result.explanations and result.unknown_codes:
        yield ""
        yield from textwrap.wrap(f"Not in the error catalog: {', '.join(result.unknown_codes)}.", width)


def nothing_recognized(result: Result) -> str:
    """The sentence for a text without an explanation."""
    codes = f" The error catalog does not have: {', '.join(result.unknown_codes)}." if result.unknown_codes else ""
    return NOTHING_RECOGNIZED + codes


def _heading(explanation: Explanation) -> str:
    text = explanation.text
    return text if explanation.code in text else f"{explanation.code}: {text}"


def _rows(explanation: Explanation) -> Iterator[tuple[str, str]]:
    entry = explanation.entry
    yield "Cause", f"{entry.cause[0].upper()}{entry.cause[1:]}."
    yield "Remedy", entry.remedy
    yield "Waiting", "May help: the same request can succeed later." if entry.transient else "Does not help by itself."
    yield "Inventory", ", ".join(entry.variables) or "No variable changes this."
    if entry.queue_policy:
        yield "Relay host", f"A relay host {_QUEUE[entry.queue_policy]}."
    yield "Source", entry.source
    for service in explanation.other_services:
        yield "Or", f"If the server is {_SERVERS[service]}, the reply means something else: use --service {service}."
