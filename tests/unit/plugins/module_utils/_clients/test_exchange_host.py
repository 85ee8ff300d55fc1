# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._clients.exchange import Command, ExchangeClient
from ansible_collections.mailops.m365.plugins.module_utils._clients.run_cache import RunCache
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import ExchangeError
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Request, Response
from ansible_collections.mailops.m365.plugins.module_utils._identity.token_cache import TokenCache

from ....conftest import TENANT
from ....script import response
from ....services import Exchange

HOST, PREFIXED = "outlook.office365.com", "eurprd01.outlook.office365.com"
CREATE = Command("New-InboundConnector", {"Name": "x"}, attempted="create x")


class Redirecting:
    """Exchange, whose plain host redirects to `location`; `hosts` are those of the requests, in order."""

    def __init__(self, location: str = f"https://{PREFIXED}/adminapi", status: int = 302, page: int = 1000) -> None:
        self.location, self.status = location, status
        self.service = Exchange(Get_Mailbox=self.mailboxes, New_InboundConnector=lambda p: [], page=page)
        self.hosts: list[str] = []

    def mailboxes(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"Guid": str(number)} for number in range(3)]

    def __call__(self, request: Request) -> Response:
        host = urlsplit(request.url).netloc
        self.hosts.append(host)
        if host == HOST or not host.endswith(HOST):
            return response(self.status, {}, {"Location": self.location})
        if request.url.endswith("$batch"):
            assert {urlsplit(item["url"]).netloc for item in request.json["requests"]} == {PREFIXED}
        return self.service(request)


@pytest.fixture
def connect(authorize: Any, tmp_path: Path) -> Any:
    """A client of one run's task; the tasks share the run's cache."""
    tmp_path.chmod(0o700)

    def make(service: Any) -> ExchangeClient:
        authorized = authorize("exchange")
        authorized.transport.sender = service
        return ExchangeClient(authorized, TENANT, RunCache(TokenCache(str(tmp_path)), TENANT))

    return make


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_to_a_sub_domain_costs_one_request_a_run(connect: Any, status: int) -> None:
    service = Redirecting(status=status)
    client = connect(service)
    client.run(CREATE)
    assert service.service.writes == ["New-InboundConnector"]
    reads = [Command("Get-Mailbox", {"Identity": str(number)}) for number in range(25)]
    assert all(outcome.values for outcome in client.batch(reads))
    assert all(outcome.values for outcome in connect(service).batch(reads))
    assert service.hosts == [HOST] + [PREFIXED] * 7


def test_first_batch_of_a_run_is_redirected_once(connect: Any) -> None:
    service = Redirecting()
    connect(service).batch([Command("Get-Mailbox", {"Identity": str(number)}) for number in range(45)])
    assert service.hosts == [HOST] + [PREFIXED] * 5


def test_pages_are_read_from_the_tenants_host(connect: Any) -> None:
    service = Redirecting(page=1)
    assert len(connect(service).run(Command("Get-Mailbox")).values) == 3
    assert service.hosts == [HOST] + [PREFIXED] * 3


@pytest.mark.parametrize(
    "location",
    [
        "https://outlook.office365.com.evil.example/adminapi",
        "https://evil.example/outlook.office365.com",
        "https://eviloutlook.office365.com/",
        "https://evil.example@eurprd01.outlook.office365.com/",
        "https://evil.example\\\\.outlook.office365.com/",
        "https://eurprd01.outlook.office365.us/",
        "http://eurprd01.outlook.office365.com/adminapi",
        "https://eurprd01.outlook.office365.com:446/adminapi",
        "https://outlook.office365.com/adminapi",
        "/owa/auth/logon.aspx",
        "",
    ],
)
def test_redirect_elsewhere_is_refused(connect: Any, location: str) -> None:
    service = Redirecting(location)
    with pytest.raises(ExchangeError, match=r"Could not create x: .*no sub-domain of outlook\.office365\.com: the token"):
        connect(service).run(CREATE)
    assert service.hosts == [HOST]


def test_second_redirect_is_refused(connect: Any) -> None:
    service = Redirecting()
    service.service = lambda request: response(302, {}, {"Location": f"https://other.{HOST}/"})  # type: ignore[assignment]
    with pytest.raises(ExchangeError, match=f"a second redirect, to https://other.{HOST}"):
        connect(service).run(CREATE)
    assert service.hosts == [HOST, PREFIXED]
