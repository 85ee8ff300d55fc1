"""A mailbox, a user, an account or an application is one object, whichever of its names a list uses: the second run changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources import (
    authentication_policy,
    exchange_service_principal,
    hve_account,
    rbac_for_applications,
    sender_plan,
    shared_mailbox,
    smtp_auth,
)

from tests.emulator.conftest import Start, app_id

from .emulated import Run

ERP = {
    "address": "erp@contoso.com",
    "kind": "SharedMailbox",
    "aliases": ["invoices@contoso.com", "bills@contoso.onmicrosoft.com"],
}
SENDER = {"display_name": "sender", "unique_name": "sender", "service_principal": {}}
TENANT: dict[str, Any] = {
    "mailboxes": [ERP, {"address": "ada@contoso.com", "aliases": ["lovelace@contoso.com"]}, {"address": "noreply@contoso.com"}],
    "hve_accounts": [{"address": "alarms@contoso.com", "aliases": ["alerts@contoso.com"], "password": "long enough, really"}],
    "billing_policies": [{"name": "Pay as you go"}],
}
TWO_NAMES = ["Invoices@Contoso.com", "ERP@contoso.com"]


@pytest.fixture
def site(start: Start, state: dict[str, Any], tmp_path: Path) -> Run:
    applications = [*state["tenants"][0]["applications"], SENDER]
    registered = [{"app_id": app_id("sender"), "display_name": "sender"}]
    return Run(start(tenant={**TENANT, "applications": applications, "exchange_service_principals": registered}), tmp_path / "run")


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("listed", [TWO_NAMES, ["invoices@contoso.com"], ["bills@contoso.onmicrosoft.com", "invoices@contoso.com"]])
def test_permissions_of_an_application(site: Run, exclusive: bool, listed: list[str]) -> None:
    options: dict[str, Any] = {"unique_name": "sender", "full_access": listed, "send_as": ["invoices@contoso.com"], "exclusive": exclusive}
    done = site.twice(exchange_service_principal.RESOURCE, **options)
    assert done["service_principal"]["full_access"] == [listed[0].lower()]
    other = options | {"full_access": ["erp@contoso.com"], "send_as": ["ERP@contoso.com"]}
    assert site(exchange_service_principal.RESOURCE, **other)["changed"] is False


def test_smtp_auth(site: Run) -> None:
    names = [{"address": address, "smtp_auth": "enabled"} for address in [*TWO_NAMES, "lovelace@contoso.com"]]
    done = site.twice(smtp_auth.RESOURCE, mailboxes=names, exclusive=True)
    assert done["smtp_auth"]["changed_mailboxes"] == {"invoices@contoso.com": "enabled", "lovelace@contoso.com": "enabled"}
    names[1]["smtp_auth"] = "disabled"
    assert "are one mailbox, with different values of smtp_auth" in site(smtp_auth.RESOURCE, mailboxes=names)["msg"]


def test_authentication_policies(site: Run) -> None:
    policies = [{"name": "Basic", "mailboxes": [*TWO_NAMES, "lovelace@contoso.com"]}]
    done = site.twice(authentication_policy.RESOURCE, policies=policies, exclusive=True)
    assert done["authentication_policy"]["changed_mailboxes"] == {"invoices@contoso.com": "Basic", "lovelace@contoso.com": "Basic"}


def test_rbac_for_applications(site: Run) -> None:
    done = site.twice(rbac_for_applications.RESOURCE, unique_name="sender", mailboxes=[*TWO_NAMES, "lovelace@contoso.com"])
    assert done["rbac"]["scopes"] == {"sender": ["ada@contoso.com", "erp@contoso.com"]}
    again = site(rbac_for_applications.RESOURCE, unique_name="sender", mailboxes=["ada@contoso.com", "erp@contoso.com"])
    assert again["changed"] is False


def test_shared_mailboxes_and_delegates(site: Run) -> None:
    options = {
        "send_as": ["Lovelace@contoso.com", "ada@contoso.com"],
        "send_on_behalf": ["ada@contoso.com"],
        "message_copy_for_sent_as": True,
    }
    done = site.twice(shared_mailbox.RESOURCE, mailboxes=[{"address": name, **options} for name in TWO_NAMES], exclusive=True)
    assert list(done["shared_mailboxes"]) == ["invoices@contoso.com"]
    assert done["shared_mailboxes"]["invoices@contoso.com"]["send_as"] == ["ada@contoso.com"]
    different = [{"address": TWO_NAMES[0], "state": "absent"}, {"address": TWO_NAMES[1]}]
    assert "are one mailbox, with different options" in site(shared_mailbox.RESOURCE, mailboxes=different)["msg"]
    itself = [{"address": "erp@contoso.com", "send_as": ["bills@contoso.onmicrosoft.com"]}]
    assert (
        "send_as holds bills@contoso.onmicrosoft.com, which is the mailbox itself" in site(shared_mailbox.RESOURCE, mailboxes=itself)["msg"]
    )


@pytest.mark.parametrize("exclusive", [False, True])
def test_high_volume_email_accounts_and_their_applications(site: Run, exclusive: bool) -> None:
    options = {"apps": [app_id("sender").upper(), "sender"], "billing_policy": "Pay as you go", "reply_to": "it@contoso.com"}
    names = [{"address": name, **options} for name in ("Alerts@contoso.com", "alarms@contoso.com")]
    done = site.twice(hve_account.RESOURCE, accounts=names, exclusive=exclusive)
    assert list(done["hve_accounts"]) == ["alerts@contoso.com"]
    assert len(done["hve_accounts"]["alerts@contoso.com"]["apps"]) == 1
    names[0]["state"] = "absent"
    assert "are one account, with different options" in site(hve_account.RESOURCE, accounts=names)["msg"]
    assert [one["address"] for one in site.api.admin.tenant("contoso.onmicrosoft.com")["hve_accounts"]] == ["alarms@contoso.com"]


READS: list[tuple[Any, str, dict[str, Any], str]] = [
    (smtp_auth.RESOURCE, "Get-CASMailbox", {"mailboxes": [{"address": "erp@contoso.com"}]}, "mailboxes"),
    (shared_mailbox.RESOURCE, "Get-Mailbox", {"mailboxes": [{"address": "erp@contoso.com", "state": "absent"}]}, "mailboxes"),
    (shared_mailbox.INFO, "Get-Mailbox", {"mailboxes": ["erp@contoso.com"]}, "mailboxes"),
    (
        authentication_policy.RESOURCE,
        "Get-User",
        {"policies": [{"name": "Basic", "mailboxes": ["erp@contoso.com"]}]},
        "policies: mailboxes",
    ),
    (authentication_policy.INFO, "Get-User", {"mailboxes": ["erp@contoso.com"]}, "mailboxes"),
    (
        authentication_policy.RESOURCE,
        "Get-Mailbox",
        {"policies": [{"name": "Basic", "mailboxes": ["invoices@contoso.com"]}]},
        "policies: mailboxes",
    ),
    (rbac_for_applications.RESOURCE, "Get-Mailbox", {"unique_name": "sender", "mailboxes": ["erp@contoso.com"]}, "mailboxes"),
    (
        exchange_service_principal.RESOURCE,
        "Get-Mailbox",
        {"unique_name": "sender", "full_access": ["erp@contoso.com"]},
        "full_access or send_as",
    ),
    (
        sender_plan.RESOURCE,
        "Get-Mailbox",
        {"senders": [{"name": "ERP", "address": "erp@contoso.com"}]},
        "m365_senders",
    ),
]


@pytest.mark.parametrize(("resource", "cmdlet", "options", "variable"), READS)
def test_an_identity_of_two_objects_is_refused(site: Run, resource: Any, cmdlet: str, options: dict[str, Any], variable: str) -> None:
    before = site.api.admin.tenant("contoso.onmicrosoft.com")
    site.api.admin.fault("exchange", "several_objects", match={"cmdlet": cmdlet}, count=9)
    result = site(resource, **options)
    site.api.admin.clear_faults()
    assert result["msg"].startswith(f"{variable}: ")
    assert "means 2 objects in Exchange: erp@contoso.com" in result["msg"]
    assert result["msg"].count("@contoso.com") >= 3  # the value and both objects
    assert site.api.admin.tenant("contoso.onmicrosoft.com") == before


@pytest.mark.parametrize(("resource", "cmdlet", "options", "variable"), READS)
def test_an_identity_without_an_object_is_a_missing_one(
    site: Run, resource: Any, cmdlet: str, options: dict[str, Any], variable: str
) -> None:
    site.api.admin.fault("exchange", "no_object", match={"cmdlet": cmdlet}, count=9)
    result = site(resource, check_mode=True, **options)
    site.api.admin.clear_faults()
    assert "msg" in result or isinstance(result["changed"], bool)  # a sentence or a plan, no exception
