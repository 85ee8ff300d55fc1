"""The Exchange admin API: InvokeCommand, $batch and the module file under /adminapi."""

from __future__ import annotations

import random
import re
from typing import Any
from urllib.parse import unquote, urlsplit

from emulator.exchange import (  # noqa: F401 (they register their cmdlets)
    authentication_policies,
    dkim,
    hve,
    inbound_connectors,
    mailboxes,
    management_role_assignments,
    management_scopes,
    message_trace,
    organization,
    permissions,
    recipients,
    role_groups,
    service_principals,
    spoof_intelligence,
    users,
)
from emulator.exchange.access import authenticate, may_run
from emulator.exchange.command import CMDLETS
from emulator.exchange.errors import invalid
from emulator.exchange.faults import concurrency, play, redirect
from emulator.exchange.invoke import Invocation, invoke
from emulator.exchange.paging import Cursors
from emulator.http import Handler, MalformedJsonError, Request, Response
from emulator.platform import Platform
from emulator.state import Tenant, new_guid
from emulator.tokens import Claims

PATH = re.compile(r"/adminapi/(beta|v1\.0)/([^/]+)/(InvokeCommand|\$batch|EXOModuleFile)", re.IGNORECASE)
MOST_IN_A_BATCH = 10
READING = ("Get-", "Test-", "Search-")


def handles(path: str) -> bool:
    return path.lower().startswith("/adminapi/")


class ExchangeAdmin:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._cursors = Cursors()
        platform.state.on_replace.append(self._cursors.clear)

    def arrive(self, request: Request) -> Handler:
        """Count a request as in flight from now on; the handler gives its answer and counts it off."""
        tenant = request.path.split("/")[3:4]
        key = tenant[0].lower() if tenant else ""
        self._platform.in_flight[key] += 1
        limit = self._platform.settings.exchange_concurrency
        refused = bool(limit) and self._platform.in_flight[key] > limit

        def handle(request: Request) -> Response:
            self._platform.in_flight[key] -= 1
            return concurrency() if refused else self._handle(request)

        return handle

    def _handle(self, request: Request) -> Response:
        response = self._answer(request)
        response.headers.setdefault("request-id", new_guid())
        return response

    def _answer(self, request: Request) -> Response:
        match = PATH.fullmatch(request.path.rstrip("/"))
        if match is None:
            return Response(404)
        version, tenant_name, what = match.groups()
        fault = self._platform.faults.take("exchange", early=True, method=request.method, path=request.path)
        moved = redirect(fault, request.origin, request.path) if fault else None
        if moved:
            self._platform.counters.count(None, "exchange")
            return moved
        checked = authenticate(self._platform, request.headers.get("authorization", ""), tenant_name)
        tenant = None if isinstance(checked, Response) else checked[0]
        self._platform.counters.count(tenant.id if tenant else None, "exchange")
        if what.lower() == "exomodulefile":
            return checked if isinstance(checked, Response) else _module_file(request, checked[1])
        if version.lower() != "beta" or request.method != "POST":
            return Response(405)
        try:
            body = request.json_object()
        except MalformedJsonError:
            return invalid("The request body is no valid JSON.").response()
        if what == "$batch":
            return self._batch(request, tenant_name, checked, body)
        url = f"{request.origin}{request.path}"
        return self._invoke(checked, url, request.query, request.headers, body)

    def _invoke(self, checked: tuple[Tenant, Claims] | Response, url: str, query: str, headers: dict[str, str], body: Any) -> Response:
        if isinstance(checked, Response):
            self._record(None, body, checked.status, query)
            return checked
        tenant, claims = checked
        call = Invocation(self._platform, tenant, claims, self._cursors, url, query, headers, body)
        response = invoke(call)
        response.note = call.fault.name if call.fault else None
        self._record(tenant, body, response.status, query, call.cmdlet)
        return response

    def _batch(self, request: Request, tenant_name: str, checked: tuple[Tenant, Claims] | Response, body: dict[str, Any]) -> Response:
        """At most ten commands; responses are in any order, and each fails alone."""
        if isinstance(checked, Response):
            return checked
        facts = {"method": "POST", "path": request.path, "tenant": checked[0].id, "batch": True}
        fault = self._platform.faults.take("exchange", **facts)
        played = play(fault, "") if fault else None
        if played:
            return played
        items = body.get("requests")
        problem = _batch_problem(items)
        if problem or not isinstance(items, list):
            return invalid(problem).response()
        answers = [self._item(request, tenant_name, item) for item in items]
        random.shuffle(answers)
        return Response(200, {"responses": answers})

    def _item(self, request: Request, tenant_name: str, item: dict[str, Any]) -> dict[str, Any]:
        headers = {name.lower(): str(value) for name, value in (item.get("headers") or {}).items()}
        authorization = headers.get("authorization") or request.headers.get("authorization", "")
        checked = authenticate(self._platform, authorization, tenant_name)
        if not isinstance(checked, Response):
            self._platform.counters.count(checked[0].id, "exchange_batched")
        parts = urlsplit(str(item.get("url")))
        match = PATH.fullmatch(unquote(parts.path).rstrip("/"))
        if match is None or match.group(3).lower() != "invokecommand" or not parts.scheme or match.group(2) != tenant_name:
            response = invalid(f"The url '{item.get('url')}' is no InvokeCommand of this tenant.").response()
        else:
            url = f"{parts.scheme}://{parts.netloc}{parts.path}"
            response = self._invoke(checked, url, parts.query, headers, item.get("body"))
        listed = response.body if isinstance(response.body, (dict, str)) else None
        if response.note == "item_without_status":
            return {"id": item["id"], "body": listed}
        return {"id": item["id"], "status": response.status, "headers": response.headers, "body": listed}

    def _record(self, tenant: Tenant | None, body: Any, status: int, query: str, cmdlet: str = "") -> None:
        requested = body.get("CmdletInput") if isinstance(body, dict) else None
        if not isinstance(requested, dict):
            return
        name = str(requested.get("CmdletName") or cmdlet)
        self._platform.record.write(
            {
                "service": "exchange",
                "cmdlet": name,
                "parameters": requested.get("Parameters"),
                "query": query,
                "tenant": tenant.id if tenant else None,
                "status": status,
                "write": not name.startswith(READING),
            }
        )


def _batch_problem(items: Any) -> str:
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        return "The batch holds no requests."
    if len(items) > MOST_IN_A_BATCH:
        return f"A batch holds at most {MOST_IN_A_BATCH} requests, not {len(items)}."
    ids = [item.get("id") for item in items]
    if not all(isinstance(one, str) and one for one in ids) or len(set(ids)) != len(ids):
        return "The requests of a batch need distinct ids."
    return ""


def _module_file(request: Request, claims: Claims) -> Response:
    """What the connecting module downloads: the cmdlets that the caller's roles allow."""
    if request.method != "GET":
        return Response(405)
    allowed = ",".join(sorted(name for name in CMDLETS if may_run(claims, name)))
    context = f"{request.origin}{request.path.rpartition('/')[0]}/$metadata#EXOModuleFile"
    return Response(200, {"@odata.context": context, "value": [{"exportedCmdlets": allowed}]})
