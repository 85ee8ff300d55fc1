"""SMTP credentials of a domain of Mailgun: list, create, change the password, remove.

Sources: Mailgun's OpenAPI document 3.0.0 (paths, types, texts); published answers for the texts about passwords. A password is shown where
Mailgun has chosen it, and never again.
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Callable
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, unquote

from emulator.http import Request, Response
from emulator.mailgun.documents import MailgunError
from emulator.platform import Platform
from emulator.state.mailgun import MailgunCredential, MailgunDomain

_PATH = re.compile(r"/v3/domains/([^/]+)/credentials(?:/([^/]+))?")
_SHORT = "Password is too short. It must be between 5 and 32 characters."
_SAME = "New password cannot be the same as old password."


def match(path: str) -> re.Match[str] | None:
    """The domain and the login (None: all) of a path."""
    return _PATH.fullmatch(path)


def operation(
    platform: Platform, request: Request, domain: MailgunDomain, login: str | None, form: dict[str, str]
) -> Callable[[], Response] | None:
    """What answers a request; None where the path has no such method."""
    name = _address(domain, unquote(login)) if login else ""
    operations: dict[tuple[str, bool], Callable[[], Response]] = {
        ("GET", False): lambda: _list(domain, request),
        ("POST", False): lambda: _create(platform, domain, form),
        ("PUT", True): lambda: _change(domain, name, form),
        ("DELETE", True): lambda: _remove(domain, name),
    }
    return operations.get((request.method, login is not None))


def _address(domain: MailgunDomain, login: str) -> str:
    """A login may be given without its domain."""
    return (login if "@" in login else f"{login}@{domain.name}").lower()


def _postmaster(domain: MailgunDomain) -> MailgunCredential:
    """The credential that every domain has, without a known password."""
    return MailgunCredential(f"postmaster@{domain.name}", "", domain.created)


def _list(domain: MailgunDomain, request: Request) -> Response:
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    if query.keys() - {"skip", "limit"} or not all(value.isdecimal() for value in query.values()):
        raise MailgunError(400, "invalid query parameter")
    skip, limit = int(query.get("skip", "0")), int(query.get("limit", "100"))
    if limit > 1000:
        raise MailgunError(400, "Limit parameter can't be larger than 1000")
    listed = [_postmaster(domain), *domain.credentials]
    items = [
        {"login": one.login, "mailbox": one.login, "created_at": formatdate(one.created, usegmt=True), "size_bytes": None} for one in listed
    ]
    return Response(200, {"total_count": len(items), "items": items[skip : skip + limit]})


def _create(platform: Platform, domain: MailgunDomain, form: dict[str, str]) -> Response:
    if form.keys() - {"login", "mailbox", "system", "password"}:
        raise MailgunError(400, f"{min(form.keys() - {'login', 'mailbox', 'system', 'password'})} is not emulated")
    if not form.get("login"):
        raise MailgunError(400, "Parameter 'login' is missing")
    name = _address(domain, form["login"])
    if name.rpartition("@")[2] != domain.name:
        raise MailgunError(400, "The login is not an address of the domain")
    if any(one.login == name for one in (_postmaster(domain), *domain.credentials)):
        raise MailgunError(400, "The login exists already")
    password, answer = _password(form)
    domain.credentials.append(MailgunCredential(name, password, platform.now))
    more = {"note": "This password is shown once.", "credentials": {name: password}} if answer else {}
    return Response(200, {"message": "Created 1 credentials pair(s)", **more})


def _change(domain: MailgunDomain, name: str, form: dict[str, str]) -> Response:
    credential = _one(domain, name)
    password, answer = _password(form)
    if password == credential.password:
        raise MailgunError(400, _SAME)
    credential.password = password
    more: dict[str, Any] = {"credentials": {name: password}} if answer else {}
    return Response(200, {"message": "Password changed", **more})


def _remove(domain: MailgunDomain, name: str) -> Response:
    if name == _postmaster(domain).login:
        raise MailgunError(400, f"Cannot delete system mailbox: {name}")
    domain.credentials.remove(_one(domain, name))
    return Response(200, {"message": "Credentials have been deleted", "spec": name})


def _one(domain: MailgunDomain, name: str) -> MailgunCredential:
    credential = next((one for one in domain.credentials if one.login == name), None)
    if credential is None:
        raise MailgunError(404, "Credentials not found")
    return credential


def _password(form: dict[str, str]) -> tuple[str, bool]:
    """The password, and whether Mailgun has chosen it."""
    if "password" not in form:
        return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(32)), True
    if not 5 <= len(form["password"]) <= 32:
        raise MailgunError(400, _SHORT)
    return form["password"], False
