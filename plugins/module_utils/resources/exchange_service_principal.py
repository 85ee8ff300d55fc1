# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An application in Exchange: its service principal, and the mailboxes that it may open (FullAccess) or send as (SendAs).

Private to the collection. Sources: "Authenticate an IMAP, POP or SMTP connection using OAuth"; New-ServicePrincipal,
Add-MailboxPermission, Add-RecipientPermission.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._clients.exchange import Command, Outcome, boolean, is_missing, names
from .._core import mail_addresses
from .._core.errors import ExchangeError, InvalidInput
from .._core.spec import EXPECTED, JOURNAL, TENANT, Spec
from .._engine.engine import Plan
from .._engine.tenant import Tenant
from .._entra import application_lookup
from .._entra.application_lookup import Application
from .._exchange import addresses, consistency

RIGHTS = ("FullAccess", "SendAs")
OPTIONS = Spec(
    {
        "unique_name": {"type": "str"},
        "app_id": {"type": "str"},
        "display_name": {"type": "str"},
        "full_access": {"type": "list", "elements": "str"},
        "send_as": {"type": "list", "elements": "str"},
        "exclusive": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    },
    mutually_exclusive=(("unique_name", "app_id"),),
    required_one_of=(("unique_name", "app_id"),),
)


@dataclass
class Work:
    remove: list[str] = field(default_factory=list)  # object ids of registrations
    create: bool = False
    rename: bool = False
    grant: list[tuple[str, str]] = field(default_factory=list)  # (right, address)
    revoke: list[tuple[str, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(vars(self).values())


@dataclass
class Found:
    application: Application | None = None
    principal: dict | None = None  # registered in Exchange for this application, with the right object id
    wrong: list[dict] = field(default_factory=list)  # registered with another object id
    grants: set[tuple[str, str]] = field(default_factory=set)  # (right, address)


class ExchangeServicePrincipal:
    """module exchange_service_principal"""

    name = "exchange_service_principal"
    spec = TENANT | JOURNAL | EXPECTED | OPTIONS

    def check(self, params: dict[str, Any]) -> list[str]:
        found = []
        for option in ("full_access", "send_as"):
            found += mail_addresses.problems(option, params[option] or [])
        return found

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        plan = Plan()
        application = application_lookup.find_application(tenant, params["app_id"], params["unique_name"])
        if not application and params["state"] == "present":
            name = params["unique_name"] or params["app_id"]
            sentence = f"Entra has no enterprise application for {name}"
            if not check_mode:
                raise InvalidInput(f"{sentence}: register it first (module entra_app).")
            plan.warnings.append(f"{sentence} yet; the prediction assumes that an earlier task of the real run creates it.")
        wanted = [(right, address.lower()) for right, option in zip(RIGHTS, ("full_access", "send_as"), strict=True)
                  for address in params[option] or []]  # fmt: skip
        found = read(tenant, application, params, wanted, addresses.expected(params["expected_mailboxes"], check_mode))
        work = difference(found, params, wanted)
        title = params["display_name"] or (application.display_name if application else params["unique_name"])
        plan.before = public(found)
        plan.after = {} if params["state"] == "absent" else predicted(found, work, title)
        plan.steps = [work, found, title] if work else []
        plan.outcome = {"service_principal": result(application, plan.after)}
        return plan

    def apply(self, tenant: Tenant, params: dict[str, Any], plan: Plan) -> dict[str, Any]:
        work, found, title = plan.steps
        write(tenant, work, found, title)
        return {"service_principal": result(found.application, plan.after)}


RESOURCE = ExchangeServicePrincipal()


def result(application: Application | None, shown: dict[str, Any]) -> dict[str, Any] | None:
    if not shown:
        return None
    ids = {"app_id": application.app_id, "object_id": application.object_id} if application else {"app_id": None, "object_id": None}
    return ids | shown


# -- reading ----------------------------------------------------------------------------------------------------------


def _permission_reads(address: str) -> list[Command]:
    attempted = f"read who may use {address}"
    return [
        Command("Get-MailboxPermission", {"Identity": address}, attempted=attempted),
        Command("Get-RecipientPermission", {"Identity": address}, attempted=attempted),
    ]


def read(
    tenant: Tenant,
    application: Application | None,
    params: dict[str, Any],
    wanted: Sequence[tuple[str, str]],
    expected: Collection[str] = (),
) -> Found:
    """The registrations and the grants, in batches; InvalidInput names all mailboxes that do not exist."""
    listed = list(dict.fromkeys(address for _right, address in wanted if address not in expected))
    if params["exclusive"]:
        every = Command("Get-Mailbox", {"ResultSize": "Unlimited"}, ("Guid", "PrimarySmtpAddress"), "list the mailboxes")
        listed = list(dict.fromkeys(listed + [str(m["PrimarySmtpAddress"]).lower() for m in tenant.exchange.run(every).values]))
    commands = [Command("Get-ServicePrincipal", {}, attempted="read the service principals in Exchange")]
    for address in listed:
        commands += _permission_reads(address)
    principals, *reads = tenant.exchange.batch(commands)
    found = Found(application)
    # An enterprise application that is gone from Entra leaves its registration in Exchange behind.
    app_id = application.app_id if application else params["app_id"]
    for principal in principals.checked().values:
        if app_id and str(principal.get("AppId", "")).lower() == app_id.lower():
            if application and str(principal.get("ObjectId", "")).lower() == application.object_id.lower():
                found.principal = principal
            else:
                found.wrong.append(principal)
    missing = []
    for number, address in enumerate(listed):
        mailbox, recipient = reads[2 * number : 2 * number + 2]
        if is_missing(mailbox.error):
            missing.append(address)
            continue
        found.grants |= {(right, address) for right in held(found.principal, mailbox.checked(), recipient.checked())}
    addresses.refuse_missing(tenant.exchange, missing)
    return found


def held(principal: dict | None, mailbox: Outcome, recipient: Outcome) -> set[str]:
    """The rights that a service principal has on a mailbox: reads show it by its SID (or by an id)."""
    if not principal:
        return set()
    shown = {str(principal.get(name)).lower() for name in ("Sid", "ObjectId", "AppId") if principal.get(name)}
    rights = set()
    for entry in mailbox.values:
        who = {str(entry.get(name)).lower() for name in ("User", "UserSid")}
        if who & shown and not boolean(entry.get("Deny")) and "FullAccess" in names(entry.get("AccessRights")):
            rights.add("FullAccess")
    for entry in recipient.values:
        who = {str(entry.get(name)).lower() for name in ("Trustee", "TrusteeSidString")}
        if who & shown and entry.get("AccessControlType") != "Deny" and "SendAs" in names(entry.get("AccessRights")):
            rights.add("SendAs")
    return rights


# -- comparing and showing --------------------------------------------------------------------------------------------


def difference(found: Found, params: dict[str, Any], wanted: Sequence[tuple[str, str]]) -> Work:
    registered = [str(p["ObjectId"]) for p in found.wrong]
    if params["state"] == "absent":
        return Work(remove=registered + ([str(found.principal["ObjectId"])] if found.principal else []))
    work = Work(remove=registered, create=not found.principal)
    title = params["display_name"]
    work.rename = bool(found.principal and title and found.principal.get("DisplayName") != title)
    work.grant = [entry for entry in wanted if entry not in found.grants]
    if params["exclusive"]:
        work.revoke = sorted(found.grants - set(wanted))
    return work


def _shape(title: str | None, grants: set[tuple[str, str]]) -> dict[str, Any]:
    shown: dict[str, Any] = {"display_name": title}
    for right, name in zip(RIGHTS, ("full_access", "send_as"), strict=True):
        shown[name] = sorted(address for r, address in grants if r == right)
    return shown


def public(found: Found) -> dict[str, Any]:
    if not found.principal:
        return {"registered_with_object_id": [str(p["ObjectId"]) for p in found.wrong]} if found.wrong else {}
    return _shape(found.principal.get("DisplayName"), found.grants)


def predicted(found: Found, work: Work, title: str | None) -> dict[str, Any]:
    kept = found.principal.get("DisplayName") if found.principal and not work.rename else title
    return _shape(kept, (found.grants | set(work.grant)) - set(work.revoke))


# -- writing ----------------------------------------------------------------------------------------------------------


def write(tenant: Tenant, work: Work, found: Found, title: str | None) -> None:
    """Registration first, then the rights; a principal that Exchange's other servers do not know yet is waited for."""
    for object_id in work.remove:
        remove = Command("Remove-ServicePrincipal", {"Identity": object_id, "Confirm": False}, attempted="remove the service principal")
        tenant.exchange.run(remove)
    if work.create and found.application:
        application = found.application
        parameters = {"AppId": application.app_id, "ObjectId": application.object_id, "DisplayName": title or application.display_name}
        try:
            tenant.exchange.run(Command("New-ServicePrincipal", parameters, attempted="register the application in Exchange"))
        except ExchangeError as error:
            if not error.exists:
                raise
    if work.rename and found.application and title:
        parameters = {"Identity": found.application.object_id, "DisplayName": title}
        tenant.exchange.run(Command("Set-ServicePrincipal", parameters, attempted="rename the service principal"))
    if found.application:
        object_id = found.application.object_id
        consistency.run_all(tenant, [_grant(object_id, right, address) for right, address in work.grant])
        consistency.run_all(tenant, [revoke(object_id, right, address) for right, address in work.revoke])


def _grant(object_id: str, right: str, address: str) -> Command:
    attempted = f"grant {right} on {address}"
    if right == "SendAs":
        parameters = {"Identity": address, "Trustee": object_id, "AccessRights": ["SendAs"], "Confirm": False}
        return Command("Add-RecipientPermission", parameters, attempted=attempted)
    parameters = {
        "Identity": address,
        "User": object_id,
        "AccessRights": ["FullAccess"],
        "InheritanceType": "All",
        "AutoMapping": False,
        "Confirm": False,
    }
    return Command("Add-MailboxPermission", parameters, attempted=attempted)


def revoke(object_id: str, right: str, address: str) -> Command:
    attempted = f"withdraw {right} on {address}"
    if right == "SendAs":
        parameters = {"Identity": address, "Trustee": object_id, "AccessRights": ["SendAs"], "Confirm": False}
        return Command("Remove-RecipientPermission", parameters, attempted=attempted)
    parameters = {"Identity": address, "User": object_id, "AccessRights": ["FullAccess"], "InheritanceType": "All", "Confirm": False}
    return Command("Remove-MailboxPermission", parameters, attempted=attempted)
