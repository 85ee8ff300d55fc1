"""The refresh token grant.

Source: "Refresh tokens in the Microsoft identity platform": 90 days without use end one; a password reset, a
revocation by an administrator and a disabled account do, too.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from emulator.entra import users
from emulator.entra.delegated import Client, issue
from emulator.entra.errors import EntraError
from emulator.http import Response
from emulator.state import RefreshToken
from emulator.state.sign_in import digest


def refresh(client: Client, form: dict[str, str]) -> Response:
    if not form.get("refresh_token"):
        raise EntraError(900144, parameter="refresh_token")
    match = client.tenant.refresh_tokens.get(digest(form["refresh_token"]))
    if match is None or match.app_id != client.application.app_id:
        raise EntraError(70000)
    user = users.user_by_id(client.tenant, match.user_id)
    _check_times(client, match, user.user.tokens_valid_from)
    users.judge(client.platform, client.tenant, client.application, user, mfa=match.mfa)
    scope = form.get("scope") or match.scope
    return issue(client, user, scope, mfa=match.mfa, claims_request=form.get("claims", ""))


def _check_times(client: Client, result: RefreshToken, valid_from: float) -> None:
    life = client.platform.settings.refresh_token_inactivity
    if result.issued < valid_from:
        raise EntraError(50173, issued=_iso(result.issued), valid_from=_iso(valid_from))
    if client.platform.now - result.issued > life:
        inactive = timedelta(seconds=life)
        minutes, seconds = divmod(inactive.seconds, 60)
        listed = f"{inactive.days}.{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
        raise EntraError(700082, issued=_iso(result.issued), inactive=listed)


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
