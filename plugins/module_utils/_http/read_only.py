# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which requests read: what the transport of a task that only reads, such as every task in check mode, lets through.

GET; a request for a token, also that of a job of Azure Pipelines; $batch of GETs (Microsoft Graph); InvokeCommand with a cmdlet that reads,
alone or in $batch (Exchange Online); lists, the quota and the permissions of a key (SMTP2GO, which reads by POST).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from .._core.errors import MailopsError

_PIPELINES = "/oidctoken"  # Azure Pipelines
_TOKENS = ("/oauth2/v2.0/token", "/oauth2/v2.0/devicecode", "/oauth2/token")
_SMTP2GO = (
    "/v3/domain/view", "/v3/users/smtp/view", "/v3/api_keys/permissions", "/v3/stats/email_cycle", "/v3/suppression/view",
    "/v3/ip_allow_list/view",
)  # fmt: skip
# The cmdlet compares permissions and changes nothing.
_TESTS = ("Test-ServicePrincipalAuthorization",)


def refuse_writes(method: str, url: str, body: Any, form: Mapping[str, str] | None, attempted: str) -> None:
    """Raise MailopsError for a request that may write: nothing is sent."""
    reason = _reason(method.upper(), urlsplit(url).path, body, form)
    if reason:
        raise MailopsError(f"Could not {attempted}: the task only reads, and {reason} may write. Nothing was sent; report this defect.")


def _reason(method: str, path: str, body: Any, form: Mapping[str, str] | None) -> str:
    """The part of a request that may write; "" for a request that reads."""
    if method == "GET" or (method == "POST" and form is not None and path.endswith(_TOKENS)):
        return ""
    if method == "POST" and (path.endswith(_SMTP2GO) or (path.endswith(_PIPELINES) and body is form is None)):
        return ""
    items = body.get("requests") if isinstance(body, Mapping) else None
    if method != "POST" or not isinstance(body, Mapping):
        return f"{method} {path}"
    if path.endswith("/$batch") and isinstance(items, list) and items:
        return next((reason for item in items if (reason := _item_reason(item))), "")
    return _command_reason(path, body)


def _item_reason(item: Any) -> str:
    if not isinstance(item, Mapping):
        return "an item of $batch"
    method, path = str(item.get("method") or "").upper(), urlsplit(str(item.get("url") or "")).path
    return "" if method == "GET" else _command_reason(path, item.get("body")) if method == "POST" else f"{method} {path}"


def _command_reason(path: str, body: Any) -> str:
    """The cmdlet of InvokeCommand, where it may write, or the path of another request."""
    command = body.get("CmdletInput") if isinstance(body, Mapping) and path.endswith("/InvokeCommand") else None
    cmdlet = command.get("CmdletName") if isinstance(command, Mapping) else None
    if not isinstance(cmdlet, str):
        return f"POST {path}"
    return "" if cmdlet.startswith("Get-") or cmdlet in _TESTS else cmdlet
