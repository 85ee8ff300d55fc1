# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One exception family: every failure is one sentence that says what was tried, what the service said, what to do.

Private to the collection. What a code means stands in error_catalog, never here.
"""

from __future__ import annotations

from ..error_catalog import Known


class MailopsError(Exception):
    """The root: its text is the sentence for the user. `begun`: writing had begun, so something may have been changed."""

    begun = False

    def as_result(self) -> dict:
        """Its parts, under `failure` in a failed task's result; the sentence itself is the task's `msg`."""
        return {}


class InvalidInput(MailopsError):  # noqa: N818 - reads as what it is
    """Input that cannot be carried out; found before any write. May hold several problems."""

    def __init__(self, *problems: str) -> None:
        super().__init__(" ".join(problems))
        self.problems = list(problems)

    def as_result(self) -> dict:
        return {"problems": self.problems}


class MissingLibrary(MailopsError):  # noqa: N818
    """A Python library of requirements.txt that this interpreter lacks."""

    def __init__(self, library: str) -> None:
        super().__init__(
            f"The Python library {library} is missing from the interpreter that runs Ansible: "
            "install the collection's requirements.txt into it."
        )


class ServiceError(MailopsError):
    """What a service refused. `attempted` is a phrase ("read the mailboxes"), `said` its own words, shortened.

    `code` is the service's code (AADSTS number, Graph code, Exchange exception type, SMTP reply),
    `status` the HTTP or SMTP status, `known` the row of the error table, if it has one.
    """

    def __init__(self, attempted: str, said: str, *, code: str = "", status: int = 0, known: Known | None = None, trace: str = "") -> None:
        self.attempted, self.said, self.code, self.status = attempted, said, code, status
        self.known, self.trace = known, trace
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        head = f"Could not {self.attempted}"
        said = " ".join(self.said.split())
        said = said if len(said) <= 300 else said[:297] + "..."
        if self.known:
            text = f"{head}: {self.known.cause} ({self.code}). {self.known.remedy}"
        else:
            text = f"{head}: the service answered {self.code or self.status}: {said}"
        return text + (f" [request {self.trace}]" if self.trace else "")

    @property
    def wait_helps(self) -> bool:
        return bool(self.known and self.known.wait)

    def as_result(self) -> dict:
        return {
            "attempted": self.attempted,
            "said": " ".join(self.said.split())[:1000],
            "code": self.code,
            "status": self.status,
            "cause": self.known.cause if self.known else "",
            "remedy": self.known.remedy if self.known else "",
            "wait_helps": self.wait_helps,
            "request_id": self.trace,
        }


class Unreachable(ServiceError):  # noqa: N818
    """Nobody answered: name not resolved, connection refused, TLS refused, time run out."""

    def _sentence(self) -> str:
        return f"Could not {self.attempted}: {self.said}"


class SignInError(ServiceError):
    """The token endpoint refused."""


class GraphError(ServiceError):
    """Microsoft Graph refused."""


class ExchangeError(ServiceError):
    """The Exchange admin API refused. `code` is the exception's type without its namespace."""


class DnsError(ServiceError):
    """A DNS server refused an update. `code` is the response code, or the TSIG error."""


class ArmError(ServiceError):
    """Azure Resource Manager refused."""


class SmtpError(ServiceError):
    """A mail server refused, or nobody answered. `stage` is where: resolve, connect, greeting, tls, sign-in, sender, ..."""

    def __init__(self, stage: str, said: str, *, code: str = "", known: Known | None = None) -> None:
        self.stage = stage
        super().__init__(f"get past the stage {stage!r}", said, code=code, known=known)

    def as_result(self) -> dict:
        return {**super().as_result(), "stage": self.stage}
