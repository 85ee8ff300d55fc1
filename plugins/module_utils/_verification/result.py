# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of one sender's probe, and what an error means for it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from .._core.errors import MailopsError, ServiceError, SmtpError
from . import statuses

ELSEWHERE = "Set verify_from of this sender to a host of the inventory that sends as the sender does."


class NotVerifiable(MailopsError):  # noqa: N818 - a statement about this host
    """What the sender's method claims cannot be seen from this host. `remedy` says where it can be."""

    def __init__(self, reason: str, remedy: str = ELSEWHERE) -> None:
        super().__init__(reason)
        self.remedy = remedy


@dataclass(frozen=True)
class ProbeResult:
    """The result of one sender.

    `status`: one of `statuses`; `accepted_by`: what accepted the message ("" where none was accepted); `reason`: a clause, why the sender
    is not verified. `source`: the host's address as the server sees it. `verify_from`: the host of the inventory that sent the message, ""
    for the one that ran the task. `seconds`: duration of the attempt.
    """

    name: str
    address: str
    verify_recipient: str
    method: str
    server: str
    status: str
    accepted_by: str = ""
    reason: str = ""
    remedy: str = ""
    message_id: str | None = None
    stage: str = "sent"
    code: str = ""
    service_message: str = ""
    transient: bool = False
    source: str = ""
    tls: str = ""
    seconds: float = 0.0
    verify_from: str = ""

    @property
    def verified(self) -> bool:
        return self.status == statuses.VERIFIED

    @property
    def failed(self) -> bool:
        return self.status == statuses.FAILED

    def as_result(self) -> dict[str, object]:
        return asdict(self)


def explained(result: ProbeResult, error: Exception, *, own_server: bool = False) -> ProbeResult:
    """The result of a probe that ended with an error: reason and remedy of the error catalog where it has the code.

    `own_server`: the server is Microsoft's and not one that the inventory names. If it was not reached, the network of this host is the
    reason, which is not the sender's.
    """
    result = replace(result, status=statuses.FAILED, accepted_by="", stage="input", reason=str(error).rstrip("."))
    if isinstance(error, NotVerifiable):
        return replace(result, status=statuses.NOT_VERIFIABLE, stage="source", remedy=error.remedy)
    if not isinstance(error, ServiceError):
        return result
    message = " ".join(error.service_message.split())
    result = replace(
        result,
        stage=error.stage if isinstance(error, SmtpError) else "token",
        reason=error.entry.cause if error.entry else message.rstrip("."),
        remedy=error.entry.remedy if error.entry else "",
        code=error.code,
        service_message=message,
        transient=error.transient,
    )
    if own_server and isinstance(error, SmtpError) and error.entry and error.entry.service == "network":
        return replace(result, status=statuses.NOT_VERIFIABLE, remedy=f"{error.entry.remedy} {ELSEWHERE}")
    return result
