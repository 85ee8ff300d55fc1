# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to Exchange while the automation app's directory role is not effective yet (permission propagation).

A token contains a new directory role before Exchange uses it. A refused request is repeated for at most m365_wait_timeout where all of
this holds:

- The token contains Exchange.ManageAsApp and Exchange Administrator or Global Administrator. Where it lacks one, or its claims cannot be
  read, the refusal is reported at once. Role groups are not in tokens.
- No command of the task was answered otherwise than by a refusal. After one that was, the role is effective, and a refusal concerns the
  cmdlet: Organization Management may have lost management roles.
- It is a 401 without a claims challenge, or a 403 without text. Conditional Access and revoked tokens answer with a challenge; proxies
  and other refusals answer with text.

Microsoft Graph decides by the permissions in the token and uses the same code where an object is protected, so that its refusals of a
token with the permission are final.

Sources: "App-only authentication for unattended scripts in Exchange Online PowerShell"; "Continuous access evaluation"; measured: 401
without the app role, 403 with a body that is empty or NUL bytes without the directory role.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from .._core.errors import ExchangeError
from .._http.transport import Response
from . import permissions
from .authorized import AuthorizedTransport, challenge

NOT_EFFECTIVE = (
    "The token contains the permission and the directory role already: a role that was assigned minutes ago may not be effective yet. "
    "Run again later, or with a longer m365_wait_timeout."
)
_REFUSALS = (401, 403)


class ExchangeRole:
    """Repeats requests that Exchange refuses because the role in the token is not effective yet."""

    def __init__(self, authorized: AuthorizedTransport) -> None:
        self._authorized = authorized
        self._is_effective = False  # a command of this task was not refused

    def send(self, send: Callable[[], Response]) -> Response:
        """The answer to one request."""
        answer = send()
        while self._may_pass(answer) and self._await():
            answer = send()
        return answer

    def send_items(self, numbers: Sequence[int], send: Callable[[Sequence[int]], dict[int, Response]]) -> dict[int, Response]:
        """The answers to the items of a batch; `send` sends those with these numbers. Refused items are sent again alone.

        Roles that this run has granted are waited for, too; see TokenSource.await_grant.
        """
        answers = send(numbers)
        self.note(answers.values())
        while refused := [number for number in numbers if answers[number].status in _REFUSALS]:
            early = all(self._may_pass(answers[number]) for number in refused)
            if not (self._authorized.await_grant() or (early and self._await())):
                break
            answers |= send(refused)
            self.note(answers[number] for number in refused)
        return answers

    def note(self, answers: Iterable[Response]) -> None:
        """Note whether commands were answered otherwise than by a refusal: their role is effective."""
        if any(answer.status < 500 and answer.status not in (*_REFUSALS, 429) for answer in answers):
            self._is_effective = True

    def explained(self, error: ExchangeError, answer: Response) -> ExchangeError:
        """The error; where its cause may be a role that is not effective yet, its remedy says so."""
        if not (error.entry and self._may_pass(answer)):
            return error
        entry = replace(error.entry, remedy=f"{error.entry.remedy} {NOT_EFFECTIVE}")
        return ExchangeError(
            error.attempted, error.service_message, code=error.code, status=error.status, entry=entry, request_id=error.request_id
        )

    def _may_pass(self, answer: Response) -> bool:
        if self._is_effective or answer.status not in _REFUSALS:
            return False
        has_text = answer.json() is not None or bool(answer.body.strip(b"\0 \r\n"))
        if challenge(answer) if answer.status == 401 else has_text:
            return False
        return permissions.allows_exchange(self._authorized.permissions())

    def _await(self) -> bool:
        return self._authorized.tokens.await_role(self._authorized.service)
