# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for the Exchange admin API: cmdlets are Python functions; requests, batches and pages are counted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Request, Response, Sender

from .script import exchange_error, response

Cmdlet = Callable[[dict[str, Any]], Any]


class Refused(Exception):  # noqa: N818
    """What a cmdlet raises to be answered with an error."""

    def __init__(self, kind: str, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status, self.body = status, exchange_error(kind, text)


def missing(identity: str) -> Refused:
    text = f"The operation couldn't be performed because object '{identity}' couldn't be found on 'DB8PR01A001DC01.example'."
    return Refused("ManagementObjectNotFoundException", text, 404)


class Exchange:
    """A sender: `Exchange(Get_X=lambda parameters: [...])`. What is not Exchange's goes on to `others`.

    `commands` are the cmdlets run, in order; `requests` counts HTTP requests. A cmdlet answers with its values, or with
    (values, warnings).
    """

    def __init__(self, others: Sender | None = None, page: int = 1000, **cmdlets: Cmdlet) -> None:
        self.others, self.page = others, page
        self.cmdlets = {name.replace("_", "-"): cmdlet for name, cmdlet in cmdlets.items()}
        self.commands: list[tuple[str, dict[str, Any]]] = []
        self.requests = 0
        self.batch_sizes: list[int] = []
        self.complaints: list[str] = []
        self._lock = threading.Lock()

    def ran(self, prefix: str) -> list[dict[str, Any]]:
        """The parameters of the commands whose name starts so."""
        return [parameters for name, parameters in self.commands if name.startswith(prefix)]

    @property
    def writes(self) -> list[str]:
        return [name for name, _parameters in self.commands if not name.startswith("Get-")]

    def __call__(self, request: Request) -> Response:
        if "/adminapi/" not in request.url:
            if self.others:
                return self.others(request)
            raise self._complaint(f"unexpected request {request.method} {request.url}")
        with self._lock:
            self.requests += 1
            if not request.url.endswith("$batch"):
                status, body = self._invoke(request.url, request.json)
                return response(status, body)
            items = request.json["requests"]
            self.batch_sizes.append(len(items))
            answers = []
            for item in reversed(items):  # the service answers in any order
                status, body = self._invoke(item["url"], item["body"])
                answers.append({"id": item["id"], "status": status, "body": body})
            return response(200, {"responses": answers})

    def _invoke(self, url: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        name, parameters = body["CmdletInput"]["CmdletName"], body["CmdletInput"]["Parameters"]
        start = int(parse_qs(urlsplit(url).query).get("$skiptoken", ["0"])[0])
        if not start:
            self.commands.append((name, parameters))
        if name not in self.cmdlets:
            raise self._complaint(f"unexpected cmdlet {name} {parameters}")
        try:
            values = self.cmdlets[name](parameters)
        except Refused as refused:
            return refused.status, refused.body
        values, warnings = values if isinstance(values, tuple) else (values or [], [])
        answer: dict[str, Any] = {"value": values[start : start + self.page], "@adminapi.warnings": warnings}
        if start + self.page < len(values):
            answer["@odata.nextLink"] = f"{url.partition('?')[0]}?%24skiptoken={start + self.page}"
        return 200, answer

    def _complaint(self, text: str) -> AssertionError:
        self.complaints.append(text)
        return AssertionError(text)
