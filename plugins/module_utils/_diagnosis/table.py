# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The observations as a table: per endpoint each step of the way, then the routers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from . import observations as seen
from .findings import round_trips
from .observations import Lookup, Observations, Observed, Sample
from .sessions_judged import HOW

_TITLES = ("ENDPOINT", "HOP", "RESULT", "DETAIL")
_GAP = "  "


def rows(observations: Observations) -> list[dict[str, str]]:
    """One row a step: endpoint, hop, result and detail."""
    lookups = {lookup.name: lookup for lookup in observations.lookups}
    result: list[dict[str, str]] = []
    for one in observations.observed:
        lookup = lookups.pop(one.endpoint.host, None)  # once, with the first port of the host
        steps = [*(_name(lookup) if lookup else ()), *_session(one), *_line(one)]
        result += [_row(one.endpoint.label, *step) for step in steps]
    for host, route in observations.routes.items():
        for hop in route:
            mtu = f"MTU {hop.mtu}" if hop.mtu else ""
            time = f"{hop.rtt:.1f} ms" if hop.address else ""
            result.append(_row(host, f"router {hop.distance}", hop.address or "no answer", ", ".join(part for part in (time, mtu) if part)))
    return result


def _row(endpoint: str, hop: str, result: str, detail: str) -> dict[str, str]:
    return {"endpoint": endpoint, "hop": hop, "result": result, "detail": detail}


def lines(table: Sequence[dict[str, str]]) -> list[str]:
    """The rows as text in columns, the endpoint once."""
    cells = [_TITLES]
    last = ""
    for row in table:
        cells.append(("" if row["endpoint"] == last else row["endpoint"], row["hop"], row["result"], row["detail"]))
        last = row["endpoint"]
    widths = [max(len(one[column]) for one in cells) for column in range(3)]
    return [_GAP.join([*(one[column].ljust(widths[column]) for column in range(3)), one[3]]).rstrip() for one in cells]


def _name(lookup: Lookup) -> Iterator[tuple[str, str, str]]:
    yield "name resolution", ", ".join(lookup.system) or "no address", ""
    for kind, answers in (("DNS server", lookup.configured), ("public DNS", lookup.public)):
        for answer in answers:
            text = ", ".join(answer.addresses) or answer.error or ("no address" if answer.exists else "NXDOMAIN")
            yield kind, text, answer.server + (f", alias {answer.aliases[-1]}" if answer.aliases else "")


def _session(one: Observed) -> Iterator[tuple[str, str, str]]:
    """The stages that the sessions came to, with how many passed each."""
    samples = one.samples
    for stage in seen.STAGES[1:-1]:
        reached = [sample for sample in samples if sample.reached(stage)]
        if not reached or not _has(one, stage):
            continue
        passed = [sample for sample in reached if sample.stage != stage]
        failures = dict.fromkeys(HOW[sample.error] for sample in reached if sample.stage == stage)
        detail = _detail(passed[-1], stage) if passed else reached[-1].detail
        yield _STEPS[stage], ", ".join([f"{len(passed)} of {len(reached)}", *failures]), detail
    sources = dict.fromkeys(sample.source for sample in samples if sample.source)
    if sources:
        yield "public address", ", ".join(sources), "as the server sees this host"
    if one.tls:
        yield "TLS versions", ", ".join(f"{version} {result}" for version, result in one.tls.items()), ""


_STEPS = {
    seen.CONNECT: "TCP",
    seen.GREETING: "greeting",
    seen.EHLO: "EHLO",
    seen.STARTTLS: "STARTTLS",
    seen.TLS: "TLS",
}


def _has(one: Observed, stage: str) -> bool:
    """Whether sessions with this endpoint have the stage."""
    if stage == seen.STARTTLS:
        return one.endpoint.tls == "starttls"
    return one.endpoint.tls != "https" or stage not in (seen.GREETING, seen.EHLO)


def _detail(sample: Sample, stage: str) -> str:
    if stage == seen.CONNECT:
        return sample.address
    if stage == seen.GREETING:
        return sample.banner
    if stage == seen.EHLO:
        return ", ".join(sample.keywords)
    if stage == seen.TLS and sample.certificate:
        trust = f", not trusted: {sample.certificate.problem}" if sample.certificate.problem else ""
        return f"TLS {sample.tls_version}, issuer {sample.certificate.issuer}{trust}"
    return ""


def _line(one: Observed) -> Iterator[tuple[str, str, str]]:
    """Path MTU, loss and latency by the kernel's figures."""
    connections = [sample.transport for sample in one.samples if sample.transport]
    if not connections:
        return
    sent, lost = sum(each.sent for each in connections), sum(each.lost for each in connections)
    mtu = min(each.path_mtu for each in connections)
    if mtu:
        yield "path MTU", f"{mtu} bytes", f"sessions pass with segments of {one.small_segment} bytes" if one.small_segment else ""
    yield "loss", f"{lost} of {sent} packets", ""
    times = sorted(round_trips(one))
    if times:
        yield "latency", f"{times[len(times) // 2]:.1f} ms", f"{times[0]:.1f} to {times[-1]:.1f} ms"
