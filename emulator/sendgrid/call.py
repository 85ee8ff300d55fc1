"""One request of an accepted key to SendGrid's API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from emulator.http import Request
from emulator.platform import Platform
from emulator.sendgrid.documents import SendGridError, forbidden
from emulator.state.sendgrid import SendGridAccount, SendGridKey

# What SendGrid adds to the permissions of every key.
ADDED_SCOPES = ("2fa_required", "sender_verification_eligible")


@dataclass(frozen=True)
class Call:
    """The request, and what it is about. `path`: without the region. `body`: None where it has none."""

    platform: Platform
    account: SendGridAccount
    key: SendGridKey
    request: Request
    path: str
    body: dict[str, Any] | None

    def require(self, scope: str) -> None:
        """SendGridError where the key lacks a permission."""
        if scope not in self.key.scopes:
            raise forbidden()

    def query(self, *names: str) -> dict[str, str]:
        """The query's parameters; SendGridError where one is not among these names."""
        query = dict(parse_qsl(self.request.query, keep_blank_values=True))
        unknown = sorted(query.keys() - set(names))
        if unknown:
            raise SendGridError(400, "invalid query parameter", unknown[0])
        return query
