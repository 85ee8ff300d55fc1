# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Request, Response
from ansible_collections.mailops.m365.plugins.module_utils.resources.sender_plan import RESOURCE

from ....conftest import Play
from ....script import response
from ....services import Exchange, Refused, missing

ERP = {"name": "ERP", "kind": "erp", "address": "erp@contoso.com"}
UPS = {"name": "UPS", "kind": "ups", "address": "ups@contoso.com", "recipients": "internal"}
SKU = {
    "skuPartNumber": "O365_BUSINESS_PREMIUM",
    "capabilityStatus": "Enabled",
    "prepaidUnits": {"enabled": 10},
    "servicePlans": [{"servicePlanName": "EXCHANGE_S_STANDARD"}],
}


class Tenant(Exchange):
    """A tenant's Exchange and Graph: what the plan may read of them, counted."""

    def __init__(
        self, *, security_defaults: bool = False, skus: Any = (SKU,), external_limit: dict[str, Any] | None = None, **mailboxes: str
    ) -> None:
        super().__init__(
            self.graph, Get_AcceptedDomain=self.domains, Get_Mailbox=self.mailbox, Get_LimitsEnforcementStatus=self.limits_status
        )
        self.external_limit = external_limit
        self.security_defaults, self.skus, self.mailboxes = security_defaults, skus, mailboxes
        self.asked: list[str] = []

    def domains(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"DomainName": "contoso.com"}, {"DomainName": "contoso.onmicrosoft.com"}]

    def mailbox(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        name, _, domain = parameters["Identity"].partition("@")
        if name not in self.mailboxes or domain != "contoso.com":
            raise missing(parameters["Identity"])
        return [{"PrimarySmtpAddress": parameters["Identity"].capitalize(), "RecipientTypeDetails": self.mailboxes[name]}]

    def limits_status(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        assert not parameters
        if self.external_limit is None:
            raise Refused("CommandNotFoundException", "The term 'Get-LimitsEnforcementStatus' is not recognized.")
        return [self.external_limit]

    def graph(self, request: Request) -> Response:
        assert request.url.endswith("/v1.0/$batch")
        answers = []
        for asked in request.json["requests"]:
            self.asked.append(asked["url"])
            answers.append({"id": asked["id"]} | self.answer(asked["url"]))
        return response(200, {"responses": answers})

    def answer(self, url: str) -> dict[str, Any]:
        if "identitySecurityDefaults" in url:
            return {"status": 200, "body": {"isEnabled": self.security_defaults}}
        if "serviceConfigurationRecords" in url:
            return {"status": 200, "body": {"value": [{"recordType": "Mx", "mailExchange": "contoso-com.mail.protection.outlook.com"}]}}
        if self.skus is None:
            return {"status": 403, "body": {"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges."}}}
        return {"status": 200, "body": {"value": list(self.skus)}}


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_plan_costs_two_requests_and_changes_nothing(play: Play, check_mode: bool) -> None:
    service = Tenant(erp="SharedMailbox")
    result = play(RESOURCE, service, check_mode=check_mode, senders=[ERP, UPS])
    assert (result["changed"], result["cost"]["requests"], service.writes) == (False, 2, [])
    assert [(entry["name"], entry["method"]) for entry in result["plan"]] == [("ERP", "oauth"), ("UPS", "direct_send")]
    assert result["roles"] == ["shared_mailbox", "entra_app", "smtp_auth", "direct_send", "verify"]
    assert result["plan"][1]["settings"]["server"] == "contoso-com.mail.protection.outlook.com" == result["mx_host"]
    assert "| ERP | smtp.office365.com | 587 |" in result["settings_page"]
    assert result["notes"] == [
        "UPS: without public_addresses in the SPF record its mail may be taken for spam; set them, or use a relay host."
    ]


def test_a_hundred_senders_cost_eleven_batches_of_exchange(play: Play) -> None:
    service = Tenant()
    senders = [{**ERP, "name": f"S{n}", "address": f"s{n}@contoso.com"} for n in range(100)]
    result = play(RESOURCE, service, senders=senders)
    assert len(result["plan"]) == 100
    assert service.requests == 11
    assert sorted(service.batch_sizes) == [1, *[10] * 10]


def test_without_senders_nothing_is_read(play: Play) -> None:
    service = Tenant()
    result = play(
        RESOURCE, service, inventory_variables=["smtp_auth_mailboxes", "entra_app_unique_name", "entra_app_full_access", "verify_wait"]
    )
    assert (service.requests, service.asked) == (0, [])
    assert result["roles"] == ["entra_app", "smtp_auth"]
    assert result["variables"] == {
        "entra_app_permissions": [{"name": "SMTP.SendAsApp"}],
        "entra_app_send_as": [],
        "smtp_auth_exclusive": False,
    }


def test_mailboxes_that_will_be_created_are_expected(play: Play) -> None:
    result = play(RESOURCE, Tenant(), senders=[ERP])
    assert result["expected_mailboxes"] == ["erp@contoso.com"]
    assert play(RESOURCE, Tenant(erp="SharedMailbox"), senders=[ERP])["expected_mailboxes"] == []


def test_every_problem_of_the_tenant_is_in_one_list(play: Play) -> None:
    service = Tenant(security_defaults=True, skus=[{**SKU, "prepaidUnits": {"enabled": 1}}])
    senders = [
        {**ERP, "recipients_per_day": 9_000},
        {**ERP, "name": "Shop", "address": "shop@contoso.com", "recipients_per_day": 9_000},
        {"name": "Labels", "address": "labels@contoso.com", "method": "basic"},
        {**UPS, "name": "Storm", "method": "oauth", "messages_per_minute": 90},
        {"name": "Foreign", "address": "x@fabrikam.com", "method": "connector", "public_addresses": ["203.0.113.10"]},
    ]
    result = play(RESOURCE, service, senders=senders)
    problems = result["failure"]["problems"]
    assert [text.split(": ")[1] for text in problems[:-1]] == ["Labels", "Labels", "Labels", "Storm", "Foreign"]
    assert "18,000 external recipients a day, more than the 10,000 of a tenant with 1 mailbox licences" in problems[-1]
    assert service.writes == []


def test_malformed_senders_are_refused_without_a_request(play: Play) -> None:
    service = Tenant()
    relay = {"name": "r", "host": "10.0.0.5"}
    result = play(
        RESOURCE, service, senders=[{**ERP, "address": "erp"}], relays=[relay, relay], basic_auth_end_date="soon", verify_recipient="me"
    )
    assert [text.split(":")[0] for text in result["failure"]["problems"]] == [
        "m365_senders", "m365_verify_recipient", "m365_basic_auth_end_date is 'soon'", "m365_relays", "m365_relays", "m365_relays",
    ]  # fmt: skip
    assert (service.requests, service.asked) == (0, [])


@pytest.mark.parametrize(("options", "problem"), [
    ({"hosted_relay": "sendgrid", "hosted_relay_region": "au"}, "m365_hosted_relay_region is 'au', which SendGrid does not have"),
    ({"hosted_relay_region": "eu"}, "m365_hosted_relay_region is 'eu', and no hosted relay is set"),
])  # fmt: skip
def test_region_that_the_hosted_relay_does_not_have_is_refused(play: Play, options: dict[str, str], problem: str) -> None:
    service = Tenant()
    result = play(RESOURCE, service, senders=[ERP], **options)
    assert problem in result["msg"]
    assert service.requests == 0


def test_unreadable_licences_are_a_note_and_m365_licences_saves_the_request(play: Play) -> None:
    result = play(RESOURCE, Tenant(skus=None), senders=[ERP])
    assert "Organization.Read.All" in result["notes"][0]
    stated = Tenant(skus=None)
    result = play(RESOURCE, stated, senders=[ERP], licences=5)
    assert "notes" not in result
    assert not [url for url in stated.asked if "subscribedSkus" in url]


def test_few_external_recipients_do_not_read_the_limit(play: Play) -> None:
    service = Tenant(external_limit={"Threshold": 3_000, "ObservedValue": 12})
    senders = [{**ERP, "recipients_per_day": 1_000}, {**UPS, "recipients_per_day": 9_000}]
    result = play(RESOURCE, service, senders=senders)
    assert service.ran("Get-LimitsEnforcementStatus") == []
    assert result["external_recipients"] == {"planned": 1_000, "limit": 12_005, "used": None}


def test_many_external_recipients_read_the_limit_in_the_same_batch(play: Play) -> None:
    service = Tenant(external_limit={"Threshold": 3_000, "ObservedValue": 12, "EnforcementEnabled": True})
    result = play(RESOURCE, service, senders=[{**ERP, "recipients_per_day": 1_001}])
    assert (service.requests, service.batch_sizes) == (1, [3])
    assert result["external_recipients"] == {"planned": 1_001, "limit": 3_000, "used": 12}
    refused = play(RESOURCE, service, senders=[{**ERP, "recipients_per_day": 3_001}])
    [problem] = refused["failure"]["problems"]
    assert "3,001 external recipients a day, more than the 3,000 of this tenant, of which 12 were used in the last 24 hours" in problem


def test_the_limit_of_exchange_needs_no_licences(play: Play) -> None:
    service = Tenant(skus=None, external_limit={"Threshold": 3_000, "ObservedValue": 2_500, "EnforcementEnabled": True})
    result = play(RESOURCE, service, senders=[{**ERP, "recipients_per_day": 2_000}])
    [note] = result["notes"]
    assert note.startswith("The tenant has used 83 % of its tenant external recipient rate limit in the last 24 hours (2,500 of 3,000).")


def test_a_missing_cmdlet_leaves_the_limit_to_the_licences(play: Play) -> None:
    service = Tenant()
    result = play(RESOURCE, service, senders=[{**ERP, "recipients_per_day": 5_000}])
    assert service.ran("Get-LimitsEnforcementStatus") == [{}]
    assert result["external_recipients"] == {"planned": 5_000, "limit": 12_005, "used": None}


def test_what_a_later_role_would_refuse_is_refused_by_the_plan(play: Play) -> None:
    service = Tenant()
    result = play(
        RESOURCE,
        service,
        senders=[ERP, {"name": "Gate", "address": "gate@contoso.com", "certificate_name": "gate contoso"}],
        inventory_variables=["entra_app_certificates", "hve_account_accounts", "m365_sender"],
        inventory_values={"entra_app_certificates": ["/nowhere/a.crt"], "hve_account_accounts": [{"address": "hve@contoso.com"}]},
        inventory_secrets={"hve_account_accounts": {"0": {"password": "kurz"}}},
    )
    assert result["failure"]["problems"] == ["m365_sender is no variable of this collection: did you mean m365_senders?"]
    assert service.requests == 0
    result = play(
        RESOURCE,
        service,
        senders=[ERP, {"name": "Gate", "address": "gate@contoso.com", "certificate_name": "gate contoso"}],
        inventory_variables=["entra_app_certificates", "hve_account_accounts"],
        inventory_values={"entra_app_certificates": ["/nowhere/a.crt"], "hve_account_accounts": [{"address": "hve@contoso.com"}]},
        inventory_secrets={"hve_account_accounts": {"0": {"password": "kurz"}}},
    )
    problems = result["failure"]["problems"]
    assert [text.split(": ")[0] for text in problems] == [
        "entra_app_certificates",
        "hve_account_accounts",
        "m365_senders",
    ]
    assert "kurz" not in str(result)
    assert service.writes == []


def test_the_inventorys_variables_are_validated_without_senders(play: Play) -> None:
    result = play(RESOURCE, Tenant(), inventory_variables=["spf_ip4"], inventory_values={"spf_ip4": ["not an address"]})
    assert result["failure"]["problems"] == ["spf_ip4 holds 'not an address', which is no IPv4 address or network."]
