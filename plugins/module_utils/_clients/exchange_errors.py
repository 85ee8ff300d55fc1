# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer of the Exchange admin API means: success, a fault that passes, or an error.

Source: the ExchangeOnlineManagement PowerShell module; Microsoft does not document the errors.
"""

from __future__ import annotations

from typing import Any

from .. import error_catalog
from .._core.errors import ExchangeError
from .._core.json_types import JsonObject
from .._http.batch import ItemResponse
from .._http.transport import Response

# Exception types that pass by themselves (the module's own list, and those that public clients add to it).
TRANSIENT = frozenset(
    {
        "DCOverloadedException",
        "SuitabilityDirectoryException",
        "ServerInMMException",
        "ADServerSettingsChangedException",
        "StorageTransientException",
        "CmdletProxyNotAvailableFailure",
        "CmdletProxyException",
        "ServerBusyException",
        "TransientException",
        "BackendCommunicationException",
        "UnableToWriteToAadException",
    }
)


def is_transient(answer: Response) -> bool:
    """Exchange answers 400 and 500, and even 200, for faults that pass: by type, else by text."""
    kind, text = _details(answer.json())
    header = answer.headers.get("x-exceptiontype", "").rpartition(".")[2]
    entry = error_catalog.exchange(kind, text)
    return kind in TRANSIENT or header in TRANSIENT or bool(answer.status != 403 and entry and entry.id == "exchange-busy")


def _details(body: Any) -> tuple[str, str]:
    """The exception's type without its namespace and the text: `details[0].message`, else the inner one, else the outer."""
    error = _error_member(body)
    if not error:
        return "", ""
    details = error.get("details") or []
    message = str(details[0].get("message") or "") if details and isinstance(details[0], dict) else ""
    parts = message.split("|", 2)
    if len(parts) == 3:
        return parts[1].strip().rpartition(".")[2], parts[2].strip()
    inner = (error.get("innererror") or {}).get("internalexception") or {}
    kind = str(inner.get("type") or "").rpartition(".")[2] or str(error.get("code") or "")
    return kind, message or str(inner.get("message") or error.get("message") or "")


def _error_member(body: Any) -> JsonObject | None:
    if not isinstance(body, dict):
        return None
    error = body.get("error") or body.get("@odata.error")
    return error if isinstance(error, dict) or not error else {"message": str(error)}


def error_of(attempted: str, answer: Response) -> ExchangeError | None:
    """The failure that an answer means; None where it succeeded. A 200 can carry an error too.

    An item of a batch may come without status and, where the command says nothing, without a body.
    """
    status, body, request_id = answer.status, answer.json(), answer.headers.get("request-id", "")
    empty_item = body is None and isinstance(answer, ItemResponse)
    if status < 300 and (isinstance(body, dict) or empty_item) and not _error_member(body):
        return None
    kind, text = _details(body)
    if not text:
        text = answer.text.strip("\0 \r\n")[:200] or ("throttled" if status == 429 else "")
    if status == 401:
        kind = "Unauthorized"
    elif status == 403:
        kind = "Forbidden"
    elif not kind:
        kind = f"HTTP {status}"
    entry = error_catalog.exchange(kind, text)
    return ExchangeError(attempted, text or "nothing", code=kind, status=status, entry=entry, request_id=request_id)
