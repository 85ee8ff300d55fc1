# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service principals as Exchange has them: the applications that are registered in it. Source: Get-ServicePrincipal."""

from __future__ import annotations

from dataclasses import dataclass

from .._clients.exchange import Command, Outcome
from .._core.json_types import JsonObject

READ = Command("Get-ServicePrincipal", {}, attempted="read the service principals in Exchange")


@dataclass(frozen=True)
class ServicePrincipal:
    """A registered application. An id that the answer lacks is ""."""

    app_id: str
    object_id: str
    guid: str
    sid: str
    display_name: str | None

    @classmethod
    def parse(cls, item: JsonObject) -> ServicePrincipal:
        app_id, object_id, guid, sid = (str(item.get(name) or "") for name in ("AppId", "ObjectId", "Guid", "Sid"))
        return cls(app_id, object_id, guid, sid, item.get("DisplayName"))

    @property
    def trustee_ids(self) -> set[str]:
        """The ids by which an entry of a mailbox's permissions names it, in lower case."""
        return {one.lower() for one in (self.sid, self.object_id, self.app_id) if one}

    @property
    def member_ids(self) -> set[str]:
        """The ids by which a member of a role group names it, in lower case."""
        return self.trustee_ids | ({self.guid.lower()} if self.guid else set())


def read(outcome: Outcome) -> list[ServicePrincipal]:
    """The answer to READ. Raises ExchangeError."""
    return [ServicePrincipal.parse(item) for item in outcome.checked().values]
