"""SMTP users of SMTP2GO: add, view, edit, remove.

Sources: SMTP2GO's API document 3.0.4, "SMTP users". PATCH keeps what the body leaves out, POST sets it to its default. The password is
shown by add, where SMTP2GO has chosen it, and never again: the document marks it deprecated in answers.
"""

from __future__ import annotations

import math
import secrets
import string
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

from emulator.smtp2go.documents import invalid
from emulator.state.smtp2go import STATUSES, Smtp2GoAccount, Smtp2GoUser, period_seconds

_CHANGED: dict[str, type] = {
    "username": str, "email_password": str, "description": str, "custom_ratelimit": bool, "custom_ratelimit_value": int,
    "custom_ratelimit_period": str, "open_tracking_enabled": bool, "click_tracking_enabled": bool, "archive_enabled": bool,
    "bounce_notifications": str, "status": str,
}  # fmt: skip
PROPERTIES: dict[str, dict[str, type]] = {
    "/users/smtp/add": _CHANGED,
    "/users/smtp/view": {"username": str},
    "/users/smtp/edit": _CHANGED,
    "/users/smtp/remove": {"username": str},
}
READING = ("/users/smtp/view",)
_COUNTERS = ("period_used", "period_start")
_LEAST_BITS = 64  # of entropy of a password
_GENERATED = 22  # letters and digits: more than 128 bits


def operation(account: Smtp2GoAccount, method: str, path: str, body: dict[str, Any]) -> Callable[[], Any] | None:
    """What answers a request with its `data`; None where the path has no such method."""
    operations: dict[tuple[str, str], Callable[[], Any]] = {
        ("POST", "/users/smtp/add"): lambda: {"results": [_add(account, body)]},
        ("POST", "/users/smtp/view"): lambda: {"results": _view(account, body)},
        ("POST", "/users/smtp/edit"): lambda: {"results": [_document(_edit(account, body, keep=False))]},
        ("PATCH", "/users/smtp/edit"): lambda: [_patched(_edit(account, body, keep=True))],
        ("POST", "/users/smtp/remove"): lambda: {"results": [_remove(account, body)]},
    }
    return operations.get((method, path))


def _document(user: Smtp2GoUser, **more: Any) -> dict[str, Any]:
    """A user without its password. A user without a limit of its own has the period 0:00:00, one with it e.g. `1 day`."""
    own = asdict(user)
    for name in ("password", "click_tracking_enabled", *_COUNTERS):  # which answers do not have
        del own[name]
    own["custom_ratelimit_value"] = user.custom_ratelimit_value or None
    own["custom_ratelimit_period"] = user.custom_ratelimit_period or "0:00:00"
    return own | {"sending_allowed": user.status != "blocked", "audit_email": None} | more


def _patched(user: Smtp2GoUser) -> dict[str, Any]:
    """The answer of PATCH: other properties than those of POST, without those that have no value."""
    own = _document(user, custom_rate_limit=user.custom_ratelimit, click_tracking_enabled=user.click_tracking_enabled)
    return {name: value for name, value in own.items() if value is not None and name not in ("custom_ratelimit", "sending_allowed")}


def _find(account: Smtp2GoAccount, body: dict[str, Any]) -> Smtp2GoUser | None:
    return next((one for one in account.users if one.username == body.get("username")), None)


def _one(account: Smtp2GoAccount, body: dict[str, Any]) -> Smtp2GoUser:
    user = _find(account, body)
    if user is None:
        raise invalid("the SMTP user does not exist")
    return user


def _add(account: Smtp2GoAccount, body: dict[str, Any]) -> dict[str, Any]:
    name, given = str(body.get("username", "")), body.get("email_password")
    if not 5 <= len(name) <= 100:
        raise invalid("username must have 5 to 100 characters")
    taken = [one for one in account.users if one.username == name]
    if taken:
        raise invalid("the SMTP user exists already")
    password = (
        _checked(given) if given is not None else "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(_GENERATED))
    )
    user = Smtp2GoUser(name, password)
    _set(user, body)
    account.users.append(user)
    return _document(user) if given is not None else _document(user, email_password=password)


def _view(account: Smtp2GoAccount, body: dict[str, Any]) -> list[dict[str, Any]]:
    return [_document(_one(account, body))] if "username" in body else [_document(one) for one in account.users]


def _edit(account: Smtp2GoAccount, body: dict[str, Any], *, keep: bool) -> Smtp2GoUser:
    user = _one(account, body)
    if "email_password" in body:
        user.password = _checked(body["email_password"])
    defaults = (
        {} if keep else {one.name: one.default for one in fields(Smtp2GoUser) if one.name not in ("username", "password", *_COUNTERS)}
    )
    _set(user, defaults | body)
    return user


def _remove(account: Smtp2GoAccount, body: dict[str, Any]) -> dict[str, Any]:
    user = _one(account, body)
    account.users.remove(user)
    return _document(user)


def _set(user: Smtp2GoUser, values: dict[str, Any]) -> None:
    if values.get("status", "allowed") not in STATUSES:
        raise invalid("status is not valid")
    limited = values.get("custom_ratelimit", user.custom_ratelimit)
    value = values.get("custom_ratelimit_value", user.custom_ratelimit_value)
    period = values.get("custom_ratelimit_period", user.custom_ratelimit_period)
    if limited and (value < 1 or not period_seconds(period)):
        raise invalid("custom_ratelimit needs custom_ratelimit_value and custom_ratelimit_period")
    for name in values.keys() - {"username", "email_password", "subaccount_id"}:
        setattr(user, name, values[name])
    if not limited:  # a value is stored with the switch only
        user.custom_ratelimit_value, user.custom_ratelimit_period = 0, ""


def _checked(password: str) -> str:
    """A password of enough entropy, which is estimated by its kinds of characters."""
    kinds = ((str.islower, 26), (str.isupper, 26), (str.isdigit, 10))
    size = sum(count for test, count in kinds if any(map(test, password)))
    size += 32 if any(not one.isalnum() for one in password) else 0
    if not password or len(password) * math.log2(max(size, 1)) < _LEAST_BITS:
        raise invalid("email_password must have 64 bits of entropy or more")
    return password
