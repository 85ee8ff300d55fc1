"""RBAC for Applications in the plan of a whole tenant: what a list no longer needs ends, and a migration interrupts no sender."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.emulator.conftest import TENANT, Start

from .tenant_play import Document, Play

ERP: Document = {"name": "ERP", "kind": "erp", "address": "erp@contoso.com"}
SHOP: Document = {"name": "Shop", "kind": "website", "address": "noreply@contoso.com"}
BULK: Document = {"name": "Bulk", "method": "hve", "address": "bulk@contoso.com", "recipients": "internal", "oauth": True}


def settings(authorization: str = "rbac", settle_time: int = 0) -> Document:
    own = {"entra_app_authorization": authorization, "entra_app_settle_time": settle_time, "hve_account_password": "a-long-password"}
    return {"inventory": own}


@pytest.fixture
def play(start: Start, tmp_path: Path) -> Play:
    return Play(start(), tmp_path)


def scopes(play: Play) -> list[str]:
    """The recipient filters of the scopes in which the sender app has the role."""
    every: Document = play.api.admin.tenant(TENANT)
    filters = {one["guid"]: one["recipient_filter"] for one in every["management_scopes"]}
    live = [one for one in every["management_role_assignments"] if one.get("ends") is None]
    assert len(live) == len(filters)
    return sorted(filters[one["scope"]] for one in live)


def full_access(play: Play) -> list[str]:
    return sorted(one["address"] for one in play.state()["mailboxes"] if any(grant["right"] == "FullAccess" for grant in one["grants"]))


def consents(play: Play) -> list[str]:
    [app] = [one for one in play.state()["applications"] if one["unique_name"] == "mailops-smtp-sender"]
    return sorted(role["role"].rpartition("/")[2] for role in app["service_principal"]["app_roles"])


def applied(play: Play, *senders: Document, **options: Any) -> Document:
    """The run's result, which the check run has predicted; the next run changes nothing."""
    planned = play(*senders, check_mode=True, **options)
    result = play(*senders, **options)
    assert "failed" not in result, result
    assert result["changes"] == planned["changes"]
    assert not play(*senders, **options)["changed"]
    return result


def test_the_role_of_a_removed_sender_ends_with_it(play: Play) -> None:
    applied(play, ERP, SHOP, **settings())
    assert scopes(play) == ["((PrimarySmtpAddress -eq 'erp@contoso.com') -or (PrimarySmtpAddress -eq 'noreply@contoso.com'))"]
    applied(play, SHOP, **settings())
    assert scopes(play) == ["PrimarySmtpAddress -eq 'noreply@contoso.com'"]
    removed = applied(play, **settings())
    assert ("remove", "rbac_for_applications", "no sender needs it") in {(c["action"], c["kind"], c["reason"]) for c in removed["changes"]}
    assert scopes(play) == []


@pytest.mark.parametrize("remove_orphans", [False, True])
def test_the_role_ends_with_its_application(play: Play, remove_orphans: bool) -> None:
    applied(play, ERP, **settings())
    applied(play, remove_orphans=remove_orphans)
    assert scopes(play) == []


@pytest.mark.parametrize("before", ["rbac", "mailbox_permissions"])
def test_an_application_without_mailboxes_has_no_scope_and_no_consent(play: Play, before: str) -> None:
    applied(play, ERP, **settings(before))
    applied(play, BULK, **settings())
    assert (scopes(play), full_access(play), consents(play)) == ([], [], ["Mail.Send"])


def test_mailbox_permissions_stay_until_the_migration_has_settled(play: Play) -> None:
    """Tokens with SMTP.SendAsApp need FullAccess until they have expired."""
    applied(play, ERP, SHOP, **settings("mailbox_permissions"))
    applied(play, SHOP, **settings(settle_time=3600))
    assert (scopes(play), full_access(play), consents(play)) == (
        ["PrimarySmtpAddress -eq 'noreply@contoso.com'"],
        ["noreply@contoso.com"],
        ["SMTP.SendAsApp"],
    )
    applied(play, SHOP, **settings())
    assert (full_access(play), consents(play)) == ([], [])


@pytest.mark.parametrize("sender", [SHOP, {"name": "New", "address": "new@contoso.com", "method": "oauth"}])
def test_a_migration_back_obeys_the_settle_time_of_the_inventory(play: Play, sender: Document) -> None:
    applied(play, SHOP, **settings())
    applied(play, sender, **settings("mailbox_permissions", 3600))
    assert (scopes(play), consents(play)) == (["PrimarySmtpAddress -eq 'noreply@contoso.com'"], [])
    applied(play, sender, **settings("mailbox_permissions"))
    assert (scopes(play), full_access(play), consents(play)) == ([], [sender["address"]], ["SMTP.SendAsApp"])


def test_two_owners_share_the_scopes_of_their_application(play: Play) -> None:
    both = ["((PrimarySmtpAddress -eq 'erp@contoso.com') -or (PrimarySmtpAddress -eq 'noreply@contoso.com'))"]
    play(ERP, **settings())
    play(SHOP, owner="branch", **settings())
    for _ in range(2):
        assert not play(ERP, **settings())["changed"]
        assert not play(SHOP, owner="branch", **settings())["changed"]
    assert scopes(play) == both
    applied(play, **settings())
    assert scopes(play) == ["PrimarySmtpAddress -eq 'noreply@contoso.com'"]
    assert not play(SHOP, owner="branch", **settings())["changed"]
    applied(play, owner="branch", **settings())
    assert scopes(play) == []


# -- mailboxes that are removed or renamed in the same plan -----------------------------------------------------------


def test_unused_access_is_disabled_where_the_same_plan_removes_a_mailbox(play: Play) -> None:
    applied(play, ERP, SHOP, unused_access="disable")
    removed = applied(play, SHOP, unused_access="disable", remove_orphans=True)
    assert ("remove", "mailbox", "erp@contoso.com") in {(one["action"], one["kind"], one["object"]) for one in removed["changes"]}


def test_two_former_addresses_of_one_mailbox_are_refused(play: Play) -> None:
    renamed = [
        {"name": "One", "method": "oauth", "address": "one@contoso.com", "was": "noreply@contoso.com"},
        {"name": "Two", "method": "oauth", "address": "two@contoso.com", "was": "no-reply@contoso.com"},
    ]
    before = play.state()
    refused = play(*renamed)
    sentence = "m365_senders: One, Two: noreply@contoso.com and no-reply@contoso.com (was) are one mailbox, noreply@contoso.com"
    assert sentence in " ".join(refused["failure"]["problems"])
    assert (play.state(), play.journal()) == (before, [])
