# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._entra import certificates
from ansible_collections.mailops.m365.plugins.module_utils._entra.applications import EXCHANGE, GRAPH
from ansible_collections.mailops.m365.plugins.module_utils.resources.entra_app import INFO, RESOURCE
from cryptography.hazmat.primitives.asymmetric import rsa

from ....conftest import CLIENT, FakeClock, Play, certificate, parameters, pem, problems_of, validate
from ....script import Item, Script, graph_error

SEND_AS_APP, IMAP = "7146a1f0-8703-45b3-9eae-527a64c00995", "5e5addcd-3e8d-4e90-baf5-964efab2b20a"
SMTP_SEND, POP = "258f6531-6087-4cc4-bb90-092c5fb3ed3f", "d7b7f2d9-0f45-4ea1-9d42-e50810c06991"
SELECT = (
    "id,appId,displayName,uniqueName,signInAudience,requiredResourceAccess,keyCredentials,passwordCredentials,isFallbackPublicClient,"
    "publicClient"
)
DELETED = f"/directory/deletedItems/microsoft.graph.application?$select={SELECT},deletedDateTime"
API_SELECT = "id,appId,displayName,appRoles,oauth2PermissionScopes"
EXCHANGE_API = {
    "id": "exchange-sp", "appId": EXCHANGE, "displayName": "Office 365 Exchange Online",
    "appRoles": [{"id": SEND_AS_APP, "value": "SMTP.SendAsApp"}, {"id": IMAP, "value": "IMAP.AccessAsApp"}, {"id": "x", "value": None}],
    "oauth2PermissionScopes": [{"id": "76faac2a", "value": "SMTP.Send"}],
}  # fmt: skip
GRAPH_API = {
    "id": "graph-sp", "appId": GRAPH, "displayName": "Microsoft Graph", "appRoles": [{"id": "mail-send", "value": "Mail.Send"}],
    "oauth2PermissionScopes": [{"id": SMTP_SEND, "value": "SMTP.Send"}, {"id": POP, "value": "POP.AccessAsUser.All"}],
}  # fmt: skip
SEND = {"name": "SMTP.SendAsApp"}
DELEGATED = {"name": "SMTP.Send", "api": "graph", "type": "delegated"}
LABEL = "Office 365 Exchange Online: SMTP.SendAsApp (application)"


def required(api: str, *entries: tuple[str, str]) -> dict[str, Any]:
    return {"resourceAppId": api, "resourceAccess": [{"id": identifier, "type": kind} for identifier, kind in sorted(entries)]}


def application(**more: Any) -> dict[str, Any]:
    base = {"id": "app-object", "appId": "app-client", "displayName": "Sender", "uniqueName": "sender", "signInAudience": "AzureADMyOrg",
            "requiredResourceAccess": [required(EXCHANGE, (SEND_AS_APP, "Role"))], "keyCredentials": []}  # fmt: skip
    return base | more


def assignment(role: str = SEND_AS_APP, resource: dict[str, Any] = EXCHANGE_API) -> dict[str, Any]:
    return {"id": f"assigned-{role[:4]}", "resourceId": resource["id"], "resourceDisplayName": resource["displayName"], "appRoleId": role}


def grant(scope: str, resource: str = "graph-sp", **more: Any) -> dict[str, Any]:
    return {"id": "grant-1", "clientId": "sp-object", "consentType": "AllPrincipals", "resourceId": resource, "scope": scope, **more}


def by_name(app: dict[str, Any] | None = None) -> Item:
    """The request for the application by its unique name."""
    url = f"/applications(uniqueName='sender')?$select={SELECT}"
    return Item("GET", url, 200 if app else 404, app or graph_error("Request_ResourceNotFound"))


class Reads:
    """Scripts the two batches that a task reads with; delegated consent (`granted`) only where it is asked for.

    Where no application has the unique name, the deleted ones are read (`deleted`; None: they are not).
    """

    def __init__(self, script: Script) -> None:
        self.script = script

    def __call__(
        self,
        app: dict[str, Any] | None = None,
        *,
        title: str | None = None,
        titled: list[dict[str, Any]] | None = None,
        apis: tuple[dict[str, Any], ...] = (EXCHANGE_API,),
        principal: bool = True,
        assigned: list[dict[str, Any]] | None = None,
        granted: list[dict[str, Any]] | None = None,
        deleted: list[dict[str, Any]] | None = [],  # noqa: B006 - it is not changed
    ) -> None:
        items = [by_name(app)]
        if title:
            items.append(Item("GET", f"/applications?$filter=displayName eq '{title}'&$select={SELECT}", 200, {"value": titled or []}))
        items += [Item("GET", f"/servicePrincipals(appId='{api['appId']}')?$select={API_SELECT}", 200, api) for api in apis]
        self.script.expect_graph_batch(*items)
        current_app = app or next(iter(titled or []), None)
        if current_app:
            self.details(current_app, principal, assigned or [], granted)
        if deleted is not None and not app:
            self.script.expect("GET", f"/v1.0{DELETED}").answers(200, {"value": deleted})

    def details(self, app: dict[str, Any], principal: bool, assigned: list[dict[str, Any]], granted: list[dict[str, Any]] | None) -> None:
        path, missing = f"/servicePrincipals(appId='{app['appId']}')", graph_error("Request_ResourceNotFound")
        rows: list[tuple[str, Any]] = [
            ("?$select=id,appId,displayName,accountEnabled,tags", {"id": "sp-object", "appId": app["appId"]}),
            ("/appRoleAssignments", {"value": assigned}),
        ]
        rows += [] if granted is None else [("/oauth2PermissionGrants", {"value": granted})]
        self.script.expect_graph_batch(
            *[Item("GET", path + rest, 200 if principal else 404, body if principal else missing) for rest, body in rows]
        )


@pytest.fixture
def reads(script: Script) -> Reads:
    return Reads(script)


def expect_assignment(script: Script, *roles: tuple[dict[str, Any], str], status: int = 201, answered: Any = None) -> None:
    script.expect_graph_batch(
        *[
            Item("POST", f"/servicePrincipals/{api['id']}/appRoleAssignedTo", status, answered or {"id": "new"},
                 body={"principalId": "sp-object", "resourceId": api["id"], "appRoleId": role})
            for api, role in roles
        ]
    )  # fmt: skip


def expect_principal(script: Script, status: int = 201, answered: Any = None) -> None:
    body = answered or {"id": "sp-object", "appId": "app-client", "displayName": "Sender"}
    (script.expect("PATCH", "/v1.0/servicePrincipals(appId='app-client')").header("Prefer", "create-if-missing")
        .json_body({"tags": ["mailops"]}).answers(status, body))  # fmt: skip


# -- input ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "a b", "x" * 65, "ünique", "a/b"])
def test_invalid_unique_name_is_reported(name: str) -> None:
    [problem] = problems_of(RESOURCE, unique_name=name)
    assert problem.startswith(f"unique_name is {name!r}: use 1 to 64 letters, digits, dots, underscores and hyphens")


def test_every_invalid_api_and_certificate_is_reported_at_once(tmp_path: Path) -> None:
    permissions = [{"name": "A", "api": "exchang"}, {"name": "B", "api": EXCHANGE}, {"name": "C", "api": "office"}]
    params = parameters(RESOURCE.spec, unique_name="sender", permissions=permissions, certificates=[f"{tmp_path}/no.pem"])
    problems = validate(RESOURCE, params)
    assert [problem.split(":")[0] for problem in problems] == ["permissions", "permissions", "certificates"]
    assert "the api of A is 'exchang'" in problems[0]
    assert "the api of C is 'office'" in problems[1]


def test_permissions_that_an_api_does_not_offer_are_named_with_a_hint(play: Play, reads: Reads, script: Script) -> None:
    reads(apis=(EXCHANGE_API, GRAPH_API))
    unknown = [{"name": "SMTP.SendAsAp"}, {"name": "SMTP.SendAsApp", "type": "delegated"}, {"name": "Mail.Send", "api": "graph"},
              {"name": "POP.AccessAsUser.All", "api": "graph"}]  # fmt: skip
    result = play(RESOURCE, script, unique_name="sender", permissions=unknown)
    assert result["failure"]["problems"] == [
        "permissions: Office 365 Exchange Online offers no application permission 'SMTP.SendAsAp'; it offers SMTP.SendAsApp.",
        "permissions: Office 365 Exchange Online offers no delegated permission 'SMTP.SendAsApp'; it is an application permission.",
        "permissions: Microsoft Graph offers no application permission 'POP.AccessAsUser.All'; it is a delegated permission.",
    ]


def test_tenant_without_exchange_is_reported(play: Play, script: Script) -> None:
    script.expect_graph_batch(
        by_name(),
        Item("GET", f"/servicePrincipals(appId='{EXCHANGE}')?$select={API_SELECT}", 404, graph_error("Request_ResourceNotFound")),
    )
    script.expect("GET", f"/v1.0{DELETED}").answers(200, {"value": []})
    result = play(RESOURCE, script, unique_name="sender", permissions=[SEND])
    assert "SMTP.SendAsApp cannot be given, this tenant has no Exchange Online (exchange)" in result["msg"]


# -- creating ---------------------------------------------------------------------------------------------------------


def test_an_application_is_made_with_all_that_belongs_to_it(play: Play, reads: Reads, script: Script, rsa_key: rsa.RSAPrivateKey) -> None:
    text = pem(certificate(rsa_key)).decode()
    leaf = certificates.read(text)
    reads(title="SMTP sender")
    body = {
        "displayName": "SMTP sender", "signInAudience": "AzureADMyOrg",
        "requiredResourceAccess": [required(EXCHANGE, (SEND_AS_APP, "Role"))],
        "notes": "Managed by mailops.m365", "tags": ["mailops"], "keyCredentials": [leaf.key_credential()],
    }  # fmt: skip
    (script.expect("PATCH", "/v1.0/applications(uniqueName='sender')").header("Prefer", "create-if-missing").json_body(body)
        .answers(201, application(displayName="SMTP sender")))  # fmt: skip
    expect_principal(script)
    expect_assignment(script, (EXCHANGE_API, SEND_AS_APP))
    result = play(RESOURCE, script, unique_name="sender", display_name="SMTP sender", permissions=[SEND], certificates=[text])
    assert result["changed"] is True
    assert result["app"] == {
        "object_id": "app-object", "app_id": "app-client", "service_principal_id": "sp-object", "unique_name": "sender",
        "display_name": "SMTP sender", "permissions": [LABEL], "consented": [LABEL], "certificates": [leaf.thumbprint],
        "enterprise_application": True, "authorization": "mailbox_permissions",
    }  # fmt: skip
    assert result["diff"]["before"] == ""
    assert result["diff"]["after"]["display_name"] == "SMTP sender"
    assert result["cost"]["requests"] == 5


def test_check_mode_predicts_a_new_application_with_two_requests(play: Play, reads: Reads, script: Script, journal_dir: Path) -> None:
    reads()
    result = play(RESOURCE, script, check_mode=True, unique_name="sender", permissions=[SEND])
    assert result["changed"] is True
    assert (result["app"]["app_id"], result["app"]["display_name"], result["app"]["consented"]) == (None, "sender", [LABEL])
    assert not journal_dir.exists()


def test_without_consent_only_the_required_access_is_registered(play: Play, reads: Reads, script: Script) -> None:
    reads()
    script.expect("PATCH", "/v1.0/applications(uniqueName='sender')").answers(201, application())
    expect_principal(script)
    result = play(RESOURCE, script, unique_name="sender", permissions=[SEND], consent=False)
    assert (result["app"]["permissions"], result["app"]["consented"]) == ([LABEL], [])


def test_an_application_that_somebody_made_meanwhile_is_taken(play: Play, reads: Reads, script: Script) -> None:
    reads(apis=())
    script.expect("PATCH", "/v1.0/applications(uniqueName='sender')").answers(204)
    script.expect("GET", f"/v1.0/applications(uniqueName='sender')?$select={SELECT}").answers(404, graph_error("Request_ResourceNotFound"))
    script.expect("GET", f"/v1.0/applications(uniqueName='sender')?$select={SELECT}").answers(200, application())
    script.expect("PATCH", "/v1.0/servicePrincipals(appId='app-client')").answers(204)
    script.expect("GET", "/v1.0/servicePrincipals(appId='app-client')?$select=id,appId,displayName").answers(200, {"id": "sp-object"})
    result = play(RESOURCE, script, unique_name="sender")
    assert (result["app"]["object_id"], result["app"]["service_principal_id"]) == ("app-object", "sp-object")


# -- finding ----------------------------------------------------------------------------------------------------------


def test_nothing_to_do_costs_two_requests(play: Play, reads: Reads, script: Script, journal_dir: Path) -> None:
    reads(application(), title="Sender", assigned=[assignment()])
    result = play(RESOURCE, script, unique_name="sender", display_name="Sender", permissions=[SEND], certificates=[])
    assert (result["changed"], result["cost"]["requests"]) == (False, 2)
    assert result["diff"]["before"] == result["diff"]["after"]
    assert result["app"]["service_principal_id"] == "sp-object"
    assert not journal_dir.exists()


def test_an_application_of_the_display_name_is_adopted(play: Play, reads: Reads, script: Script) -> None:
    reads(title="Sender", titled=[application(uniqueName=None)], assigned=[assignment()])
    script.expect("PATCH", "/v1.0/applications/app-object").json_body({"uniqueName": "sender"}).answers(204)
    result = play(RESOURCE, script, unique_name="sender", display_name="Sender", permissions=[SEND])
    assert result["changed"] is True
    assert result["app"]["app_id"] == "app-client"
    assert (result["diff"]["before"]["unique_name"], result["diff"]["after"]["unique_name"]) == (None, "sender")


def test_ambiguous_display_name_is_refused(play: Play, script: Script) -> None:
    twins = [application(uniqueName=None, appId="one"), application(uniqueName=None, appId="two")]
    script.expect_graph_batch(
        by_name(),
        Item("GET", f"/applications?$filter=displayName eq 'Sender'&$select={SELECT}", 200, {"value": twins}),
    )
    result = play(RESOURCE, script, unique_name="sender", display_name="Sender")
    assert "display_name 'Sender' fits 2 applications (one, two) and none has the unique name 'sender'" in result["msg"]


def test_display_name_of_another_application_is_refused(play: Play, script: Script) -> None:
    script.expect_graph_batch(
        by_name(),
        Item(
            "GET",
            f"/applications?$filter=displayName eq 'O''Sender & Co'&$select={SELECT}",
            200,
            {"value": [application(uniqueName="other")]},
        ),
    )
    result = play(RESOURCE, script, unique_name="sender", display_name="O'Sender & Co")
    assert "belongs to the application with the unique name 'other': use that as unique_name" in result["msg"]


def test_display_name_is_changed_only_where_one_is_set(play: Play, reads: Reads, script: Script) -> None:
    reads(application(displayName="Old"), apis=())
    assert play(RESOURCE, script, unique_name="sender")["changed"] is False
    reads(application(displayName="Old"), title="New", apis=())
    script.expect("PATCH", "/v1.0/applications/app-object").json_body({"displayName": "New"}).answers(204)
    assert play(RESOURCE, script, unique_name="sender", display_name="New")["changed"] is True


# -- permissions and consent ------------------------------------------------------------------------------------------


def test_what_others_added_is_kept(play: Play, reads: Reads, script: Script) -> None:
    extra = [required("99999999-9999-4999-8999-999999999999", ("other", "Scope")), required(EXCHANGE, (IMAP, "Role"))]
    reads(application(requiredResourceAccess=extra), assigned=[assignment(IMAP)])
    body = {"requiredResourceAccess": [required(EXCHANGE, (IMAP, "Role"), (SEND_AS_APP, "Role")), extra[0]]}
    script.expect("PATCH", "/v1.0/applications/app-object").json_body(body).answers(204)
    expect_assignment(script, (EXCHANGE_API, SEND_AS_APP))
    result = play(RESOURCE, script, unique_name="sender", permissions=[SEND])
    imap = "Office 365 Exchange Online: IMAP.AccessAsApp (application)"
    assert result["app"]["consented"] == [imap, LABEL]
    assert "99999999-9999-4999-8999-999999999999: other (delegated)" in result["app"]["permissions"]


def test_exclusive_takes_away_what_is_not_named(play: Play, reads: Reads, script: Script) -> None:
    reads(
        application(requiredResourceAccess=[required(EXCHANGE, (IMAP, "Role"), (SEND_AS_APP, "Role"))]),
        assigned=[assignment(), assignment(IMAP)], granted=[grant("SMTP.Send")],
    )  # fmt: skip
    body = {"requiredResourceAccess": [required(EXCHANGE, (SEND_AS_APP, "Role"))]}
    script.expect("PATCH", "/v1.0/applications/app-object").json_body(body).answers(204)
    script.expect_graph_batch(Item("DELETE", "/servicePrincipals/exchange-sp/appRoleAssignedTo/assigned-5e5a", 204))
    script.expect("GET", "/v1.0/servicePrincipals/sp-object/oauth2PermissionGrants").answers(200, {"value": [grant("SMTP.Send")]})
    script.expect("DELETE", "/v1.0/oauth2PermissionGrants/grant-1").answers(204)
    result = play(RESOURCE, script, unique_name="sender", permissions=[SEND], exclusive=True)
    assert (result["app"]["permissions"], result["app"]["consented"]) == ([LABEL], [LABEL])
    assert len(result["diff"]["before"]["consented"]) == 3


@pytest.mark.parametrize("listed", [{}, {"permissions": [SEND]}], ids=["without permissions", "with permissions"])
def test_a_revoked_permission_ends_and_others_stay(play: Play, reads: Reads, script: Script, listed: dict[str, Any]) -> None:
    both = [required(EXCHANGE, (IMAP, "Role"), (SEND_AS_APP, "Role"))]
    reads(application(requiredResourceAccess=both), assigned=[assignment(), assignment(IMAP)])
    body = {"requiredResourceAccess": [required(EXCHANGE, (SEND_AS_APP, "Role"))]}
    script.expect("PATCH", "/v1.0/applications/app-object").json_body(body).answers(204)
    script.expect_graph_batch(Item("DELETE", "/servicePrincipals/exchange-sp/appRoleAssignedTo/assigned-5e5a", 204))
    result = play(RESOURCE, script, unique_name="sender", revoked_permissions=[{"name": "IMAP.AccessAsApp"}], **listed)
    assert (result["app"]["permissions"], result["app"]["consented"]) == ([LABEL], [LABEL])


def test_revoking_what_is_listed_or_not_offered_or_gone_changes_nothing(play: Play, reads: Reads, script: Script) -> None:
    revoked = [{"name": "SMTP.SendAsApp"}, {"name": "IMAP.AccessAsApp"}, {"name": "Old.Permission"}]
    reads(application(), assigned=[assignment()])
    assert play(RESOURCE, script, unique_name="sender", permissions=[SEND], revoked_permissions=revoked)["changed"] is False


def test_revoked_permissions_name_their_api() -> None:
    problems = problems_of(RESOURCE, unique_name="sender", revoked_permissions=[{"name": "Mail.Send", "api": "exchnge"}])
    assert [text.split(":")[0] for text in problems] == ["revoked_permissions"]


def test_permissions_left_out_stay_even_with_exclusive(play: Play, reads: Reads, script: Script) -> None:
    reads(application(), apis=(), assigned=[assignment()], granted=[grant("SMTP.Send")])
    assert play(RESOURCE, script, unique_name="sender", exclusive=True)["changed"] is False


def test_a_delegated_grant_is_made(play: Play, reads: Reads, script: Script) -> None:
    reads(application(requiredResourceAccess=[required(GRAPH, (SMTP_SEND, "Scope"))]), apis=(GRAPH_API,), granted=[])
    script.expect("GET", "/v1.0/servicePrincipals/sp-object/oauth2PermissionGrants").answers(200, {"value": []})
    body = {"clientId": "sp-object", "consentType": "AllPrincipals", "resourceId": "graph-sp", "scope": "SMTP.Send"}
    script.expect("POST", "/v1.0/oauth2PermissionGrants").json_body(body).answers(201, {"id": "grant-1"})
    result = play(RESOURCE, script, unique_name="sender", permissions=[DELEGATED])
    assert result["app"]["consented"] == ["Microsoft Graph: SMTP.Send (delegated)"]


def test_a_delegated_grant_is_joined_with_what_is_there(play: Play, reads: Reads, script: Script) -> None:
    present = grant("POP.AccessAsUser.All  offline_access")
    personal = grant("User.Read", consentType="Principal", id="grant-2")
    reads(application(requiredResourceAccess=[required(GRAPH, (SMTP_SEND, "Scope"))]), apis=(GRAPH_API,), granted=[personal, present])
    script.expect("GET", "/v1.0/servicePrincipals/sp-object/oauth2PermissionGrants").answers(200, {"value": [personal, present]})
    script.expect("PATCH", "/v1.0/oauth2PermissionGrants/grant-1").json_body(
        {"scope": "POP.AccessAsUser.All SMTP.Send offline_access"}
    ).answers(204)
    assert play(RESOURCE, script, unique_name="sender", permissions=[DELEGATED])["changed"] is True
    reads(application(requiredResourceAccess=[required(GRAPH, (SMTP_SEND, "Scope"))]), apis=(GRAPH_API,), granted=[grant("x SMTP.Send")])
    assert play(RESOURCE, script, unique_name="sender", permissions=[DELEGATED])["changed"] is False


def test_a_grant_that_was_applied_although_404_is_not_made_twice(play: Play, reads: Reads, script: Script, clock: FakeClock) -> None:
    reads(application(requiredResourceAccess=[required(GRAPH, (SMTP_SEND, "Scope"))]), apis=(GRAPH_API,), granted=[])
    listed = "/v1.0/servicePrincipals/sp-object/oauth2PermissionGrants"
    script.expect("GET", listed).answers(200, {"value": []})
    script.expect("POST", "/v1.0/oauth2PermissionGrants").answers(404, graph_error("Request_ResourceNotFound"))
    script.expect("GET", listed).answers(200, {"value": [grant("SMTP.Send")]})
    assert play(RESOURCE, script, unique_name="sender", permissions=[DELEGATED])["changed"] is True
    assert len(clock.slept) == 1


@pytest.mark.parametrize(("status", "code"), [(409, "Request_MultipleObjectsWithSameKeyValue"), (400, "Request_BadRequest")])
def test_a_grant_that_the_list_does_not_show_yet_is_waited_for(play: Play, reads: Reads, script: Script, status: int, code: str) -> None:
    reads(application(requiredResourceAccess=[required(GRAPH, (SMTP_SEND, "Scope"))]), apis=(GRAPH_API,), granted=[])
    listed = "/v1.0/servicePrincipals/sp-object/oauth2PermissionGrants"
    script.expect("GET", listed).answers(200, {"value": []})
    script.expect("POST", "/v1.0/oauth2PermissionGrants").answers(status, graph_error(code, "Permission entry already exists."))
    script.expect("GET", listed).answers(200, {"value": [grant("x")]})
    script.expect("PATCH", "/v1.0/oauth2PermissionGrants/grant-1").json_body({"scope": "SMTP.Send"}).answers(204)
    assert play(RESOURCE, script, unique_name="sender", permissions=[DELEGATED])["changed"] is True


def test_role_assigned_meanwhile_is_read_and_not_assigned_again(play: Play, reads: Reads, script: Script) -> None:
    two = [SEND, {"name": "IMAP.AccessAsApp"}]
    reads(application(requiredResourceAccess=[required(EXCHANGE, (IMAP, "Role"), (SEND_AS_APP, "Role"))]))
    there = graph_error("Request_BadRequest", "Permission being assigned already exists on the object")
    expect_assignment(script, (EXCHANGE_API, IMAP), (EXCHANGE_API, SEND_AS_APP), status=400, answered=there)
    script.expect("GET", "/v1.0/servicePrincipals/sp-object/appRoleAssignments").answers(200, {"value": [assignment(IMAP)]})
    body = {"principalId": "sp-object", "resourceId": "exchange-sp", "appRoleId": SEND_AS_APP}
    script.expect("POST", "/v1.0/servicePrincipals/exchange-sp/appRoleAssignedTo").json_body(body).answers(400, there)
    assert play(RESOURCE, script, unique_name="sender", permissions=two)["changed"] is True


# -- replication ------------------------------------------------------------------------------------------------------

LAG = graph_error(
    "Request_ResourceNotFound", "Resource 'x' does not exist or one of its queried reference-property objects are not present."
)


def test_replication_lag_is_waited_out_at_every_step(play: Play, reads: Reads, script: Script, clock: FakeClock) -> None:
    reads()
    script.expect("PATCH", "/v1.0/applications(uniqueName='sender')").answers(201, application())
    no_app = "The appId 'app-client' of the service principal does not reference a valid application object."
    expect_principal(script, 400, graph_error("Request_BadRequest", no_app))
    expect_principal(script, 403, graph_error("Authorization_RequestDenied", "When using this permission, the backing application of the "
                                              "service principal being created must in the local tenant"))  # fmt: skip
    expect_principal(
        script, 403, graph_error("Authorization_RequestDenied", "the backing application of the service principal being created")
    )
    expect_principal(script)
    expect_assignment(script, (EXCHANGE_API, SEND_AS_APP), status=404, answered=LAG)
    expect_assignment(script, (EXCHANGE_API, SEND_AS_APP), status=400, answered=graph_error("x", "Not a valid reference update"))
    expect_assignment(script, (EXCHANGE_API, SEND_AS_APP))
    assert play(RESOURCE, script, unique_name="sender", permissions=[SEND])["changed"] is True
    assert len(clock.slept) == 4


def test_replication_lag_is_bounded(play: Play, reads: Reads, script: Script, clock: FakeClock, journal_dir: Path) -> None:
    reads(application())
    for _ in range(5):
        expect_assignment(script, (EXCHANGE_API, SEND_AS_APP), status=404, answered=LAG)
    result = play(RESOURCE, script, unique_name="sender", permissions=[SEND], wait_timeout=20)
    assert (
        "Could not consent to SMTP.SendAsApp for sender: the object does not exist, or the directory has not replicated it yet"
        in result["msg"]
    )
    assert sum(clock.slept) <= 20
    [file] = journal_dir.glob("*.jsonl")
    assert [json.loads(line)["phase"] for line in file.read_text().splitlines()] == ["before", "failed"]


def test_a_lacking_permission_is_not_waited_for(play: Play, reads: Reads, script: Script, clock: FakeClock) -> None:
    reads(application())
    expect_assignment(script, (EXCHANGE_API, SEND_AS_APP), status=403, answered=graph_error("Authorization_RequestDenied", "Insufficient"))
    assert "lacks a Graph permission" in play(RESOURCE, script, unique_name="sender", permissions=[SEND])["msg"]
    assert clock.slept == []


# -- tokens -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("client", "forgotten"), [(CLIENT, 1), (CLIENT.upper(), 1), ("another", 0)])
def test_consent_to_itself_forgets_the_runs_tokens(play: Play, reads: Reads, script: Script, client: str, forgotten: int) -> None:
    reads(application(appId=client))
    expect_assignment(script, (EXCHANGE_API, SEND_AS_APP))
    assert play(RESOURCE, script, unique_name="sender", permissions=[SEND])["changed"] is True
    assert play.tenant.tokens.forgotten == forgotten  # type: ignore[attr-defined]


# -- removing and reading ---------------------------------------------------------------------------------------------


def test_an_application_is_removed(play: Play, reads: Reads, script: Script) -> None:
    reads(application(), apis=(), assigned=[assignment()])
    script.expect("DELETE", "/v1.0/applications/app-object").answers(204)
    result = play(RESOURCE, script, unique_name="sender", state="absent")
    assert (result["changed"], result["app"], result["diff"]["after"]) == (True, None, "")
    assert result["diff"]["before"]["unique_name"] == "sender"
    reads(apis=(), deleted=None)
    result = play(RESOURCE, script, unique_name="sender", state="absent")
    assert (result["changed"], result["app"]) == (False, None)


def test_a_missing_enterprise_application_is_made(play: Play, reads: Reads, script: Script) -> None:
    reads(application(), principal=False)
    expect_principal(script)
    expect_assignment(script, (EXCHANGE_API, SEND_AS_APP))
    result = play(RESOURCE, script, unique_name="sender", permissions=[SEND])
    assert (result["app"]["service_principal_id"], result["diff"]["before"]["enterprise_application"]) == ("sp-object", False)


def test_the_info_module_shows_the_same_form(play: Play, reads: Reads, script: Script) -> None:
    reads(application(), apis=(EXCHANGE_API, GRAPH_API), assigned=[assignment()], granted=[grant("SMTP.Send")])
    info = play(INFO, script, unique_name="sender")
    assert (info["changed"], info["cost"]["requests"]) == (False, 2)
    assert info["app"]["consented"] == ["Microsoft Graph: SMTP.Send (delegated)", LABEL]
    reads(application(), assigned=[assignment()])
    managed = play(RESOURCE, script, unique_name="sender", permissions=[SEND])
    assert managed["app"].keys() == info["app"].keys()
    reads(apis=(EXCHANGE_API, GRAPH_API), deleted=None)
    assert play(INFO, script, unique_name="sender")["app"] is None
