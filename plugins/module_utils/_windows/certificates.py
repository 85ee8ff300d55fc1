# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates of the store LocalMachine\\My, of which a relay uses one for STARTTLS."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from .._core.errors import MailopsError
from .host import WindowsHost, rows

WARNING_DAYS = 21


@dataclass(frozen=True)
class Certificate:
    """`names`: DNS names; `private_key`: whether the host has it."""

    subject: str
    names: tuple[str, ...]
    thumbprint: str
    not_after: datetime.datetime
    private_key: bool

    def days(self, now: float) -> int:
        """Whole days until it expires; negative afterwards."""
        return (self.not_after - datetime.datetime.fromtimestamp(now, datetime.UTC)).days

    def as_result(self, now: float) -> dict[str, object]:
        return {
            "subject": self.subject,
            "names": list(self.names),
            "thumbprint": self.thumbprint,
            "not_after": self.not_after.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "days": self.days(now),
            "private_key": self.private_key,
        }


def read(host: WindowsHost) -> list[Certificate]:
    """Every certificate, the first to expire first."""
    document = host.run("certificates", "read the certificates")
    found = [_certificate(host, one) for one in rows(host.name, document, "certificates")]
    return sorted(found, key=lambda one: one.not_after)


def _certificate(host: WindowsHost, row: Mapping[str, object]) -> Certificate:
    written = str(row.get("not_after"))
    try:
        # Seven digits of a second, which Python 3.11 reads as six.
        not_after = datetime.datetime.fromisoformat(written[:19]).replace(tzinfo=datetime.UTC)
    except ValueError:
        raise MailopsError(f"{host.name} answered not_after {written!r}, which is no date.") from None
    names = row.get("names")
    return Certificate(
        str(row.get("subject")),
        tuple(str(name) for name in names if name) if isinstance(names, list) else (),
        str(row.get("thumbprint")),
        not_after,
        row.get("private_key") is True,
    )


def attention(host: WindowsHost, found: list[Certificate], fqdn: str) -> list[dict[str, str]]:
    """Certificates of the relay's name that have expired or soon will; another one that is valid longer makes up for them."""
    own = [one for one in found if one.private_key and fqdn.lower() in (name.lower() for name in one.names)]
    if not own:
        return []
    days = own[-1].days(host.clock.now())
    if days >= WARNING_DAYS:
        return []
    state = f"expires in {days} days" if days >= 0 else "has expired"
    problem = f"The certificate of {fqdn} {state} ({own[-1].thumbprint})."
    return [{"kind": "relay", "subject": host.name, "problem": problem, "remedy": "Renew it in the store LocalMachine\\My."}]
