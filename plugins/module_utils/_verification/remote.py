# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verification from another host: the control node prepares the attempts, module smtp_test_message makes them on the host.

The host gets the tenant's accepted domains and the servers, no credential of the automation app, and of each sender what it signs in with:
an access token, or its password.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from .._core.errors import InvalidInput, MailopsError
from .._core.json_types import JsonObject
from .._engine.remote_host import HostFailed, RemoteHost
from .._http.clouds import Cloud
from . import statuses
from .context import PreparedContext, ProbeContext
from .methods import METHODS
from .options import ProbeSender
from .probe import blank, check_preconditions, probe, probe_all, sends
from .result import ProbeResult, explained

MODULE = "smtp_test_message"
_CONTEXT = ("mx_host", "check_mode", "reachability", "hosted_notes")


def probe_all_on(host: RemoteHost, cloud: Cloud, context: ProbeContext, senders: Sequence[ProbeSender]) -> list[ProbeResult]:
    """The results in the senders' order. The host is connected to once, and only if there is something to send."""
    results: dict[int, ProbeResult] = {}
    tokens: dict[str, str] = {}
    ready: dict[int, ProbeSender] = {}
    for i, sender in enumerate(senders):
        if not sends(context, sender):
            results[i] = probe(cloud, context, sender)
            continue
        try:
            check_preconditions(cloud, context, sender)
            method = METHODS[sender.method]
            tokens |= {} if context.check_mode else method.tokens(context, sender)
            ready[i] = replace(sender, password=method.password(context, sender) or None, token_store=None)
        except (MailopsError, ValueError) as error:
            results[i] = explained(blank(cloud, context, sender), error)
    if ready:
        results |= dict(zip(ready, _run(host, cloud, context, list(ready.values()), tokens)))  # noqa: B905
    return [replace(results[i], verify_from=host.name) for i in range(len(senders))]


def _run(
    host: RemoteHost, cloud: Cloud, context: ProbeContext, senders: Sequence[ProbeSender], tokens: dict[str, str]
) -> list[ProbeResult]:
    """The results of the host; not verifiable where it cannot run the module."""
    prepared: JsonObject = {
        "context": {name: getattr(context, name) for name in _CONTEXT} | {"domains": sorted(context.domains)},
        "cloud": asdict(replace(cloud, ca_file="")),
        "ca_certificates": _ca_certificates(cloud.ca_file),
        "tokens": tokens,
        "senders": [asdict(sender) for sender in senders],
    }
    try:
        return [ProbeResult(**item) for item in host.run(MODULE, {"prepared": prepared})["senders"]]
    except HostFailed as error:
        reason = f"verify_from is {host.name}, and no test message can be sent from there: {str(error).rstrip('.')}"
        remedy = "Correct the access to this host (ansible -m ping), or set verify_from of this sender to another host."
        return [
            replace(blank(cloud, context, sender), status=statuses.NOT_VERIFIABLE, stage="host", reason=reason, remedy=remedy)
            for sender in senders
        ]


def _ca_certificates(path: str) -> str:
    """The CAs of m365_cloud.ca_file, a file on the control node; "" for those of the host."""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8") if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"m365_cloud.ca_file is {path}, which cannot be read as PEM: give a file with the CAs' certificates.") from error


def probe_prepared(prepared: JsonObject, ca_file: str) -> list[ProbeResult]:
    """On the host: the results of the prepared attempts. `ca_file`: a file with `ca_certificates`, "" where there are none."""
    context = PreparedContext(
        domains=set(prepared["context"]["domains"]),
        tokens=prepared["tokens"],
        **{name: prepared["context"][name] for name in _CONTEXT},
    )
    cloud = replace(Cloud(**prepared["cloud"]), ca_file=ca_file)
    return probe_all(cloud, context, [ProbeSender(**sender) for sender in prepared["senders"]])
