"""InvokeCommand: one command, alone or inside a batch, from its body to its answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs

from emulator.exchange import customization, faults
from emulator.exchange.access import may_run
from emulator.exchange.binding import bind, reference
from emulator.exchange.command import CMDLETS, Command, Document, Result
from emulator.exchange.errors import WARNINGS_TYPE, ExchangeError, forbidden, invalid, object_not_found
from emulator.exchange.paging import Cursor, Cursors, fingerprint, page_size
from emulator.exchange.shapes import annotated, selected
from emulator.faults import Fault
from emulator.http import Response
from emulator.platform import Platform
from emulator.state import Tenant
from emulator.tokens import Claims
from emulator.validation import is_guid

# In commercial tenants the names of these objects are not found, as public clients report.
BY_GUID = ("-ManagementScope", "-ManagementRoleAssignment")
JSON_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true"


@dataclass
class Invocation:
    platform: Platform
    tenant: Tenant
    claims: Claims
    cursors: Cursors
    url: str  # absolute, without the query
    query: str
    headers: dict[str, str]  # names in lower case
    body: Any
    cmdlet: str = ""  # in the reference's spelling, where it is there
    parameters: Document = field(default_factory=dict)
    fault: Fault | None = None
    well_formed: bool = False

    def __post_init__(self) -> None:
        requested = self.body.get("CmdletInput") if isinstance(self.body, dict) else None
        if isinstance(requested, dict) and isinstance(requested.get("CmdletName"), str):
            name = str(requested["CmdletName"])
            self.cmdlet = str(reference().get(name.lower(), {}).get("name", name))
            parameters = requested.get("Parameters", {})
            self.well_formed = isinstance(parameters, dict)
            self.parameters = parameters if self.well_formed else {}

    @property
    def identity(self) -> str:
        match = next((v for k, v in self.parameters.items() if k.lower() == "identity"), None)
        return str(match or "")

    def option(self, name: str) -> str | None:
        values = parse_qs(self.query).get(name)
        return values[0] if values else None


def invoke(call: Invocation) -> Response:
    """The answer, with the headers that every answer has."""
    response = _faulty(call) or _run(call)
    if isinstance(response.body, dict):
        response.headers.setdefault("content-type", JSON_TYPE)
    response.headers |= {"Cmdlet-Name": call.cmdlet, "Rate-Limit-Limit": "30000", "Rate-Limit-Remaining": "29999"}
    return response


def _faulty(call: Invocation) -> Response | None:
    facts = {"method": "POST", "path": call.url, "cmdlet": call.cmdlet, "mailbox": call.identity, "tenant": call.tenant.id}
    call.fault = call.platform.faults.take("exchange", **facts)
    if call.fault is None:
        return None
    if call.fault.name == "claims_challenge" and "xms_ev" in call.claims:
        call.fault.used -= 1  # this token answers the challenge
        return None
    return faults.play(call.fault, call.identity)


def _run(call: Invocation) -> Response:
    try:
        if not call.well_formed:
            raise invalid("The request body must hold CmdletInput with CmdletName and Parameters.")
        if call.cmdlet not in CMDLETS or not may_run(call.claims, call.cmdlet):
            return forbidden()
        token = call.option("$skiptoken")
        if token:
            cursor = call.cursors.find(token, call.tenant.id, _asked(call), _anchor(call), _oldest(call))
            return _page(call, cursor.result, cursor.start)
        parameters = bind(reference()[call.cmdlet.lower()], call.parameters)
        if parameters.get("Confirm") or parameters.get("WhatIf"):
            return _confirmation(call)
        return _page(call, _result(call, parameters), 0)
    except ExchangeError as error:
        return error.response(call.cmdlet)


def _result(call: Invocation, parameters: Document) -> Result:
    fault = call.fault.name if call.fault else None
    if fault == "name_not_found":
        _refuse_names(call)
    by_guid_only = call.cmdlet.endswith(BY_GUID) and not call.platform.settings.names_of_scopes
    if by_guid_only and call.identity and not is_guid(call.identity):
        raise object_not_found(call.identity)
    if fault == "stale_replica" and call.cmdlet.startswith("Get-") and not _anchor(call):
        return Result()
    command = Command(call.platform, call.tenant, call.cmdlet, call.parameters, parameters, fault)
    customization.refuse(command)
    _refuse_white_space(command)
    result = CMDLETS[call.cmdlet](command)
    if fault == "no_object":
        return Result(warnings=result.warnings)
    if fault == "several_objects" and "Identity" in parameters:
        every = CMDLETS[call.cmdlet](replace(command, parameters={k: v for k, v in parameters.items() if k != "Identity"})).rows
        result.rows = [*result.rows, *[row for row in every if row not in result.rows][:1]]
    if fault == "boolean_strings":
        show = result.show
        result.show = lambda row: {k: str(v) if isinstance(v, bool) else v for k, v in show(row).items()}
    return result


def _refuse_white_space(command: Command) -> None:
    """Exchange's schema of directory objects, and that of recipients, refuse a name that begins or ends with white space."""
    for name in ("Name", "DisplayName"):
        value = command.text(name) or ""
        if command.name.startswith(("New-", "Set-")) and value != value.strip():
            raise invalid(f"The property {name} is '{value}'. It can't begin or end with white space.")


def _refuse_names(call: Invocation) -> None:
    """Objects are found by Guid only; reads find mailboxes by address, too."""
    references = [str(value) for name, value in call.parameters.items() if name.lower() in ("identity", "customresourcescope")]
    by_address = call.cmdlet.startswith(("Get-", "Test-"))
    for reference_ in references:
        if not is_guid(reference_) and not (by_address and "@" in reference_):
            raise object_not_found(reference_)


def _oldest(call: Invocation) -> float:
    """When a nextLink that still lives was made, at the earliest."""
    return call.platform.now - call.platform.settings.pagination_lifetime


def _asked(call: Invocation) -> str:
    return fingerprint(call.cmdlet, call.parameters)


def _anchor(call: Invocation) -> str:
    return call.headers.get("x-anchormailbox", "")


def _envelope(call: Invocation) -> Document:
    base = call.url.rpartition("/")[0]
    return {"@odata.context": f"{base}/$metadata#Collection(Exchange.GenericHashTable)"} | WARNINGS_TYPE


def _page(call: Invocation, result: Result, start: int) -> Response:
    size = page_size(call.headers.get("prefer", ""), call.platform.settings.exchange_page_size)
    body = _envelope(call) | {"@adminapi.warnings": result.warnings}
    if start + size < len(result.rows):
        cursor = Cursor(call.tenant.id, _asked(call), _anchor(call), result, start + size, call.platform.now)
        select = call.option("$select")
        more = f"&%24select={select}" if select else ""
        body["@odata.nextLink"] = f"{call.url}?%24skiptoken={call.cursors.remember(cursor, _oldest(call))}{more}"
    names = [name.strip() for name in (call.option("$select") or "").split(",") if name.strip()]
    body["value"] = [annotated(selected(result.show(row), names)) for row in result.rows[start : start + size]]
    headers = {"Preference-Applied": f"odata.maxpagesize={size}"} if "prefer" in call.headers else {}
    return Response(200, body, headers)


def _confirmation(call: Invocation) -> Response:
    """Confirm or WhatIf: what the prompt would say, and no change."""
    what = f'"{call.identity}"' if call.identity else "the organization"
    text = f"Are you sure you want to perform this action? {call.cmdlet} on {what}."
    body = _envelope(call) | {"@adminapi.warnings": [], "@adminapi.confirmationmessage": text, "value": []}
    return Response(200, body)
