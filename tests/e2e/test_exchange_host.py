"""A tenant whose Exchange admin API is on a sub-domain: the redirect costs one request a run, and no other host gets the token."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._engine import tenant_engine
from ansible_collections.mailops.m365.plugins.module_utils._engine.tenant import Tenant
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Request, Response, Session
from ansible_collections.mailops.m365.plugins.module_utils.resources import direct_send, smtp_auth

from tests.emulator.conftest import Start

from .emulated import Run

PREFIX = "eurprd01"


class SubDomain:
    """A session that resolves the sub-domain of the emulator's address; `hosts` are those of the requests to Exchange."""

    def __init__(self, ca_file: str) -> None:
        self.session = Session(ca_file)
        self.hosts: list[str] = []

    def __call__(self, request: Request) -> Response:
        host = urlsplit(request.url).netloc
        if "/adminapi/" in request.url:
            self.hosts.append(host)
        if host.startswith(f"{PREFIX}."):
            request = replace(request, url=request.url.replace(f"//{PREFIX}.", "//", 1), headers={**request.headers, "Host": host})
        return self.session(request)


@pytest.fixture
def site(start: Start, tmp_path: Path) -> Run:
    return Run(start(), tmp_path / "run")


@pytest.fixture
def network(site: Run, monkeypatch: pytest.MonkeyPatch) -> SubDomain:
    result = SubDomain(site.api.emulator.cloud["ca_file"])

    def connect(params: dict[str, Any], directory: str | None, **others: Any) -> Tenant:
        return Tenant(params, directory, result, **others)

    monkeypatch.setattr(tenant_engine, "Tenant", connect)
    return result


def test_run_follows_one_redirect(site: Run, network: SubDomain) -> None:
    site.api.admin.fault("exchange", "redirect", count=99, options={"prefix": PREFIX})
    plain = urlsplit(site.api.emulator.cloud["exchange"]).netloc
    mailboxes = [{"address": f"user{number:03d}@contoso.com"} for number in range(1, 26)]
    site.twice(smtp_auth.RESOURCE, mailboxes=mailboxes, organization="enabled")
    site.twice(direct_send.RESOURCE, rejected=True)
    assert network.hosts.count(plain) == 1
    assert set(network.hosts[1:]) == {f"{PREFIX}.{plain}"}


def test_redirect_to_another_host_is_refused(site: Run, network: SubDomain) -> None:
    site.api.admin.fault("exchange", "redirect", options={"location": "https://outlook.example/adminapi"})
    result = site(smtp_auth.RESOURCE, organization="enabled")
    assert "a redirect to https://outlook.example, which is no sub-domain of" in result["msg"]
    assert len(network.hosts) == 1
