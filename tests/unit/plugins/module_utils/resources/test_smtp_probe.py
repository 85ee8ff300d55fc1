# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe against a small scripted mail server on loopback."""

# ruff: noqa: E501

from __future__ import annotations

import email
import email.policy
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._planning.methods import METHODS as SENDING_METHODS
from ansible_collections.mailops.m365.plugins.module_utils._verification import statuses
from ansible_collections.mailops.m365.plugins.module_utils._verification.methods import METHODS
from ansible_collections.mailops.m365.plugins.module_utils._verification.options import ProbeSender
from ansible_collections.mailops.m365.plugins.module_utils._verification.result import ProbeResult
from ansible_collections.mailops.m365.plugins.module_utils.resources import smtp_probe
from ansible_collections.mailops.m365.plugins.module_utils.resources.smtp_probe import RESOURCE
from cryptography.hazmat.primitives.asymmetric import rsa

from ....conftest import FakeClock, Play, certificate, pem
from ....mailserver import MailServer
from ....script import Script, graph_error
from ....services import Exchange
from .._identity.test_tokens import DISCOVERY, DOCUMENT, TOKEN, granted, refused

APP = "99999999-8888-4777-8666-555555555555"
APP_SECRET = "the-senders-application-secret"
CREDENTIAL = {"app_id": APP, "app_client_secret": APP_SECRET}
RECORDS = "/v1.0/domains/contoso.com/serviceConfigurationRecords"
RELAY_DENIED = "550 5.7.64 TenantAttribution; Relay Access Denied SMTP"
Verify = Callable[..., dict[str, Any]]


def sender(address: str = "erp@contoso.com", **more: Any) -> dict[str, Any]:
    return {"name": address.split("@")[0], "address": address, "verify_recipient": "test@example.net", **more}


def basic(address: str = "erp@contoso.com", **more: Any) -> dict[str, Any]:
    return sender(address, method="basic", password="pa55 word", **more)


@pytest.fixture
def service(script: Script) -> Exchange:
    return Exchange(
        script, Get_AcceptedDomain=lambda parameters: [{"DomainName": "Contoso.com"}, {"DomainName": "contoso.onmicrosoft.com"}]
    )


@pytest.fixture
def cloud(mail_server: MailServer) -> dict[str, Any]:
    real = {
        "authority": "https://login.microsoftonline.com",
        "graph": "https://graph.microsoft.com",
        "exchange": "https://outlook.office365.com",
    }
    route = mail_server.route()
    return {
        **real,
        "smtp_host": route.host,
        "smtp_port": route.port,
        "mx_host": route.host,
        "mx_port": route.port,
        "hve_host": route.host,
        "hve_port": route.port,
        "ca_file": route.ca_file,
    }


@pytest.fixture
def verify(play: Play, service: Exchange, cloud: dict[str, Any]) -> Verify:
    """A task with these senders: verify(sender(...), check_mode=True, wait=60)."""
    return lambda *senders, **options: play(RESOURCE, service, senders=list(senders), **{"cloud": cloud, **options})


@pytest.fixture
def signed_in(script: Script) -> Script:
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).form(client_id=APP, client_secret=APP_SECRET, scope="https://outlook.office365.com/.default").answers(
        200, granted(1)
    )
    return script


# -- input ------------------------------------------------------------------------------------------------------------


def reasons(result: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["reason"] for entry in result["senders"]}


def test_every_problem_of_a_sender_is_named_and_fails_that_sender_only(verify: Verify, mail_server: MailServer) -> None:
    senders = [
        sender("nonsense", mailbox="x"),
        basic("a@contoso.com", verify_recipient=""),
        sender("b@contoso.com", method="connector", public_addresses=["203.0.113.300"]),
        {**basic(), "password": None},
        basic("good@contoso.com"),
    ]
    result = verify(*senders)
    assert reasons(result) == {
        "nonsense": "the sender's address holds 'nonsense', which is no mail address (name@domain). "
        "the sender's mailbox holds 'x', which is no mail address (name@domain). "
        "method oauth needs app_unique_name or app_id, the application that it signs in as. "
        "method oauth needs verify_app_certificate_path or verify_app_client_secret, that application's credential",
        "a": "the sender's verify_recipient holds an empty address: remove it",
        "b": "public_addresses holds '203.0.113.300', which is neither an IP address nor a network such as 203.0.113.0/28",
        "erp": "method basic needs the mailbox's password",
        "good": "",
    }
    assert [(entry["status"], entry["stage"]) for entry in result["senders"]] == [("failed", "input")] * 4 + [("verified", "sent")]
    assert "4 of 5 senders cannot send: nonsense (oauth): the sender's address holds 'nonsense'" in result["msg"]
    assert len(mail_server.sessions) == 1


def test_every_sending_method_can_be_verified() -> None:
    assert [*METHODS] == [*SENDING_METHODS]


def test_a_relay_host_needs_its_host(verify: Verify) -> None:
    assert reasons(verify(sender(method="relay_host"))) == {"erp": "method relay_host needs host, the relay host"}


# -- test messages --------------------------------------------------------------------------------------------------


def test_oauth_signs_in_as_exactly_the_mailbox_and_sends(verify: Verify, signed_in: Script, mail_server: MailServer) -> None:
    result = verify(sender(), **CREDENTIAL)
    assert (result["changed"], result["verified"], result["total"]) == (False, 1, 1)
    [entry] = result["senders"]
    assert (entry["status"], entry["stage"], entry["method"], entry["name"]) == ("verified", "sent", "oauth", "erp")
    assert (entry["accepted_by"], entry["reason"]) == ("submission", "")
    assert entry["server"] == f"localhost:{mail_server.port}"
    assert entry["tls"].startswith("TLSv1.")
    [session] = mail_server.sessions
    assert session.sign_ins == ["user=erp@contoso.com\x01auth=Bearer granted-1\x01\x01"]
    message = email.message_from_bytes(session.messages[0], policy=email.policy.default)
    assert message["Message-ID"] == entry["message_id"]
    assert str(message["Message-ID"]).endswith("@contoso.com>")
    assert (message["From"], message["To"], message["Auto-Submitted"]) == ("erp@contoso.com", "test@example.net", "auto-generated")
    assert message["Date"]
    assert message["X-Mailops-Probe"] in message["Subject"]
    assert session.commands[-1] == "QUIT"


def test_another_mailbox_signs_in_for_the_address(verify: Verify, mail_server: MailServer) -> None:
    result = verify(basic("boss@contoso.com", mailbox="erp@contoso.com"))
    assert result["verified"] == 1
    assert mail_server.sessions[0].sign_ins == ["erp@contoso.com", "pa55 word"]
    assert any(command.startswith("MAIL FROM:<boss@contoso.com>") for command in mail_server.sessions[0].commands)


def test_passwords_by_mailbox_or_address(verify: Verify, mail_server: MailServer) -> None:
    senders = [basic("boss@contoso.com", mailbox="ERP@contoso.com") | {"password": None}, basic("scan@contoso.com") | {"password": None}]
    verify(*senders, passwords={"erp@contoso.com": "first", "Scan@Contoso.com": "second", "boss@contoso.com": "not this"})
    assert sorted(session.sign_ins[1] for session in mail_server.sessions) == ["first", "second"]


@pytest.mark.parametrize(("method", "relay"), [("connector", "250 2.1.5 Recipient OK"), ("direct_send", RELAY_DENIED)])
def test_a_connector_and_direct_send_do_not_sign_in(verify: Verify, mail_server: MailServer, method: str, relay: str) -> None:
    mail_server.answers["relay"] = relay
    result = verify(sender(method=method, verify_recipient="it@contoso.com"))
    assert (result["verified"], result["senders"][0]["accepted_by"]) == (1, method)
    assert mail_server.sessions[0].sign_ins == []
    assert len(mail_server.sessions[0].messages) == 1


def test_a_connector_uses_a_certificate_and_a_source_address(
    verify: Verify, mail_server: MailServer, tmp_path: Path, rsa_key: rsa.RSAPrivateKey
) -> None:
    (tmp_path / "relay.pem").write_bytes(pem(rsa_key, "pw") + pem(certificate(rsa_key)))
    mail_server.relay_replies.append(RELAY_DENIED)  # of the connection without the certificate
    connection = {"certificate_path": str(tmp_path / "relay.pem"), "certificate_password": "pw", "source_address": "127.0.0.3"}
    assert verify(sender(method="connector", verify_recipient="it@contoso.com", **connection))["verified"] == 1
    assert {session.peer for session in mail_server.sessions} == {"127.0.0.3"}


def test_application_is_looked_up_by_its_unique_name(verify: Verify, script: Script) -> None:
    script.expect("GET", "/v1.0/applications(uniqueName='sender')?$select=appId").answers(200, {"appId": APP})
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).form(client_id=APP).answers(200, granted(1))
    assert verify(sender(), app_unique_name="sender", app_client_secret=APP_SECRET)["verified"] == 1


def test_the_mx_host_is_the_one_that_graph_names(verify: Verify, script: Script, cloud: dict[str, Any], mail_server: MailServer) -> None:
    records = [{"recordType": "Txt"}, {"recordType": "Mx", "mailExchange": "localhost"}]
    script.expect("GET", RECORDS).answers(200, {"value": records})
    result = verify(sender(method="connector"), sender("b@contoso.com", method="connector"), cloud={**cloud, "mx_host": ""})
    assert result["verified"] == 2
    assert result["senders"][0]["server"] == f"localhost:{mail_server.port}"


def test_a_tenant_without_mx_host_is_an_error(verify: Verify, script: Script, cloud: dict[str, Any]) -> None:
    script.expect("GET", RECORDS).answers(200, {"value": []})
    result = verify(sender(method="connector"), cloud={**cloud, "mx_host": None})
    assert "Graph names no MX host for contoso.com: give the sender's host." in result["msg"]


def test_host_and_port_of_the_sender_take_precedence(verify: Verify, mail_server: MailServer, cloud: dict[str, Any]) -> None:
    elsewhere = {**cloud, "mx_host": "nowhere.invalid", "mx_port": 1}
    assert verify(sender(method="connector", host="localhost", port=mail_server.port), cloud=elsewhere)["verified"] == 1


# -- failures ---------------------------------------------------------------------------------------------------------

OFF = (
    "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled"
)


@pytest.mark.parametrize(
    ("answers", "stage", "code", "cause", "waits"),
    [
        ({"banner": "421 4.3.2 Service not available"}, "greeting", "421 4.3.2", "the service is busy or has a transient fault", True),
        ({"EHLO": "550 5.7.506 Access Denied, Bad HELO"}, "greeting", "550 5.7.506", "the client greeted with the server's own name", False),
        ({"STARTTLS": "454 4.7.0 TLS not available"}, "tls", "454 4.7.0", "the service is busy or has a transient fault", True),
        ({"AUTH": "535 5.7.3 Authentication unsuccessful [X]"}, "sign-in", "535 5.7.3", "authentication failed: the token or password is wrong", True),
        ({"AUTH": OFF}, "sign-in", "535 5.7.139", "SMTP AUTH is disabled for this mailbox", False),
        ({"AUTH": "334 eyJ9", "": "535 5.7.3 Authentication unsuccessful"}, "sign-in", "535 5.7.3", "authentication failed", True),
        ({"MAIL": f"530 5.7.57 Client not authenticated to send mail. Error: {OFF}"}, "sender", "535 5.7.139", "SMTP AUTH is disabled for this mailbox", False),
        ({"RCPT": "550 5.7.64 TenantAttribution; Relay Access Denied"}, "recipient", "550 5.7.64", "no inbound connector matches", True),
        ({"DATA": "554 5.3.4 Message size exceeds"}, "message", "554 5.3.4", "the message is larger", False),
        ({".": "554 5.2.252 SendAsDenied; a not allowed to send as b"}, "message", "554 5.2.252", "the sender address is not the mailbox", False),
        ({".": "430 4.2.0 STOREDRV; Cannot open mailbox."}, "message", "430 4.2.0", "the sender app is authenticated but has no permission", False),
        ({".": "554 6.6.6 Never heard of"}, "message", "554", "554 6.6.6 Never heard of", False),
        ({"AUTH": "hang up"}, "sign-in", "closed", "the server closed the connection", False),
    ],
)  # fmt: skip
def test_a_failure_names_stage_code_and_cause(
    verify: Verify, signed_in: Script, mail_server: MailServer, answers: dict[str, str], stage: str, code: str, cause: str, waits: bool
) -> None:
    if stage in ("greeting", "tls"):
        signed_in._expected.clear()  # no AUTH before TLS
    mail_server.answers |= answers
    result = verify(sender(), **CREDENTIAL)
    assert result["failed"] is True
    assert result["msg"].startswith(f"1 of 1 senders cannot send: erp (oauth): {cause}")
    [entry] = result["senders"]
    assert (entry["status"], entry["stage"], entry["code"], entry["transient"]) == ("failed", stage, code, waits)
    assert entry["reason"].startswith(cause)
    assert bool(entry["remedy"]) == (code not in ("554", "closed"))
    assert entry["message_id"] is None
    assert result["verified"] == 0


def test_an_unreachable_server_is_named(verify: Verify) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    [entry] = verify(basic(host="127.0.0.1", port=port), required=False)["senders"]
    assert (entry["stage"], entry["code"]) == ("connect", "connection")
    [entry] = verify(basic(host="bad..name"), required=False)["senders"]
    assert (entry["stage"], entry["code"]) == ("resolve", "DNS")


def test_an_untrusted_server_certificate_is_named(verify: Verify, cloud: dict[str, Any], mail_server: MailServer) -> None:
    [entry] = verify(basic(), cloud={**cloud, "ca_file": ""}, required=False)["senders"]
    assert (entry["stage"], entry["code"]) == ("tls", "certificate")
    assert mail_server.sessions[0].sign_ins == []


def test_a_sender_outside_the_accepted_domains_is_not_attempted(verify: Verify, mail_server: MailServer) -> None:
    [entry] = verify(basic("erp@fabrikam.com"), required=False)["senders"]
    assert (entry["status"], entry["stage"]) == ("failed", "input")
    assert entry["reason"] == "fabrikam.com is not an accepted domain of this tenant (contoso.com, contoso.onmicrosoft.com)"
    assert mail_server.sessions == []


def test_a_refused_token_has_stage_token(verify: Verify, script: Script, mail_server: MailServer) -> None:
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).answers(401, refused(7000222, "invalid_client", "The provided client secret keys are expired."))
    [entry] = verify(sender(), required=False, **CREDENTIAL)["senders"]
    assert (entry["stage"], entry["code"], entry["reason"]) == ("token", "AADSTS7000222", "the client secret has expired")
    assert mail_server.sessions[0].sign_ins == []


def test_an_application_that_is_missing_fails_its_senders_only(verify: Verify, script: Script) -> None:
    script.expect("GET", "/v1.0/applications(uniqueName='sender')?$select=appId").answers(404, graph_error("Request_ResourceNotFound"))
    result = verify(sender(), basic("b@contoso.com"), required=False, app_unique_name="sender", app_client_secret=APP_SECRET)
    first, second = result["senders"]
    assert first["reason"] == "the Entra application sender does not exist; register it (role entra_app)"
    assert second["status"] == "verified"


def test_an_unreadable_credential_fails_its_senders_only(verify: Verify, tmp_path: Path) -> None:
    result = verify(sender(), basic("b@contoso.com"), required=False, app_id=APP, app_certificate_path=str(tmp_path / "no.pem"))
    assert "app_certificate_path is" in result["senders"][0]["reason"]
    assert result["verified"] == 1


def test_every_failed_sender_is_in_the_message(verify: Verify, mail_server: MailServer) -> None:
    mail_server.answers["password"] = "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect."
    result = verify(basic("a@contoso.com"), sender("b@contoso.com", method="connector"), basic("c@contoso.com"))
    assert result["msg"].endswith(
        "2 of 3 senders cannot send: a (basic): the mailbox's password is wrong. Correct the password; "
        "c (basic): the mailbox's password is wrong. Correct the password."
    )
    assert [entry["status"] for entry in result["senders"]] == ["failed", "verified", "failed"]
    assert (result["verified"], result["total"]) == (1, 3)


# -- check mode -------------------------------------------------------------------------------------------------------


def test_check_mode_opens_no_connection(verify: Verify, script: Script, mail_server: MailServer) -> None:
    """Port 25 is closed on hosted runners; the accepted domains are checked."""
    senders = [sender(), basic("b@contoso.com"), sender("c@contoso.com", method="connector"), basic("d@fabrikam.com")]
    result = verify(*senders, check_mode=True, wait=60, required=False, **CREDENTIAL)
    assert [(entry["status"], entry["stage"]) for entry in result["senders"]] == [("not_verified", "check_mode")] * 3 + [
        ("failed", "input")
    ]
    assert reasons(result)["c"] == "check mode sends no test message"
    assert (mail_server.sessions, script.requests) == ([], [])


def test_reachability_in_check_mode_ends_after_tls_without_sign_in(verify: Verify, script: Script, mail_server: MailServer) -> None:
    senders = [sender(), basic("b@contoso.com"), sender("c@contoso.com", method="connector")]
    result = verify(*senders, check_mode=True, reachability=True, wait=60, **CREDENTIAL)
    assert [(entry["status"], entry["stage"], entry["message_id"]) for entry in result["senders"]] == [("not_verified", "tls", None)] * 3
    assert (result["changed"], result["verified"], result["total"]) == (False, 0, 3)
    assert [session.commands for session in mail_server.sessions] == [["EHLO", "STARTTLS", "EHLO", "QUIT"]] * 3
    assert script.requests == []


def test_reachability_in_check_mode_reports_an_unreachable_server(verify: Verify, mail_server: MailServer) -> None:
    mail_server.offers.remove("STARTTLS")
    host = {"host": "localhost", "port": mail_server.port}
    result = verify(basic(**host), check_mode=True, reachability=True)
    assert result["failed"] is True
    assert "does not offer STARTTLS" in result["msg"]


# -- many senders -----------------------------------------------------------------------------------------------------


def test_senders_of_one_mailbox_are_sequential_and_keep_their_order(verify: Verify, mail_server: MailServer) -> None:
    senders = [basic(f"m{n % 3}@contoso.com", name=f"s{n}") for n in range(12)]
    senders += [basic(f"alias{n}@contoso.com", mailbox="M0@contoso.com", name=f"alias{n}") for n in range(3)]
    result = verify(*senders)
    assert [entry["name"] for entry in result["senders"]] == [sender["name"] for sender in senders]
    assert result["verified"] == 15
    assert mail_server.at_once == {f"m{n}@contoso.com": 1 for n in range(3)}
    ids = [entry["message_id"] for entry in result["senders"]]
    assert len(set(ids)) == 15


def test_many_oauth_senders_share_one_token_and_one_read(verify: Verify, signed_in: Script, service: Exchange) -> None:
    result = verify(*[sender(f"m{n}@contoso.com") for n in range(20)], **CREDENTIAL)
    assert result["verified"] == 20
    assert (service.requests, len(signed_in.requests)) == (1, 2)


# -- waiting ----------------------------------------------------------------------------------------------------------


class ScriptedProbes:
    """Replaces probe_all: each call returns the next round's results, (verified, transient) by name."""

    def __init__(self, *rounds: dict[str, tuple[bool, bool]]) -> None:
        self.rounds, self.calls = list(rounds), list[list[str]]()

    def __call__(self, tenant: Any, context: Any, senders: list[ProbeSender]) -> list[ProbeResult]:
        self.calls.append([sender.label for sender in senders])
        answers = self.rounds.pop(0) if len(self.rounds) > 1 else self.rounds[0]
        return [self.result(sender, *answers[sender.label]) for sender in senders]

    @staticmethod
    def result(sender: ProbeSender, verified: bool, transient: bool) -> ProbeResult:
        status = statuses.VERIFIED if verified else statuses.FAILED
        return ProbeResult(sender.label, sender.address, "", "oauth", "", status, reason="c", remedy="R.", transient=transient)


def test_only_transient_failures_are_repeated(verify: Verify, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = ({"a": (True, False), "b": (False, True), "c": (False, False)}, {"b": (False, True)}, {"b": (True, False)})
    probes = ScriptedProbes(*rounds)
    monkeypatch.setattr(smtp_probe, "probe_all", probes)
    result = verify(basic("a@contoso.com"), basic("b@contoso.com"), basic("c@contoso.com"), wait=600, required=False)
    assert probes.calls == [["a", "b", "c"], ["b"], ["b"]]
    assert clock.slept == [5.0, 10.0]
    assert [entry["status"] for entry in result["senders"]] == ["verified", "verified", "failed"]
    assert result["cost"]["retries"] == 2


def test_waiting_is_bounded(verify: Verify, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_probe, "probe_all", ScriptedProbes({"a": (False, True)}))
    assert verify(basic("a@contoso.com"), wait=100)["failed"] is True
    assert clock.slept == [5.0, 10.0, 20.0, 30.0, 30.0]
    clock.slept.clear()
    verify(basic("a@contoso.com"), wait=0)
    assert clock.slept == []


def test_the_next_attempt_obtains_a_new_token(verify: Verify, signed_in: Script, mail_server: MailServer) -> None:
    """Roles are baked into tokens: a right that has arrived meanwhile is only in a new one."""
    mail_server.answers["AUTH"] = "535 5.7.3 Authentication unsuccessful [X]"
    signed_in.expect("POST", TOKEN).answers(200, granted(2))
    signed_in.expect("POST", TOKEN).answers(200, granted(3))
    verify(sender(), wait=20, **CREDENTIAL)
    signs = [session.sign_ins[0].split("Bearer ")[1].rstrip("\x01") for session in mail_server.sessions]
    assert signs == ["granted-1", "granted-2", "granted-3"]
