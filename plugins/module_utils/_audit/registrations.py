# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applications that Exchange has with another object ID than Microsoft Entra ID, and does not let send.

New-ServicePrincipal takes any ObjectId: with that of the app registration, or of a service principal that was removed, SMTP answers
535 5.7.3. Source: "Authenticate an IMAP, POP or SMTP connection using OAuth".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .._clients.graph import Call
from .._clients.odata import key
from .._exchange.service_principals import ServicePrincipal
from .finding import Finding


@dataclass(frozen=True)
class WrongObjectId:
    """A service principal in Exchange. `object_id`: what it has; `expected`: the object ID of the service principal in Entra."""

    app_id: str
    display_name: str
    object_id: str
    expected: str


def calls(registered: Iterable[ServicePrincipal]) -> list[Call]:
    """Reads the service principal in Entra of each application that Exchange has, once; a removed one answers None."""
    attempted = "compare the service principals in Exchange with those in Entra"
    ids = dict.fromkeys(one.app_id.lower() for one in registered if one.app_id)
    return [Call("GET", f"/servicePrincipals(appId='{key(one)}')?$select=id,appId,displayName", attempted=attempted) for one in ids]


def compare(registered: Sequence[ServicePrincipal], answers: Iterable[Mapping[str, str] | None]) -> list[WrongObjectId]:
    """The service principals with a wrong object ID of applications that have none with the right one. `answers`: those to `calls`."""
    wrong = []
    for answer in filter(None, answers):
        own = [one for one in registered if one.app_id.lower() == answer["appId"].lower()]
        if not any(one.object_id.lower() == answer["id"].lower() for one in own):
            wrong += [WrongObjectId(one.app_id, answer.get("displayName") or one.app_id, one.object_id, answer["id"]) for one in own]
    return wrong


def findings(wrong: Iterable[WrongObjectId]) -> Iterator[Finding]:
    for one in wrong:
        problem = (
            f"Its service principal in Exchange has the ObjectId {one.object_id}, and that in Microsoft Entra ID (enterprise "
            f"application) {one.expected}: SMTP refuses the application (535 5.7.3)."
        )
        remedy = (
            f"For the sender app, run playbook site. For another one, run Remove-ServicePrincipal -Identity {one.object_id} and "
            f"New-ServicePrincipal -AppId {one.app_id} -ObjectId {one.expected}, then grant its permissions on mailboxes again."
        )
        yield Finding("service_principal_object_id", "high", one.display_name, problem, remedy)
