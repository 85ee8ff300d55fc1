# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay host's state, read on the relay: what waits and why, mailboxes, token, certificates, services, and what is wrong.

Private to the collection.
"""

from __future__ import annotations

from typing import Any

from .._core.errors import MailopsError
from .._core.spec import Spec
from .._engine.engine import Plan, Reading
from .._engine.local_host import LocalHost
from .._relay.agent import status

SPEC = Spec({"required": {"type": "bool", "default": False}}, writes=False)


class Troubled(MailopsError):  # noqa: N818 - reads as what it is
    """A relay with grave problems; `outcome` holds the whole state."""

    def __init__(self, text: str, outcome: dict[str, Any]) -> None:
        super().__init__(text)
        self.outcome = outcome


class RelayStatus(Reading):
    """module relay_status"""

    name = "relay_status"
    spec = SPEC

    def __init__(self, sources: status.Sources | None = None) -> None:
        self.sources = sources

    def plan(self, tenant: LocalHost, params: dict[str, Any], check_mode: bool) -> Plan:
        document = status.collect(self.sources)
        outcome = {"relay": document.as_result()}
        if document.urgent and params["required"]:
            lines = "; ".join(f"{problem.subject}: {problem.cause}. {problem.remedy}".rstrip(". ") for problem in document.urgent)
            raise Troubled(f"The relay {document.hostname} has problems to solve: {lines}.", outcome)
        return Plan(outcome=outcome)


RESOURCE = RelayStatus()
