# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources.exchange_service_principal import RESOURCE

from ....conftest import FakeClock, Play, problems_of
from ....script import Script, graph_error
from ....services import Exchange, Refused, missing

APP, OBJECT, WRONG = "app-client", "enterprise-object", "registration-object"
NAME = "/v1.0/applications(uniqueName='sender')?$select=appId"
PRINCIPAL = f"/v1.0/servicePrincipals(appId='{APP}')?$select=id,appId,displayName"


class Organization(Exchange):
    """An Exchange organization whose permissions read back as the service shows them: by SID, joined, with others' entries.

    `late` is how many grants fail because the new principal has not arrived yet.
    """

    def __init__(self, script: Script, *mailboxes: str, registered: str = "", wrong: tuple[str, ...] = (), late: int = 0) -> None:
        super().__init__(script, **{name[1:]: getattr(self, name) for name in vars(Organization) if name[1:2].isupper()})
        self.mailboxes, self.late = mailboxes, late
        self.aliases: dict[str, str] = {}  # other address -> primary address
        self.users: set[str] = set()  # primary addresses of user mailboxes
        self.principals = [self.principal(object_id) for object_id in (*wrong, registered) if object_id]
        self.rights: set[tuple[str, str]] = set()  # (right, address) of the registered principal

    @staticmethod
    def principal(object_id: str, name: str = "Sender") -> dict[str, Any]:
        return {
            "AppId": APP.upper(),
            "ObjectId": object_id,
            "DisplayName": name,
            "Sid": f"S-1-5-21-{len(object_id)}",
            "ServiceId": object_id,
        }

    def _sid(self, identity: str) -> str:
        current = next((p for p in self.principals if p["ObjectId"] == identity), None)
        if not current or self.late > 0:
            self.late -= 1
            raise missing(identity)
        return str(current["Sid"])

    def _mailbox(self, parameters: dict[str, Any]) -> str:
        identity = str(parameters["Identity"]).lower().removeprefix("guid-")
        address = self.aliases.get(identity, identity)
        if address not in self.mailboxes:
            raise missing(parameters["Identity"])
        return address

    def _Get_ServicePrincipal(self, parameters: dict[str, Any]) -> Any:  # noqa: N802 - the cmdlet's name
        return [*self.principals, {"AppId": "other", "ObjectId": "other", "DisplayName": "Other", "Sid": "S-1-9"}]

    def _New_ServicePrincipal(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        assert set(parameters) == {"AppId", "ObjectId", "DisplayName"}
        self.principals.append(self.principal(parameters["ObjectId"], parameters["DisplayName"]))
        return self.principals[-1:]

    def _Set_ServicePrincipal(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        next(p for p in self.principals if p["ObjectId"] == parameters["Identity"])["DisplayName"] = parameters["DisplayName"]

    def _Remove_ServicePrincipal(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        assert parameters["Confirm"] is False
        self.principals = [p for p in self.principals if p["ObjectId"] != parameters["Identity"]]

    def _Get_Mailbox(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        listed = [self._mailbox(parameters)] if "Identity" in parameters else self.mailboxes
        names = {address: [f"smtp:{other}" for other, own in self.aliases.items() if own == address] for address in listed}
        kinds = {address: "UserMailbox" if address in self.users else "SharedMailbox" for address in listed}
        return [
            {
                "Guid": f"guid-{a}",
                "PrimarySmtpAddress": a.title(),
                "EmailAddresses": [f"SMTP:{a}", *names[a]],
                "RecipientTypeDetails": kinds[a],
            }
            for a in listed
        ]

    def _Get_AcceptedDomain(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        return [{"DomainName": "contoso.com"}]

    def _Get_MailboxPermission(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        address = self._mailbox(parameters)
        current = [{"Identity": address, "User": "NT AUTHORITY\\SELF", "AccessRights": ["FullAccess, ReadPermission"], "Deny": "False"}]
        for principal in self.principals:
            if ("FullAccess", address) in self.rights:
                current.append({"User": principal["Sid"], "AccessRights": ["FullAccess, ReadPermission"], "Deny": "False"})
        return current

    def _Get_RecipientPermission(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        address = self._mailbox(parameters)
        return [
            {"Trustee": p["Sid"], "TrusteeSidString": p["Sid"], "AccessControlType": "Allow", "AccessRights": ["SendAs"]}
            for p in self.principals
            if ("SendAs", address) in self.rights
        ]

    def _Add_MailboxPermission(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        self._sid(parameters["User"])
        assert (parameters["AccessRights"], parameters["AutoMapping"], parameters["InheritanceType"]) == (["FullAccess"], False, "All")
        self.rights.add(("FullAccess", self._mailbox(parameters)))

    def _Add_RecipientPermission(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        self._sid(parameters["Trustee"])
        assert (parameters["AccessRights"], parameters["Confirm"]) == (["SendAs"], False)
        self.rights.add(("SendAs", self._mailbox(parameters)))

    def _Remove_MailboxPermission(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        assert (parameters["User"], parameters["Confirm"]) == (OBJECT, False)
        self.rights.remove(("FullAccess", self._mailbox(parameters)))

    def _Remove_RecipientPermission(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        assert (parameters["Trustee"], parameters["Confirm"]) == (OBJECT, False)
        self.rights.remove(("SendAs", self._mailbox(parameters)))


@pytest.fixture
def in_entra(script: Script) -> Script:
    """The application and its enterprise application exist in Entra."""
    script.expect("GET", NAME).answers(200, {"appId": APP})
    script.expect("GET", PRINCIPAL).answers(200, {"id": OBJECT, "appId": APP, "displayName": "Sender"})
    return script


# -- input ------------------------------------------------------------------------------------------------------------


def test_invalid_addresses_of_both_lists_are_reported_at_once() -> None:
    problems = problems_of(RESOURCE, unique_name="sender", full_access=["nonsense", ""], send_as=["a@b.com", "A@b.com"])
    assert [problem.split(" ")[0] for problem in problems] == ["full_access", "full_access", "send_as"]


def test_an_application_that_entra_lacks_is_an_error_and_in_check_mode_a_note(play: Play, script: Script) -> None:
    script.expect("GET", NAME).answers(404, graph_error("Request_ResourceNotFound"))
    service = Organization(script, "a@contoso.com")
    result = play(RESOURCE, service, unique_name="sender", full_access=["a@contoso.com"])
    assert "Entra has no enterprise application for sender: register it first (module entra_app)." in result["msg"]
    script.expect("GET", NAME).answers(404, graph_error("Request_ResourceNotFound"))
    result = play(RESOURCE, service, check_mode=True, unique_name="sender", full_access=["a@contoso.com"])
    assert result["changed"] is True
    assert "the prediction assumes that an earlier task of the real run creates it" in result["notes"][0]
    assert result["service_principal"] == {
        "app_id": None, "object_id": None, "display_name": "sender", "full_access": ["a@contoso.com"], "send_as": []
    }  # fmt: skip


def test_missing_mailbox_is_reported_even_before_the_application_exists(play: Play, script: Script) -> None:
    script.expect("GET", NAME).answers(404, graph_error("Request_ResourceNotFound"))
    result = play(RESOURCE, Organization(script), check_mode=True, unique_name="sender", full_access=["a@contoso.com"])
    assert "Exchange has no mailbox a@contoso.com" in result["msg"]


def test_all_missing_mailboxes_are_named_before_anything_is_written(play: Play, in_entra: Script, journal_dir: Any) -> None:
    service = Organization(in_entra, "a@contoso.com")
    permissions = {"full_access": ["a@contoso.com", "b@contoso.com"], "send_as": ["c@contoso.com", "d@fabrikam.com"]}
    result = play(RESOURCE, service, unique_name="sender", **permissions)
    assert result["failure"]["problems"] == [
        "full_access: Exchange has no mailbox b@contoso.com: create it or correct the address; nothing was changed.",
        "send_as: Exchange has no mailbox c@contoso.com: create it or correct the address; nothing was changed.",
        "send_as: d@fabrikam.com: not in an accepted domain of this tenant (contoso.com): correct the address; nothing was changed.",
    ]
    assert service.writes == []
    assert not journal_dir.exists()


# -- registering and granting -----------------------------------------------------------------------------------------


def test_an_application_is_registered_with_the_enterprise_applications_object_id(play: Play, in_entra: Script) -> None:
    service = Organization(in_entra, "a@contoso.com", "b@contoso.com")
    result = play(RESOURCE, service, unique_name="sender", full_access=["A@contoso.com"], send_as=["b@contoso.com"])
    assert service.ran("New-") == [{"AppId": APP, "ObjectId": OBJECT, "DisplayName": "Sender"}]
    assert service.rights == {("FullAccess", "a@contoso.com"), ("SendAs", "b@contoso.com")}
    assert result["service_principal"] == {
        "app_id": APP, "object_id": OBJECT, "display_name": "Sender", "full_access": ["a@contoso.com"], "send_as": ["b@contoso.com"]
    }  # fmt: skip
    assert result["diff"]["after"]["full_access"] == ["a@contoso.com"]
    assert service.writes[0] == "New-ServicePrincipal"


def test_a_second_run_changes_nothing_in_three_requests(play: Play, in_entra: Script) -> None:
    service = Organization(in_entra, "a@contoso.com", registered=OBJECT)
    service.rights = {("FullAccess", "a@contoso.com"), ("SendAs", "a@contoso.com")}
    result = play(RESOURCE, service, unique_name="sender", full_access=["a@contoso.com"], send_as=["a@contoso.com"])
    assert (result["changed"], result["cost"]["requests"], service.writes) == (False, 3, [])


def test_what_was_granted_by_others_is_kept(play: Play, in_entra: Script) -> None:
    service = Organization(in_entra, "a@contoso.com", "b@contoso.com", registered=OBJECT)
    service.rights = {("FullAccess", "b@contoso.com")}
    play(RESOURCE, service, unique_name="sender", full_access=["a@contoso.com"])
    assert service.rights == {("FullAccess", "a@contoso.com"), ("FullAccess", "b@contoso.com")}


def test_exclusive_withdraws_what_is_not_named(play: Play, in_entra: Script) -> None:
    service = Organization(in_entra, "a@contoso.com", "b@contoso.com", "c@contoso.com", registered=OBJECT)
    service.rights = {("FullAccess", "b@contoso.com"), ("SendAs", "c@contoso.com"), ("SendAs", "a@contoso.com")}
    result = play(RESOURCE, service, unique_name="sender", full_access=["a@contoso.com"], send_as=["a@contoso.com"], exclusive=True)
    assert service.rights == {("FullAccess", "a@contoso.com"), ("SendAs", "a@contoso.com")}
    assert result["service_principal"]["send_as"] == ["a@contoso.com"]
    assert result["diff"]["before"]["send_as"] == ["a@contoso.com", "c@contoso.com"]


def test_revoked_mailboxes_keep_what_is_listed(play: Play, in_entra: Script) -> None:
    service = Organization(in_entra, "a@contoso.com", "b@contoso.com", "c@contoso.com", registered=OBJECT)
    service.rights = {(right, f"{name}@contoso.com") for right in ("FullAccess", "SendAs") for name in "abc"}
    revoked = ["A@contoso.com", "b@contoso.com", "gone@contoso.com"]
    result = play(RESOURCE, service, unique_name="sender", full_access=["a@contoso.com"], revoked=revoked)
    assert service.rights == {("FullAccess", "a@contoso.com"), ("FullAccess", "c@contoso.com"), ("SendAs", "c@contoso.com")}
    assert result["service_principal"]["full_access"] == ["a@contoso.com"]


@pytest.mark.parametrize("exclusive", [False, True])
def test_two_addresses_of_one_mailbox_are_one_mailbox(play: Play, in_entra: Script, exclusive: bool) -> None:
    service = Organization(in_entra, "erp@contoso.com", "b@contoso.com", registered=OBJECT)
    service.aliases = {"invoices@contoso.com": "erp@contoso.com", "bills@contoso.com": "erp@contoso.com"}
    options = {"full_access": ["Invoices@contoso.com", "ERP@contoso.com"], "send_as": ["bills@contoso.com"], "exclusive": exclusive}
    first = play(RESOURCE, service, unique_name="sender", **options)
    assert service.rights == {("FullAccess", "erp@contoso.com"), ("SendAs", "erp@contoso.com")}
    assert [parameters["Identity"] for parameters in service.ran("Add-")] == ["guid-erp@contoso.com"] * 2
    assert first["service_principal"]["full_access"] == ["invoices@contoso.com"]
    in_entra.expect("GET", NAME).answers(200, {"appId": APP})
    in_entra.expect("GET", PRINCIPAL).answers(200, {"id": OBJECT, "appId": APP, "displayName": "Sender"})
    before = service.requests
    again = play(RESOURCE, service, unique_name="sender", **options)
    assert (again["changed"], again["service_principal"]["full_access"]) == (False, ["invoices@contoso.com"])
    assert service.requests - before == (2 if exclusive else 1)


def test_an_exclusive_list_by_alias_keeps_the_grant_of_the_primary_address(play: Play, in_entra: Script) -> None:
    service = Organization(in_entra, "erp@contoso.com", "b@contoso.com", registered=OBJECT)
    service.aliases = {"invoices@contoso.com": "erp@contoso.com"}
    service.rights = {("FullAccess", "erp@contoso.com"), ("FullAccess", "b@contoso.com")}
    result = play(RESOURCE, service, unique_name="sender", full_access=["INVOICES@contoso.com"], exclusive=True)
    assert service.writes == ["Remove-MailboxPermission"]
    assert service.ran("Remove-MailboxPermission")[0]["Identity"] == "guid-b@contoso.com"
    assert result["service_principal"]["full_access"] == ["invoices@contoso.com"]


def test_an_address_of_two_mailboxes_is_refused_before_any_change(play: Play, in_entra: Script) -> None:
    service = Organization(in_entra, "erp@contoso.com", "b@contoso.com", registered=OBJECT)
    service.cmdlets["Get-Mailbox"] = lambda parameters: [
        {"Guid": f"g{n}", "PrimarySmtpAddress": f"erp{n}@contoso.com", "RecipientTypeDetails": "SharedMailbox"} for n in (1, 2)
    ]
    result = play(RESOURCE, service, unique_name="sender", full_access=["erp@contoso.com"])
    assert "erp@contoso.com means 2 objects in Exchange: erp1@contoso.com (SharedMailbox, g1) and erp2@contoso.com" in result["msg"]
    assert service.writes == []


def test_a_hundred_grants_are_ten_batches(play: Play, in_entra: Script) -> None:
    mailboxes = [f"m{n}@contoso.com" for n in range(100)]
    service = Organization(in_entra, *mailboxes, registered=OBJECT)
    play(RESOURCE, service, unique_name="sender", full_access=mailboxes)
    assert service.requests == 21 + 1 + 10  # 201 reads, ten a request, one page of mailboxes, and the grants
    assert len(service.rights) == 100


def test_a_wrong_object_id_is_replaced(play: Play, in_entra: Script) -> None:
    """The app registration's object id in place of the enterprise application's: all succeeds, and SMTP says 535 5.7.3."""
    service = Organization(in_entra, "a@contoso.com", wrong=(WRONG,))
    service.rights = {("FullAccess", "a@contoso.com")}
    result = play(RESOURCE, service, unique_name="sender", full_access=["a@contoso.com"])
    assert service.ran("Remove-ServicePrincipal") == [{"Identity": WRONG, "Confirm": False}]
    assert [p["ObjectId"] for p in service.principals] == [OBJECT]
    assert service.ran("Add-MailboxPermission")[0]["User"] == OBJECT
    assert result["diff"]["before"] == {"registered_with_object_id": [WRONG]}


def test_a_second_wrong_registration_beside_the_right_one_is_removed(play: Play, in_entra: Script) -> None:
    service = Organization(in_entra, registered=OBJECT, wrong=(WRONG,))
    assert play(RESOURCE, service, unique_name="sender")["changed"] is True
    assert service.writes == ["Remove-ServicePrincipal"]


def test_registration_is_renamed_only_where_a_name_is_set(play: Play, in_entra: Script) -> None:
    service = Organization(in_entra, registered=OBJECT)
    result = play(RESOURCE, service, unique_name="sender", display_name="New name")
    assert service.ran("Set-ServicePrincipal") == [{"Identity": OBJECT, "DisplayName": "New name"}]
    assert (result["diff"]["before"]["display_name"], result["diff"]["after"]["display_name"]) == ("Sender", "New name")


def test_check_mode_writes_nothing(play: Play, in_entra: Script) -> None:
    service = Organization(in_entra, "a@contoso.com", wrong=(WRONG,))
    result = play(RESOURCE, service, check_mode=True, unique_name="sender", full_access=["a@contoso.com"])
    assert (result["changed"], service.writes) == (True, [])
    assert result["service_principal"]["full_access"] == ["a@contoso.com"]


# -- replication ------------------------------------------------------------------------------------------------------


def test_grants_wait_until_the_new_principal_has_arrived(play: Play, in_entra: Script, clock: FakeClock) -> None:
    service = Organization(in_entra, "a@contoso.com", "b@contoso.com", "c@contoso.com", late=4)
    play(RESOURCE, service, unique_name="sender", full_access=["a@contoso.com", "b@contoso.com", "c@contoso.com"])
    assert len(service.rights) == 3
    assert clock.slept == [2, 4]
    assert len(service.ran("Add-MailboxPermission")) == 3 + 3 + 1
    assert len(service.ran("New-")) == 1


def test_the_wait_for_the_new_principal_is_bounded(play: Play, in_entra: Script, clock: FakeClock) -> None:
    service = Organization(in_entra, "a@contoso.com", late=99)
    result = play(RESOURCE, service, unique_name="sender", full_access=["a@contoso.com"], wait_timeout=30)
    assert "Could not grant FullAccess on a@contoso.com: there is no such object in Exchange" in result["msg"]
    assert sum(clock.slept) <= 30


def test_another_refusal_ends_it_at_once(play: Play, in_entra: Script, clock: FakeClock) -> None:
    service = Organization(in_entra, "a@contoso.com", registered=OBJECT)

    def refuse(parameters: dict[str, Any]) -> None:
        raise Refused("AmbiguousParameterSetException", "Parameter set cannot be resolved")

    service.cmdlets["Add-MailboxPermission"] = refuse
    result = play(RESOURCE, service, unique_name="sender", full_access=["a@contoso.com"])
    assert "this tenant's Exchange does not support the command" in result["msg"]
    assert clock.slept == []


@pytest.mark.parametrize(
    "refused",
    [
        Refused("ADObjectAlreadyExistsException", "An object with that name is there."),
        Refused("OtherException", "The service principal already exists in this organization."),
    ],
)
def test_a_registration_that_a_lost_answer_made_is_taken(play: Play, in_entra: Script, refused: Refused) -> None:
    service = Organization(in_entra, "a@contoso.com")

    def twice(parameters: dict[str, Any]) -> None:
        service._New_ServicePrincipal(parameters)
        raise refused

    service.cmdlets["New-ServicePrincipal"] = twice
    assert play(RESOURCE, service, unique_name="sender", full_access=["a@contoso.com"])["changed"] is True
    assert service.rights == {("FullAccess", "a@contoso.com")}


def test_another_refusal_of_the_registration_is_reported(play: Play, in_entra: Script) -> None:
    service = Organization(in_entra, "a@contoso.com")

    def refuse(parameters: dict[str, Any]) -> None:
        raise Refused("OtherException", "No.")

    service.cmdlets["New-ServicePrincipal"] = refuse
    assert "Could not register the application in Exchange" in play(RESOURCE, service, unique_name="sender")["msg"]
    assert service.writes == ["New-ServicePrincipal"]


# -- reading permissions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entry",
    [
        {"User": "S-1-5-21-17", "AccessRights": ["FullAccess"], "Deny": True},
        {"User": "S-1-5-21-17", "AccessRights": ["FullAccess"], "Deny": "True"},
        {"User": "S-1-5-21-17", "AccessRights": ["ReadPermission"], "Deny": False},
        {"User": "S-1-5-21-99", "AccessRights": ["FullAccess"], "Deny": False},
        {"User": "Sender", "AccessRights": ["FullAccess"], "Deny": False},
    ],
)
def test_a_denial_and_other_peoples_rights_are_no_grant(play: Play, in_entra: Script, entry: dict[str, Any]) -> None:
    service = Organization(in_entra, "a@contoso.com", registered=OBJECT)
    service.cmdlets["Get-MailboxPermission"] = lambda parameters: [entry]
    assert play(RESOURCE, service, check_mode=True, unique_name="sender", full_access=["a@contoso.com"])["changed"] is True


@pytest.mark.parametrize("who", ["S-1-5-21-17", OBJECT.upper(), APP])
def test_grant_is_matched_by_sid_or_id(play: Play, in_entra: Script, who: str) -> None:
    service = Organization(in_entra, "a@contoso.com", registered=OBJECT)
    service.cmdlets["Get-MailboxPermission"] = lambda parameters: [
        {"User": who, "AccessRights": "FullAccess, ReadPermission", "Deny": False}
    ]
    assert play(RESOURCE, service, unique_name="sender", full_access=["a@contoso.com"])["changed"] is False


# -- removing ---------------------------------------------------------------------------------------------------------


def test_a_registration_is_removed_with_the_wrong_ones(play: Play, in_entra: Script) -> None:
    service = Organization(in_entra, registered=OBJECT, wrong=(WRONG,))
    result = play(RESOURCE, service, unique_name="sender", state="absent")
    assert (result["changed"], result["service_principal"], service.principals) == (True, None, [])


def test_nothing_registered_is_nothing_to_remove(play: Play, in_entra: Script) -> None:
    service = Organization(in_entra)
    assert play(RESOURCE, service, unique_name="sender", state="absent")["changed"] is False
    assert service.writes == []


def test_a_registration_whose_enterprise_application_is_gone_is_removed_by_its_client_id(play: Play, script: Script) -> None:
    script.expect("GET", PRINCIPAL).answers(404, graph_error("Request_ResourceNotFound"))
    service = Organization(script, wrong=(WRONG,))
    assert play(RESOURCE, service, app_id=APP, state="absent")["changed"] is True
    assert service.principals == []


# -- user mailboxes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("exclusive", [True, False])
def test_full_access_on_a_user_mailbox_is_granted_with_a_warning(play: Play, in_entra: Script, exclusive: bool, check_mode: bool) -> None:
    service = Organization(in_entra, "jane@contoso.com", "team@contoso.com", "robot@contoso.com", registered=OBJECT)
    service.users, service.aliases = {"jane@contoso.com", "robot@contoso.com"}, {"alerts@contoso.com": "jane@contoso.com"}
    options = {"full_access": ["alerts@contoso.com", "team@contoso.com", "robot@contoso.com"]}
    result = play(RESOURCE, service, unique_name="sender", exclusive=exclusive, check_mode=check_mode, **options)
    subjects = [f"FullAccess of sender on {address}" for address in ("alerts@contoso.com", "robot@contoso.com")]
    assert [(entry["kind"], entry["subject"]) for entry in result["attention"]] == [("permission", subject) for subject in subjects]
    for note, subject in zip(result["notes"], subjects, strict=True):
        assert note.startswith(f"{subject}: This is a user mailbox: with FullAccess the application can read")


@pytest.mark.parametrize(
    ("granted", "full_access", "changed"),
    [((), ["team@contoso.com"], True), ((("FullAccess", "jane@contoso.com"),), ["jane@contoso.com"], False)],
)
def test_a_shared_mailbox_send_as_alone_and_current_permissions_are_no_warning(
    play: Play, in_entra: Script, granted: tuple[tuple[str, str], ...], full_access: list[str], changed: bool
) -> None:
    service = Organization(in_entra, "jane@contoso.com", "team@contoso.com", registered=OBJECT)
    service.users, service.rights = {"jane@contoso.com"}, set(granted)
    send_as = ["jane@contoso.com"] if changed else []
    result = play(RESOURCE, service, unique_name="sender", full_access=full_access, send_as=send_as)
    assert (result["changed"], "attention" in result, "notes" in result) == (changed, False, False)
