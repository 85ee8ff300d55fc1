# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users who may send as a shared mailbox or on its behalf, and names that other recipients have already."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils.resources.shared_mailbox import RESOURCE

from ....conftest import Play, problems_of
from .test_shared_mailbox import Mailboxes, mailbox

SHOP = "shop@contoso.com"


def user(name: str) -> dict[str, Any]:
    """Name and user principal name are not the address, as in many tenants."""
    return mailbox(f"{name}@contoso.com", kind="UserMailbox", Name=f"{name.title()} Berg", UserPrincipalName=f"{name}@contoso.example")


def service(**shop: Any) -> Mailboxes:
    return Mailboxes(mailbox(SHOP, **shop), user("ada"), user("bob"))


def test_rights_are_granted_as_predicted_and_once(play: Play) -> None:
    exchange = service(send_as=["bob@contoso.example"])
    mailboxes = [{"address": SHOP, "send_as": ["Ada@contoso.com"], "send_on_behalf": ["bob@contoso.com"], "display_name": "Web shop"}]
    planned = play(RESOURCE, exchange, check_mode=True, mailboxes=mailboxes)
    assert exchange.writes == []
    done = play(RESOURCE, exchange, mailboxes=mailboxes)
    for key in ("changed", "diff", "shared_mailboxes"):
        assert planned[key] == done[key]
    assert done["diff"]["before"][SHOP]["send_as"] == ["bob@contoso.com"]
    assert done["shared_mailboxes"][SHOP]["send_as"] == ["ada@contoso.com", "bob@contoso.com"]
    [changed] = exchange.ran("Set-Mailbox")
    assert changed["GrantSendOnBehalfTo"] == {"@odata.type": "#Exchange.GenericHashTable", "Add": ["guid-bob@contoso.com"]}
    assert changed["DisplayName"] == "Web shop"
    again = play(RESOURCE, exchange, mailboxes=mailboxes)
    assert (again["changed"], again["cost"]["requests"]) == (False, 1)


def test_exclusive_withdraws_from_other_users_and_leaves_applications_alone(play: Play) -> None:
    exchange = service(send_as=["bob@contoso.example"], GrantSendOnBehalfTo=["Bob Berg", "Ada Berg"])
    mailboxes = [{"address": SHOP, "send_as": [], "send_on_behalf": ["ada@contoso.com"]}]
    done = play(RESOURCE, exchange, mailboxes=mailboxes, exclusive=True)
    assert (done["shared_mailboxes"][SHOP]["send_as"], done["shared_mailboxes"][SHOP]["send_on_behalf"]) == ([], ["ada@contoso.com"])
    assert [entry["Trustee"] for entry in exchange.ran("Remove-RecipientPermission")] == ["bob@contoso.example"]
    assert exchange.ran("Set-Mailbox")[0]["GrantSendOnBehalfTo"]["Remove"] == ["Bob Berg"]
    assert play(RESOURCE, exchange, mailboxes=mailboxes, exclusive=True)["changed"] is False


def test_a_new_mailbox_gets_its_rights_at_once(play: Play) -> None:
    exchange = Mailboxes(user("ada"))
    mailboxes = [{"address": SHOP, "send_as": ["ada@contoso.com"]}]
    planned, done = (play(RESOURCE, exchange, check_mode=check, mailboxes=mailboxes) for check in (True, False))
    assert planned["diff"] == done["diff"]
    assert exchange.ran("Add-RecipientPermission")[0]["Trustee"] == "guid-ada@contoso.com"
    assert play(RESOURCE, exchange, mailboxes=mailboxes)["changed"] is False


def test_unknown_users_are_reported_before_any_write(play: Play) -> None:
    exchange = service()
    mailboxes = [{"address": SHOP, "send_as": ["nobody@contoso.com"], "send_on_behalf": ["none@contoso.com"], "display_name": "New"}]
    result = play(RESOURCE, exchange, mailboxes=mailboxes)
    assert "nobody@contoso.com, none@contoso.com: no mailbox of this tenant" in result["msg"]
    assert exchange.writes == []


def test_addresses_of_other_recipients_are_refused_and_their_names_avoided_in_one_request(play: Play) -> None:
    exchange = Mailboxes()
    group = {"Guid": "g", "RecipientTypeDetails": "MailUniversalDistributionGroup", "PrimarySmtpAddress": "all@contoso.com"}
    exchange.recipients = [group | {"Alias": "new", "Name": "all", "EmailAddresses": ["SMTP:all@contoso.com", "smtp:old@contoso.com"]}]
    mailboxes = [{"address": f"{name}@contoso.com"} for name in ("new", "old", "other")]
    result = play(RESOURCE, exchange, check_mode=True, mailboxes=mailboxes)
    assert result["failure"]["problems"] == [
        "mailboxes: old@contoso.com is an address of all@contoso.com (MailUniversalDistributionGroup): choose another one, or remove it "
        "there; nothing was changed.",
    ]
    assert len(exchange.ran("Get-Recipient")) == 1
    del mailboxes[1]
    play(RESOURCE, exchange, mailboxes=mailboxes)
    assert {parameters["Alias"] for parameters in exchange.ran("New-Mailbox")} == {"new-contoso-com", "other"}


def test_bad_input() -> None:
    mailboxes = [{"address": SHOP, "send_as": ["x", SHOP], "send_on_behalf": ["a@b.example", "A@b.example"]}]
    assert problems_of(RESOURCE, mailboxes=mailboxes) == [
        "mailboxes: shop@contoso.com: send_as holds 'x', which is no mail address (name@domain).",
        "mailboxes: shop@contoso.com: send_as holds the mailbox itself: remove it.",
        "mailboxes: shop@contoso.com: send_on_behalf holds A@b.example twice: keep one.",
    ]
