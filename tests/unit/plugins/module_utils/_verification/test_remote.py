# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verification from another host: one module run for all senders, with the credentials that they sign in with and no other."""

# ruff: noqa: F811 (fixtures)

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._engine import host_engine
from ansible_collections.mailops.m365.plugins.module_utils._engine.remote_host import HostFailed, RemoteHost
from ansible_collections.mailops.m365.plugins.module_utils.resources import smtp_test_message
from ansible_collections.mailops.m365.plugins.module_utils.resources.smtp_probe import RESOURCE

from ....conftest import SECRET, Play
from ....mailserver import MailServer
from ....script import Script
from ....services import Exchange
from .._identity.test_tokens import DISCOVERY, DOCUMENT, TOKEN, refused
from ..resources.test_smtp_probe import APP, APP_SECRET, CREDENTIAL, RELAY_DENIED, basic, cloud, sender, service, signed_in  # noqa: F401

OWN, PLANT = "198.51.100.7", "203.0.113.10"


@dataclass
class Office:
    """A host of the inventory, which runs modules in this process on what JSON keeps of their options."""

    failure: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)

    def run(self, module: str, options: dict[str, Any]) -> dict[str, Any]:
        assert module == "smtp_test_message"
        if self.failure:
            raise HostFailed(self.failure)
        self.calls.append(json.loads(json.dumps(options)))
        result = host_engine.run(smtp_test_message.RESOURCE, self.calls[-1], check_mode=False)
        return json.loads(json.dumps(result))  # type: ignore[no-any-return]


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def verify(play: Play, service: Exchange, cloud: dict[str, Any], office: Office) -> Any:
    """A task that is delegated to host office, with these senders."""
    host = RemoteHost("office", lambda module, options: office.run(module, options))
    options = {"cloud": cloud, "verify_from": "office", "inventory_hosts": ["contoso", "office", "office-2"]}
    return lambda *senders, **more: play(RESOURCE, service, remote_host=host, senders=list(senders), **options | more)


def from_office(test: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**test, "verify_from": "office", **more}


def connector(name: str = "plant", **more: Any) -> dict[str, Any]:
    return from_office(sender(f"{name}@contoso.com", method="connector", public_addresses=[PLANT], **more))


def test_connector_is_verified_on_the_host_that_has_its_address(verify: Any, office: Office, mail_server: MailServer) -> None:
    mail_server.source = PLANT
    result = verify(connector("plant"), connector("scanner"), sender("erp@contoso.com", method="connector"))
    assert [(entry["name"], entry["status"], entry["accepted_by"], entry["verify_from"]) for entry in result["senders"]] == [
        ("plant", "verified", "connector", "office"),
        ("scanner", "verified", "connector", "office"),
    ]
    assert len(office.calls) == 1
    assert len(mail_server.sessions) == 2


def test_senders_of_other_hosts_are_left_out_without_verify_from(play: Play, service: Exchange, cloud: dict[str, Any]) -> None:
    senders = [connector("plant"), basic("erp@contoso.com")]
    result = play(RESOURCE, service, senders=senders, cloud=cloud)
    assert [(entry["name"], entry["verify_from"]) for entry in result["senders"]] == [("erp", "")]


def test_connector_that_the_host_does_not_match_either_is_not_verifiable(verify: Any, mail_server: MailServer) -> None:
    mail_server.source = OWN
    [entry] = verify(connector())["senders"]
    assert (entry["status"], entry["verify_from"], entry["source"]) == ("not_verifiable", "office", OWN)


def test_refusal_at_the_host_fails_the_task(verify: Any, mail_server: MailServer) -> None:
    mail_server.source, mail_server.answers["RCPT"] = PLANT, RELAY_DENIED
    result = verify(connector())
    assert result["failed"] is True
    assert result["senders"][0]["code"] == "550 5.7.64"


@pytest.mark.parametrize(
    ("test", "secret"),
    [(connector(), ""), (from_office(basic()), "pa55 word"), (from_office(sender("erp@contoso.com")), "granted-1")],
    ids=["connector", "basic", "oauth"],
)
def test_host_gets_what_its_senders_sign_in_with_and_nothing_else(
    verify: Any, office: Office, mail_server: MailServer, request: pytest.FixtureRequest, test: dict[str, Any], secret: str
) -> None:
    if secret == "granted-1":
        request.getfixturevalue("signed_in")
    mail_server.source = PLANT
    passwords = {"plant@contoso.com": "not-for-connectors", "erp@contoso.com": "pa55 word", "x@contoso.com": "of-another"}
    result = verify(test, passwords=passwords, **CREDENTIAL)
    assert result["senders"][0]["status"] == "verified", result
    sent = json.dumps(office.calls)
    every = {SECRET, APP_SECRET, APP, "of-another", "not-for-connectors", "pa55 word", "granted-1"}
    assert {one for one in every if one in sent} == {secret} - {""}
    assert secret not in json.dumps(result) or not secret


def test_token_that_is_refused_fails_the_sender_before_the_host_is_used(verify: Any, office: Office, script: Script) -> None:
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).answers(401, refused(7000215, "invalid_client", "Invalid client secret provided."))
    result = verify(from_office(sender("erp@contoso.com")), **CREDENTIAL)
    [entry] = result["senders"]
    assert (entry["status"], entry["stage"], entry["code"]) == ("failed", "token", "AADSTS7000215")
    assert office.calls == []


def test_transient_failure_is_repeated_with_another_module_run(verify: Any, office: Office, mail_server: MailServer) -> None:
    mail_server.answers["MAIL"] = "452 4.3.1 Insufficient system resources"
    run = office.run

    def once(module: str, options: dict[str, Any]) -> dict[str, Any]:
        result = run(module, options)
        mail_server.answers.pop("MAIL", None)
        return result

    office.run = once  # type: ignore[method-assign]
    [entry] = verify(from_office(basic()), wait=60)["senders"]
    assert (entry["status"], entry["verify_from"], len(office.calls)) == ("verified", "office", 2)


def test_host_that_cannot_be_reached_makes_its_senders_not_verifiable(verify: Any, office: Office) -> None:
    office.failure = "Failed to connect to the host via ssh: no route to host"
    result = verify(connector("plant"), connector("scanner"))
    assert "failed" not in result
    assert {entry["status"] for entry in result["senders"]} == {"not_verifiable"}
    entry = result["senders"][0]
    assert entry["reason"] == f"verify_from is office, and no test message can be sent from there: {office.failure}"
    assert "ansible -m ping" in entry["remedy"]


def test_nothing_is_sent_without_a_recipient_or_in_check_mode(verify: Any, office: Office) -> None:
    [entry] = verify(connector(verify_recipient=None))["senders"]
    assert (entry["status"], entry["verify_from"]) == ("not_verified", "office")
    [entry] = verify(connector(), check_mode=True)["senders"]
    assert (entry["status"], entry["stage"]) == ("not_verified", "check_mode")
    assert office.calls == []


def test_check_run_tests_the_reachability_from_the_host(verify: Any, office: Office, mail_server: MailServer) -> None:
    [entry] = verify(connector(), check_mode=True, reachability=True)["senders"]
    assert (entry["status"], entry["stage"], entry["verify_from"]) == ("not_verified", "tls", "office")
    assert office.calls[0]["prepared"]["tokens"] == {}
    assert mail_server.sessions[0].messages == []


@pytest.mark.parametrize(
    ("host", "hint"),
    [("ofice", "did you mean office?"), ("berlin", "name a host of the inventory that sends as the sender does.")],
)
def test_host_that_is_not_in_the_inventory_is_refused_before_anything_runs(verify: Any, office: Office, host: str, hint: str) -> None:
    result = verify(connector(), connector("scanner") | {"verify_from": host})
    assert result["msg"] == f"verify_senders: scanner: verify_from is {host!r}, which is no host of the inventory: {hint}"
    assert (office.calls, result.get("senders")) == ([], None)
