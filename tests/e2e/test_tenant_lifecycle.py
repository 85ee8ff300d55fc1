"""What a tenant has depends on the list alone, not on the lists before it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.emulator.conftest import TENANT, Start

from .tenant_play import Document, Play

PLANT = {"name": "Plant", "method": "connector", "address": "noreply@contoso.com", "public_addresses": ["203.0.113.10"]}
GATE = {"name": "Gate", "method": "connector", "address": "ops@contoso.com", "public_addresses": ["198.51.100.20"]}


@pytest.fixture
def play(start: Start, tmp_path: Path) -> Play:
    return Play(start(), tmp_path)


def connectors(play: Play) -> dict[str, Any]:
    listed = play.state()["inbound_connectors"]
    return {one["name"]: {name: value for name, value in one.items() if name not in ("guid", "effective")} for one in listed}


def guids(play: Play) -> dict[str, str]:
    return {one["name"]: one["guid"] for one in play.state()["inbound_connectors"]}


def changed(result: Document) -> list[tuple[str, str]]:
    assert "failed" not in result, result
    return [(change["action"], change["object"]) for change in result["changes"] if change["kind"] == "inbound_connector"]


def test_a_new_address_changes_the_connector_in_place(play: Play) -> None:
    assert changed(play(PLANT)) == [("add", "mailops Plant")]
    first = guids(play)
    moved = play(PLANT | {"public_addresses": ["203.0.113.77"]})
    assert changed(moved) == [("change", "mailops Plant")]
    assert guids(play) == first
    assert [one["SenderIPAddresses"] for one in play.state()["inbound_connectors"]] == [["203.0.113.77"]]
    by_certificate = play(PLANT | {"public_addresses": [], "certificate_name": "plant.contoso.com"})
    assert changed(by_certificate) == [("change", "mailops Plant")]
    assert guids(play) == first
    assert not play(PLANT | {"public_addresses": [], "certificate_name": "plant.contoso.com"})["changed"]


def test_a_renamed_sender_keeps_its_connector(play: Play) -> None:
    play(PLANT)
    [guid] = guids(play).values()
    renamed = play(PLANT | {"name": "Plant 2"})
    assert changed(renamed) == [("change", "mailops Plant 2")]
    assert guids(play) == {"mailops Plant 2": guid}


def test_a_removed_sender_loses_its_connector_and_a_check_run_says_so(play: Play) -> None:
    play(PLANT, GATE)
    planned = play(GATE, check_mode=True)
    removal = [change for change in planned["changes"] if change["action"] == "remove"]
    assert [(one["object"], one["risk"], one["reason"]) for one in removal] == [("mailops Plant", "closes", "no sender needs it")]
    assert len(guids(play)) == 2
    play(GATE)
    assert list(guids(play)) == ["mailops Gate"]
    assert changed(play()) == [("remove", "mailops Gate")]
    assert guids(play) == {}
    assert not play()["changed"]


def test_two_owners_do_not_undo_each_other(play: Play) -> None:
    play(PLANT)
    play(GATE, owner="branch")
    assert sorted(guids(play)) == ["branch Gate", "mailops Plant"]
    assert not play(PLANT)["changed"]
    assert not play(GATE, owner="branch")["changed"]
    assert changed(play(owner="branch")) == [("remove", "branch Gate")]
    assert list(guids(play)) == ["mailops Plant"]


def test_a_connector_without_the_mark_is_neither_adopted_nor_removed(play: Play) -> None:
    play(PLANT)
    play.api.admin.change(TENANT, "inbound_connectors", "mailops Plant", Comment="Made by hand")
    refused = play(PLANT)
    assert "mailops Plant exists, and its comment does not have the mark of m365_owner mailops" in refused["msg"]
    assert not play()["changed"]
    assert list(guids(play)) == ["mailops Plant"]


# -- senders that sign in ---------------------------------------------------------------------------------------------

ERP = {"name": "ERP", "kind": "erp", "address": "erp@contoso.com"}
SHOP = {"name": "Shop", "kind": "website", "address": "noreply@contoso.com"}


def rights(play: Play) -> dict[str, list[str]]:
    """The rights of applications on each mailbox that has some."""
    listed = {one["address"]: sorted(grant["right"] for grant in one["grants"]) for one in play.state()["mailboxes"]}
    return {address: names for address, names in listed.items() if names}


def switches(play: Play) -> dict[str, bool]:
    """Each mailbox's SMTP AUTH where it is set."""
    listed = {one["address"]: one["smtp_client_authentication_disabled"] for one in play.state()["mailboxes"]}
    return {address: disabled for address, disabled in listed.items() if disabled is not None}


def test_a_removed_sender_loses_its_permissions_and_smtp_auth(play: Play) -> None:
    assert "failed" not in play(ERP, SHOP)
    assert (sorted(rights(play)), switches(play)) == (
        ["erp@contoso.com", "noreply@contoso.com"],
        {"erp@contoso.com": False, "noreply@contoso.com": False},
    )
    planned = play(ERP, check_mode=True)
    removed = play(ERP)
    assert removed["changes"] == planned["changes"]
    assert [(one["action"], one["kind"], one["risk"]) for one in removed["changes"]] == [
        ("remove", "mailbox_permission", "removes"),
        ("restore", "smtp_auth", "closes"),
    ]
    assert {one["reason"] for one in removed["changes"]} == {"no sender needs it"}
    assert [part["after_header"].split(" ", 1)[1] for part in removed["diff"]] == [
        "exchange_service_principal",
        "smtp_auth (restored: noreply@contoso.com)",
    ]
    assert (rights(play), switches(play)) == ({"erp@contoso.com": ["FullAccess"]}, {"erp@contoso.com": False})
    assert not play(ERP)["changed"]


def test_the_last_senders_removal_closes_what_it_opened(play: Play) -> None:
    play(SHOP)
    assert "failed" not in play()
    assert (rights(play), switches(play)) == ({}, {})
    assert not play()["changed"]


def test_smtp_auth_that_was_set_before_is_restored_or_kept(play: Play) -> None:
    play.api.admin.change(TENANT, "mailboxes", "ops@contoso.com", smtp_client_authentication_disabled=False)
    play.api.admin.change(TENANT, "mailboxes", "noreply@contoso.com", smtp_client_authentication_disabled=True)
    play(SHOP, ERP | {"address": "ops@contoso.com"})
    assert switches(play) == {"ops@contoso.com": False, "noreply@contoso.com": False}
    play()
    assert switches(play) == {"ops@contoso.com": False, "noreply@contoso.com": True}


def test_unused_access_has_precedence_over_the_setting_before(play: Play) -> None:
    play.api.admin.change(TENANT, "mailboxes", "noreply@contoso.com", smtp_client_authentication_disabled=True)
    play(SHOP, unused_access="disable")
    assert "failed" not in play(unused_access="disable")
    assert switches(play) == {}
    assert not play(unused_access="disable")["changed"]


def test_a_sender_that_moves_to_an_alias_of_its_mailbox_keeps_its_permissions(play: Play) -> None:
    play(SHOP)
    moved = play(SHOP | {"address": "no-reply@contoso.com"})
    assert "failed" not in moved, moved
    assert (rights(play), switches(play)) == ({"noreply@contoso.com": ["FullAccess"]}, {"noreply@contoso.com": False})
    assert not play(SHOP | {"address": "no-reply@contoso.com"})["changed"]


def test_a_deleted_mailbox_of_a_gone_sender_is_no_problem(play: Play) -> None:
    play(ERP, SHOP)
    play.api.admin.delete(TENANT, "mailboxes", "erp@contoso.com")
    assert "failed" not in play(SHOP)
    assert not play(SHOP)["changed"]


def test_a_mailbox_that_was_created_is_reported_and_removed_on_request(play: Play) -> None:
    play(ERP, SHOP)
    kept = play(SHOP)
    assert [(entry["kind"], entry["subject"]) for entry in kept["attention"]] == [("orphan", "erp@contoso.com")]
    again = play(SHOP)
    assert (again["changed"], len(again["attention"])) == (False, 1)
    removed = play(SHOP, remove_orphans=True)
    assert [(one["action"], one["kind"], one["object"]) for one in removed["changes"]] == [("remove", "mailbox", "erp@contoso.com")]
    assert "erp@contoso.com" not in {one["address"] for one in play.state()["mailboxes"]}
    done = play(SHOP, remove_orphans=True)
    assert (done["changed"], done["attention"]) == (False, [])


def test_a_mailbox_that_became_a_users_is_neither_reported_nor_removed(play: Play) -> None:
    play(ERP, SHOP)
    play.api.admin.change(TENANT, "mailboxes", "erp@contoso.com", kind="UserMailbox")
    done = play(SHOP, remove_orphans=True)
    assert ("failed" in done, done.get("attention")) == (False, []), done
    assert "erp@contoso.com" in {one["address"] for one in play.state()["mailboxes"]}


def test_two_owners_share_the_sender_app(play: Play) -> None:
    play(ERP)
    play(SHOP, owner="branch")
    assert not play(ERP)["changed"]
    assert not play(SHOP, owner="branch")["changed"]
    play(ERP | SHOP | {"name": "Also shop"})
    play(owner="branch")
    assert rights(play) == {"noreply@contoso.com": ["FullAccess"]}


def test_the_policy_for_basic_authentication_goes_with_its_last_sender(start: Start, tmp_path: Path) -> None:
    play = Play(start(tenant={"security_defaults": False}), tmp_path)
    sender = {"name": "Fax", "address": "ops@contoso.com", "method": "basic"}
    made = play(sender, owner="branch")
    assert "failed" not in made, made
    assert [one["name"] for one in play.state()["policies"]["authentication"]] == ["branch Allow Basic Auth SMTP"]
    assert not play(sender, owner="branch")["changed"]
    planned = play(sender | {"method": "oauth"}, owner="branch", check_mode=True)
    moved = play(sender | {"method": "oauth"}, owner="branch")
    assert "failed" not in moved, moved
    assert moved["changes"] == planned["changes"]
    assert ("remove", "authentication_policy") in {(one["action"], one["kind"]) for one in moved["changes"]}
    assert play.state()["policies"]["authentication"] == []
    assert not play(sender | {"method": "oauth"}, owner="branch")["changed"]


# -- tenants without an application ----------------------------------------------------------------------------------

FAX: Document = {"name": "Fax", "address": "ops@contoso.com", "method": "basic"}
BULK = {"name": "Bulk", "kind": "erp", "method": "hve", "address": "bulk@contoso.com", "recipients": "internal"}
HVE: Document = {"inventory": {"hve_account_password": "a-long-password"}}
LAB = {"name": "Lab", "address": "noreply@contoso.com", "method": "direct_send", "recipients": "internal"}


@pytest.fixture
def basic_play(start: Start, tmp_path: Path) -> Play:
    """A tenant in which Basic authentication works."""
    return Play(start(tenant={"security_defaults": False}), tmp_path)


def policies(play: Play) -> dict[str, str]:
    """The authentication policy of each mailbox that has one."""
    listed = {one["address"]: one["authentication_policy"] for one in play.state()["mailboxes"]}
    return {address: name for address, name in listed.items() if name}


def applications(play: Play) -> set[str]:
    return {one["unique_name"] for one in play.state()["applications"] if one["unique_name"]} - {"mailops-record"}


def accounts(play: Play) -> list[str]:
    return [one["address"] for one in play.state()["hve_accounts"]]


@pytest.mark.parametrize("before", [None, True])
def test_smtp_auth_and_policy_of_a_basic_mailbox_are_restored(basic_play: Play, before: bool | None) -> None:
    play = basic_play
    own = {"name": "Corporate", "allow_basic_smtp": False}
    play(inventory={"authentication_policy_policies": [own | {"mailboxes": ["ops@contoso.com"]}]})
    play.api.admin.change(TENANT, "mailboxes", "ops@contoso.com", smtp_client_authentication_disabled=before)
    play(FAX, FAX | {"name": "Fax 2", "address": "user001@contoso.com"})
    assert switches(play) == {"ops@contoso.com": False, "user001@contoso.com": False}
    assert applications(play) == set()
    planned = play(FAX | {"address": "user001@contoso.com"}, check_mode=True)
    removed = play(FAX | {"address": "user001@contoso.com"})
    assert removed["changes"] == planned["changes"]
    assert [(one["action"], one["kind"], one["object"]) for one in removed["changes"]] == [
        ("restore", "smtp_auth", "ops@contoso.com"),
        ("restore", "policy_assignment", "ops@contoso.com"),
    ]
    assert switches(play) == {"user001@contoso.com": False} | ({} if before is None else {"ops@contoso.com": before})
    assert policies(play) == {"ops@contoso.com": "corporate", "user001@contoso.com": "mailops allow basic auth smtp"}
    play()
    assert switches(play) == ({} if before is None else {"ops@contoso.com": before})
    assert policies(play) == {"ops@contoso.com": "corporate"}
    assert not play()["changed"]


def test_a_setting_that_somebody_changed_since_is_not_restored(basic_play: Play) -> None:
    play = basic_play
    play(FAX)
    play.api.admin.change(TENANT, "mailboxes", "ops@contoso.com", smtp_client_authentication_disabled=True)
    removed = play()
    assert "restore" not in {one["action"] for one in removed["changes"] if one["kind"] == "smtp_auth"}
    assert switches(play) == {"ops@contoso.com": True}
    assert not play()["changed"]


def test_a_high_volume_email_account_is_reported_and_removed_on_request(play: Play) -> None:
    assert "failed" not in play(BULK, **HVE)
    kept = play(**HVE)
    assert [(entry["kind"], entry["subject"]) for entry in kept["attention"]] == [
        ("orphan", "mailops-smtp-sender"),
        ("orphan", "bulk@contoso.com"),
    ]
    assert (accounts(play), applications(play)) == (["bulk@contoso.com"], {"mailops-smtp-sender"})
    assert not play(**HVE)["changed"]
    planned = play(check_mode=True, remove_orphans=True, **HVE)
    removed = play(remove_orphans=True, **HVE)
    assert "failed" not in removed, removed
    assert removed["changes"] == planned["changes"]
    assert {("remove", "hve_account"), ("remove", "application")} <= {(one["action"], one["kind"]) for one in removed["changes"]}
    assert (accounts(play), applications(play)) == ([], set())
    done = play(remove_orphans=True, **HVE)
    assert (done["changed"], done["attention"]) == (False, [])


def test_an_account_and_an_application_that_existed_before_are_no_orphans(play: Play) -> None:
    play(inventory={"hve_account_password": "a-long-password", "hve_account_accounts": [{"address": "bulk@contoso.com"}]}, owner="other")
    play(BULK, **HVE)
    assert play(remove_orphans=True, **HVE)["attention"] == []
    assert accounts(play) == ["bulk@contoso.com"]


def test_a_renamed_sender_app_is_an_orphan_without_permissions(play: Play) -> None:
    play(SHOP)
    renamed = play(SHOP, app_unique_name="another")
    assert "failed" not in renamed, renamed
    assert [entry["subject"] for entry in renamed["attention"]] == ["mailops-smtp-sender"]
    assert ("remove", "FullAccess of mailops-smtp-sender on noreply@contoso.com") in {
        (one["action"], one["object"]) for one in renamed["changes"]
    }
    assert rights(play) == {"noreply@contoso.com": ["FullAccess"]}
    assert not play(SHOP, app_unique_name="another")["changed"]
    assert "failed" not in play(SHOP, app_unique_name="another", remove_orphans=True)
    assert applications(play) == {"another"}
    assert not play(SHOP, app_unique_name="another", remove_orphans=True)["changed"]


def test_an_application_that_was_removed_before_is_an_orphan_again(play: Play) -> None:
    for _ in range(2):
        assert "failed" not in play(SHOP)
        assert applications(play) == {"mailops-smtp-sender"}
        assert "failed" not in play(remove_orphans=True)
        assert applications(play) == set()


def test_direct_send_is_rejected_again_after_its_last_sender(play: Play) -> None:
    play(inventory={"direct_send_rejected": True})
    opened = play(LAB)
    assert ("change", "direct_send", "opens") in {(one["action"], one["kind"], one["risk"]) for one in opened["changes"]}
    closed = play()
    assert [(one["action"], one["kind"], one["risk"]) for one in closed["changes"]] == [("restore", "direct_send", "closes")]
    assert not play()["changed"]


def test_two_owners_need_one_mailbox(basic_play: Play) -> None:
    """The setting from before the first owner is restored after the last one, in either order."""
    play = basic_play
    for first, last in (("mailops", "branch"), ("branch", "mailops")):
        play(SHOP)
        play(SHOP, owner="branch")
        assert not play(SHOP)["changed"]
        play(owner=first)
        assert (rights(play), switches(play)) == ({"noreply@contoso.com": ["FullAccess"]}, {"noreply@contoso.com": False})
        assert not play(SHOP, owner=last)["changed"]
        play(owner=last)
        assert (rights(play), switches(play)) == ({}, {})


def test_a_run_of_some_components_records_what_they_change(basic_play: Play) -> None:
    play = basic_play
    play(FAX, SHOP, components=["smtp_auth"])
    play(FAX, SHOP, components=["identity"])
    assert not play(components=["connectors"])["changed"]
    assert fax_state(play)[0] == {"noreply@contoso.com": False, "ops@contoso.com": False}
    assert "failed" not in play(components=["smtp_auth"])
    assert (fax_state(play), rights(play)) == (({}, set()), {"noreply@contoso.com": ["FullAccess"]})
    assert "failed" not in play()
    assert rights(play) == {}
    assert not play()["changed"]


def fax_state(play: Play) -> tuple[dict[str, bool], set[str]]:
    """SMTP AUTH of mailboxes, and those whose policy allows Basic authentication."""
    return switches(play), {address for address, name in policies(play).items() if "allow" in name}


def test_two_owners_need_one_mailbox_for_basic_authentication(basic_play: Play) -> None:
    play = basic_play
    for first, last in (("mailops", "branch"), ("branch", "mailops")):
        play(FAX)
        play(FAX, owner="branch")
        assert not play(FAX)["changed"]
        assert not play(FAX, owner="branch")["changed"]
        play(owner=first)
        assert fax_state(play) == ({"ops@contoso.com": False}, {"ops@contoso.com"})
        play(FAX, owner=last)
        assert not play(FAX, owner=last)["changed"]
        assert fax_state(play) == ({"ops@contoso.com": False}, {"ops@contoso.com"})
        play(owner=last)
        assert fax_state(play) == ({}, set())
        assert play.state()["policies"]["authentication"] == []


def test_two_owners_that_disable_unused_access_do_not_undo_each_other(basic_play: Play) -> None:
    play = basic_play
    branch: Document = {"owner": "branch", "unused_access": "disable"}
    own, theirs = (SHOP, LAB), (FAX, PLANT)
    for _ in range(2):
        play(*own, unused_access="disable")
        play(*theirs, **branch)
    assert not play(*own, unused_access="disable")["changed"]
    assert not play(*theirs, **branch)["changed"]
    assert fax_state(play) == ({"noreply@contoso.com": False, "ops@contoso.com": False}, {"ops@contoso.com"})
    names = {one["name"] for one in play.state()["policies"]["authentication"]}
    assert names == {"branch Allow Basic Auth SMTP", "mailops Block Basic Auth SMTP"}


# -- a new address for a mailbox --------------------------------------------------------------------------------------

BILLING = ERP | {"address": "billing@contoso.com", "was": "erp@contoso.com"}


def addresses(play: Play) -> dict[str, list[str]]:
    """The secondary addresses of each mailbox by its primary one, without the licensed users' mailboxes."""
    return {one["address"]: one["aliases"] for one in play.state()["mailboxes"] if one["kind"] == "SharedMailbox"}


def test_a_former_address_renames_the_mailbox_and_keeps_the_address(play: Play) -> None:
    play(ERP, SHOP)
    [guid] = [one["guid"] for one in play.state()["mailboxes"] if one["address"] == "erp@contoso.com"]
    planned = play(BILLING, SHOP, check_mode=True)
    renamed = play(BILLING, SHOP)
    assert "failed" not in renamed, renamed
    assert renamed["changes"] == planned["changes"]
    assert [(one["action"], one["key"], one["before"], one["after"], one["reason"]) for one in renamed["changes"]] == [
        ("change", "mailbox:billing@contoso.com", {"address": "erp@contoso.com"}, {"address": "billing@contoso.com"}, "sender ERP")
    ]
    [mailbox] = [one for one in play.state()["mailboxes"] if one["guid"] == guid]
    assert (mailbox["address"], mailbox["aliases"]) == ("billing@contoso.com", ["erp@contoso.com"])
    assert (sorted(rights(play)), sorted(switches(play))) == (["billing@contoso.com", "noreply@contoso.com"],) * 2
    assert not play(BILLING, SHOP)["changed"]
    assert not play({name: value for name, value in BILLING.items() if name != "was"}, SHOP)["changed"]


def test_a_renamed_mailbox_of_a_gone_sender_loses_what_it_had(play: Play) -> None:
    play(ERP)
    play(BILLING)
    kept = play()
    assert [entry["subject"] for entry in kept["attention"]] == ["mailops-smtp-sender", "billing@contoso.com"]
    assert (rights(play), switches(play)) == ({}, {})
    play(remove_orphans=True)
    assert "billing@contoso.com" not in addresses(play)


def test_a_sender_without_permissions_gets_them_on_the_renamed_mailbox(play: Play) -> None:
    """The mailbox is not of this collection, and the sender uses another one to sign in."""
    sender = {"name": "Shop", "kind": "website", "address": "sales@contoso.com", "was": "noreply@contoso.com", "mailbox": "app@contoso.com"}
    planned = play(sender, check_mode=True)
    applied = play(sender)
    assert "failed" not in applied, applied
    assert applied["changes"] == planned["changes"]
    assert addresses(play)["sales@contoso.com"] == ["noreply@contoso.com", "no-reply@contoso.com"]
    assert rights(play) == {"sales@contoso.com": ["SendAs"], "app@contoso.com": ["FullAccess"]}
    assert not play(sender)["changed"]


def test_a_former_address_that_nobody_has_creates_the_mailbox(play: Play) -> None:
    created = play(BILLING)
    assert ("add", "mailbox") in {(one["action"], one["kind"]) for one in created["changes"]}
    assert addresses(play)["billing@contoso.com"] == []
    assert not play(BILLING)["changed"]


def test_two_mailboxes_are_not_made_one(play: Play) -> None:
    play(ERP, SHOP)
    before = play.state()
    refused = play(SHOP | {"was": "erp@contoso.com"})
    assert "erp@contoso.com and noreply@contoso.com are two mailboxes" in refused["msg"]
    assert play.state() == before


@pytest.mark.parametrize(
    ("lists", "sentence"),
    [
        ([ERP | {"address": "x@contoso.com", "was": "ops@contoso.com"}], "a UserMailbox, and only shared mailboxes are renamed"),
        ([ERP | {"was": "not an address"}], "was holds 'not an address'"),
        ([BILLING, SHOP | {"address": "erp@contoso.com"}], "was is erp@contoso.com, still the address or mailbox of Shop"),
        ([BILLING, SHOP | {"was": "erp@contoso.com"}], "becomes billing@contoso.com for another sender"),
    ],
)
def test_a_former_address_that_cannot_be_meant_is_refused(play: Play, lists: list[Document], sentence: str) -> None:
    refused = play(*lists)
    assert sentence in refused["msg"]
    assert play.journal() == []


def test_a_former_address_of_a_connector_sender_changes_no_mailbox(play: Play) -> None:
    play(ERP)
    moved = play(
        {"name": "ERP", "method": "connector", "address": "x@contoso.com", "was": "erp@contoso.com", "public_addresses": ["203.0.113.9"]}
    )
    assert "failed" not in moved, moved
    assert rights(play) == {}
    assert "erp@contoso.com" in addresses(play)


def test_a_former_address_renames_the_high_volume_email_account(play: Play) -> None:
    play(BULK, **HVE)
    [guid] = [one["guid"] for one in play.state()["hve_accounts"]]
    moved = BULK | {"address": "mass@contoso.com", "was": "bulk@contoso.com"}
    planned = play(moved, check_mode=True, **HVE)
    renamed = play(moved, **HVE)
    assert "failed" not in renamed, renamed
    assert renamed["changes"] == planned["changes"]
    [account] = play.state()["hve_accounts"]
    assert (account["guid"], account["address"], account["aliases"]) == (guid, "mass@contoso.com", ["bulk@contoso.com"])
    assert not play(moved, **HVE)["changed"]
    assert [entry["subject"] for entry in play(**HVE)["attention"]] == ["mailops-smtp-sender", "mass@contoso.com"]
