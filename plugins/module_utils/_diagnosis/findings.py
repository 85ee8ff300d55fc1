# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges observations: which causes they show, one sentence each. Opens no connection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from . import names_judged, sessions_judged, thresholds
from . import observations as seen
from .causes import Finding, finding
from .issuers import is_expected, is_public
from .observations import MICROSOFT, Observations, Observed
from .sessions_judged import Verdict, accepts


@dataclass(frozen=True)
class Expectation:
    """`issuers`: organisations of CAs beside the public ones. `device_tls`: the newest TLS version of the device; empty: not judged."""

    issuers: tuple[str, ...] = ()
    device_tls: str = ""


def judge(observations: Observations, expected: Expectation) -> list[Finding]:
    """The findings: names, connections, sessions, TLS, then the line. An endpoint whose cause is known is in no other finding."""
    misled = {one.endpoint.host for one in observations.observed if _is_misled(one, expected.issuers)}
    public = {one.endpoint.host for one in observations.observed if one.endpoint.operator}
    names = list(names_judged.judge(observations.lookups, public, misled))
    names += [finding("mx_missing", (domain,), detail=text) for domain, text in observations.mx_problems.items()]
    explained = names_judged.explained_names(names)
    rest = [one for one in observations.observed if one.endpoint.host not in explained]
    loss = list(_loss(rest))
    verdicts = {one.endpoint.label: sessions_judged.judge(one) for one in rest}
    if loss:  # lost packets explain sessions that fail in no order
        verdicts = {label: None if verdict and verdict.cause == "intermittent" else verdict for label, verdict in verdicts.items()}
    clean = [one for one in rest if not verdicts[one.endpoint.label]]
    certificates = list(_certificates(clean, expected.issuers))
    inspected = {label for one in certificates for label in one.subjects}
    return [
        *names,
        *_blocked(rest, verdicts),
        *_sessions(rest, verdicts),
        *certificates,
        *_device(clean, expected.device_tls),
        *loss,
        *_latency(rest),
        *_addresses([one for one in clean if one.endpoint.label not in inspected]),
    ]


# Verdicts that say nothing about which server answers.
_SAME_SERVER = ("blocked", "connection_limit", "path_mtu", "intermittent", "no_tls_12")


def _is_misled(one: Observed, issuers: Sequence[str]) -> bool:
    """Whether the server that answers is not the one of public DNS, which is clean: not the path changes the sessions, but the name."""
    if one.public_session is None or not _is_clean(replace(one, samples=(one.public_session,), tls={}), issuers):
        return False
    verdict = sessions_judged.judge(one)
    return verdict.cause not in _SAME_SERVER if verdict else bool(list(_certificates([one], issuers)))


def _is_clean(one: Observed, issuers: Sequence[str]) -> bool:
    return not sessions_judged.judge(one) and not list(_certificates([one], issuers))


def _labels(observed: Iterable[Observed]) -> tuple[str, ...]:
    return tuple(one.endpoint.label for one in observed)


def _blocked(observed: Sequence[Observed], verdicts: dict[str, Verdict | None]) -> Iterator[Finding]:
    """Endpoints without a connection, by port: the port where all of its servers are blocked, else the single servers."""
    blocked = [one for one in observed if (verdict := verdicts[one.endpoint.label]) and verdict.cause == "blocked"]
    if blocked and len(blocked) == len(observed):
        yield finding("no_network", _labels(blocked))
        return
    for port in dict.fromkeys(one.endpoint.port for one in blocked):
        on_port = [one for one in blocked if one.endpoint.port == port]
        hows = dict.fromkeys(verdict.how for one in on_port if (verdict := verdicts[one.endpoint.label]))
        reachable = [one for one in observed if one.endpoint.port == port and one not in blocked]
        of_operators = [one for one in on_port if one.endpoint.operator]
        name = "endpoint_blocked" if reachable or not of_operators else "port_blocked"
        yield finding(name, _labels(on_port), how=", ".join(hows), port=port)


def _sessions(observed: Sequence[Observed], verdicts: dict[str, Verdict | None]) -> Iterator[Finding]:
    """One finding for the endpoints of one cause."""
    groups: dict[tuple[str, str, str], list[tuple[Observed, Verdict]]] = {}
    for one in observed:
        verdict = verdicts[one.endpoint.label]
        if verdict and verdict.cause != "blocked":
            groups.setdefault(verdict.group, []).append((one, verdict))
    for (cause, how, _detail), members in groups.items():
        detail = "; ".join(dict.fromkeys(verdict.detail for _one, verdict in members))
        count = max(verdict.count for _one, verdict in members)
        total = max(verdict.total for _one, verdict in members)
        yield finding(cause, _labels(one for one, _verdict in members), how=how, detail=detail, count=count, total=total)


def _certificates(observed: Sequence[Observed], issuers: Sequence[str]) -> Iterator[Finding]:
    """The certificates of Microsoft's and the hosted relays' servers, by their issuer. Of other servers nothing is known."""
    groups: dict[tuple[str, str], list[Observed]] = {}
    for one in observed:
        certificate = next((sample.certificate for sample in one.samples if sample.certificate and sample.certificate.issuer), None)
        if certificate is None or not one.endpoint.operator:
            continue
        if not is_public(certificate) and not is_expected(certificate, issuers):
            groups.setdefault(("tls_inspection", certificate.full_issuer), []).append(one)
        elif "mismatch" in certificate.problem.lower():
            groups.setdefault(("certificate_of_another_server", certificate.subject or certificate.problem), []).append(one)
        elif certificate.problem:
            groups.setdefault(("certificate_not_trusted", f"{certificate.issuer} ({certificate.problem})"), []).append(one)
    for (cause, detail), members in groups.items():
        yield finding(cause, _labels(members), detail=detail)


def _device(clean: Sequence[Observed], newest: str) -> Iterator[Finding]:
    """The endpoints that accept none of the device's TLS versions; none where no device is judged."""
    versions = [version for version in seen.TLS_VERSIONS if version <= newest]
    refusing = [one for one in clean if one.tls and one.endpoint.tls != "https" and not accepts(one, *versions)]
    if newest and refusing:
        yield finding("device_tls_too_old", _labels(refusing), detail=newest)


def _loss(observed: Sequence[Observed]) -> Iterator[Finding]:
    """The sessions that ended well, of all endpoints together: one endpoint alone has too few segments."""
    connections = [(one, sample.transport) for one in observed for sample in one.samples if sample.complete and sample.transport]
    sent, lost = sum(each.sent for _one, each in connections), sum(each.lost for _one, each in connections)
    if lost >= thresholds.LOST_SEGMENTS and lost >= thresholds.LOSS * sent:
        labels = {one.endpoint.label for one, each in connections if each.lost}
        losing = [one for one in observed if one.endpoint.label in labels]
        yield finding("loss", _labels(losing), detail=round(100 * lost / sent))


def _latency(observed: Sequence[Observed]) -> Iterator[Finding]:
    """The smallest round-trip time of an endpoint: what the distance takes, without what the load adds."""
    least = [(one, min(times)) for one in observed if (times := round_trips(one))]
    slow = [(one, rtt) for one, rtt in least if rtt >= thresholds.LATENCY]
    if slow:
        yield finding("latency", _labels(one for one, _rtt in slow), detail=round(max(rtt for _one, rtt in slow)))


def round_trips(one: Observed) -> list[float]:
    """The smallest round-trip time of each connection, in ms."""
    return [sample.transport.rtt for sample in one.samples if sample.transport and sample.transport.rtt]


def _addresses(observed: Sequence[Observed]) -> Iterator[Finding]:
    """The public addresses that Microsoft sees, of one IP version."""
    addresses = public_addresses(observed)
    if any(sum((":" in address) == v6 for address in addresses) > 1 for v6 in (False, True)):
        yield finding("address_changes", (MICROSOFT,), detail=", ".join(addresses))


def public_addresses(observed: Iterable[Observed]) -> list[str]:
    """This host's addresses in Microsoft's replies to EHLO."""
    samples = (sample for one in observed if one.endpoint.operator == MICROSOFT for sample in one.samples)
    return list(dict.fromkeys(sample.source for sample in samples if sample.source))
