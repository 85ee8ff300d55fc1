# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._exchange.aliases import alias, candidates
from ansible_collections.mailops.m365.plugins.module_utils.resources.shared_mailbox import INFO, RESOURCE

from ....conftest import FakeClock, Play, problems_of
from ....services import Exchange, Refused, missing


class Mailboxes(Exchange):
    """Mailboxes; one that is new is unknown to Set-Mailbox for the first `late` tries."""

    def __init__(self, *items: dict[str, Any], late: int = 0) -> None:
        super().__init__(
            Get_Mailbox=self.get, New_Mailbox=self.new, Set_Mailbox=self.set, Remove_Mailbox=self.remove,
            Get_Recipient=lambda parameters: self.recipients, Get_RecipientPermission=self.permissions,
            Add_RecipientPermission=self.grant, Remove_RecipientPermission=self.withdraw,
            Get_AcceptedDomain=lambda parameters: [{"DomainName": "Contoso.com"}, {"DomainName": "contoso.example"}],
        )  # fmt: skip
        self.items = list(items)
        self.late = late
        self.recipients: list[dict[str, Any]] = []

    def get(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        if "Identity" not in parameters:
            assert parameters == {"RecipientTypeDetails": ["SharedMailbox"], "ResultSize": "Unlimited"}
            return [item for item in self.items if item["RecipientTypeDetails"] == "SharedMailbox"]
        identity = parameters["Identity"]
        matches = [i for i in self.items if identity in (i["Guid"], i["PrimarySmtpAddress"].lower(), i.get("other"))]
        if not matches:
            raise missing(identity)
        return matches

    def new(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        assert parameters["Shared"] is True
        assert parameters["Name"] == parameters["Alias"]
        self.items.append(mailbox(parameters["PrimarySmtpAddress"], parameters["DisplayName"]))
        return self.items[-1:]

    def set(self, parameters: dict[str, Any]) -> None:
        if self.late:
            self.late -= 1
            raise missing(parameters["Identity"])
        mailboxes = dict(parameters)
        item = self.get({"Identity": mailboxes.pop("Identity")})[0]
        table = mailboxes.pop("GrantSendOnBehalfTo", None)
        if table:
            named = [self.get({"Identity": guid})[0]["Name"] for guid in table.get("Add", [])]  # reads back as names
            kept = [name for name in item.get("GrantSendOnBehalfTo", []) if name not in table.get("Remove", [])]
            item["GrantSendOnBehalfTo"] = kept + named
        item.update(mailboxes)

    def permissions(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        item = self.get(parameters)[0]
        trustees = ["NT AUTHORITY\\SELF", "S-1-5-21-1-2-3-4", *item.get("send_as", [])]
        return [{"Trustee": name, "AccessRights": ["SendAs"], "AccessControlType": "Allow"} for name in trustees]

    def grant(self, parameters: dict[str, Any]) -> None:
        user = self.get({"Identity": parameters["Trustee"]})[0]
        self.get(parameters)[0].setdefault("send_as", []).append(user["UserPrincipalName"])

    def withdraw(self, parameters: dict[str, Any]) -> None:
        self.get(parameters)[0]["send_as"].remove(parameters["Trustee"])

    def remove(self, parameters: dict[str, Any]) -> None:
        assert parameters["Confirm"] is False
        self.items.remove(self.get(parameters)[0])


def mailbox(address: str, title: str = "Shop", kind: str = "SharedMailbox", **more: Any) -> dict[str, Any]:
    copies = {"MessageCopyForSentAsEnabled": False, "MessageCopyForSendOnBehalfEnabled": "False"}
    return {"Guid": f"guid-{address}", "PrimarySmtpAddress": address, "DisplayName": title, "RecipientTypeDetails": kind} | copies | more


def test_mailboxes_are_made_changed_and_removed_as_predicted(play: Play) -> None:
    service = Mailboxes(mailbox("shop@contoso.com"), mailbox("old@contoso.com"), mailbox("kept@contoso.com"))
    mailboxes = [
        {"address": "Sales@contoso.com", "message_copy_for_sent_as": True},
        {"address": "shop@contoso.com", "display_name": "Web shop"},
        {"address": "old@contoso.com", "state": "absent"},
        {"address": "gone@elsewhere.example", "state": "absent"},
        {"address": "kept@contoso.com"},
    ]
    planned = play(RESOURCE, service, check_mode=True, mailboxes=mailboxes)
    assert service.writes == []
    done = play(RESOURCE, service, mailboxes=mailboxes)
    for key in ("changed", "diff", "shared_mailboxes"):
        assert planned[key] == done[key]
    assert service.ran("New-")[0]["DisplayName"] == "sales"
    changes = {c["Identity"]: c for c in service.ran("Set-")}
    assert changes["guid-sales@contoso.com"] == {"Identity": "guid-sales@contoso.com", "MessageCopyForSentAsEnabled": True}
    assert changes["guid-shop@contoso.com"] == {"Identity": "guid-shop@contoso.com", "DisplayName": "Web shop"}
    assert [c["Identity"] for c in service.ran("Remove-")] == ["guid-old@contoso.com"]
    assert play(INFO, service)["shared_mailboxes"] == done["shared_mailboxes"]
    again = play(RESOURCE, service, mailboxes=mailboxes)
    assert (again["changed"], again["cost"]["requests"]) == (False, 1)


def test_new_mailbox_is_waited_for_until_it_is_replicated(play: Play, clock: FakeClock) -> None:
    service = Mailboxes(late=2)
    play(RESOURCE, service, mailboxes=[{"address": "a@contoso.com", "message_copy_for_send_on_behalf": True}])
    assert len(service.ran("New-")) == 1
    assert service.items[0]["MessageCopyForSendOnBehalfEnabled"] is True
    assert sum(clock.slept) == 6


@pytest.mark.parametrize("check_mode", [False, True])
def test_all_conflicts_are_reported_at_once(play: Play, check_mode: bool) -> None:
    service = Mailboxes(mailbox("ada@contoso.com", kind="UserMailbox"), mailbox("shop@contoso.com", other="web@contoso.com"))
    mailboxes: list[dict[str, Any]] = [{"address": "ada@contoso.com", "state": "absent"}]
    names = ("shop@contoso.com", "web@contoso.com", "x@elsewhere.example", "new@contoso.com", "new@contoso.example")
    mailboxes += [{"address": name, "display_name": name} for name in names]
    result = play(RESOURCE, service, check_mode=check_mode, mailboxes=mailboxes)
    assert result["failure"]["problems"] == [
        "mailboxes: ada@contoso.com is a UserMailbox, not a SharedMailbox, and is neither converted nor removed: convert it to a shared "
        "mailbox, or remove it from the list; nothing was changed.",
        "mailboxes: shop@contoso.com and web@contoso.com are one mailbox, with different options: keep one of them.",
        "mailboxes: x@elsewhere.example: not in an accepted domain of this tenant (contoso.com, contoso.example): correct the address; "
        "nothing was changed.",
    ]
    assert (result["changed"], service.writes) == (False, [])


def test_new_mailboxes_of_one_local_part_get_names_of_their_own(play: Play) -> None:
    service = Mailboxes()
    long = "x" * 64
    listed = ["noreply@contoso.com", "NoReply@contoso.example", f"{long}@contoso.com", f"{long}@contoso.example"]
    service.recipients = [{"Guid": "g", "Alias": "info", "Name": "Info-Contoso-Com", "PrimarySmtpAddress": "x@contoso.com"}]
    listed += ["info@contoso.com", "d'angelo@contoso.com", "d-angelo@contoso.com"]
    play(RESOURCE, service, mailboxes=[{"address": address} for address in listed])
    created = {parameters["PrimarySmtpAddress"]: parameters["Name"] for parameters in service.ran("New-Mailbox")}
    names = [created[address.lower()] for address in listed]
    assert names[:3] == ["noreply", "noreply-contoso-example", long]
    assert re.fullmatch("x{53}-[0-9a-f]{10}", names[3])
    assert re.fullmatch("info-[0-9a-f]{10}", names[4])
    assert names[5:] == ["d-angelo", "d-angelo-contoso-com"]
    titles = {parameters["PrimarySmtpAddress"]: parameters["DisplayName"] for parameters in service.ran("New-Mailbox")}
    assert titles["noreply@contoso.com"] == titles["noreply@contoso.example"] == "noreply"
    assert "EmailAddresses -eq 'smtp:d''angelo@contoso.com'" in service.ran("Get-Recipient")[0]["Filter"]


def test_an_address_without_a_free_name_is_refused(play: Play) -> None:
    service = Mailboxes()
    service.recipients = [{"Guid": name, "Alias": name, "Name": name} for name in candidates("info@contoso.com")]
    result = play(RESOURCE, service, mailboxes=[{"address": "info@contoso.com"}])
    assert "info@contoso.com: the names info, info-contoso-com, info-" in result["msg"]
    assert "are all in use: choose another local part; nothing was changed." in result["msg"]


def test_input_problems_are_reported_without_a_request() -> None:
    mailboxes = [{"address": "nonsense"}, {"address": "a@b.example", "display_name": " "}, {"address": "A@b.example"}]
    assert len(problems_of(RESOURCE, mailboxes=mailboxes)) == 3
    assert len(problems_of(INFO, mailboxes=["nonsense"])) == 1


def test_refused_creation_is_reported_and_not_repeated(play: Play) -> None:
    def refuse(parameters: dict[str, Any]) -> None:
        raise Refused("ADObjectAlreadyExistsException", "Taken.")

    service = Mailboxes()
    service.cmdlets["New-Mailbox"] = refuse
    result = play(RESOURCE, service, mailboxes=[{"address": "a@contoso.com"}])
    assert "Could not create the shared mailbox a@contoso.com" in result["msg"]
    assert len(service.ran("New-")) == 1


def test_the_info_module_leaves_out_what_is_no_shared_mailbox(play: Play) -> None:
    service = Mailboxes(mailbox("ada@contoso.com", kind="UserMailbox"), mailbox("shop@contoso.com"))
    read = play(INFO, service, mailboxes=["ada@contoso.com", "Shop@contoso.com", "none@contoso.com"])
    assert list(read["shared_mailboxes"]) == ["shop@contoso.com"]


@pytest.mark.parametrize(("local", "name"), [("web.shop", "web.shop"), ("a+b&c", "a-b-c"), (".a..b.", "-a-b-"), ("x_y-1", "x_y-1")])
def test_the_alias_comes_from_the_local_part(local: str, name: str) -> None:
    assert alias(f"{local}@contoso.com") == name


def test_a_mailbox_gets_a_new_address_and_keeps_the_former_one(play: Play) -> None:
    old = mailbox("old@contoso.com", send_as=["ops@contoso.com"], EmailAddresses=["SMTP:old@contoso.com", "smtp:x@contoso.com"])
    user = mailbox("ops@contoso.com", UserPrincipalName="ops@contoso.com")
    service = Mailboxes(old, user)
    listed = [{"address": "new@contoso.com", "was": "Old@contoso.com", "display_name": "New", "send_as": ["ops@contoso.com"]}]
    planned = play(RESOURCE, service, check_mode=True, mailboxes=listed)
    done = play(RESOURCE, service, mailboxes=listed)
    assert planned["diff"] == done["diff"]
    assert done["diff"]["before"]["new@contoso.com"]["address"] == "old@contoso.com"
    assert done["diff"]["after"]["new@contoso.com"]["address"] == "new@contoso.com"
    entries = ["SMTP:new@contoso.com", "smtp:old@contoso.com", "smtp:x@contoso.com"]
    assert service.writes == ["Set-Mailbox"], "SendAs is granted already"
    assert service.ran("Set-") == [{"Identity": "guid-old@contoso.com", "DisplayName": "New", "EmailAddresses": entries}]
    old |= {"PrimarySmtpAddress": "new@contoso.com", "other": "old@contoso.com"}
    assert not play(RESOURCE, service, mailboxes=listed)["changed"]


def test_two_mailboxes_are_not_made_one(play: Play) -> None:
    service = Mailboxes(mailbox("old@contoso.com"), mailbox("new@contoso.com"))
    result = play(RESOURCE, service, mailboxes=[{"address": "new@contoso.com", "was": "old@contoso.com"}])
    assert "new@contoso.com and old@contoso.com (was) are two mailboxes" in result["msg"]
    assert service.writes == []


def test_a_new_address_of_another_recipient_is_refused(play: Play) -> None:
    service = Mailboxes(mailbox("old@contoso.com"))
    service.recipients = [
        {"Guid": "g", "Alias": "x", "Name": "x", "PrimarySmtpAddress": "new@contoso.com", "RecipientTypeDetails": "MailContact"}
    ]
    result = play(RESOURCE, service, mailboxes=[{"address": "new@contoso.com", "was": "old@contoso.com"}])
    assert "new@contoso.com is an address of new@contoso.com (MailContact)" in result["msg"]
    foreign = play(RESOURCE, service, mailboxes=[{"address": "new@elsewhere.example", "was": "old@contoso.com"}])
    assert "new@elsewhere.example: not in an accepted domain" in foreign["msg"]
