# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exceptions. The text of each is one sentence: what was attempted, what the service answered, and the remedy.

What an error code means is in error_catalog.
"""

from __future__ import annotations

from ..error_catalog import ErrorEntry

_SENTENCE_LIMIT, _RESULT_LIMIT = 300, 1000  # characters of a service's message


class MailopsError(Exception):
    """The base class. `may_have_changed`: the task had started to write when it failed."""

    may_have_changed = False

    def as_result(self) -> dict[str, object]:
        """The parts of the failure, which a failed task returns as `failure`; the sentence itself is the task's `msg`."""
        return {}


class InvalidInput(MailopsError):  # noqa: N818 - a state of the input, not an event
    """Invalid input, found before any write. It can hold several problems, one sentence each, and one remedy for all of them."""

    def __init__(self, *problems: str, remedy: str = "") -> None:
        super().__init__(" ".join([*problems, remedy]).strip())
        self.problems, self.remedy = list(problems), remedy

    def as_result(self) -> dict[str, object]:
        return {"problems": self.problems} | ({"remedy": self.remedy} if self.remedy else {})


class MissingLibrary(MailopsError):  # noqa: N818
    """A Python library of requirements.txt is not installed for this interpreter."""

    def __init__(self, library: str) -> None:
        super().__init__(
            f"The Python library {library} is missing from the interpreter that runs Ansible: "
            "install the collection's requirements.txt into it."
        )


class ServiceError(MailopsError):
    """A service refused a request. `attempted` is a phrase ("read the mailboxes"), `service_message` the service's own text.

    `code` is the service's code (AADSTS number, Graph code, Exchange exception type, SMTP reply), `status` the HTTP or
    SMTP status, `entry` the error catalog's entry, if there is one, `request_id` the service's id of the request.
    """

    def __init__(
        self,
        attempted: str,
        service_message: str,
        *,
        code: str = "",
        status: int = 0,
        entry: ErrorEntry | None = None,
        request_id: str = "",
    ) -> None:
        self.attempted, self.service_message, self.code, self.status = attempted, service_message, code, status
        self.entry, self.request_id = entry, request_id
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        head = f"Could not {self.attempted}"
        message = " ".join(self.service_message.split())
        message = message if len(message) <= _SENTENCE_LIMIT else message[: _SENTENCE_LIMIT - 3] + "..."
        if self.entry:
            text = f"{head}: {self.entry.cause} ({self.code}). {self.entry.remedy}"
        else:
            text = f"{head}: the service answered {self.code or self.status}: {message}"
        return text + (f" [request {self.request_id}]" if self.request_id else "")

    def replace_service_message(self, text: str) -> None:
        """Replace the service's own text, in the sentence as well."""
        if text != self.service_message:
            self.service_message = text
            self.args = (self._sentence(),)

    @property
    def transient(self) -> bool:
        """Whether the same request may succeed later without any change of configuration."""
        return bool(self.entry and self.entry.transient)

    @property
    def exists(self) -> bool:
        """Whether the service refused to create an object because it exists already."""
        return bool(self.entry and self.entry.exists)

    def as_result(self) -> dict[str, object]:
        return {
            "attempted": self.attempted,
            "service_message": " ".join(self.service_message.split())[:_RESULT_LIMIT],
            "code": self.code,
            "status": self.status,
            "cause": self.entry.cause if self.entry else "",
            "remedy": self.entry.remedy if self.entry else "",
            "transient": self.transient,
            "request_id": self.request_id,
        }


class Unreachable(ServiceError):  # noqa: N818
    """No answer: the name does not resolve, the connection or TLS is refused, or the time is over."""

    def _sentence(self) -> str:
        return f"Could not {self.attempted}: {self.service_message}"


class SignInError(ServiceError):
    """The token endpoint refused."""


class GraphError(ServiceError):
    """Microsoft Graph refused."""


class ExchangeError(ServiceError):
    """The Exchange admin API refused. `code` is the exception's type without its namespace."""


class DnsError(ServiceError):
    """A DNS server refused an update. `code` is the response code or the TSIG error."""


class ArmError(ServiceError):
    """Azure Resource Manager refused."""


class HostedRelayError(ServiceError):
    """The API of a hosted relay refused. `code` is the HTTP status."""


class SmtpError(ServiceError):
    """A mail server refused or did not answer. `stage`: resolve, connect, greeting, tls, sign-in, sender, recipient, message."""

    def __init__(self, stage: str, service_message: str, *, code: str = "", entry: ErrorEntry | None = None) -> None:
        self.stage = stage
        super().__init__(f"get past the stage {stage!r}", service_message, code=code, entry=entry)

    def _sentence(self) -> str:
        """A failure of the network has its details in the message; it has no answer of a service."""
        if self.entry and self.entry.service == "network":
            return f"Could not {self.attempted}: {self.entry.cause} ({self.service_message}). {self.entry.remedy}"
        return super()._sentence()

    def as_result(self) -> dict[str, object]:
        return {**super().as_result(), "stage": self.stage}
