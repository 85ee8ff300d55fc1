"""An application is moved between mailbox permissions and RBAC for Applications while it sends without a pause: nothing is refused.

The tasks of role entra_app do it. Roles, permissions and consent have a replication delay in the emulator, and a token is used until it
expires. No verdict depends on the machine's speed: the clients send before each request of a task and after each step of the emulated
clock, which a wait of the product advances.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Transport
from ansible_collections.mailops.m365.plugins.module_utils.resources import (
    entra_app,
    exchange_service_principal,
    federated_credential,
    rbac_for_applications,
)

from tests.contract import check_contract
from tests.emulator.conftest import EXCHANGE, Api, Start
from tests.emulator.smtp_lab import MESSAGE, OPS, reply_text, send, xoauth2_blob
from tests.emulator.test_smtp_whole import connect

from .emulated import EmulatedClock, Run, follow_clock

NOREPLY = "noreply@contoso.com"
LIFETIME, SETTLE = 3600, 5400  # seconds: a token's life; longer than it and than every lag
HOUR = 3600
STEP = 300.0  # seconds by which a wait advances the clock between two messages
MARGIN = 60.0  # seconds before its end in which a client uses a token no more
SETTINGS: dict[str, Any] = {
    "token_lifetime": LIFETIME,
    "lag": {"rbac": 1800, "mailbox_grant": 1800, "app_role_assignment": 600},
    "options": {"smtp": {"pace": False}},
}
SENDER = {"display_name": "sender", "unique_name": "sender", "secrets": [{"value": "sender-secret"}]}
Results = list[dict[str, Any]]


class Client:
    """Sends a message at a time; with a token for each, or with one until it expires."""

    def __init__(self, api: Api, clock: EmulatedClock, mailbox: str, *, keeps: bool, lifetime: float = LIFETIME) -> None:
        self.api, self.clock, self.mailbox, self.keeps, self.lifetime = api, clock, mailbox, keeps, lifetime
        self.answers: list[str] = []
        self.token, self.until = "", 0.0

    def bearer(self) -> str:
        if not self.keeps or self.clock.now() > self.until:
            self.until = self.clock.now() + self.lifetime - MARGIN
            self.token = self.api.new_token("sender", EXCHANGE)
        return self.token

    def send(self) -> str:
        with connect(self.api) as client:
            answer = reply_text(client.docmd("AUTH", f"XOAUTH2 {xoauth2_blob(self.mailbox, self.bearer())}"))
            message = MESSAGE.replace(b"ops@contoso.com", self.mailbox.encode())
            self.answers.append(send(client, self.mailbox, message=message) if answer.startswith("235") else answer)
        return self.answers[-1]


class SendingClock(EmulatedClock):
    """The emulated clock, with clients that send after each of its steps."""

    def __init__(self, api: Api) -> None:
        super().__init__(api)
        self.clients: list[Client] = []

    def sleep(self, seconds: float) -> None:
        while seconds > 0:
            super().sleep(min(seconds, STEP))
            seconds -= STEP
            self.send()

    def send(self) -> None:
        for client in self.clients:
            client.send()


class Traffic:
    """Clients that send while the body runs, and until every token from then has expired."""

    def __init__(self, site: Site, lifetime: float = LIFETIME) -> None:
        self.clock = site.clock
        senders = ((OPS, True), (OPS, False), (NOREPLY, True))
        self.clients = [Client(site.api, site.clock, mailbox, keeps=keeps, lifetime=lifetime) for mailbox, keeps in senders]

    def __enter__(self) -> Traffic:
        self.clock.clients = self.clients
        return self

    def __exit__(self, *ignored: object) -> None:
        self.clock.sleep(LIFETIME + MARGIN)
        self.clock.clients = []

    @property
    def refusals(self) -> list[str]:
        return [answer for client in self.clients for answer in client.answers if not answer.startswith("250 ")]

    @property
    def fewest(self) -> int:
        return min(len(client.answers) for client in self.clients)


class Site:
    """A tenant, and the tasks of role entra_app."""

    def __init__(self, api: Api, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.api, self.directory, self.clock = api, directory, SendingClock(api)
        self.numbers = itertools.count(1)
        follow_clock(monkeypatch, api, self.clock)
        original = Transport.send

        def send_with_traffic(transport: Transport, *arguments: Any, **options: Any) -> Any:
            self.clock.send()
            return original(transport, *arguments, **options)

        monkeypatch.setattr(Transport, "send", send_with_traffic)

    def run(
        self,
        authorization: str,
        *,
        check_mode: bool = False,
        wait_timeout: int = 4 * SETTLE,
        settle_time: int = SETTLE,
        exclusive: bool = False,
    ) -> Results:
        """The results of the role's tasks."""
        task = Run(self.api, self.directory / f"run{next(self.numbers)}")
        task.connection["wait_timeout"] = wait_timeout
        app, mailboxes, is_rbac = {"unique_name": "sender"}, [OPS, NOREPLY], authorization == "rbac"
        permissions = [{"name": "SMTP.SendAsApp"}]
        registration = {"permissions": permissions, "mailboxes": mailboxes, "authorization": authorization, "exclusive": exclusive}
        registered = task(entra_app.RESOURCE, check_mode=check_mode, **app, **registration)
        results = [registered]
        if exclusive:
            results.append(task(federated_credential.RESOURCE, check_mode=check_mode, **app, credentials=[], exclusive=True))
        full_access: list[str] = [] if is_rbac else mailboxes
        results.append(task(exchange_service_principal.RESOURCE, check_mode=check_mode, **app, full_access=full_access, send_as=[]))
        if is_rbac or registered["app"]["authorization"] == "rbac":
            move = {"mailboxes": mailboxes, "replace": True, "settle_time": settle_time, "state": "present" if is_rbac else "absent"}
            results.append(task(rbac_for_applications.RESOURCE, check_mode=check_mode, **app, **move))
        assert not [result["msg"] for result in results if "failed" in result]
        return results

    def changed(self, authorization: str, **more: Any) -> int:
        return sum(result["changed"] for result in self.run(authorization, **more))

    def _sender(self) -> dict[str, Any]:
        applications = self.api.admin.tenant("contoso.com")["applications"]
        return dict(next(one for one in applications if one["unique_name"] == "sender"))

    def state(self) -> tuple[bool, list[str], list[str], list[str]]:
        """Consent, mailboxes with FullAccess, assignments, and the mark on the enterprise application (without its time)."""
        tenant = self.api.admin.tenant("contoso.com")
        principal = self._sender()["service_principal"]
        return (
            "Office 365 Exchange Online/SMTP.SendAsApp" in json.dumps(principal["app_roles"]),
            sorted(m["address"] for m in tenant["mailboxes"] if any(g["right"] == "FullAccess" for g in m["grants"])),
            [a["name"] for a in tenant["management_role_assignments"] if "ends" not in a],
            [tag.partition("@")[0] for tag in principal["properties"].get("tags", []) if ":" in tag],
        )


@pytest.fixture
def site(start: Start, state: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    applications = [*state["tenants"][0]["applications"], SENDER | {"service_principal": {}}]
    tenant = {"applications": applications, "smtp_client_authentication_disabled": False}
    api = start(settings=SETTINGS, tenant=tenant, record=tmp_path / "record.jsonl")
    yield Site(api, tmp_path, monkeypatch)
    assert api.emulator.stderr() == ""


def sends(site: Site) -> bool:
    """Whether the application comes to send within two hours."""
    client = Client(site.api, site.clock, OPS, keeps=False)
    for _step in range(int(2 * HOUR / STEP)):
        if client.send().startswith("250 "):
            return True
        site.clock.sleep(STEP)
    return False


def diffs(results: Results) -> Results:
    """The diffs of the tasks that change something."""
    return [result["diff"] for result in results if result["changed"]]


def writes(site: Site) -> int:
    return sum(json.loads(line)["write"] for line in (site.directory / "record.jsonl").read_text().splitlines())


def test_move_to_rbac_and_back_while_sending(site: Site) -> None:
    assert site.changed("mailbox_permissions") == 2
    assert sends(site)
    before = writes(site)
    with Traffic(site) as traffic:
        assert site.changed("rbac") == 2  # the application's required access, and the move
    assert traffic.refusals == []
    assert traffic.fewest > writes(site) - before
    assert site.state() == (False, [], ["SMTP.SendAsApp sender"], ["mailops-rbac:alone"])
    assert site.changed("rbac") == 0
    assert site.changed("rbac", check_mode=True) == 0

    before = writes(site)
    with Traffic(site) as traffic:
        assert site.changed("mailbox_permissions") == 3
    assert traffic.refusals == []
    assert traffic.fewest > writes(site) - before
    assert site.state() == (True, [NOREPLY, OPS], [], [])
    assert site.changed("mailbox_permissions") == 0
    check_contract(site.directory / "record.jsonl")


def test_move_to_rbac_over_several_runs(site: Site) -> None:
    """A run that may not wait goes as far as time has; exclusive does not withdraw consent behind the move's back."""
    more: dict[str, Any] = {"wait_timeout": 1, "exclusive": True}
    assert site.changed("mailbox_permissions") == 2
    assert sends(site)
    with Traffic(site) as traffic:
        seen = []
        for _step in range(3):
            check = site.run("rbac", check_mode=True, **more)
            assert diffs(check) == diffs(site.run("rbac", **more))
            assert site.changed("rbac", **more) == 0
            seen.append(site.state())
            site.clock.sleep(SETTLE)
    assert traffic.refusals == []
    assigned, both = ["SMTP.SendAsApp sender"], [NOREPLY, OPS]
    assert seen == [
        (True, both, assigned, ["mailops-rbac:assigned"]),
        (False, both, assigned, ["mailops-rbac:withdrawn"]),
        (False, [], assigned, ["mailops-rbac:alone"]),
    ]


def test_messages_are_refused_without_waiting_for_propagation(site: Site) -> None:
    """That the other tests can fail: a token without the role before the assignment arrives, one with it after FullAccess is gone."""
    assert site.changed("mailbox_permissions") == 2
    assert sends(site)
    site.api.admin.lag(rbac=4 * HOUR)  # longer than the rest of the test
    site.api.admin.token_lifetime(4 * HOUR)  # no token expires before FullAccess is gone
    with Traffic(site, lifetime=4 * HOUR) as traffic:
        assert site.changed("rbac", settle_time=0) == 2
        site.clock.sleep(HOUR)
    assert {answer[:9] for answer in traffic.refusals} == {"535 5.7.3", "430 4.2.0"}


def test_a_new_application_is_authorized_by_rbac_alone(site: Site) -> None:
    site.api.admin.delete("contoso.com", "applications", "sender")
    check = diffs(site.run("rbac", check_mode=True))
    assert (check, len(check)) == (diffs(site.run("rbac")), 3)
    assert site.state() == (False, [], ["SMTP.SendAsApp sender"], ["mailops-rbac:alone"])
    assert site.changed("rbac") == 0
