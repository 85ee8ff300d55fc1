# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tenant for the tests of RBAC for Applications: Graph's and Exchange's side of one application, in memory."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Request, Response

from emulator.state import Mailbox
from emulator.state.recipient_filter import parse

from ....script import graph_error, response
from ....services import Exchange, Refused, missing

APP, OBJECT, API, ROLE_ID = "app-client", "enterprise-object", "exchange-sp", "7146a1f0-8703-45b3-9eae-527a64c00995"
ROLE = "Application SMTP.SendAsApp"
A, B, C = "a@contoso.com", "b@contoso.com", "c@contoso.com"


class Directory:
    """Graph: the application, its enterprise application with its tags, and its consent. `log` is what was written."""

    def __init__(self, log: list[str], *, consented: bool) -> None:
        self.log, self.there, self.tags, self.requests = log, True, ["mailops"], 0
        self.consents = [self.consent()] if consented else []

    @staticmethod
    def consent(role: str = ROLE_ID) -> dict[str, Any]:
        return {"id": f"consent-{role[:4]}", "resourceId": API, "appRoleId": role}

    def __call__(self, request: Request) -> Response:
        self.requests += 1
        if not request.url.endswith("/$batch"):
            status, body = self.one(request.method, urlsplit(request.url).path.removeprefix("/v1.0"), request.json)
            return response(status, body)
        answers = []
        for item in request.json["requests"]:
            status, body = self.one(item["method"], unquote(item["url"]), item.get("body"))
            answers.append({"id": item["id"], "status": status} | ({"body": body} if body else {}))
        return response(200, {"responses": answers})

    def one(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if method == "PATCH" and path == f"/servicePrincipals/{OBJECT}":
            self.tags = body["tags"]
            self.log.append("tag " + ",".join(t.partition("@")[0].partition(":")[2] for t in self.tags if ":" in t))
            return 204, None
        if method == "POST" and path == f"/servicePrincipals/{API}/appRoleAssignedTo":
            assert body == {"principalId": OBJECT, "resourceId": API, "appRoleId": ROLE_ID}
            self.consents.append(self.consent())
            self.log.append("consent")
            return 201, self.consents[-1]
        if method == "DELETE":
            self.consents = [c for c in self.consents if not path.endswith(c["id"])]
            self.log.append("withdraw")
            return 204, None
        return self.read(path)

    def read(self, path: str) -> tuple[int, Any]:
        if "00000002-0000-0ff1-ce00-000000000000" in path:
            return 200, {"id": API, "appRoles": [{"id": ROLE_ID, "value": "SMTP.SendAsApp"}, {"id": "other", "value": "Mail.Send"}]}
        if not self.there:
            return 404, graph_error("Request_ResourceNotFound")
        if path.startswith("/applications(uniqueName='sender')"):
            return 200, {"appId": APP}
        if path == f"/servicePrincipals(appId='{APP}')?$select=id,appId,displayName,tags":
            return 200, {"id": OBJECT, "appId": APP, "displayName": "Sender", "tags": self.tags}
        assert path == f"/servicePrincipals(appId='{APP}')/appRoleAssignments", path
        return 200, {"value": [*self.consents, self.consent("other")]}


class Organization(Exchange):
    """Exchange; `late` is how many tests of an authorization report that it does not exist yet."""

    def __init__(self, *granted: str, consented: bool = False, late: int = 0, more: tuple[str, ...] = ()) -> None:
        self.log: list[str] = []
        self.directory = Directory(self.log, consented=consented)
        super().__init__(self.directory, **{name[1:]: getattr(self, name) for name in vars(Organization) if name[1:2].isupper()})
        self.mailboxes = {address: self.mailbox(address) for address in (A, B, C, *more)}
        self.aliases = {"alias@contoso.com": A}
        self.granted, self.late, self.registered = set(granted), late, True
        self.scopes: dict[str, str] = {}
        self.assignments: dict[str, dict[str, Any]] = {}
        self.dehydrated, self.undelegated = False, 0  # how many assignments are refused because the customization is not effective yet

    @staticmethod
    def mailbox(address: str) -> Mailbox:
        return Mailbox(address, f"guid-{address}", address.partition("@")[0], address)

    def _Get_ServicePrincipal(self, parameters: dict[str, Any]) -> Any:  # noqa: N802 - the cmdlet's name
        return [{"AppId": APP, "ObjectId": OBJECT.upper(), "Sid": "S-1-5"}] if self.registered else []

    def _Get_ManagementScope(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        return [{"Name": "Somebody's", "Guid": "scope-Somebody's", "RecipientFilter": "Alias -eq 'x'"}] + [
            {"Name": name, "Guid": f"scope-{name}", "RecipientFilter": str(parse(text))} for name, text in self.scopes.items()
        ]

    def _Get_ManagementRoleAssignment(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        assert parameters == {"Role": ROLE}
        other = {"Name": "Other's", "RoleAssignee": "other-object", "CustomResourceScope": "sender", "Enabled": True}
        return [other, *self.assignments.values()]

    def _Get_OrganizationConfig(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        return [{"IsDehydrated": self.dehydrated}]

    def _Enable_OrganizationCustomization(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        assert self.dehydrated
        self.dehydrated = False
        self.log.append("customize")

    def _New_ManagementScope(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        if self.dehydrated:
            raise Refused("InvalidOperationInDehydratedContextException", "run Enable-OrganizationCustomization first")
        assert parameters["Name"] not in self.scopes
        self.scopes[parameters["Name"]] = parameters["RecipientRestrictionFilter"]
        self.log.append("scope")
        return [{"Guid": f"scope-{parameters['Name']}"}]

    def _by_guid(self, identity: str) -> str:
        """The name of the scope or assignment; each is named by its Guid."""
        kind, _, name = identity.partition("-")
        assert kind in ("scope", "assignment")
        return name

    def _Set_ManagementScope(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        name = self._by_guid(parameters["Identity"])
        assert name in self.scopes
        self.scopes[name] = parameters["RecipientRestrictionFilter"]
        self.log.append("filter")

    def _Remove_ManagementScope(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        used = {item["CustomResourceScope"] for item in self.assignments.values()}
        name = self._by_guid(parameters["Identity"])
        assert name not in used
        del self.scopes[name]
        self.log.append("no scope")

    def _New_ManagementRoleAssignment(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        assert (parameters["App"], parameters["Role"]) == (OBJECT, ROLE)
        scope = self._by_guid(parameters["CustomResourceScope"])
        assert scope in (*self.scopes, "Somebody's")
        assert parameters["Name"] not in self.assignments
        if self.undelegated:
            self.undelegated -= 1
            raise Refused("InvalidOperationException", "You must be assigned a delegating role assignment to the management role.")
        self.assign(parameters["Name"], scope)
        self.log.append("assign")

    def assign(self, name: str, scope: str | None, *, enabled: Any = "True") -> None:
        self.assignments[name] = {
            "Name": name,
            "Guid": f"assignment-{name}",
            "RoleAssignee": OBJECT,
            "CustomResourceScope": scope,
            "Enabled": enabled,
        }

    def _Set_ManagementRoleAssignment(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        self.assignments[self._by_guid(parameters["Identity"])]["Enabled"] = parameters["Enabled"]
        self.log.append("enable")

    def _Remove_ManagementRoleAssignment(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        del self.assignments[self._by_guid(parameters["Identity"])]
        self.log.append("unassign")

    def _Get_Mailbox(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        resolved = self.aliases.get(parameters["Identity"].lower(), parameters["Identity"].lower())
        if resolved not in self.mailboxes:
            raise missing(parameters["Identity"])
        return [{"Guid": resolved, "PrimarySmtpAddress": resolved}]

    def _Get_AcceptedDomain(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        return [{"DomainName": "contoso.com"}]

    def _Get_MailboxPermission(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        [resolved] = self._Get_Mailbox(parameters)
        return [{"User": "S-1-5", "AccessRights": ["FullAccess"], "Deny": False}] if resolved["Guid"] in self.granted else []

    def _Remove_MailboxPermission(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        assert (parameters["User"], parameters["AccessRights"]) == (OBJECT, ["FullAccess"])
        self.granted.remove(parameters["Identity"])
        self.log.append("revoke")

    def _Test_ServicePrincipalAuthorization(self, parameters: dict[str, Any]) -> Any:  # noqa: N802
        if parameters["Identity"] != OBJECT:
            raise Refused("ManagementObjectNotFoundException", "no such application", 404)
        self.late -= 1
        rows = []
        for item in self.assignments.values():
            text = self.scopes.get(item["CustomResourceScope"] or "", "Alias -like '*'")
            covered = self.late < 0 and parse(text).matches(self.mailboxes[parameters["Resource"].lower()])
            rows.append({"RoleName": ROLE, "InScope": str(covered), "AllowedResourceScope": item["CustomResourceScope"]})
        return [*rows, {"RoleName": "Application Mail.Send", "InScope": "True"}]


def steps(log: list[str]) -> list[str]:
    """The log without repetitions of a write."""
    return [entry for number, entry in enumerate(log) if not number or log[number - 1] != entry]


def number_of(name: str) -> int:
    resolved = re.search(r"\d+$", name)
    return int(resolved[0]) if resolved else 1
