# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Exchange admin API (InvokeCommand): paging, $batch, annotations, warnings, error types.

Microsoft documents the API in part ("Exchange Online Admin API"). The requests are those of Microsoft's ExchangeOnlineManagement
PowerShell module; all assumptions about the API are in this file.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from .._core.errors import ExchangeError
from .._core.json_types import JsonObject
from .._http.batch import ItemResponse, chunks, send_batch
from .._http.transport import THROTTLED, Request, Response
from .._identity.token_cache import TokenCache
from .allowed_cmdlets import MODULE_FILE, AllowedCmdlets
from .authorized import AuthorizedTransport
from .exchange_errors import error_of, is_transient
from .exchange_host import ExchangeHost
from .exchange_role import ExchangeRole
from .kept_reads import KeptReads, exchange_family
from .run_cache import RunCache

PAGE = 1000
BATCH = 10
IN_FLIGHT = 3
ANCHOR = "APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{tenant}"

_EXPIRED_PAGE = re.compile(r"Expired or Invalid pagination request", re.I)


@dataclass(frozen=True)
class Command:
    """One cmdlet with its parameters, by Microsoft's names. `select` limits the properties of its answer."""

    cmdlet: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    select: tuple[str, ...] = ()
    attempted: str = "run an Exchange command"

    def __post_init__(self) -> None:
        # An empty Identity answers with every object of the organization: never send one.
        if "Identity" in self.parameters and not self.parameters["Identity"]:
            raise ValueError(f"{self.cmdlet}: Identity is empty")

    @property
    def reads(self) -> bool:
        return self.cmdlet.startswith(("Get-", "Test-"))

    def body(self) -> dict[str, object]:
        return {"CmdletInput": {"CmdletName": self.cmdlet, "Parameters": self.parameters}}


@dataclass
class Outcome:
    """The result of one command: its objects and warnings, or the error."""

    values: list[JsonObject] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    error: ExchangeError | None = None

    def checked(self) -> Outcome:
        """Itself, or its error raised."""
        if self.error:
            raise self.error
        return self


class ExchangeClient:
    """Runs cmdlets. `tenant` is the tenant's id: the path and the anchor of every request hold it."""

    def __init__(
        self, authorized: AuthorizedTransport, tenant: str, run_cache: RunCache | None = None, kept: KeptReads | None = None
    ) -> None:
        self._authorized, self._tenant = authorized, tenant
        self._kept = kept or KeptReads()
        self.run_cache = run_cache or RunCache(TokenCache())
        self._prefetched: dict[str, Outcome] = {}
        self._host = ExchangeHost(authorized, self.run_cache)
        self._role = ExchangeRole(authorized)
        self._answered: set[str] = set()  # cmdlets that were answered without an error

    def prefetch(self, command: Command, outcome: Outcome) -> None:
        """Keep the outcome of a read that was part of another batch: the next `run` or `batch` of the command returns it."""
        self._prefetched[self._key(command)] = outcome

    def prefetched(self, command: Command) -> Outcome | None:
        """The outcome that is kept for a read; None where there is none."""
        return self._prefetched.get(self._key(command))

    def _known(self, command: Command) -> Outcome | None:
        """The outcome of a read that is known. A write makes unknown what it changes."""
        if not command.reads:
            self._kept.forget_exchange(command.cmdlet)
            return None
        key = self._key(command)
        outcome = self._prefetched.pop(key, None) or self._kept.get(key)
        return self._keep(command, outcome) if isinstance(outcome, Outcome) else None

    def _keep(self, command: Command, outcome: Outcome) -> Outcome:
        """The outcome, of which a copy is kept: who gets it may change its objects."""
        if command.cmdlet.startswith("Get-") and (not outcome.error or is_missing(outcome.error)):
            copy = replace(outcome, values=[dict(value) for value in outcome.values])
            self._kept.keep(self._key(command), exchange_family(command.cmdlet), copy)
        return outcome

    @staticmethod
    def _key(command: Command) -> str:
        return json.dumps([command.cmdlet, command.parameters, list(command.select)], sort_keys=True)

    def run(self, command: Command) -> Outcome:
        """One command, all its pages; raises ExchangeError."""
        if known := self._known(command):
            return known.checked()
        try:
            return self._keep(command, self._pages(command, self._invoke(command, self._url(command))))
        except ExchangeError as error:
            if not (command.reads and _EXPIRED_PAGE.search(error.service_message)):
                raise
            # The page's link has expired: a partial list is not usable, so the read is repeated once.
            return self._keep(command, self._pages(command, self._invoke(command, self._url(command))))

    def batch(self, commands: Sequence[Command]) -> list[Outcome]:
        """Many independent commands, ten a request, three requests at once; each has its own outcome, in order."""
        known = {number: outcome for number, command in enumerate(commands) if (outcome := self._known(command))}
        if known:
            rest = iter(self.batch([command for number, command in enumerate(commands) if number not in known]))
            return [known[number] if number in known else next(rest) for number in range(len(commands))]
        if len(commands) < 2:
            return [self._alone(command) for command in commands]
        parts = chunks(len(commands), BATCH)
        outcomes: dict[int, Outcome] = {}
        progress = self._authorized.transport.progress.counter(f"Exchange {', '.join(_cmdlets(commands))}", len(commands))
        self._authorized.tokens.token(self._authorized.scope)  # once, before the threads ask for it
        if not self._host.is_settled:  # one request alone: where the tenant has a host of its own, only it is redirected
            outcomes.update(self._batch(commands, parts.pop(0)))
        with ThreadPoolExecutor(max_workers=IN_FLIGHT) as pool:
            for some in pool.map(lambda numbers: self._batch(commands, numbers), parts):
                outcomes.update(some)
                progress.add(len(some))
        return [self._keep(command, outcomes[number]) for number, command in enumerate(commands)]

    def _alone(self, command: Command) -> Outcome:
        try:
            return self.run(command)
        except ExchangeError as error:
            return self._keep(command, Outcome(error=error))

    def forbidden(self, cmdlets: Iterable[str]) -> list[str]:
        """Those of the cmdlets that the roles of this sign-in do not allow, sorted; empty where Exchange does not say. One request."""
        headers = {"Accept": "application/json", "CommandName": "*", "X-AnchorMailbox": ANCHOR.format(tenant=self._tenant)}
        answer = self._host.send(
            lambda: Request(
                "GET", f"{self._host.base}/adminapi/v1.0/{self._tenant}/{MODULE_FILE}", headers, attempted="read the allowed cmdlets"
            ),
            is_transient,
        )
        return AllowedCmdlets.of(answer, self._answered).without(cmdlets)

    @property
    def _root(self) -> str:
        return f"{self._host.base}/adminapi/beta/{self._tenant}"

    # -- one command ----------------------------------------------------------------------------------------------

    def _url(self, command: Command) -> str:
        return f"{self._root}/InvokeCommand" + (f"?$select={','.join(command.select)}" if command.select else "")

    def _headers(self, command: Command) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Prefer": f"odata.maxpagesize={PAGE}",
            "X-CmdletName": command.cmdlet,
            "X-ResponseFormat": "json",
            "X-AnchorMailbox": ANCHOR.format(tenant=self._tenant),
            "client-request-id": str(uuid.uuid4()),
        }

    def _invoke(self, command: Command, url: str) -> Response:
        def make_request() -> Request:
            return Request(
                "POST",
                self._host.current(url),
                self._headers(command),
                json=command.body(),
                # Of all cmdlets used here only New-* does harm when it is sent twice.
                repeatable=not command.cmdlet.startswith("New-"),
                attempted=command.attempted,
            )

        answer = self._role.send(lambda: self._host.send(make_request, is_transient))
        self._role.note([answer])
        self._check(command, answer)
        return answer

    def _check(self, command: Command, answer: Response) -> None:
        """Raise the error that an answer means."""
        error = self._error(command, answer)
        if error is not None:
            raise error

    def _error(self, command: Command, answer: Response) -> ExchangeError | None:
        error = error_of(command.attempted, answer)
        return self._role.explained(error, answer) if error else None

    def _pages(self, command: Command, answer: Response) -> Outcome:
        """The objects and warnings of an answer without error, and of the pages that follow it."""
        outcome = Outcome()
        self._answered.add(command.cmdlet)
        while True:
            body = answer.json() or {}
            # Without annotations (`P@data.type`, `P@odata.type`).
            outcome.values += [{name: value for name, value in item.items() if "@" not in name} for item in body.get("value") or []]
            outcome.warnings += body.get("@adminapi.warnings") or []
            link = body.get("@odata.nextLink")
            if not link:
                return outcome
            self._refuse_foreign(link)
            answer = self._invoke(command, link)

    def _refuse_foreign(self, link: str) -> None:
        self._authorized.refuse_foreign(link)
        if not urlsplit(link).path.lower().startswith(urlsplit(self._root).path.lower() + "/"):
            raise ExchangeError("follow a list's pages", "the next page belongs to another tenant", code="ForeignPage")

    # -- a batch --------------------------------------------------------------------------------------------------

    def _batch(self, commands: Sequence[Command], numbers: Sequence[int]) -> dict[int, Outcome]:
        answers = self._role.send_items(
            numbers,
            lambda refused: send_batch(
                refused,
                lambda some: self._send_batch(commands, some),
                lambda _number, answer: answer.status in THROTTLED or is_transient(answer),
                self._authorized.transport,
                self._authorized.bounds,
            ),
        )
        return {number: self._outcome(commands[number], answers[number]) for number in numbers}

    def _outcome(self, command: Command, answer: Response) -> Outcome:
        """An item's outcome; its further pages, if it has some, are read one by one."""
        failed = self._error(command, answer)
        if failed:
            return Outcome(error=failed)
        try:
            return self._pages(command, answer)
        except ExchangeError as error:
            if command.reads and _EXPIRED_PAGE.search(error.service_message):
                return self._alone(command)
            return Outcome(error=error)

    def _send_batch(self, commands: Sequence[Command], numbers: Sequence[int]) -> dict[int, Response]:
        first = commands[numbers[0]]
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "X-AnchorMailbox": ANCHOR.format(tenant=self._tenant),
        }
        repeatable = all(not commands[i].cmdlet.startswith("New-") for i in numbers)
        answer = self._role.send(
            lambda: self._host.send(
                lambda: Request("POST", f"{self._root}/$batch", headers, repeatable=repeatable, attempted=first.attempted),
                is_transient,
                lambda token: {"requests": [self._item(i, commands[i], token) for i in numbers]},
            )
        )
        self._check(first, answer)
        answers: dict[int, Response] = {int(item["id"]): ItemResponse(item) for item in answer.json().get("responses") or []}
        return {i: answers.get(i, _MISSING_ITEM) for i in numbers}

    def _item(self, number: int, command: Command, token: str) -> dict[str, object]:
        """A command in a batch; every item has the token of its own."""
        headers = self._headers(command)
        headers["Prefer"] += ";odata.continue-on-error"
        headers["Authorization"] = f"Bearer {token}"
        return {"id": str(number), "method": "POST", "url": self._url(command), "headers": headers, "body": command.body()}


_MISSING_ITEM = ItemResponse({"status": 500, "body": {"error": {"code": "IncompleteBatch", "message": "the answer lacks this item"}}})


def boolean(value: Any) -> bool | None:
    """A Boolean property. Some cmdlets return it as text, True or False; a value of another type is returned unchanged."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    other: bool | None = value
    return other


def names(value: Any) -> list[str]:
    """A list property: its elements may themselves be joined by commas, as in ["FullAccess, ReadPermission"]."""
    if value is None:
        return []
    parts = value if isinstance(value, list) else [value]
    return [name.strip() for part in parts for name in str(part).split(",") if name.strip()]


def _cmdlets(commands: Sequence[Command]) -> list[str]:
    """The names of the cmdlets, each once, in order."""
    return list(dict.fromkeys(command.cmdlet for command in commands))


def is_missing(error: ExchangeError | None) -> bool:
    """Whether the error says that there is no such object."""
    return bool(error and error.code == "ManagementObjectNotFoundException")
