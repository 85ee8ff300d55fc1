"""Five hundred tenants, and one of 100,000 mailboxes: in less than a gigabyte, and no request reads what it does not need.

Nothing is timed. The tests count what a request builds: documents, and indexed mailboxes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import emulator.exchange.paging as paging
import emulator.graph.directory as directory
from emulator.exchange.command import Result
from emulator.exchange.errors import ExchangeError
from emulator.exchange.paging import Cursor, Cursors
from emulator.graph.call import Call
from emulator.launcher import Emulator
from emulator.platform import Platform
from emulator.settings import Settings
from emulator.state import Mailbox
from emulator.statefile import parse
from emulator.tokens import MOST_CHECKED, Tokens
from emulator.well_known import derived_id
from tests.emulator.conftest import ALL_GRAPH_ROLES, EXCHANGE, GRAPH, MANAGE, app_id

show_user = directory._user
GIBIBYTE = 1 << 30
MAILBOXES, TENANTS = 100_000, 500


def largest_memory(emulator: Emulator) -> int:
    """The most memory that the process ever held (VmHWM of proc(5)), in bytes."""
    status = Path(f"/proc/{emulator.pid}/status")
    if not status.exists():
        pytest.skip("this system has no /proc")
    line = next(line for line in status.read_text("utf-8").splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def tenant(name: str, mailboxes: list[dict[str, Any]]) -> dict[str, Any]:
    principal = {"app_roles": [*ALL_GRAPH_ROLES, MANAGE], "directory_roles": ["Exchange Administrator"]}
    manager = {"display_name": "manager", "secrets": [{"value": "manager-secret"}], "service_principal": principal}
    return {"initial_domain": f"{name}.onmicrosoft.com", "domains": [f"{name}.example"], "applications": [manager], "mailboxes": mailboxes}


class Client:
    """One tenant's administrator, by plain requests."""

    def __init__(self, session: Any, emulator: Emulator, name: str) -> None:
        self.session, self.cloud = session, emulator.cloud
        self.id = derived_id("tenant", f"{name}.onmicrosoft.com")

    def _bearer(self, scope: str) -> dict[str, str]:
        who = {"client_id": app_id("manager", self.id), "client_secret": "manager-secret", "grant_type": "client_credentials"}
        answer = self.session.post(f"{self.cloud['authority']}/{self.id}/oauth2/v2.0/token", data=who | {"scope": scope})
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def cas_mailboxes(self, page: int = 1000) -> list[int]:
        """The sizes of the pages of Get-CASMailbox."""
        headers = self._bearer(EXCHANGE) | {"Prefer": f"odata.maxpagesize={page}"}
        body = {"CmdletInput": {"CmdletName": "Get-CASMailbox", "Parameters": {"ResultSize": "Unlimited"}}}
        first = (
            f"{self.cloud['exchange']}/adminapi/beta/{self.id}/InvokeCommand?$select=PrimarySmtpAddress,SmtpClientAuthenticationDisabled"
        )
        return self._pages(lambda url: self.session.post(url, json=body, headers=headers), first)

    def users(self) -> list[int]:
        headers = self._bearer(GRAPH)
        return self._pages(lambda url: self.session.get(url, headers=headers), f"{self.cloud['graph']}/v1.0/users?$top=999&$select=mail")

    @staticmethod
    def _pages(ask: Any, url: str) -> list[int]:
        sizes = []
        while url:
            answer = ask(url)
            assert answer.status_code == 200, answer.text
            sizes.append(len(answer.json()["value"]))
            url = answer.json().get("@odata.nextLink", "")
        return sizes


@pytest.fixture
def session() -> Any:
    import requests

    result = requests.Session()
    result.trust_env = False
    return result


@pytest.mark.one_python_is_enough
@pytest.mark.tier_all
def test_a_tenant_of_a_hundred_thousand_mailboxes(session: Any) -> None:
    document = tenant("large", [{"generate": MAILBOXES, "address": "user{n:06d}@large.example"}])
    with Emulator({"tenants": [document]}) as emulator:
        session.verify = emulator.cloud["ca_file"]
        client = Client(session, emulator, "large")
        assert client.cas_mailboxes() == [1000] * 100
        assert client.users() == [999] * 100 + [100]
        assert emulator.admin.requests()[client.id] == {"token": 2, "exchange": 100, "graph": 101}
        assert emulator.stderr() == ""
        assert largest_memory(emulator) < GIBIBYTE


@pytest.mark.one_python_is_enough
@pytest.mark.tier_all
def test_five_hundred_tenants(session: Any) -> None:
    names = [f"tenant{n:03d}" for n in range(TENANTS)]
    documents = [tenant(name, [{"generate": 20, "address": f"user{{n}}@{name}.example"}]) for name in names]
    with Emulator({"tenants": documents}) as emulator:
        session.verify = emulator.cloud["ca_file"]
        for name in names:
            client = Client(session, emulator, name)
            assert client.cas_mailboxes() == [20]
            assert client.users() == [20]
        counted = emulator.admin.requests()
        assert len(counted) == TENANTS
        assert all(counts == {"token": 2, "exchange": 1, "graph": 1} for counts in counted.values())
        assert largest_memory(emulator) < GIBIBYTE


@pytest.mark.parametrize("question", ["mail eq '{}'", "userPrincipalName eq '{}'", "proxyAddresses/any(p:p eq 'smtp:{}')"])
def test_a_user_by_address_is_not_looked_for_among_all(monkeypatch: pytest.MonkeyPatch, question: str) -> None:
    state, _ = parse({"tenants": [tenant("large", [{"generate": 50, "address": "user{n}@large.example"}])]}, Path())
    listed: list[str] = []
    monkeypatch.setattr(directory, "_user", lambda mailbox: listed.append(mailbox.address) or show_user(mailbox))
    (large,) = state.tenants.values()
    options = {"$filter": question.format("User7@large.example"), "$select": "mail"}
    call = Call(Platform(state, Settings()), large, {}, "https://localhost", "v1.0", "GET", "/users", options)
    assert directory.list_users(call).body["value"] == [{"mail": "user7@large.example"}]
    assert listed == ["user7@large.example"]
    call.options["$filter"] = question.format("nobody@large.example")
    assert directory.list_users(call).body["value"] == []


def test_a_new_mailbox_does_not_read_the_others_again() -> None:
    state, _ = parse({"tenants": [tenant("large", [{"generate": 500, "address": "user{n}@large.example"}])]}, Path())
    (large,) = state.tenants.values()
    assert large.mailbox("user7") is large.mailboxes["user7@large.example"]
    indexed = large._mailbox_index
    for n in range(20):
        large.add_mailbox(Mailbox(f"new{n}@large.example", f"guid{n}", f"new{n}", f"New {n}", aliases=[f"alias{n}@large.example"]))
        result = large.mailbox(f"ALIAS{n}@large.example")
        assert result is large.mailbox(f"New {n}")
        assert result is large.mailboxes[f"new{n}@large.example"]
    assert large._mailbox_index is indexed


def test_mailbox_is_matched_by_its_current_names_only() -> None:
    state, _ = parse({"tenants": [tenant("small", [{"address": "a@small.example"}, {"address": "b@small.example"}])]}, Path())
    (small,) = state.tenants.values()
    first = small.mailboxes["a@small.example"]
    first.display_name = "Accounting"
    small.add_mailbox(first)
    assert small.mailbox("accounting") is first
    first.display_name = "Sales"
    small.add_mailbox(first)
    assert small.mailbox("accounting") is None
    assert small.mailbox("sales") is first
    del small.mailboxes["a@small.example"]
    assert small.mailbox("sales") is None


def cursor(rows: int, created: float = 0.0) -> Cursor:
    return Cursor("tenant", "asked", "", Result(range(rows)), 1, created)


def test_abandoned_reads_are_discarded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST_ROWS", 250)
    cursors = Cursors()
    tokens = [cursors.remember(cursor(100), 0.0) for _ in range(3)]
    with pytest.raises(ExchangeError):
        cursors.find(tokens[0], "tenant", "asked", "", 0.0)
    assert cursors.find(tokens[2], "tenant", "asked", "", 0.0)
    shared = Result(range(100))
    pages = [cursors.remember(Cursor("tenant", "asked", "", shared, n, 5.0), 4.0) for n in range(50)]  # one read counts once
    assert all(cursors.find(token, "tenant", "asked", "", 4.0) for token in pages)
    with pytest.raises(ExchangeError):
        cursors.find(tokens[2], "tenant", "asked", "", 0.0)  # expired, and gone


def test_cache_of_checked_tokens_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = Tokens(lambda: 0.0)
    claims = {"exp": 1, "aud": "https://graph.microsoft.com", "tid": "t", "appid": "a"}
    monkeypatch.setattr(tokens, "_signed", lambda token: claims)
    for n in range(MOST_CHECKED + 10):
        tokens.verify(f"token{n}", "graph")
    assert len(tokens._checked) == MOST_CHECKED
