# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._audit.findings import Configuration, SpfState, findings
from ansible_collections.mailops.m365.plugins.module_utils._entra.application_credentials import StoredCredential
from ansible_collections.mailops.m365.plugins.module_utils._entra.application_keys import KeyUse
from ansible_collections.mailops.m365.plugins.module_utils._entra.delegated_applications import DelegatedApplication
from ansible_collections.mailops.m365.plugins.module_utils._entra.sending_applications import SendingApplication
from ansible_collections.mailops.m365.plugins.module_utils._exchange.inbound_connectors import Connector
from ansible_collections.mailops.m365.plugins.module_utils._exchange.protocols import Protocols
from ansible_collections.mailops.m365.plugins.module_utils._exchange.spoofs import Spoof

TODAY = datetime.date(2026, 11, 28)


def credential(kind: str, end: str, key_id: str = "id") -> StoredCredential:
    return StoredCredential(kind, key_id, kind, datetime.datetime.fromisoformat(f"{end}T00:00:00+00:00"))


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


def test_a_key_that_nothing_uses_can_be_removed() -> None:
    used, old, ended = (credential("certificate", end, end) for end in ("2028-01-01", "2027-06-01", "2026-01-01"))
    application = SendingApplication("app", "ERP", credentials=(used, old, ended))
    use = KeyUse({"2028-01-01": TODAY})
    every = findings(Configuration(applications=[application], key_use={"app": use}), TODAY)
    assert [(one.id, one.subject) for one in every if one.id == "key_unused"] == [("key_unused", f"ERP: {old}")]
    for unknown in (None, {}, {"app": KeyUse()}, {"app": replace(use, complete=False)}):
        assert "key_unused" not in {name for name, _severity in listed(applications=[application], key_use=unknown)}
    [result] = Configuration(applications=[application], key_use={"app": replace(use, complete=False)}).as_result()["applications"]
    assert [one["used"] for one in result["credentials"]] == [True, None, None], "not read is not unused"


def test_the_day_on_which_microsoft_enables_security_defaults() -> None:
    due = datetime.date(2026, 12, 10)
    [finding] = findings(Configuration(security_defaults_due=due, security_defaults_due_read=True), TODAY)
    assert (finding.id, finding.severity, finding.date) == ("security_defaults_due", "high", due)
    assert "on 2026-12-10 (in 12 days)" in finding.problem
    assert finding.as_result()["date"] == "2026-12-10"
    assert listed(security_defaults_due=datetime.date(2027, 6, 1)) == [("security_defaults_due", "medium")]
    assert listed(security_defaults_due=datetime.date(2026, 11, 1)) == [], "Microsoft did not keep the date"
    values = [Configuration(security_defaults_due=due, security_defaults_due_read=True), Configuration(security_defaults_due_read=True)]
    assert [one.as_result()["security_defaults_due"] for one in (*values, Configuration())] == ["2026-12-10", "", None]


def test_a_finding_has_the_day_on_which_it_matters() -> None:
    application = SendingApplication("app", "ERP", credentials=(credential("certificate", "2026-12-28"),))
    configuration = Configuration(applications=[application], protocols=Protocols(ews=True), hve_accounts={"news@contoso.com": ""})
    dates = {one.id: str(one.date) for one in findings(configuration, TODAY)}
    assert dates == {"key_ends": "2026-12-28", "ews_enabled": "2027-04-01", "hve_billing": "2026-06-01"}


def test_older_protocols() -> None:
    assert listed(protocols=Protocols()) == []
    assert Protocols().as_result()["ews"] == "default", "a setting that is null is Microsoft's default, and was read"
    assert [Protocols(ews=value).as_result()["ews"] for value in (True, False)] == ["enabled", "disabled"]
    assert listed(protocols=Protocols(legacy_tls=True)) == [("legacy_tls_allowed", "low")]
    assert listed(protocols=Protocols(ews=True)) == [("ews_enabled", "low")]
    later = findings(Configuration(protocols=Protocols(ews=False, ews_applications=("app 1",))), datetime.date(2027, 1, 2))
    assert [(one.severity, one.problem) for one in later] == [
        ("medium", "Applications may use Exchange Web Services (app 1): programs that send with EWS stop on 2027-04-01 (in 89 days).")
    ]
    assert findings(Configuration(protocols=Protocols(ews=True)), datetime.date(2027, 4, 1)) == []


def test_high_volume_email_without_billing_policy() -> None:
    accounts = {"news@contoso.com": "NoProperBillingPolicyStored", "ok@contoso.com": "BillingPolicyValid"}
    [finding] = findings(Configuration(hve_accounts=accounts), TODAY)
    assert (finding.id, finding.severity, finding.subject) == ("hve_billing", "high", "news@contoso.com")
    assert "(NoProperBillingPolicyStored): its delivery is interrupted since 2026-06-01" in finding.problem


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
    assert listed(applications=apps, application_sign_ins={"1": TODAY}) == [], "the others were not read"
    results = Configuration(applications=apps[:3], application_sign_ins={"1": TODAY, "3": None}).as_result()["applications"]
    assert isinstance(results, list)
    assert [one["last_sign_in"] for one in results] == [TODAY.isoformat(), None, ""], "not read, and none"
    assert listed(applications=[SendingApplication("3", "Foreign", foreign=True)], application_sign_ins={"3": None}) == []


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
