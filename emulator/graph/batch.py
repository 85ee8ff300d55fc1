"""$batch ("Combine multiple HTTP requests using JSON batching")."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

from emulator.graph import faults
from emulator.graph.call import Call, normal_path, options_of
from emulator.graph.dispatch import dispatch, refusal
from emulator.graph.errors import GraphError, bad_request
from emulator.http import Response

MOST = 20
Document = dict[str, Any]


def run_batch(outer: Call) -> Response:
    """Responses are in any order; an item fails alone, or with an item that it depends on."""
    facts = {"method": "POST", "path": outer.path, "tenant": outer.tenant.id, "batch": True}
    fault = outer.platform.faults.take("graph", **facts)
    return faults.play(fault, lambda: _run(outer)) if fault else _run(outer)


def _run(outer: Call) -> Response:
    items = _checked(outer.body.get("requests"))
    statuses: dict[str, int] = {}
    answers = []
    for item in items:
        outer.platform.counters.count(outer.tenant.id, "graph_batched")
        response = _answer(outer, item, statuses)
        statuses[item["id"]] = response.status
        content, headers = response.encoded()
        body = response.body if not isinstance(response.body, bytes) else content.decode("utf-8", "replace")
        answers.append({"id": item["id"], "status": response.status, "headers": _titled(headers), "body": body})
    random.shuffle(answers)
    return Response(200, {"responses": answers})


def _answer(outer: Call, item: Document, statuses: dict[str, int]) -> Response:
    try:
        if any(statuses.get(one, 424) >= 400 for one in item.get("dependsOn") or ()):
            raise GraphError(424, "FailedDependency", "The dependency of the request failed.")
        return dispatch(_call(outer, item))
    except GraphError as error:
        return refusal(error, outer.now, outer.headers)


def _call(outer: Call, item: Document) -> Call:
    parts = urlsplit(item["url"])
    path = f"/{unquote(parts.path).lstrip('/')}"
    if parts.scheme or path.startswith(("/v1.0/", "/beta/")) or path == "/$batch":
        raise bad_request("Invalid batch request url: it must be relative and no batch.", "BadRequest")
    return replace(
        outer,
        method=item["method"].upper(),
        path=normal_path(path),
        options=options_of(parts.query),
        headers={name.lower(): str(value) for name, value in (item.get("headers") or {}).items()},
        body=item.get("body") or {},
    )


def _checked(items: Any) -> list[Document]:
    """The items, when the batch as a whole is acceptable."""
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise bad_request("Invalid batch payload format.", "BadRequest")
    if len(items) > MOST:
        raise bad_request(f"Number of batch request steps exceeds the maximum value of {MOST}.", "BadRequest")
    ids = [item.get("id") for item in items]
    if not all(isinstance(one, str) and one for one in ids) or len(set(ids)) != len(ids):
        raise bad_request("Request Ids must be present and unique in a batch.", "BadRequest")
    for item in items:
        _check_item(item, set(ids))
    return items


def _check_item(item: Document, ids: set[Any]) -> None:
    if not isinstance(item.get("method"), str) or not isinstance(item.get("url"), str):
        raise bad_request("Invalid batch payload format.", "BadRequest")
    if item.get("body") is not None and "content-type" not in {name.lower() for name in item.get("headers") or {}}:
        text = f"Write request id : {item['id']} does not contain Content-Type header or body."
        raise bad_request(text, "BadRequest")
    if not set(item.get("dependsOn") or ()) <= ids:
        raise bad_request("Invalid dependsOn request id.", "BadRequest")


def _titled(headers: dict[str, str]) -> dict[str, str]:
    return {"-".join(part.capitalize() for part in name.split("-")): value for name, value in headers.items()}
