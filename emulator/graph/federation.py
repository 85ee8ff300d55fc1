"""/applications/{id}/federatedIdentityCredentials ("federatedIdentityCredential resource type").

The texts of the duplicates are those that the service was seen to answer; those of the limits are not published.
"""

from __future__ import annotations

import re
from typing import Any

from emulator.graph.applications import READ, WRITE, check_owner, find
from emulator.graph.call import Call, key_of, route
from emulator.graph.errors import GraphError, bad_request, conflict, not_found
from emulator.graph.query import one, page
from emulator.graph.validate import check_body
from emulator.http import Response
from emulator.state import Application, FederatedCredential, new_guid

Document = dict[str, Any]
PATH = "/applications/{key}/federatedIdentityCredentials"
TYPE = "federatedIdentityCredential"
MOST = 20
NAME = re.compile(r"[A-Za-z0-9_-]{1,120}")
LONGEST = 600


def document(credential: FederatedCredential) -> Document:
    return {
        "id": credential.id,
        "name": credential.name,
        "issuer": credential.issuer,
        "subject": credential.subject,
        "description": credential.description,
        "audiences": credential.audiences,
    }


def _fragment(application: Application) -> str:
    return f"applications('{application.object_id}')/federatedIdentityCredentials"


def _seen(call: Call, application: Application) -> list[FederatedCredential]:
    return [one for one in application.federated if one.effective_from <= call.now]


def _find(call: Call, application: Application, segment: str) -> FederatedCredential:
    _, value = key_of(segment)
    match = next((one for one in _seen(call, application) if value in (one.id, one.name)), None)
    if match is None:
        raise not_found(value)
    return match


def _owned(call: Call, key: str) -> Application:
    application = find(call, key)
    check_owner(call, application.owners)
    return application


@route("GET", PATH, *READ)
def list_credentials(call: Call, key: str) -> Response:
    application = find(call, key)
    return page(call, TYPE, [document(one) for one in _seen(call, application)], _fragment(application))


@route("GET", f"{PATH}/{{credential}}", *READ)
def get_credential(call: Call, key: str, credential: str) -> Response:
    application = find(call, key)
    return one(call, TYPE, document(_find(call, application, credential)), _fragment(application))


@route("POST", PATH, *WRITE)
def post_credential(call: Call, key: str) -> Response:
    application = _owned(call, key)
    return _created(call, application, call.body)


@route("PATCH", f"{PATH}/{{credential}}", *WRITE)
def patch_credential(call: Call, key: str, credential: str) -> Response:
    """With `Prefer: create-if-missing` and a name as the key it creates what is not there."""
    application = _owned(call, key)
    name, value = key_of(credential)
    known = next((one for one in application.federated if value in (one.id, one.name)), None)
    if known is None and name == "name" and call.creates_if_missing:
        return _created(call, application, call.body | {"name": value})
    result = known if known and call.creates_if_missing else _find(call, application, credential)
    if call.body.get("name", result.name) != result.name:
        raise bad_request("Property 'name' is read-only and cannot be set.")
    after = document(result) | {name: value for name, value in call.body.items() if not name.startswith("@odata.")}
    _check(application, call.body, after, result)
    result.issuer, result.subject, result.audiences = after["issuer"], after["subject"], list(after["audiences"])
    result.description = after["description"]
    return Response(204)


@route("DELETE", f"{PATH}/{{credential}}", *WRITE)
def delete_credential(call: Call, key: str, credential: str) -> Response:
    application = _owned(call, key)
    application.federated.remove(_find(call, application, credential))
    return Response(204)


def _created(call: Call, application: Application, body: Document) -> Response:
    after: Document = {"description": None, "audiences": None} | body
    if any(one.name == after.get("name") for one in application.federated):
        raise conflict(f"FederatedIdentityCredential with name {after['name']} already exists.")
    _check(application, body, after, None)
    if len(application.federated) >= MOST:
        raise bad_request(f"An application may have at most {MOST} federated identity credentials.")
    credential = FederatedCredential(
        id=new_guid(),
        name=after["name"],
        issuer=after["issuer"],
        subject=after["subject"],
        audiences=list(after["audiences"]),
        description=after["description"],
        effective_from=call.platform.after("credential"),
    )
    application.federated.append(credential)
    return one(call, TYPE, document(credential), _fragment(application), 201)


def _check(application: Application, body: Document, after: Document, own: FederatedCredential | None) -> None:
    check_body(body, TYPE, {"id"})
    if not NAME.fullmatch(str(after.get("name") or "")):
        raise _invalid("Name", after.get("name"), "must be 1 to 120 letters, digits, hyphens and underscores")
    for name in ("issuer", "subject"):
        if not after.get(name) or len(str(after[name])) > LONGEST:
            raise _invalid(name.capitalize(), after.get(name), f"is required and has at most {LONGEST} characters")
    if len(after.get("audiences") or []) != 1:
        raise _invalid("Audiences", after.get("audiences"), "must hold exactly one value")
    pair = (after["issuer"], after["subject"])
    if any((other.issuer, other.subject) == pair for other in application.federated if other is not own):
        text = "The combination of issuer and subject must be unique for the application. "
        raise _coded(f"{text}Issuer {pair[0]} and Subject: {pair[1]} already exist.", "Subject", pair[1])


def _invalid(name: str, value: Any, text: str) -> GraphError:
    return _coded(f"Property {name} {text}.", name, value)


def _coded(text: str, name: str, value: Any) -> GraphError:
    where = (
        f"paramName: FederatedIdentityCredential.{name}, paramValue: {value}, objectType: Microsoft.Online.DirectoryServices.Application"
    )
    return bad_request(f"{text} {where}", "InvalidFederatedIdentityCredentialValue")
