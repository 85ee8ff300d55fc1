"""New mailboxes and accounts get names that are free in the organization; quotation marks in addresses reach no filter unquoted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources import (
    conditional_access,
    exchange_service_principal,
    hve_account,
    rbac_for_applications,
    shared_mailbox,
)

from tests.emulator.conftest import Start, app_id

from .emulated import Run

DOMAINS = ["contoso.com", "fabrikam.com", "mail.fabrikam.com"]
LONG = "a-very-long-local-part-of-an-address-with-sixty-four-characters0"


@pytest.fixture
def site(start: Start, state: dict[str, Any], tmp_path: Path) -> Run:
    applications = [*state["tenants"][0]["applications"], {"display_name": "sender", "unique_name": "sender", "service_principal": {}}]
    registered = [{"app_id": app_id("sender"), "display_name": "sender"}]
    people = [{"address": "o'neil@contoso.com"}, {"address": "info@contoso.com"}]
    tenant = {"domains": DOMAINS, "mailboxes": people, "applications": applications, "exchange_service_principals": registered}
    return Run(start(tenant=tenant), tmp_path / "run")


def names(site: Run, collection: str) -> list[str]:
    objects = site.api.admin.tenant("contoso.onmicrosoft.com")[collection]
    return [one["name"] for one in objects if one["address"] not in ("o'neil@contoso.com", "info@contoso.com")]


def test_one_local_part_in_several_domains(site: Run) -> None:
    listed = [f"{local}@{domain}" for local in ("noreply", "Info") for domain in DOMAINS[1:]] + ["noreply@contoso.com"]
    site.twice(shared_mailbox.RESOURCE, mailboxes=[{"address": address} for address in listed])
    expected = {"noreply", "noreply-mail-fabrikam-com", "info-fabrikam-com", "info-mail-fabrikam-com", "noreply-contoso-com"}
    assert set(names(site, "mailboxes")) == expected
    accounts = [{"address": f"noreply@{domain}", "password": "long enough, really"} for domain in ("contoso.onmicrosoft.com",)]
    accounts += [{"address": f"alarms@{domain}", "password": "long enough, really"} for domain in DOMAINS]
    site.twice(hve_account.RESOURCE, accounts=accounts)
    assert names(site, "hve_accounts") == ["noreply-contoso-onmicrosoft-com", "alarms", "alarms-fabrikam-com", "alarms-mail-fabrikam-com"]


def test_names_stay_within_64_characters(site: Run) -> None:
    site.twice(shared_mailbox.RESOURCE, mailboxes=[{"address": f"{LONG}@{domain}"} for domain in DOMAINS])
    lengths = [len(name) for name in names(site, "mailboxes")]
    assert (len(lengths), max(lengths)) == (3, 64)


def test_quotation_marks_in_addresses(site: Run) -> None:
    listed = ["d'angelo@contoso.com", "d'angelo@fabrikam.com", "'x''y'@contoso.com", "rock+roll#1$&{1}@contoso.com", "plain@contoso.com"]
    site.twice(shared_mailbox.RESOURCE, mailboxes=[{"address": address, "send_as": ["o'neil@contoso.com"]} for address in listed])
    site.twice(exchange_service_principal.RESOURCE, unique_name="sender", full_access=listed, exclusive=True)
    site.twice(rbac_for_applications.RESOURCE, unique_name="sender", mailboxes=[*listed, "o'neil@contoso.com"])
    account = {"address": "o'hara@fabrikam.com", "password": "long enough, really", "reply_to": "o'neil@contoso.com"}
    site.twice(hve_account.RESOURCE, accounts=[account])
    asked = site(conditional_access.INFO, senders=[{"address": "O'Neil@contoso.com", "method": "basic"}])
    assert "evaluated as one that no policy names" not in str(asked.get("notes", ""))


def test_an_address_in_use_is_refused_by_its_holder(site: Run) -> None:
    site(hve_account.RESOURCE, accounts=[{"address": "alarms@contoso.com", "password": "long enough, really"}])
    result = site(shared_mailbox.RESOURCE, mailboxes=[{"address": "alarms@contoso.com"}, {"address": "other@contoso.com"}])
    assert "alarms@contoso.com is an address of alarms@contoso.com (MailUser)" in result["msg"]
    result = site(hve_account.RESOURCE, accounts=[{"address": "o'neil@contoso.com", "password": "long enough, really"}])
    assert "o'neil@contoso.com is a UserMailbox, which cannot become a High Volume Email account" in result["msg"]


@pytest.mark.parametrize("value", ["it@contoso.com", "o'neil@contoso.com"])
def test_reply_to_and_billing_policy_are_cleared(site: Run, value: str) -> None:
    site.api.admin.put("contoso.onmicrosoft.com", "billing_policies", "b0000000-0000-4000-8000-000000000001", name="Paid")
    account = {"address": "alarms@contoso.com", "password": "long enough, really"}
    site.twice(hve_account.RESOURCE, accounts=[account | {"reply_to": value, "billing_policy": "Paid"}])
    done = site.twice(hve_account.RESOURCE, accounts=[account | {"reply_to": "", "billing_policy": "none"}])
    assert done["hve_accounts"]["alarms@contoso.com"]["reply_to"] is None
    assert done["hve_accounts"]["alarms@contoso.com"]["billing_policy"] is None
