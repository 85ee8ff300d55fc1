"""An application is moved between mailbox permissions and RBAC for Applications while it sends without a pause: nothing is refused.

The role entra_app does it, as a user runs it. Roles, permissions and consent have a replication delay in the emulator, and a token is
used until it expires. No verdict depends on the machine's speed: waits are lower bounds or end with a state, and where two runs must
fall into the same settle time, that time is an hour and the test dates the mark back.
"""

from __future__ import annotations

import datetime
import json
import os
import smtplib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract import check_contract
from tests.emulator.conftest import EXCHANGE, Api, Start, app_id
from tests.emulator.smtp_lab import MESSAGE, OPS, reply_text, send, xoauth2_blob
from tests.emulator.test_smtp_whole import connect

REPO = Path(__file__).resolve().parent.parent.parent
NOREPLY = "noreply@contoso.com"
LIFETIME, SETTLE = 4, 6  # seconds: a token's life; longer than it and than every lag
HOUR = 3600  # a settle time that no run outlasts
PATIENCE = 60.0  # seconds that a state may take to be reached
SETTINGS: dict[str, Any] = {
    "token_lifetime": LIFETIME,
    "lag": {"rbac": 3, "mailbox_grant": 3, "app_role_assignment": 1},
    "latency": {"graph": 0.15, "exchange": 0.15},
    "options": {"smtp": {"pace": False}},
}
SENDER = {"display_name": "sender", "unique_name": "sender", "secrets": [{"value": "sender-secret"}]}
PLAYBOOK = """
- hosts: contoso
  connection: local
  gather_facts: false
  roles:
    - role: mailops.m365.entra_app
"""


class Site:
    """A tenant, the role with its variables, and clients that send."""

    def __init__(self, api: Api, directory: Path) -> None:
        self.api, self.directory = api, directory
        (directory / "play.yml").write_text(PLAYBOOK)
        self.variables: dict[str, Any] = {
            "m365_tenant": "contoso.com",
            "m365_cloud": api.emulator.cloud,
            "m365_client_id": app_id("manager"),
            "m365_client_secret": "manager-secret",
            "m365_wait_timeout": 60,
            "m365_journal_dir": str(directory / "journal"),
            "entra_app_unique_name": "sender",
            "entra_app_full_access": [OPS, NOREPLY],
            "entra_app_settle_time": SETTLE,
        }

    def run(self, authorization: str, *options: str, **more: Any) -> dict[str, Any]:
        """The role's run; its report."""
        variables = self.variables | {"entra_app_authorization": authorization} | more
        hosts = {"all": {"hosts": {"contoso": variables}}}
        (self.directory / "hosts.json").write_text(json.dumps(hosts))
        report = self.directory / "report.json"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "ANSIBLE_", "MAILOPS_"))}
        environment |= {"ANSIBLE_CONFIG": str(REPO / "ansible.cfg"), "MAILOPS_REPORT": str(report)}
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(self.directory / "hosts.json"), *options]
        command.append(str(self.directory / "play.yml"))
        done = subprocess.run(command, cwd=REPO, env=environment, check=False, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stdout + done.stderr
        return dict(json.loads(report.read_text()))

    def changed(self, authorization: str, *options: str, **more: Any) -> int:
        return int(self.run(authorization, *options, **more)["tenants"]["contoso"]["changed"])

    def _sender(self) -> dict[str, Any]:
        applications = self.api.admin.tenant("contoso.com")["applications"]
        return dict(next(one for one in applications if one["unique_name"] == "sender"))

    def settle(self) -> None:
        """Wait longer than every lag and every token, and date the mark back by HOUR, as if that had passed."""
        time.sleep(SETTLE)
        sender = self._sender()
        principal = sender["service_principal"]
        principal["properties"]["tags"] = [_dated_back(tag) for tag in principal["properties"]["tags"]]
        self.api.admin.change("contoso.com", "applications", sender["app_id"], service_principal=principal)

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


def _dated_back(tag: str) -> str:
    """A tag of the move whose time is HOUR earlier; any other tag as it is."""
    name, at, since = tag.partition("@")
    if not at or not name.startswith("mailops-rbac:"):
        return tag
    moment = datetime.datetime.fromisoformat(since) - datetime.timedelta(seconds=HOUR)
    return f"{name}@{moment.strftime('%Y-%m-%dT%H:%M:%SZ')}"


class Client(threading.Thread):
    """Sends without a pause; with a token for each message, or with one until it expires."""

    def __init__(self, api: Api, mailbox: str, *, keeps: bool, lifetime: float = LIFETIME) -> None:
        super().__init__()
        self.api, self.mailbox, self.keeps, self.lifetime = api, mailbox, keeps, lifetime
        self.answers: list[str] = []
        self.ended = threading.Event()
        self.token, self.until = "", 0.0

    def bearer(self) -> str:
        if not self.keeps or time.time() > self.until:
            self.until = time.time() + self.lifetime - 1  # claims hold whole seconds
            self.token = self.api.new_token("sender", EXCHANGE)
        return self.token

    def once(self) -> str:
        with connect(self.api) as client:
            answer = reply_text(client.docmd("AUTH", f"XOAUTH2 {xoauth2_blob(self.mailbox, self.bearer())}"))
            message = MESSAGE.replace(b"ops@contoso.com", self.mailbox.encode())
            return send(client, self.mailbox, message=message) if answer.startswith("235") else answer

    def run(self) -> None:
        while not self.ended.is_set():
            try:
                answer = self.once()
            except (OSError, smtplib.SMTPException) as error:
                answer = repr(error)
            # A token that expired between its check and the server's answer says nothing; a client gets a new one and goes on.
            if answer.startswith("250 ") or time.time() <= self.until:
                self.answers.append(answer)
            self.ended.wait(0.05)

    def refusals(self) -> list[str]:
        return [answer for answer in self.answers if not answer.startswith("250 ")]


class Traffic:
    """Clients that send while the body runs, and until every token from then has expired."""

    def __init__(self, api: Api, lifetime: float = LIFETIME) -> None:
        senders = ((OPS, True), (OPS, False), (NOREPLY, True))
        self.clients = [Client(api, mailbox, keeps=keeps, lifetime=lifetime) for mailbox, keeps in senders]

    def __enter__(self) -> Traffic:
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *ignored: object) -> None:
        time.sleep(LIFETIME + 1)
        for client in self.clients:
            client.ended.set()
        for client in self.clients:
            client.join(30)

    @property
    def refusals(self) -> list[str]:
        return [answer for client in self.clients for answer in client.refusals()]

    @property
    def fewest(self) -> int:
        return min(len(client.answers) for client in self.clients)


@pytest.fixture
def site(start: Start, state: dict[str, Any], tmp_path: Path) -> Iterator[Site]:
    applications = [*state["tenants"][0]["applications"], SENDER | {"service_principal": {}}]
    tenant = {"applications": applications, "smtp_client_authentication_disabled": False}
    api = start(settings=SETTINGS, tenant=tenant, record=tmp_path / "record.jsonl")
    yield Site(api, tmp_path)
    assert api.emulator.stderr() == ""


def sends(site: Site, mailbox: str = OPS) -> bool:
    """Whether the application comes to send."""
    client, limit = Client(site.api, mailbox, keeps=False), time.monotonic() + PATIENCE
    while not client.once().startswith("250 "):
        if time.monotonic() > limit:
            return False
        time.sleep(0.2)
    return True


def writes(site: Site) -> int:
    return sum(json.loads(line)["write"] for line in (site.directory / "record.jsonl").read_text().splitlines())


def test_move_to_rbac_and_back_while_sending(site: Site) -> None:
    assert site.changed("mailbox_permissions") == 2
    assert sends(site)
    before = writes(site)
    with Traffic(site.api) as traffic:
        assert site.changed("rbac") == 2  # the application's required access, and the move
    assert traffic.refusals == []
    assert traffic.fewest > writes(site) - before
    assert site.state() == (False, [], ["SMTP.SendAsApp sender"], ["mailops-rbac:alone"])
    assert site.changed("rbac") == 0
    assert site.changed("rbac", "--check") == 0

    before = writes(site)
    with Traffic(site.api) as traffic:
        assert site.changed("mailbox_permissions") == 3
    assert traffic.refusals == []
    assert traffic.fewest > writes(site) - before
    assert site.state() == (True, [NOREPLY, OPS], [], [])
    assert site.changed("mailbox_permissions") == 0
    check_contract(site.directory / "record.jsonl")


def test_move_to_rbac_over_several_runs(site: Site) -> None:
    """A run that may not wait goes as far as time has; exclusive does not withdraw consent behind the move's back."""
    more = {"m365_wait_timeout": 1, "entra_app_exclusive": True, "entra_app_settle_time": HOUR}
    assert site.changed("mailbox_permissions") == 2
    assert sends(site)
    with Traffic(site.api) as traffic:
        seen = []
        for _step in range(3):
            check = site.run("rbac", "--check", **more)
            done = site.run("rbac", **more)
            assert [t["diff"] for t in check["tasks"] if t["changed"]] == [t["diff"] for t in done["tasks"] if t["changed"]]
            assert site.changed("rbac", **more) == 0
            seen.append(site.state())
            site.settle()
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
    site.api.admin.lag(rbac=PATIENCE)  # no run takes as long to withdraw consent
    site.api.admin.token_lifetime(HOUR)  # and no token expires before FullAccess is gone
    both = {"535 5.7.3", "430 4.2.0"}
    with Traffic(site.api, lifetime=HOUR) as traffic:
        assert site.changed("rbac", entra_app_settle_time=0) == 2
        limit = time.monotonic() + PATIENCE
        while not both <= {answer[:9] for answer in traffic.refusals} and time.monotonic() < limit:
            time.sleep(0.2)
    assert {answer[:9] for answer in traffic.refusals} == both


def test_a_new_application_is_authorized_by_rbac_alone(site: Site) -> None:
    site.api.admin.delete("contoso.com", "applications", "sender")
    check = site.run("rbac", "--check")
    done = site.run("rbac")
    assert [t["diff"] for t in check["tasks"] if t["changed"]] == [t["diff"] for t in done["tasks"] if t["changed"]]
    assert done["tenants"]["contoso"]["changed"] == 3
    assert site.state() == (False, [], ["SMTP.SendAsApp sender"], ["mailops-rbac:alone"])
    assert site.changed("rbac") == 0
