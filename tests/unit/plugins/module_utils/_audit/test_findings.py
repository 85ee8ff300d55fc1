# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._audit.findings import Configuration, SpfState, findings
from ansible_collections.mailops.m365.plugins.module_utils._entra.application_credentials import StoredCredential
from ansible_collections.mailops.m365.plugins.module_utils._entra.delegated_applications import DelegatedApplication
from ansible_collections.mailops.m365.plugins.module_utils._entra.sending_applications import SendingApplication
from ansible_collections.mailops.m365.plugins.module_utils._exchange.inbound_connectors import Connector
from ansible_collections.mailops.m365.plugins.module_utils._exchange.spoofs import Spoof

TODAY = datetime.date(2026, 11, 28)


def credential(kind: str, end: str) -> StoredCredential:
    return StoredCredential(kind, "id", kind, datetime.datetime.fromisoformat(f"{end}T00:00:00+00:00"))


def listed(**configuration: Any) -> list[tuple[str, str]]:
    return [(one.id, one.severity) for one in findings(Configuration(**configuration), TODAY)]


def test_what_was_not_readable_has_no_finding() -> None:
    assert listed() == []
    assert set(Configuration().as_result().values()) == {None}


def test_the_organization() -> None:
    connectors = [Connector("Office"), Connector("Old site", enabled=False)]
    result = listed(smtp_auth="enabled", direct_send_rejected=False, connectors=connectors)
    assert result == [("smtp_auth_open", "medium"), ("connector_disabled", "low"), ("direct_send_open", "low")]
    assert listed(smtp_auth="disabled", direct_send_rejected=True, connectors=connectors[:1]) == []


@pytest.mark.parametrize(
    ("credentials", "expected"),
    [
        ([("certificate", "2027-11-28")], []),
        ([("client secret", "2027-11-28")], [("client_secret", "low")]),
        ([("certificate", "2026-12-28")], [("key_ends", "high")]),
        ([("certificate", "2026-12-29")], []),
        ([("certificate", "2026-12-28"), ("certificate", "2028-01-01")], [("key_ends", "low")]),
        ([("certificate", "2026-11-27")], [("key_ended", "critical")]),
        ([("certificate", "2026-11-27"), ("certificate", "2028-01-01")], [("key_ended", "info")]),
    ],
)
def test_only_the_last_key_of_an_application_stops_it(credentials: list[tuple[str, str]], expected: list[tuple[str, str]]) -> None:
    application = SendingApplication("app", "ERP", credentials=tuple(credential(*one) for one in credentials))
    assert listed(applications=[application]) == expected


def test_spf_problems() -> None:
    assert listed(spf=[SpfState("contoso.com", (), ("contoso.com has no SPF record.",))]) == [("spf", "medium")]


def test_applications_that_do_not_sign_in() -> None:
    apps = [
        SendingApplication("1", "ERP"),
        SendingApplication("2", "Old"),
        SendingApplication("3", "Never"),
        SendingApplication("4", "New"),
    ]
    dates = {"1": TODAY, "2": datetime.date(2026, 10, 28), "3": None, "4": datetime.date(2026, 10, 29)}
    result = [(one.id, one.subject) for one in findings(Configuration(applications=apps, application_sign_ins=dates), TODAY)]
    assert result == [("app_unused", "Never"), ("app_unused", "Old")]
    assert listed(applications=apps) == [], "not readable"
    assert listed(applications=[SendingApplication("3", "Foreign", foreign=True)], application_sign_ins={}) == []


def test_applications_of_others_and_spoofs() -> None:
    delegated = [
        DelegatedApplication("1", "Ricoh SMTP", foreign=True, all_users=True),
        DelegatedApplication("2", "Mail client", publisher="Example", foreign=True, users=3),
        DelegatedApplication("3", "Own"),
    ]
    spoofs = [Spoof("sales@contoso.com", "198.51.100.0/24", 12, "2026-11-27", allowed=True)]
    result = {one.subject: one.problem for one in findings(Configuration(delegated_applications=delegated, spoofs=spoofs), TODAY)}
    assert "of a maker of printers may send" in result["Ricoh SMTP"]
    assert "consent for all users" in result["Ricoh SMTP"]
    assert "of another organization may send" in result["Mail client"]
    assert "consent for 3 users" in result["Mail client"]
    assert "12 messages in seven days from 198.51.100.0/24" in result["sales@contoso.com"]
    assert "Own" not in result
    configuration: dict[str, Any] = Configuration(delegated_applications=delegated, spoofs=spoofs).as_result()
    assert [one["printer_maker"] for one in configuration["delegated_applications"]] == [True, False, False]
