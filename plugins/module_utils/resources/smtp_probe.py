# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof: every sender sends one real message, and where it cannot, the cause, the remedy and whether waiting helps.

Private to the collection. Sources: "How to set up a multifunction device or application to send email using Microsoft
365"; "Authenticate an IMAP, POP or SMTP connection using OAuth".
"""

from __future__ import annotations

import email.message
import email.policy
import email.utils
import time
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from .. import addresses
from ..engine import Plan, Reading
from ..errors import InvalidInput, MailopsError, ServiceError, SmtpError
from ..graph import key
from ..identity import credentials
from ..identity.tokens import TokenSource
from ..smtp import Conversation, Route
from ..spec import TENANT, Spec
from ..tenant import Tenant

METHODS = ("oauth", "basic", "connector", "direct_send")
SENDER = {
    "name": {"type": "str"},
    "address": {"type": "str", "required": True},
    "method": {"type": "str", "choices": list(METHODS), "default": "oauth"},
    "to": {"type": "str", "required": True},
    "mailbox": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "certificate_path": {"type": "path"},
    "certificate_password": {"type": "str", "no_log": True},
    "source_address": {"type": "str"},
    "host": {"type": "str"},
    "port": {"type": "int"},
}
OPTIONS = Spec(
    {
        "senders": {"type": "list", "elements": "dict", "required": True, "options": SENDER},
        "app_unique_name": {"type": "str"},
        "app_id": {"type": "str"},
        "app_client_secret": {"type": "str", "no_log": True},
        "app_certificate_path": {"type": "path"},
        "app_certificate_password": {"type": "str", "no_log": True},
        "wait": {"type": "int", "default": 0},
        "required": {"type": "bool", "default": True},
    },
    mutually_exclusive=(("app_unique_name", "app_id"), ("app_client_secret", "app_certificate_path")),
    writes=False,
)
_AT_ONCE = 8


class NotProven(MailopsError):  # noqa: N818
    """Senders that could not send; `outcome` holds every sender's result."""

    def __init__(self, text: str, outcome: dict[str, Any]) -> None:
        super().__init__(text)
        self.outcome = outcome


@dataclass
class Facts:
    """What all probes of a tenant need, read once."""

    domains: set[str] = field(default_factory=set)
    mx_host: str = ""
    tokens: TokenSource | None = None
    no_token: MailopsError | None = None
    check_mode: bool = False


class SmtpProbe(Reading):
    """module smtp_probe"""

    name = "smtp_probe"
    spec = TENANT | OPTIONS

    def check(self, params: dict[str, Any]) -> list[str]:
        problems = []
        for sender in params["senders"]:
            label = sender["name"] or sender["address"]
            for option in ("address", "to", "mailbox"):
                value = sender[option]
                found = addresses.problems(f"the sender's {option}", [value] if value is not None else [])
                problems += [f"senders: {label}: {problem}" for problem in found]
            if sender["method"] == "basic" and not sender["password"]:
                problems.append(f"senders: {label}: method basic needs the mailbox's password.")
        if any(s["method"] == "oauth" for s in params["senders"]):
            if not params["app_unique_name"] and not params["app_id"]:
                problems.append("senders with method oauth need app_unique_name or app_id, the application that they sign in as.")
            if not params["app_client_secret"] and not params["app_certificate_path"]:
                problems.append("senders with method oauth need app_certificate_path or app_client_secret, that application's credential.")
        return problems

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        facts = gather(tenant, params, check_mode)
        end = tenant.clock.now() + params["wait"]
        results = probe_all(tenant, facts, params["senders"])
        pause = 5.0
        while not check_mode and tenant.clock.now() + pause < end:
            again = [i for i, result in enumerate(results) if result["proven"] is False and result["wait_helps"]]
            if not again:
                break
            tenant.transport.pause(pause)
            tenant.cost.count(retries=1)
            if facts.tokens:
                facts.tokens.forget()
            for i, result in zip(again, probe_all(tenant, facts, [params["senders"][i] for i in again]), strict=True):
                results[i] = result
            pause = min(pause * 2, 30.0)
        outcome = {"senders": results, "proven": sum(result["proven"] is True for result in results), "total": len(results)}
        failed = [result for result in results if result["proven"] is False]
        if failed and params["required"]:
            lines = "; ".join(f"{r['name']} ({r['method']}): {r['cause']}. {r['remedy']}".rstrip(". ") for r in failed)
            raise NotProven(f"{len(failed)} of {len(results)} senders cannot send: {lines}.", outcome)
        return Plan(outcome=outcome)


RESOURCE = SmtpProbe()


# -- what all probes need ---------------------------------------------------------------------------------------------


def gather(tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Facts:
    """The accepted domains, the MX host and the application's tokens; each read once, and only where a sender needs it."""
    senders = params["senders"]
    facts = Facts(check_mode=check_mode)
    facts.domains = addresses.accepted_domains(tenant.exchange)
    at_mx = [s for s in senders if s["method"] in ("connector", "direct_send") and not s["host"]]
    if at_mx:
        facts.mx_host = tenant.cloud.mx_host or mx_host(tenant, sorted(facts.domains), at_mx[0]["address"])
    if any(s["method"] == "oauth" for s in senders) and not check_mode:
        try:
            facts.tokens = application_tokens(tenant, params)
        except MailopsError as error:
            facts.no_token = error
    return facts


def mx_host(tenant: Tenant, domains: list[str], address: str) -> str:
    """The tenant's own MX host, as Graph lists it for the sender's domain (its label cannot be derived with certainty)."""
    domain = addresses.domain(address)
    if domain not in domains:
        domain = domains[0] if domains else domain
    records = tenant.graph.get(f"/domains/{key(domain)}/serviceConfigurationRecords", f"read the MX host of {domain}") or {}
    for record in records.get("value", []):
        if record.get("mailExchange"):
            return str(record["mailExchange"])
    raise InvalidInput(f"Graph names no MX host for {domain}: give the sender's host.")


def application_tokens(tenant: Tenant, params: dict[str, Any]) -> TokenSource:
    """The senders' own application, which is not the one that this module signs in as."""
    credential = credentials.load(
        params["app_client_secret"], params["app_certificate_path"], params["app_certificate_password"], prefix="app_"
    )
    app_id = params["app_id"]
    if not app_id:
        name = params["app_unique_name"]
        found = tenant.graph.get(f"/applications(uniqueName='{key(name)}')?$select=appId", f"look for the application {name}")
        if not found:
            raise InvalidInput(f"the Entra application {name} does not exist; register it (role entra_app).")
        app_id = found["appId"]
    return TokenSource(tenant.cloud, tenant.name, app_id, credential, tenant.token_cache, tenant.transport)


# -- one probe --------------------------------------------------------------------------------------------------------


def probe_all(tenant: Tenant, facts: Facts, senders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Senders of one mailbox one after the other (a mailbox has three connections), different mailboxes at once."""
    groups: dict[str, list[int]] = {}
    for i, sender in enumerate(senders):
        groups.setdefault((sender["mailbox"] or sender["address"]).lower(), []).append(i)
    results: dict[int, dict[str, Any]] = {}

    def work(numbers: Iterable[int]) -> None:
        for i in numbers:
            results[i] = probe(tenant, facts, senders[i])

    with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(groups) or 1)) as pool:
        list(pool.map(work, groups.values()))
    return [results[i] for i in range(len(senders))]


def probe(tenant: Tenant, facts: Facts, sender: dict[str, Any]) -> dict[str, Any]:
    """One sender's result: proven True, False, or None in check mode (no sign-in, no message)."""
    started = time.monotonic()
    number = uuid.uuid4().hex[:12]
    route = route_of(tenant, facts, sender)
    result: dict[str, Any] = {
        "name": sender["name"] or sender["address"],
        "address": sender["address"],
        "to": sender["to"],
        "method": sender["method"],
        "server": f"{route.host}:{route.port}",
        "proven": None if facts.check_mode else True,
        "message_id": None,
        "stage": "tls" if facts.check_mode else "sent",
        "code": "",
        "said": "",
        "cause": "",
        "remedy": "",
        "wait_helps": False,
    }
    conversation = Conversation(route)
    try:
        refuse_foreign(facts, sender)
        message = compose(sender, number)
        converse(conversation, facts, sender, message)
        if not facts.check_mode:
            result["message_id"] = str(message["Message-ID"])
    except MailopsError as error:
        result |= explained(error)
    finally:
        conversation.close()
    return result | {"tls": conversation.tls, "seconds": round(time.monotonic() - started, 2)}


def explained(error: MailopsError) -> dict[str, Any]:
    """A failed probe's part of the result: one row of the error table where the code is known, else the words themselves."""
    found = {"proven": False, "stage": getattr(error, "stage", "input"), "cause": str(error).rstrip("."), "wait_helps": False}
    if isinstance(error, ServiceError):
        said = " ".join(error.said.split())
        found |= {"code": error.code, "said": said, "wait_helps": error.wait_helps, "cause": said.rstrip(".")}
        if not isinstance(error, SmtpError):
            found["stage"] = "token"
        if error.known:
            found |= {"cause": error.known.cause, "remedy": error.known.remedy}
    return found


def refuse_foreign(facts: Facts, sender: dict[str, Any]) -> None:
    domain = addresses.domain(sender["address"])
    if domain not in facts.domains:
        raise InvalidInput(f"{domain} is not an accepted domain of this tenant ({', '.join(sorted(facts.domains))})")


def route_of(tenant: Tenant, facts: Facts, sender: dict[str, Any]) -> Route:
    submission = sender["method"] in ("oauth", "basic")
    cloud = tenant.cloud
    return Route(
        host=sender["host"] or (cloud.smtp_host if submission else facts.mx_host),
        port=sender["port"] or (cloud.smtp_port if submission else cloud.mx_port),
        ca_file=cloud.ca_file,
        source_address=sender["source_address"] or "",
        certificate_path=sender["certificate_path"] or "",
        certificate_password=sender["certificate_password"],
    )


def converse(conversation: Conversation, facts: Facts, sender: dict[str, Any], message: email.message.EmailMessage) -> None:
    conversation.resolve()
    conversation.connect()
    conversation.start_tls()
    if facts.check_mode:
        return
    mailbox = sender["mailbox"] or sender["address"]
    if sender["method"] == "oauth":
        if facts.no_token or not facts.tokens:
            raise facts.no_token or InvalidInput("no application to sign in as")
        conversation.sign_in_xoauth2(mailbox, facts.tokens.token(facts.tokens.cloud.scope("exchange")))
    elif sender["method"] == "basic":
        conversation.sign_in_login(mailbox, sender["password"])
    conversation.send(sender["address"], [sender["to"]], message.as_bytes(policy=email.policy.SMTP))


def compose(sender: dict[str, Any], number: str) -> email.message.EmailMessage:
    """A message with a unique id (RFC 5322), short, and saying what it is."""
    message = email.message.EmailMessage()
    message["From"] = sender["address"]
    message["To"] = sender["to"]
    message["Subject"] = f"Proof of sending: {sender['name'] or sender['address']} [{number}]"
    message["Date"] = email.utils.formatdate(localtime=False)
    message["Message-ID"] = f"<mailops-{number}@{addresses.domain(sender['address'])}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Mailops-Probe"] = number
    message.set_content(
        f"{sender['address']} can send through Microsoft 365 ({sender['method']}).\n\n"
        "This message was sent by mailops.m365 to prove it. Nothing needs to be done.\n"
    )
    return message
