# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a relay host's status on the host: queue, mailboxes, token, certificates, services, problems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .._core.errors import MailopsError
from .._core.spec import Spec
from .._engine.local_host import LocalHost
from .._engine.resource import Plan, ReadOnlyResource
from .._relay.agent import status

SPEC = Spec({"required": {"type": "bool", "default": False}}, writes=False)


@dataclass(frozen=True)
class Params:
    """`required`: fail where the relay has a critical or high problem."""

    required: bool


class RelayProblems(MailopsError):  # noqa: N818 - a statement about the relay
    """A relay with critical or high problems; `outcome` holds the whole status."""

    def __init__(self, text: str, outcome: Mapping[str, object]) -> None:
        super().__init__(text)
        self.outcome = outcome


class RelayStatus(ReadOnlyResource[Params]):
    """Module relay_status."""

    name = "relay_status"
    spec = SPEC
    params_type = Params

    def __init__(self, sources: status.Sources | None = None) -> None:
        self.sources = sources

    def plan(self, host: LocalHost, params: Params, check_mode: bool, /) -> Plan[None]:
        document = status.collect(self.sources)
        outcome = {"relay": document.as_result()}
        if document.urgent and params.required:
            causes = "; ".join(f"{problem.subject}: {problem.cause}. {problem.remedy}".rstrip(". ") for problem in document.urgent)
            raise RelayProblems(f"The relay {document.hostname} has problems to solve: {causes}.", outcome)
        return Plan(outcome=outcome)


RESOURCE = RelayStatus()
