# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user's sign-in for sending mail: done once by device code, kept as a refresh token in a token store, proven by its use.

Private to the collection. Sources: "OAuth 2.0 device authorization grant flow on the Microsoft identity platform";
"Authenticate an IMAP, POP or SMTP connection using OAuth".
"""

from __future__ import annotations

from typing import Any

from .._core import mail_addresses
from .._core.errors import InvalidInput
from .._core.spec import JOURNAL, TENANT, Spec
from .._engine.engine import Plan
from .._engine.tenant import Tenant
from .._entra.application_lookup import application_id
from .._entra.user_tokens import user_tokens
from .._identity import token_stores
from .._identity.credentials import GUID
from .._identity.delegated import NotSignedIn, SignInAgain, sign_in_user

OPTIONS = Spec(
    {
        "user": {"type": "str", "required": True},
        "app_unique_name": {"type": "str"},
        "app_id": {"type": "str"},
        "token_store": {"type": "dict", "no_log": False, "options": token_stores.OPTIONS, "required": True},
        "sign_in_timeout": {"type": "int", "default": 900},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    },
    mutually_exclusive=(("app_unique_name", "app_id"),),
)


class DelegatedSignIn:
    """module delegated_sign_in"""

    name = "delegated_sign_in"
    spec = TENANT | JOURNAL | OPTIONS

    def check(self, params: dict[str, Any]) -> list[str]:
        found = mail_addresses.problems("user", [params["user"]]) + token_stores.problems(params["token_store"])
        if params["state"] == "absent":
            return found + _not_removable(params["token_store"])
        if not params["app_unique_name"] and not params["app_id"]:
            found.append("app_unique_name or app_id is missing: name the public client that the user signs in to.")
        if params["app_id"] and not GUID.fullmatch(params["app_id"]):
            found.append(f"app_id is {params['app_id']!r}: give the application's client id, a GUID.")
        if not 30 <= params["sign_in_timeout"] <= 900:
            found.append(f"sign_in_timeout is {params['sign_in_timeout']}: use 30 to 900 seconds; a code lives no longer.")
        return found

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        token_store = token_stores.make(params["token_store"])
        if params["state"] == "absent":
            held = bool(token_store.read())
            before, after = _shown(params, token_store, signed_in=held), _shown(params, token_store, signed_in=False)
            return Plan(before, after, [token_store] if held else [], {"sign_in": {**after, "app_id": None, "reason": ""}})
        app_id = application_id(tenant, params["app_id"], params["app_unique_name"])
        reason = _why_sign_in(tenant, app_id, params, token_store, keep=not check_mode)
        before, after = _shown(params, token_store, signed_in=not reason), _shown(params, token_store, signed_in=True)
        plan = Plan(before, after, outcome={"sign_in": {**after, "app_id": app_id, "reason": reason}})
        if reason:
            if not check_mode:
                _refuse(tenant, app_id, params, token_store)
            plan.steps = [token_store, app_id, tenant.prompt]
            plan.warnings = [f"{params['user']} would have to sign in: {reason}."] if check_mode else []
        return plan

    def apply(self, tenant: Tenant, params: dict[str, Any], plan: Plan) -> dict[str, Any]:
        if params["state"] == "absent":
            plan.steps[0].remove()
            return plan.outcome
        token_store, app_id, prompt = plan.steps
        token_store.prepare()
        attempted = f"sign in to {tenant.name} as {params['user']}"
        sign_in = user_tokens(tenant, app_id, params["user"], token_store).sign_in(attempted)
        sign_in_user(sign_in, params["user"], token_store, prompt, tenant.cloud.smtp_scope(), float(params["sign_in_timeout"]))
        return plan.outcome


RESOURCE = DelegatedSignIn()


def _not_removable(options: dict[str, Any]) -> list[str]:
    if options["kind"] == "environment":
        return ["token_store: an environment variable cannot be removed from here: remove it where the job gets it from."]
    if options["kind"] == "command" and not options.get("remove"):
        return ["token_store: kind command needs remove, where state is absent."]
    return []


def _why_sign_in(tenant: Tenant, app_id: str | None, params: dict[str, Any], token_store: token_stores.TokenStore, *, keep: bool) -> str:
    """Why the user has to sign in; "" where one silent refresh proves that the sign-in works. Other failures are raised."""
    if app_id is None:
        return f"the application {params['app_unique_name']} does not exist yet"
    try:
        user_tokens(tenant, app_id, params["user"], token_store, keep=keep).fresh(tenant.cloud.smtp_scope())
    except NotSignedIn:
        return f"{token_store.where} holds no refresh token"
    except SignInAgain as error:
        return f"{error.entry.cause} ({error.code})" if error.entry else f"Entra answered {error.code}"
    return ""


def _refuse(tenant: Tenant, app_id: str | None, params: dict[str, Any], token_store: token_stores.TokenStore) -> None:
    """What makes a sign-in impossible, found before a person is asked."""
    if app_id is None:
        name = params["app_unique_name"]
        raise InvalidInput(f"The Entra application {name} does not exist; register it (module entra_app, public_client true).")
    if not token_store.writable:
        raise InvalidInput(
            f"{params['user']} has to sign in, but the token store cannot be written: give kind command a store, or sign in into a file "
            "or a command and take it from there."
        )
    if tenant.prompt is None:
        raise InvalidInput(
            f"{params['user']} has to sign in, and this task cannot show the code: run it on the machine that runs Ansible, with "
            "m365_in_process true."
        )


def _shown(params: dict[str, Any], token_store: token_stores.TokenStore, *, signed_in: bool) -> dict[str, Any]:
    return {"user": params["user"].lower(), "token_store": token_store.where, "signed_in": signed_in}
