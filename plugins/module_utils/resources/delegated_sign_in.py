# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sign-in of a user for sending mail: once by device code, then silently with the refresh token of a token store.

Sources: "OAuth 2.0 device authorization grant flow on the Microsoft identity platform"; "Authenticate an IMAP, POP or SMTP
connection using OAuth".
"""

from __future__ import annotations

from dataclasses import dataclass

from .._core import mail_addresses
from .._core.errors import InvalidInput
from .._core.params import nested
from .._core.spec import JOURNAL, TENANT, Spec
from .._engine.resource import Assumption, Plan
from .._engine.tenant import Tenant
from .._entra import application_lookup
from .._entra.application_lookup import application_id
from .._entra.user_tokens import user_tokens
from .._identity import token_stores
from .._identity.credentials import GUID
from .._identity.delegated import NotSignedIn, SignInAgain, sign_in_user
from .._identity.token_stores import TokenStore, TokenStoreOptions

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


@dataclass(frozen=True)
class DelegatedSignInParams:
    """The options of the module delegated_sign_in."""

    user: str
    app_unique_name: str | None
    app_id: str | None
    sign_in_timeout: int
    state: str
    token_store: TokenStoreOptions = nested(TokenStoreOptions)


@dataclass(frozen=True)
class SignInChanges:
    """Remove the refresh token, or sign the user in to the application `app_id`, which is None in check mode only."""

    token_store: TokenStore
    app_id: str | None = None
    remove: bool = False


class DelegatedSignIn:
    """Implements the module delegated_sign_in."""

    name = "delegated_sign_in"
    spec = TENANT | JOURNAL | OPTIONS
    params_type = DelegatedSignInParams

    def validate(self, params: DelegatedSignInParams) -> list[str]:
        problems = mail_addresses.problems("user", [params.user]) + params.token_store.problems()
        if params.state == "absent":
            return problems + params.token_store.removal_problems()
        if not params.app_unique_name and not params.app_id:
            problems.append("app_unique_name or app_id is missing: name the public client that the user signs in to.")
        if params.app_id and not GUID.fullmatch(params.app_id):
            problems.append(f"app_id is {params.app_id!r}: give the application's client id, a GUID.")
        if not 30 <= params.sign_in_timeout <= 900:
            problems.append(f"sign_in_timeout is {params.sign_in_timeout}: use 30 to 900 seconds; a device code expires after 900.")
        return problems

    def plan(self, tenant: Tenant, params: DelegatedSignInParams, check_mode: bool) -> Plan[SignInChanges]:
        token_store = params.token_store.open()
        if params.state == "absent":
            stored = bool(token_store.read())
            before, after = _result(params, token_store, signed_in=stored), _result(params, token_store, signed_in=False)
            changes = SignInChanges(token_store, remove=True) if stored else None
            return Plan(before, after, changes, {"sign_in": {**after, "app_id": None, "reason": ""}})
        app_id = application_id(tenant, params.app_id, params.app_unique_name)
        reason = _sign_in_reason(tenant, app_id, params, token_store, keep=not check_mode)
        before, after = _result(params, token_store, signed_in=not reason), _result(params, token_store, signed_in=True)
        plan: Plan[SignInChanges] = Plan(before, after, outcome={"sign_in": {**after, "app_id": app_id, "reason": reason}})
        if reason:
            plan.assumptions = _refuse_impossible(tenant, app_id, params, token_store, check_mode)
            plan.changes = SignInChanges(token_store, app_id)
            plan.warnings = [f"{params.user} would have to sign in: {reason}."] if check_mode else []
        return plan

    def apply(self, tenant: Tenant, params: DelegatedSignInParams, plan: Plan[SignInChanges]) -> dict[str, object]:
        changes = plan.pending
        if changes.remove:
            changes.token_store.remove()
        elif changes.app_id and tenant.prompt:
            changes.token_store.prepare()
            attempted = f"sign in to {tenant.name} as {params.user}"
            sign_in = user_tokens(tenant, changes.app_id, params.user, changes.token_store).sign_in(attempted)
            scope, timeout = tenant.cloud.smtp_scope(), float(params.sign_in_timeout)
            sign_in_user(sign_in, params.user, changes.token_store, tenant.prompt, scope, timeout)
        return plan.outcome


RESOURCE = DelegatedSignIn()


def _sign_in_reason(tenant: Tenant, app_id: str | None, params: DelegatedSignInParams, token_store: TokenStore, *, keep: bool) -> str:
    """Why the user has to sign in; empty where a silent refresh succeeds. Other failures are raised."""
    if app_id is None:
        token_store.read()  # a store that cannot be read is a problem of the plan, too
        return f"the application {params.app_unique_name} does not exist yet"
    try:
        user_tokens(tenant, app_id, params.user, token_store, keep=keep).fresh(tenant.cloud.smtp_scope())
    except NotSignedIn:
        return f"{token_store.where} holds no refresh token"
    except SignInAgain as error:
        return f"{error.entry.cause} ({error.code})" if error.entry else f"Entra answered {error.code}"
    return ""


def _refuse_impossible(
    tenant: Tenant, app_id: str | None, params: DelegatedSignInParams, token_store: TokenStore, check_mode: bool
) -> list[Assumption]:
    """Raise InvalidInput where a sign-in cannot succeed. In check mode an earlier task may register the application: return that."""
    problems, assumptions = [], []
    if app_id is None:
        problem = f"Entra has no application {params.app_unique_name}"
        remedy = "register it first (role delegated_sign_in with delegated_sign_in_app_register, or module entra_app with public_client)"
        needed = application_lookup.registration_of(params.app_unique_name)
        assumptions.append(application_lookup.assumption("app_unique_name", problem, remedy, needed))
        problems += [] if check_mode else [assumptions[0].refusal]
    if obstacle := token_store.obstacle():
        problems.append(f"{params.user} has to sign in, but {obstacle}")
    if tenant.prompt is None:
        problems.append(
            f"{params.user} has to sign in, and this task cannot show the code: run it on the host that runs Ansible, with "
            "m365_in_process true."
        )
    if problems:
        raise InvalidInput(*problems)
    return assumptions


def _result(params: DelegatedSignInParams, token_store: TokenStore, *, signed_in: bool) -> dict[str, object]:
    return {"user": params.user.lower(), "token_store": token_store.where, "signed_in": signed_in}
