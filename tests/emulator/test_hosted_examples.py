"""The examples of hosted-relays.json: they have the published types, and the emulator answers the same requests alike."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from emulator.http import Request, Response
from emulator.mailgun.service import Mailgun
from emulator.platform import Platform
from emulator.sendgrid.service import SendGrid
from emulator.smtp2go.service import Smtp2Go
from emulator.statefile.document import parse
from tests.contract.check_answers import answer_problems, contract

from . import test_mailgun, test_sendgrid, test_smtp2go
from .conftest import STATE
from .test_hosted_credentials import SCOPES, USERS

EXAMPLES: list[dict[str, Any]] = contract()["examples"]
every_example = pytest.mark.parametrize("example", EXAMPLES, ids=[f"{one['service']} {one['method']} {one['path']}" for one in EXAMPLES])
# What each answer has another value of, or whose text is not published.
VARYING = {
    "request_id", "id", "setup_link", "dkim_status", "rpath_status", "cname_status", "email_password", "api_key", "api_key_id", "note",
    "credentials",
}  # fmt: skip
NOT_EMULATED = {"ippool"}
ADDRESS = "erp@mg.contoso.com"
DKIM = [f"s{number}._domainkey 300 CNAME s{number}.domainkey.u1446226.wl123.sendgrid.net." for number in (1, 2)]


def _accounts(example: dict[str, Any]) -> dict[str, Any]:
    """The accounts as they are before the example's request."""
    user, domain = {"username": "erp@contoso.com", "password": "Aa1" * 10}, {"domain": "contoso.com", "return_path": "em123456"}
    has_user, has_domain = example["method"] == "PATCH", "validate" in example["path"]
    authentication = {"id": 302183, "domain": "contoso.com", "subdomain": "em1234", "default": True}
    paths, scopes = [*test_smtp2go.PATHS, *USERS], ["mail.send", *test_sendgrid.RIGHTS, *SCOPES]
    credentials = [{"login": ADDRESS, "password": "Aa1" * 10}] if example["method"] == "DELETE" else []
    created = "2026-11-28T16:00:00Z"
    return {
        "smtp2go": [
            {
                "username": "contoso", "keys": [{"value": test_smtp2go.OWNER, "paths": paths}], "domains": [domain],
                "users": [user] if has_user else [],
            }
        ],
        "sendgrid": [
            {
                "username": "contoso", "user_id": 1446226, "keys": [{"value": test_sendgrid.OWNER, "scopes": scopes}],
                "domains": [authentication] if has_domain else [],
            }
        ],
        "mailgun": [
            {
                "username": "contoso", "keys": [{"value": test_mailgun.OWNER}],
                "domains": [{"name": test_mailgun.NAME, "created": created, "credentials": credentials}],
            }
        ],
    }  # fmt: skip


def _answer(example: dict[str, Any]) -> Response:
    """The emulator's answer to the example's request."""
    tenant, *others = STATE["tenants"]
    platform = Platform(*parse({"tenants": [tenant | {"dns": {"contoso.com": DKIM}}, *others], **_accounts(example)}, Path()))
    service = example["service"]
    handlers: dict[str, Callable[[Request], Response]] = {
        "smtp2go": Smtp2Go(platform).handle, "sendgrid": SendGrid(platform).handle, "mailgun": Mailgun(platform).handle,
    }  # fmt: skip
    bases = {"smtp2go": "/smtp2go/global/v3", "sendgrid": "/sendgrid/global", "mailgun": "/mailgun/us"}
    basic = base64.b64encode(f"api:{test_mailgun.OWNER}".encode()).decode()
    headers = {
        "smtp2go": {"x-smtp2go-api-key": test_smtp2go.OWNER},
        "sendgrid": {"authorization": f"Bearer {test_sendgrid.OWNER}"},
        "mailgun": {"authorization": f"Basic {basic}", "content-type": "application/x-www-form-urlencoded"},
    }
    form = example.get("request")
    body = b"" if form is None else (urlencode(form) if service == "mailgun" else json.dumps(form)).encode()
    path = bases[service] + quote(example["path"], safe="/@")
    return handlers[service](Request(example["method"], path, "", headers[service], body, "127.0.0.1"))


def _differences(published: Any, emulated: Any, where: str = "") -> Iterator[str]:
    """One line for each place where the emulator's answer has another value than the example, or lacks it."""
    if isinstance(published, dict) and isinstance(emulated, dict):
        for name in published.keys() - NOT_EMULATED:
            if name not in emulated:
                yield f"{where}.{name} is missing"
            elif name not in VARYING:
                yield from _differences(published[name], emulated[name], f"{where}.{name}")
    elif isinstance(published, list) and isinstance(emulated, list) and len(published) == len(emulated):
        for number, (one, other) in enumerate(zip(published, emulated, strict=True)):
            yield from _differences(one, other, f"{where}[{number}]")
    elif published != emulated:
        yield f"{where}: {emulated!r} where the example has {published!r}"


@every_example
def test_example_has_the_published_types(example: dict[str, Any]) -> None:
    facts = (example["service"], example["method"], example["path"], example["status"], example["answer"])
    assert answer_problems(*facts) == []


@every_example
def test_emulator_answers_as_the_example(example: dict[str, Any]) -> None:
    answer = _answer(example)
    content = json.loads(answer.encoded()[0])
    assert (answer.status, [*_differences(example["answer"], content)]) == (example["status"], [])
    assert answer_problems(example["service"], example["method"], example["path"], answer.status, content) == []


def test_each_provider_has_examples() -> None:
    assert {one["service"] for one in EXAMPLES} == {"smtp2go", "sendgrid", "mailgun"}


@pytest.mark.parametrize(("path", "status", "answer", "problem"), [
    ("/domain/view", 200, {"request_id": 1, "data": {"domains": []}}, "request_id is int 1, where the provider has string"),
    ("/domain/view", 200, {"data": {"domains": []}}, "request_id is missing"),
    ("/domain/view", 200, {"request_id": "r1", "data": {"domains": [], "x": 1}}, "data.x is not published"),
    ("/domain/view", 200, {"request_id": "r1", "data": {"domains": {}}}, "data.domains is dict, where the provider has a list"),
    ("/domain/view", 201, {}, "status 201, which the provider does not publish (200)"),
    ("/domains", 200, {}, "no operation that this project may use"),
])  # fmt: skip
def test_checker_names_differences(path: str, status: int, answer: Any, problem: str) -> None:
    [difference] = answer_problems("smtp2go", "POST", path, status, answer)
    assert difference.endswith(problem)
