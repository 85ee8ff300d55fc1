# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources.hve_account import CREATE_POLICY, INFO, RESOURCE

from ....conftest import FakeClock, Play, problems_of
from ....script import Item, Script
from ....services import Exchange, Refused, missing

APP, OBJECT = "22222222-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002"
POLICY = "33333333-0000-4000-8000-000000000001"
PASSWORD = "long enough, and secret"
PAID = {"BillingPolicyId": POLICY, "BillingPolicyStatus": "BillingPolicyValid"}


class Accounts(Exchange):
    """Accounts with all their parts; a new one is unknown to the other cmdlets for the first `late` tries."""

    def __init__(self, *items: dict[str, Any], others: Any = None, policies: bool = True, late: int = 0) -> None:
        super().__init__(
            others, Get_MailUser=self.every, New_MailUser=self.new, Set_MailUser=self.change, Remove_MailUser=self.remove,
            Get_HVEAccountSettings=self.settings, Set_HVEAccountSettings=self.change, Get_HVEAccountBillingPolicy=self.billing,
            Set_HVEAccountBillingPolicy=self.change, Add_HVEAppAccess=self.add, Remove_HVEAppAccess=self.withdraw,
            Get_BillingPolicy=lambda p: [{"BillingPolicyId": POLICY, "BillingPolicyName": "Pay as you go"}] if policies else [],
            Get_Recipient=self.recipient, Get_AcceptedDomain=lambda p: [{"DomainName": "contoso.com"}],
        )  # fmt: skip
        self.items = {item["PrimarySmtpAddress"]: item for item in items}
        self.late = late

    def item(self, parameters: dict[str, Any]) -> dict[str, Any]:
        identity = parameters["Identity"]
        matches = [i for i in self.items.values() if identity == i["Guid"]]
        if not matches or self.late:
            self.late = max(0, self.late - 1)
            raise missing(identity)
        return matches[0]

    def every(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        assert parameters == {"HVEAccount": True, "ResultSize": "Unlimited"}
        return list(self.items.values())

    def recipient(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        ada = {"Guid": "g", "Name": "ada", "Alias": "ada", "PrimarySmtpAddress": "ada@contoso.com", "RecipientTypeDetails": "UserMailbox"}
        return [ada] if "'smtp:ada@contoso.com'" in parameters["Filter"] else []

    def new(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        assert parameters["HVEAccount"] is True
        self.items[parameters["PrimarySmtpAddress"]] = account(parameters["PrimarySmtpAddress"], parameters["DisplayName"])
        return [self.items[parameters["PrimarySmtpAddress"]]]

    def remove(self, parameters: dict[str, Any]) -> None:
        assert parameters["Confirm"] is False
        del self.items[self.item(parameters)["PrimarySmtpAddress"]]

    def change(self, parameters: dict[str, Any]) -> None:
        accounts = {name: value for name, value in parameters.items() if name not in ("Identity", "HVEAccount")}
        status = {"BillingPolicyStatus": "BillingPolicyValid"} if accounts.get("BillingPolicyId") else {}
        self.item(parameters).update(accounts | status)

    def settings(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        item = self.item(parameters)
        return [{"ReplyTo": item.get("ReplyTo"), "AllowedApps": item["AllowedApps"]}]

    def billing(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        item = self.item(parameters)
        return [{name: item.get(name) for name in ("BillingPolicyId", "BillingPolicyStatus")}]

    def add(self, parameters: dict[str, Any]) -> None:
        self.item(parameters)["AllowedApps"] += parameters["AppIds"]

    def withdraw(self, parameters: dict[str, Any]) -> None:
        item = self.item(parameters)
        item["AllowedApps"] = [app for app in item["AllowedApps"] if app not in parameters["AppIds"]]


def account(address: str, title: str = "Alarms", *apps: str, **more: Any) -> dict[str, Any]:
    matches = {"Guid": f"guid-{address}", "PrimarySmtpAddress": address, "DisplayName": title, "AllowedApps": list(apps)}
    return matches | {"BillingPolicyId": None, "BillingPolicyStatus": "NoProperBillingPolicyStored"} | more


def registered(script: Script, *, times: int = 1, there: bool = True) -> Script:
    """Whether Graph returns the application `sender`."""
    for _ in range(times):
        url = "/applications(uniqueName='sender')?$select=appId"
        script.expect_graph_batch(Item("GET", url, *((200, {"appId": APP}) if there else (404, None))))
        if there:
            url = f"/servicePrincipals(appId='{APP}')?$select=id,appId,appOwnerOrganizationId"
            script.expect_graph_batch(Item("GET", url, 200, {"id": OBJECT, "appId": APP}))
    return script


def test_accounts_are_made_changed_and_removed_as_predicted(play: Play, script: Script) -> None:
    old = account("old@contoso.com")
    kept = account("kept@contoso.com", "Kept", "other-app", ReplyTo="IT@contoso.com", **PAID)
    service = Accounts(old, kept, account("stranger@contoso.com"), others=registered(script, times=3))
    accounts = [
        {"address": "Alarms@contoso.com", "apps": ["sender"], "reply_to": "it@contoso.com", "password": PASSWORD},
        {"address": "kept@contoso.com", "display_name": "Still kept", "apps": ["sender"], "reply_to": ""},
        {"address": "old@contoso.com", "state": "absent"},
        {"address": "gone@contoso.com", "state": "absent"},
    ]
    planned = play(RESOURCE, service, check_mode=True, accounts=accounts, billing_policy="pay as you go")
    assert service.writes == []
    done = play(RESOURCE, service, accounts=accounts, billing_policy="pay as you go")
    for name in ("changed", "diff", "hve_accounts"):
        assert planned[name] == done[name]
    assert done["hve_accounts"] == {
        "alarms@contoso.com": {
            "display_name": "alarms", "reply_to": "it@contoso.com", "apps": ["sender"], "billing_policy": "Pay as you go",
        },
        "kept@contoso.com": {
            "display_name": "Still kept", "reply_to": None, "apps": ["other-app", "sender"], "billing_policy": "Pay as you go",
        },
    }  # fmt: skip
    assert service.ran("New-MailUser") == [
        {"Name": "alarms", "Alias": "alarms", "DisplayName": "alarms", "PrimarySmtpAddress": "alarms@contoso.com",
         "Password": PASSWORD, "HVEAccount": True}
    ]  # fmt: skip
    assert {"Identity": "guid-alarms@contoso.com", "AppIds": [OBJECT]} in service.ran("Add-HVEAppAccess")
    assert service.ran("Set-HVEAccountBillingPolicy") == [{"Identity": "guid-alarms@contoso.com", "BillingPolicyId": POLICY}]
    assert {"Identity": "guid-kept@contoso.com", "ReplyTo": ""} in service.ran("Set-HVEAccountSettings")
    assert service.ran("Remove-MailUser") == [{"Identity": "guid-old@contoso.com", "Confirm": False}]
    assert "stranger@contoso.com" in service.items
    again = play(RESOURCE, service, accounts=accounts, billing_policy=POLICY)
    assert (again["changed"], service.ran("New-MailUser")[1:], "notes" in again) == (False, [], False)


def test_the_password_is_nowhere_in_the_result_the_diff_or_the_journal(play: Play, tmp_path: Any) -> None:
    service = Accounts()
    accounts = [{"address": "alarms@contoso.com", "password": PASSWORD}]
    done = play(RESOURCE, service, accounts=accounts, journal_dir=str(tmp_path))
    assert service.ran("New-MailUser")[0]["Password"] == PASSWORD
    kept = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert "alarms@contoso.com" in kept
    assert PASSWORD not in json.dumps(done) + kept

    def refuse(parameters: dict[str, Any]) -> None:
        raise Refused("DataValidationException", f"The password {parameters['Password']} is too simple.")

    service = Accounts()
    service.cmdlets["New-MailUser"] = refuse
    failed = play(RESOURCE, service, accounts=accounts)
    assert "Could not create the account alarms@contoso.com" in failed["msg"]
    assert PASSWORD not in json.dumps(failed)


def test_exclusive_leaves_the_listed_accounts_and_their_applications(play: Play, script: Script) -> None:
    service = Accounts(account("a@contoso.com", "a", "x", OBJECT, **PAID), account("b@contoso.com"), others=registered(script))
    accounts = [{"address": "a@contoso.com", "apps": ["sender"]}]
    done = play(RESOURCE, service, accounts=accounts, exclusive=True)
    assert list(service.items) == ["a@contoso.com"]
    assert service.ran("Remove-HVEAppAccess") == [{"Identity": "guid-a@contoso.com", "AppIds": ["x"]}]
    assert service.ran("Add-HVEAppAccess") == []
    assert done["diff"]["after"] == {
        "a@contoso.com": {"display_name": "a", "reply_to": None, "apps": ["sender"], "billing_policy": "Pay as you go"},
        "b@contoso.com": None,
    }


def test_an_application_that_is_still_to_be_made_is_predicted_and_later_missed(play: Play, script: Script) -> None:
    service = Accounts(others=registered(script, times=2, there=False))
    accounts = [{"address": "a@contoso.com", "apps": ["sender"], "password": PASSWORD}]
    planned = play(RESOURCE, service, check_mode=True, accounts=accounts)
    assert planned["hve_accounts"]["a@contoso.com"]["apps"] == ["sender"]
    assert planned["notes"][0] == (
        "Entra has no enterprise application for sender yet; the prediction assumes that an earlier task of the real run creates it."
    )
    failed = play(RESOURCE, service, accounts=accounts)
    assert failed["failure"]["problems"] == [
        "accounts: a@contoso.com: Entra has no enterprise application for sender: register it first (role entra_app)."
    ]
    assert service.writes == []


@pytest.mark.parametrize("check_mode", [False, True])
def test_all_conflicts_are_reported_at_once(play: Play, check_mode: bool) -> None:
    service = Accounts(policies=False)
    accounts = [
        {"address": "ada@contoso.com", "password": PASSWORD},
        {"address": "a@elsewhere.example", "password": PASSWORD},
        {"address": "new@contoso.com"},
        {"address": "free@contoso.com", "password": PASSWORD, "billing_policy": "none"},
        {"address": "paid@contoso.com", "password": PASSWORD, "billing_policy": "Theirs"},
    ]
    result = play(RESOURCE, service, check_mode=check_mode, accounts=accounts, billing_policy="Ours")
    assert result["failure"]["problems"] == [
        "accounts: ada@contoso.com is a UserMailbox, which cannot become a High Volume Email account: choose another address.",
        "accounts: a@elsewhere.example: not in an accepted domain of this tenant (contoso.com): correct the address; nothing was changed.",
        "password is not set, and new@contoso.com does not exist yet: give the new account a password (it is used once).",
        f"billing_policy is Ours, and the tenant has no such billing policy for High Volume Email: it has none; {CREATE_POLICY}.",
        "accounts: paid@contoso.com: billing_policy is Theirs, and the tenant has no such billing policy for High Volume Email: it has "
        f"none; {CREATE_POLICY}.",
    ]
    assert service.writes == []


def test_reasons_why_an_account_cannot_send_are_noted(play: Play) -> None:
    ended = account("ended@contoso.com", BillingPolicyId=POLICY, BillingPolicyStatus="SubscriptionIsNotActive")
    service = Accounts(ended, account("free@contoso.com"))
    result = play(RESOURCE, service, accounts=[{"address": "ended@contoso.com"}, {"address": "free@contoso.com"}])
    assert (result["changed"], result["notes"]) == (
        False,
        [
            "free@contoso.com: without a billing policy High Volume Email sends nothing; assign one (billing_policy).",
            "ended@contoso.com: its billing policy is not valid (SubscriptionIsNotActive); check it in the Microsoft 365 admin center.",
        ],
    )
    alone = play(RESOURCE, Accounts(account("free@contoso.com"), policies=False), accounts=[{"address": "free@contoso.com"}])
    tail = f"the tenant has none: {CREATE_POLICY}."
    assert alone["notes"] == [f"free@contoso.com: without a billing policy High Volume Email sends nothing; {tail}"]
    gone = play(RESOURCE, service, accounts=[{"address": "ended@contoso.com", "billing_policy": "none"}])
    assert service.ran("Set-HVEAccountBillingPolicy") == [{"Identity": "guid-ended@contoso.com", "BillingPolicyId": ""}]
    assert gone["diff"]["after"]["ended@contoso.com"]["billing_policy"] is None


def test_new_account_is_waited_for_until_it_is_replicated(play: Play, clock: FakeClock) -> None:
    service = Accounts(late=2)
    accounts = [{"address": "a@contoso.com", "password": PASSWORD, "reply_to": "it@contoso.com"}]
    play(RESOURCE, service, accounts=accounts)
    assert service.items["a@contoso.com"]["ReplyTo"] == "it@contoso.com"
    assert (len(service.ran("New-MailUser")), sum(clock.slept)) == (1, 6)


def test_many_accounts_are_read_and_made_in_batches(play: Play) -> None:
    service = Accounts()
    accounts = [{"address": f"a{n}@contoso.com", "password": PASSWORD, "billing_policy": POLICY} for n in range(20)]
    assert play(RESOURCE, service, accounts=accounts)["changed"] is True
    assert service.requests <= 1 + 1 + 2 + 2 + 2  # lists, domains, look-ups, creations, billing
    before = service.requests
    assert play(RESOURCE, service, accounts=accounts)["changed"] is False
    assert service.requests - before == 1 + 4


def test_input_problems_are_reported_without_a_request() -> None:
    accounts = [
        {"address": "nonsense"},
        {"address": "a@b.example", "display_name": " ", "reply_to": "x", "apps": ["one", "one", ""]},
        {"address": "b@b.example", "apps": [f"app{n}" for n in range(11)], "password": "short"},
    ]
    problems = problems_of(RESOURCE, accounts=accounts)
    assert len(problems) == 7
    assert "accounts: b@b.example: apps holds 11 applications; an account takes at most 10." in problems
    assert len(problems_of(INFO, accounts=["nonsense"])) == 1


def test_info_module_reports_whether_an_account_may_send(play: Play) -> None:
    service = Accounts(account("a@contoso.com", "A", OBJECT, **PAID), account("b@contoso.com"))
    read = play(INFO, service, accounts=["A@contoso.com", "none@contoso.com"])
    assert read["hve_accounts"] == {
        "a@contoso.com": {
            "display_name": "A", "reply_to": None, "apps": [OBJECT], "billing_policy": "Pay as you go",
            "billing_status": "BillingPolicyValid",
        }
    }  # fmt: skip
    assert read["billing_policies"] == [{"id": POLICY, "name": "Pay as you go"}]
    assert list(play(INFO, service)["hve_accounts"]) == ["a@contoso.com", "b@contoso.com"]


def test_an_account_gets_a_new_address_and_keeps_the_former_one(play: Play) -> None:
    old = account("old@contoso.com", EmailAddresses=["SMTP:old@contoso.com"])
    service = Accounts(old)
    listed = [{"address": "new@contoso.com", "was": "old@contoso.com"}]
    planned = play(RESOURCE, service, check_mode=True, accounts=listed)
    done = play(RESOURCE, service, accounts=listed)
    assert (planned["diff"], planned["hve_accounts"]) == (done["diff"], done["hve_accounts"])
    assert done["diff"]["before"]["new@contoso.com"]["address"] == "old@contoso.com"
    entries = ["SMTP:new@contoso.com", "smtp:old@contoso.com"]
    assert service.ran("Set-") == [{"Identity": "guid-old@contoso.com", "HVEAccount": True, "EmailAddresses": entries}]
    old["PrimarySmtpAddress"] = "new@contoso.com"
    assert not play(RESOURCE, service, accounts=listed)["changed"]


def test_two_accounts_are_not_made_one(play: Play) -> None:
    service = Accounts(account("old@contoso.com"), account("new@contoso.com"))
    result = play(RESOURCE, service, accounts=[{"address": "new@contoso.com", "was": "old@contoso.com"}])
    assert "new@contoso.com and old@contoso.com (was) are two" in result["msg"]


def test_a_new_address_of_another_recipient_is_refused(play: Play) -> None:
    service = Accounts(account("old@contoso.com"))
    result = play(RESOURCE, service, accounts=[{"address": "ada@contoso.com", "was": "old@contoso.com"}])
    assert "ada@contoso.com is a UserMailbox" in result["msg"]
    foreign = play(RESOURCE, service, accounts=[{"address": "new@elsewhere.example", "was": "old@contoso.com"}])
    assert "new@elsewhere.example: not in an accepted domain" in foreign["msg"]


def test_applications_are_withdrawn(play: Play, script: Script) -> None:
    service = Accounts(account("bulk@contoso.com", "Bulk", OBJECT, "other-app", **PAID), others=registered(script, times=2))
    listed = [{"address": "bulk@contoso.com", "withdrawn_apps": ["sender"]}]
    done = play(RESOURCE, service, accounts=listed)
    assert done["diff"]["after"]["bulk@contoso.com"]["apps"] == ["other-app"]
    assert service.ran("Remove-HVEAppAccess") == [{"Identity": "guid-bulk@contoso.com", "AppIds": [OBJECT]}]
    assert not play(RESOURCE, service, accounts=listed)["changed"]


def test_a_withdrawn_application_that_does_not_exist_is_no_problem(play: Play, script: Script) -> None:
    service = Accounts(account("bulk@contoso.com", **PAID), others=registered(script, there=False))
    assert not play(RESOURCE, service, accounts=[{"address": "bulk@contoso.com", "withdrawn_apps": ["sender"]}])["changed"]


def test_an_application_is_either_allowed_or_withdrawn() -> None:
    problems = problems_of(RESOURCE, accounts=[{"address": "bulk@contoso.com", "apps": ["sender"], "withdrawn_apps": ["sender"]}])
    assert any("withdrawn_apps holds sender, which apps holds, too" in problem for problem in problems)
