# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof: every sender sends one real message, and where it cannot, the cause, the remedy and whether waiting helps.

Private to the collection. Sources: "How to set up a multifunction device or application to send email using Microsoft
365"; "Authenticate an IMAP, POP or SMTP connection using OAuth".
"""

from __future__ import annotations

from typing import Any

from .._core import mail_addresses
from .._core.bounds import SMTP_PROPAGATION
from .._core.errors import MailopsError
from .._core.spec import TENANT, Spec
from .._core.waiting import Retry
from .._engine.engine import Plan, Reading
from .._engine.tenant import Tenant
from .._identity import token_stores
from .._planning import methods as sending
from .._verification.attempt import probe_all
from .._verification.context import gather
from .._verification.methods import METHODS

VERIFIED = [name for name, method in sending.METHODS.items() if method.verified_by == "smtp_probe"]
SENDER = {
    "name": {"type": "str"},
    "address": {"type": "str", "required": True},
    "method": {"type": "str", "choices": VERIFIED, "default": "oauth"},
    "verify_recipient": {"type": "str", "required": True},
    "mailbox": {"type": "str"},
    "username": {"type": "str"},
    "user": {"type": "str"},
    "token_store": {"type": "dict", "no_log": False, "options": token_stores.OPTIONS},
    "on_behalf": {"type": "bool", "default": False},
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
        "passwords": {"type": "dict", "no_log": True, "default": {}},
        "user_app_unique_name": {"type": "str"},
        "user_app_id": {"type": "str"},
        "wait": {"type": "int", "default": 0},
        "required": {"type": "bool", "default": True},
    },
    mutually_exclusive=(
        ("app_unique_name", "app_id"),
        ("user_app_unique_name", "user_app_id"),
        ("app_client_secret", "app_certificate_path"),
    ),
    writes=False,
)


class NotProven(MailopsError):  # noqa: N818
    """Senders that could not send; `outcome` holds every sender's result."""

    def __init__(self, text: str, outcome: dict[str, Any]) -> None:
        super().__init__(text)
        self.outcome = outcome


class SmtpProbe(Reading):
    """module smtp_probe"""

    name = "smtp_probe"
    spec = TENANT | OPTIONS

    def check(self, params: dict[str, Any]) -> list[str]:
        problems = []
        give_passwords(params)
        for sender in params["senders"]:
            label = sender["name"] or sender["address"]
            for option in ("address", "verify_recipient", "mailbox", "user"):
                value = sender[option]
                found = mail_addresses.problems(f"the sender's {option}", [value] if value is not None else [])
                problems += [f"senders: {label}: {problem}" for problem in found]
            problems += [f"senders: {label}: {problem}" for problem in METHODS[sender["method"]].check(sender, params)]
        needy = list(dict.fromkeys(s["method"] for s in params["senders"] if METHODS[s["method"]].needs_token(s, params)))
        if needy:
            which = f"senders with method {' or '.join(needy)} need"
            if not params["app_unique_name"] and not params["app_id"]:
                problems.append(f"{which} app_unique_name or app_id, the application that they sign in as.")
            if not params["app_client_secret"] and not params["app_certificate_path"]:
                problems.append(f"{which} app_certificate_path or app_client_secret, that application's credential.")
        return problems

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        facts = gather(tenant, params, check_mode)
        retry = Retry(SMTP_PROPAGATION, tenant.transport, params["wait"])
        results = probe_all(tenant, facts, params["senders"])
        while not check_mode:
            again = [i for i, result in enumerate(results) if result["verified"] is False and result["transient"]]
            if not again or not retry.again():
                break
            tenant.cost.count(retries=1)
            facts.forget()
            for i, result in zip(again, probe_all(tenant, facts, [params["senders"][i] for i in again]), strict=True):
                results[i] = result
        outcome = {"senders": results, "verified": sum(result["verified"] is True for result in results), "total": len(results)}
        failed = [result for result in results if result["verified"] is False]
        if failed and params["required"]:
            lines = "; ".join(f"{r['name']} ({r['method']}): {r['cause']}. {r['remedy']}".rstrip(". ") for r in failed)
            raise NotProven(f"{len(failed)} of {len(results)} senders cannot send: {lines}.", outcome)
        return Plan(outcome=outcome)


RESOURCE = SmtpProbe()


def give_passwords(params: dict[str, Any]) -> None:
    """Each sender without a password gets that of its mailbox, or of its address."""
    known = {address.lower(): str(password) for address, password in params["passwords"].items()}
    for sender in params["senders"]:
        sender["password"] = sender["password"] or known.get((sender["mailbox"] or sender["address"]).lower())
