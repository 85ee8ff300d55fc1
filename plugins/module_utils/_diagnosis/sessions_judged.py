# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cause that the sessions with one endpoint show: at most one, the first that explains the others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from . import observations as seen
from . import thresholds
from .observations import ACCEPTED, MICROSOFT, UNAVAILABLE, Observed, Sample

# Causes of one device on the path, which changes the sessions of different servers in different words.
_ONE_FINDING = ("ehlo_rewritten", "starttls_refused")


@dataclass(frozen=True)
class Verdict:
    """`cause`: a name of causes.py. Endpoints with equal `group` are one finding. `how`, `detail`, `count`, `total`: for its sentence."""

    cause: str
    how: str = ""
    detail: str = ""
    count: int = 0
    total: int = 0

    @property
    def group(self) -> tuple[str, str, str]:
        return self.cause, self.how, "" if self.cause in _ONE_FINDING else self.detail


HOW = {
    seen.TIMEOUT: "no answer in time",
    seen.REFUSED: "connection refused",
    seen.RESET: "connection reset",
    seen.CLOSED: "connection closed",
    seen.UNREACHABLE: "no route",
    seen.PROTOCOL: "no valid answer",
    seen.REPLY: "refused by a reply",
    seen.MISSING: "STARTTLS is missing",
}
_CUT_OFF = (seen.RESET, seen.CLOSED, seen.TIMEOUT, seen.REFUSED)
_MASK = re.compile(r"[X*]{3,}[A-Z]?", re.IGNORECASE)


def judge(one: Observed) -> Verdict | None:
    """None where every session ended well with the server that was meant."""
    samples = one.samples
    if not samples or all(sample.stage == seen.RESOLVE for sample in samples):
        return None  # a finding of DNS
    if all(sample.stage == seen.CONNECT for sample in samples):
        return Verdict("blocked", HOW[_most(samples)])
    if not one.endpoint.operator and all(sample.error == seen.MISSING for sample in samples):
        return None  # anybody's server may have no STARTTLS
    return _limited(samples) or _rewritten(one) or _ended(one) or _intermittent(samples)


def _limited(samples: Sequence[Sample]) -> Verdict | None:
    """Sessions that end well up to a number, and none after it."""
    count = next((number for number, sample in enumerate(samples) if not sample.complete), len(samples))
    rest = samples[count:]
    cut_off = all(sample.error in _CUT_OFF for sample in rest)
    if count and len(rest) >= thresholds.FAILURES_AT_END and cut_off and _same_ending(rest):
        return Verdict("connection_limit", HOW[_most(rest)], count=count)
    return None


def _same_ending(samples: Sequence[Sample]) -> bool:
    """Sessions that a rule refuses end at one stage; those of a bad line do not. A reset right after the connection counts as one in it."""
    stages = {sample.stage for sample in samples}
    return len({sample.error for sample in samples}) == 1 and (len(stages) == 1 or stages == {seen.CONNECT, seen.GREETING})


def _rewritten(one: Observed) -> Verdict | None:
    """What a device on the path changes in the session, where it is Microsoft's."""
    greeted = [sample for sample in one.samples if sample.banner and sample.reached(seen.EHLO)]
    microsoft = one.endpoint.operator == MICROSOFT
    for sample in greeted:
        masked = [word for word in sample.keywords if _MASK.fullmatch(word)]
        if masked or "***" in sample.banner:
            return Verdict("ehlo_rewritten", detail=f"it masks {'keywords of the reply to EHLO' if masked else 'the greeting'}")
        if microsoft and thresholds.MICROSOFT_BANNER.lower() not in sample.banner.lower():
            return Verdict("smtp_redirected", detail=sample.banner)
    for sample in greeted:
        names = {word.split()[0] for word in sample.keywords}
        missing = [word for word in thresholds.EXPECTED_KEYWORDS if word not in names]
        if microsoft and sample.reached(seen.STARTTLS) and len(missing) >= thresholds.MISSING_KEYWORDS:
            return Verdict("ehlo_rewritten", detail=f"{', '.join(missing)} are missing in the reply to EHLO")
    return None


def _ended(one: Observed) -> Verdict | None:
    """All sessions end at the same stage."""
    samples = one.samples
    stages = {sample.stage for sample in samples}
    if len(stages) != 1 or samples[0].complete:
        return None
    stage, error = samples[0].stage, _most(samples)
    if error == seen.TIMEOUT and one.small_segment:
        return Verdict("path_mtu", detail=str(one.small_segment + thresholds.HEADERS))
    if stage == seen.STARTTLS and error == seen.MISSING:
        return Verdict("starttls_stripped")
    if stage == seen.STARTTLS and error == seen.REPLY:
        return Verdict("starttls_refused", detail=samples[0].detail)
    if stage in (seen.STARTTLS, seen.TLS):
        return _of_versions(one, error) or Verdict("tls_reset", HOW[error])
    if stage in (seen.GREETING, seen.EHLO):
        return Verdict("no_greeting", HOW[error])
    return None


def _of_versions(one: Observed, error: str) -> Verdict | None:
    """A handshake that fails with all versions offered, and ends well with some of them alone."""
    if one.tls and one.tls["1.2"] == one.tls["1.3"] == UNAVAILABLE:
        return Verdict("no_tls_12")
    if accepts(one, "1.2", "1.3"):
        return Verdict("tls_13_blocked", HOW[error]) if accepts(one, "1.2") and not accepts(one, "1.3") else None
    newest = [version for version in ("1.1", "1.0") if accepts(one, version)]
    return Verdict("old_tls_only", detail=newest[0]) if newest else None


def accepts(one: Observed, *versions: str) -> bool:
    """Whether the server accepts one of these TLS versions."""
    return any(one.tls.get(version) == ACCEPTED for version in versions)


def _intermittent(samples: Sequence[Sample]) -> Verdict | None:
    failed = [sample for sample in samples if not sample.complete]
    return Verdict("intermittent", HOW[_most(failed)], count=len(failed), total=len(samples)) if failed else None


def _most(samples: Iterable[Sample]) -> str:
    """The most frequent ending."""
    errors = [sample.error for sample in samples]
    return max(dict.fromkeys(errors), key=errors.count)
