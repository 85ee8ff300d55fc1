"""A changed run reads nothing twice that it has not changed itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.repeats import requests
from tests.emulator.conftest import TENANT, Start

from .tenant_play import Document, Play
from .test_exchange_roles import BULK, ERP, FAX, HVE, LAB, RBAC, RUNS, SCANNER

SHOP = {"name": "Shop", "kind": "website", "address": "noreply@contoso.com"}
SENDERS = [ERP, SCANNER, FAX, LAB, BULK]
CHANGED: dict[str, tuple[list[Document], list[Document], Document]] = {
    **{name: run for name, run in RUNS.items() if name != "offboarding"},
    "OAuth": ([], [ERP, SHOP], {}),
    "another sender": ([ERP], [ERP, SHOP], {}),
    "one sender less": ([ERP, SHOP], [ERP], {}),
    "two senders less, exclusive": ([ERP, SHOP, SCANNER], [ERP], {"app_exclusive": True}),
    "from Basic to OAuth": ([FAX], [{**FAX, "method": "oauth"}], {}),
    "more mailboxes with RBAC": ([ERP], [ERP, SHOP], RBAC),
    "orphans": (SENDERS, [ERP], HVE | {"remove_orphans": True}),
    "no sender, orphans kept": (SENDERS, [], HVE),
}
# What a write of Exchange changes besides the objects of its own noun.
CHANGES = {
    "Mailbox": ("Recipient", "CASMailbox", "User", "MailboxPermission"),
    "MailUser": ("Recipient", "User"),
    "ServicePrincipal": ("MailboxPermission",),
    "AuthenticationPolicy": ("User",),
    "OrganizationCustomization": ("OrganizationConfig",),
}
MICROSOFTS_OWN = re.compile(r"GET /servicePrincipals\(appId='0000000\d-0000-")


def kind(request: str) -> str:
    """The kind of objects that a request reads or writes."""
    if re.match(r"(GET|POST|PATCH|PUT|DELETE) ", request):
        if MICROSOFTS_OWN.match(request):
            return request
        first = re.split(r"[/(?]", request.partition(" /")[2])[0]
        return "applications" if first in ("servicePrincipals", "directory") else first
    return request.split(" ")[0].partition("-")[2]


def repeated(entries: list[Any]) -> Iterator[str]:
    """The reads that were asked before, where nothing of their kind was written since."""
    known: dict[str, str] = {}  # read -> kind
    for request in entries:
        if request.startswith("GET ") or request.startswith("Get-"):
            if request in known:
                yield request
            known[request] = kind(request)
        else:
            changed = {kind(request), *CHANGES.get(kind(request), ())}
            known = {read: of for read, of in known.items() if of not in changed}


@pytest.mark.parametrize("name", list(CHANGED))
def test_a_changed_run_repeats_no_read_of_what_it_has_not_changed(start: Start, tmp_path: Path, name: str) -> None:
    before, after, options = CHANGED[name]
    record = tmp_path / "record.jsonl"
    api = start(tenant={"security_defaults": False, "reject_direct_send": True}, record=record)
    play = Play(api, tmp_path)
    made = play(*before, **{name: value for name, value in options.items() if name in ("hve", "inventory")})
    assert "failed" not in made, made
    lines = len(record.read_text().splitlines())
    done = play(*after, **options)
    assert ("failed" in done, done["changed"]) == (False, True), done
    entries = [json.loads(line) for line in record.read_text().splitlines()[lines:]]
    assert {entry["tenant"] for entry in entries} == {TENANT}
    listed = [text for entry in entries for text in requests(entry)]
    assert any(text.startswith("Get-") for text in listed)
    assert list(repeated(listed)) == []


def test_what_counts_as_repeated() -> None:
    read, other = 'Get-CASMailbox {"Identity": "a"}', "GET /domains"
    assert list(repeated([read, other, read])) == [read]
    assert list(repeated([read, "Set-User {}", read])) == [read]
    assert list(repeated([read, "Set-CASMailbox {}", read])) == []
    assert list(repeated([read, "New-Mailbox {}", read])) == []
    assert list(repeated([other, "PATCH /applications(uniqueName='a')", other])) == [other]
    own = "GET /servicePrincipals(appId='00000002-0000-0ff1-ce00-000000000000')?$select=id"
    assert list(repeated([own, "POST /servicePrincipals", own])) == [own]
