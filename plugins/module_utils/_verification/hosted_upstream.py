# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay host whose upstream is a hosted relay: what module hosted_account_info has read of the account, before a test message is sent.

The provider accepts mail to a suppressed address, and mail of an SMTP user in the sandbox, and does not deliver it. Module relay_probe
imports it on the relay host.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._core.spec import Option
from .._hosted.account_state import Quota, Suppressed, limit_clause, undelivered
from . import statuses
from .result import NotVerifiable

HOSTED_ACCOUNT: Option = {"type": "dict", "default": {}}
# What accepts the messages of a relay host, by its upstream; other upstreams are hosted relays.
_ACCEPTED_BY = {
    "": statuses.RELAY_HOST,
    "oauth": statuses.SUBMISSION,
    "connector": statuses.CONNECTOR,
    "smarthost": statuses.RELAY_HOST,
}


def accepted_by(upstream: str) -> str:
    """What a message was accepted by that this upstream has taken. `upstream`: a value of relay_upstream."""
    return _ACCEPTED_BY.get(upstream, statuses.HOSTED_RELAY)


def not_delivered(upstream: str, account: Mapping[str, Any], recipients: Iterable[str]) -> dict[str, NotVerifiable]:
    """Recipient -> why the hosted relay would accept a message to it and not deliver it. `account`: empty where it was not read."""
    if upstream in _ACCEPTED_BY:
        return {}
    problem = next((one for one in account.get("credentials") or () if one.get("problem")), None)
    if problem:
        reason, remedy = str(problem["problem"]).rstrip("."), str(problem.get("remedy") or "")
        return {recipient: NotVerifiable(reason, remedy) for recipient in recipients}
    label = str(account.get("provider") or "")
    suppressed: dict[str, tuple[str, str]] = {}
    for one in account.get("suppressed") or ():
        entry = Suppressed(str(one["address"]), str(one["list"]), domain=str(one.get("domain") or ""))
        suppressed.setdefault(entry.address.lower(), undelivered(label, entry))
    return {recipient: NotVerifiable(*suppressed[recipient.lower()]) for recipient in recipients if recipient.lower() in suppressed}


def quota_clause(upstream: str, account: Mapping[str, Any]) -> str:
    """What is used of the quota, and the limit of the SMTP user; "" where there is none, or the upstream is no hosted relay."""
    if upstream in _ACCEPTED_BY:
        return ""
    quota = account.get("quota")
    clauses = [Quota(int(quota["used"]), int(quota["limit"]), str(quota["unit"])).clause] if quota else []
    clauses += [limit_clause(str(one["name"]), str(one["limit"])) for one in account.get("credentials") or () if one.get("limit")]
    return "; ".join(clauses)
