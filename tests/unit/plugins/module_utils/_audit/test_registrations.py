# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mailops.m365.plugins.module_utils._audit import registrations
from ansible_collections.mailops.m365.plugins.module_utils._audit.findings import Configuration, findings
from ansible_collections.mailops.m365.plugins.module_utils._audit.registrations import WrongObjectId
from ansible_collections.mailops.m365.plugins.module_utils._exchange.service_principals import ServicePrincipal

from .test_findings import TODAY


def registered(app_id: str, object_id: str) -> ServicePrincipal:
    return ServicePrincipal(app_id, object_id, f"guid {object_id}", f"sid {object_id}", "ERP in Exchange")


def test_each_application_is_read_once() -> None:
    paths = [
        one.path for one in registrations.calls([registered("A", "1"), registered("a", "2"), registered("", "3"), registered("b", "4")])
    ]
    assert paths == [f"/servicePrincipals(appId='{name}')?$select=id,appId,displayName" for name in ("a", "b")]


def test_the_object_ids_are_compared_without_case_and_a_removed_application_is_left_out() -> None:
    every = [registered("A", "REGISTRATION"), registered("b", "SP-B"), registered("gone", "x")]
    answers = [{"appId": "a", "id": "sp-a", "displayName": "ERP"}, {"appId": "B", "id": "sp-b", "displayName": "Shop"}, None]
    assert registrations.compare(every, answers) == [WrongObjectId("A", "ERP", "REGISTRATION", "sp-a")]
    assert registrations.compare([*every, registered("a", "sp-a")], answers) == [], "it can send with the right one"


def test_the_finding_names_both_ids_and_the_commands() -> None:
    [one] = findings(Configuration(wrong_object_ids=[WrongObjectId("app", "ERP", "wrong", "right")]), TODAY)
    assert (one.id, one.severity, one.subject) == ("service_principal_object_id", "high", "ERP")
    assert "has the ObjectId wrong, and that in Microsoft Entra ID (enterprise application) right" in one.problem
    assert "Remove-ServicePrincipal -Identity wrong and New-ServicePrincipal -AppId app -ObjectId right" in one.remedy
