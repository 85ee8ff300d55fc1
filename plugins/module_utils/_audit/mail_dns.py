# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DNS records of a mail domain beside SPF: MX, DKIM, DMARC, MTA-STS and TLS-RPT, compared with what Microsoft 365 requires.

Sources: "External Domain Name System records for Microsoft 365"; "Set up DKIM to sign mail from your cloud domain"; RFC 7489,
sections 6.3 and 6.6.3 (DMARC); RFC 8461, section 3.1 (MTA-STS); RFC 8460, section 3 (TLS-RPT). The policy file of MTA-STS is not fetched:
the audit asks DNS only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from .._exchange.dkim import SELECTORS, Signing
from .._spf import Answer
from .finding import Finding

SHORT_KEY = 1024  # bits; Microsoft creates keys of 2048
_DMARC = re.compile(r"v\s*=\s*DMARC1\s*(?:;|$)", re.I)
_POLICY = re.compile(r"(?:^|;)\s*p\s*=\s*(none|quarantine|reject)\s*(?:;|$)", re.I)
_MTA_STS = re.compile(r"v=STSv1\s*;")
_MTA_STS_ID = re.compile(r";\s*id=[A-Za-z0-9]{1,32}\s*(?:;|$)")
_TLS_RPT = re.compile(r"v=TLSRPTv1\s*;\s*rua=\S+")
_MTA_STS_PAGE = "Enhancing mail flow with MTA-STS"


class Resolver(Protocol):
    """Answers many DNS queries at once, in their order."""

    def ask_all(self, questions: list[tuple[str, str]]) -> list[Answer]: ...


@dataclass(frozen=True)
class MailDns:
    """The records of one domain. None: not readable; "" or an empty tuple: there is none.

    `expected_mx`: of Microsoft 365. `signing`: the configuration of DKIM, None where there is none, or not `signing_known`.
    `dmarc_domain`: the domain that has the DMARC record, itself or a parent. `targets`: of the CNAME records of both DKIM selectors.
    `unreadable`: a sentence for each query that failed.
    """

    domain: str
    mx: tuple[str, ...] | None = None
    expected_mx: str | None = None
    targets: tuple[str | None, ...] = (None, None)
    signing: Signing | None = None
    signing_known: bool = False
    dmarc: tuple[str, ...] | None = None
    dmarc_domain: str = ""
    mta_sts: tuple[str, ...] | None = None
    tls_rpt: tuple[str, ...] | None = None
    unreadable: tuple[str, ...] = ()

    @property
    def dmarc_policy(self) -> str | None:
        """none, quarantine or reject; None where there is no valid record, or none could be read."""
        match = _POLICY.search(self.dmarc[0]) if self.dmarc and len(self.dmarc) == 1 else None
        return match.group(1).lower() if match else None

    def as_result(self) -> dict[str, object]:
        """None is not readable; "" or an empty list is nothing."""
        known, signing, dmarc_known = self.signing_known, self.signing, self.dmarc is not None
        targets = signing.targets if signing else ("", "")
        selectors = zip(SELECTORS, self.targets, targets if known else (None, None), strict=True)
        return {
            "domain": self.domain,
            "mx": {"current": _listed(self.mx), "expected": self.expected_mx},
            "dkim": {
                "enabled": bool(signing and signing.enabled) if known else None,
                "status": (signing.status if signing else "") if known else None,
                "selectors": [{"name": name, "current": current, "expected": target} for name, current, target in selectors],
            },
            "dmarc": {
                "current": _listed(self.dmarc),
                "domain": self.dmarc_domain if dmarc_known else None,
                "policy": (self.dmarc_policy or "") if dmarc_known else None,
            },
            "mta_sts": {"current": _listed(self.mta_sts)},
            "tls_rpt": {"current": _listed(self.tls_rpt)},
        }


def _listed(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)


# -- reading ----------------------------------------------------------------------------------------------------------


def read(
    domains: Sequence[str], resolver: Resolver, expected_mx: Mapping[str, str] | None, signing: Mapping[str, Signing] | None
) -> list[MailDns]:
    """The records of the domains: six queries a domain, and one a parent domain where a subdomain has no DMARC record."""
    texts = [(prefix, "TXT") for prefix in ("_dmarc.", "_mta-sts.", "_smtp._tls.")]
    kinds = [("", "MX"), *texts, *((f"{name}._domainkey.", "CNAME") for name in SELECTORS)]
    answers = iter(resolver.ask_all([(prefix + domain, kind) for domain in domains for prefix, kind in kinds]))
    states = [_state(domain, [next(answers) for _kind in kinds]) for domain in domains]
    states = [_with_parent(state, resolver) if state.dmarc == () else state for state in states]
    return [
        replace(
            state,
            expected_mx=expected_mx.get(state.domain, "") if expected_mx is not None else None,
            signing=signing.get(state.domain) if signing is not None else None,
            signing_known=signing is not None,
        )
        for state in states
    ]


def _state(domain: str, answers: Sequence[Answer]) -> MailDns:
    mx, dmarc, mta_sts, tls_rpt, *selectors = answers
    return MailDns(
        domain,
        mx=None if mx.problem else tuple(value.lower() for value in mx.values),
        targets=tuple(None if one.problem else (one.values[0].lower() if one.values else "") for one in selectors),
        dmarc=None if dmarc.problem else _of(dmarc, _DMARC),
        dmarc_domain=domain if _of(dmarc, _DMARC) else "",
        mta_sts=None if mta_sts.problem else _of(mta_sts, _MTA_STS),
        tls_rpt=None if tls_rpt.problem else _of(tls_rpt, _TLS_RPT),
        unreadable=tuple(dict.fromkeys(one.problem for one in answers if one.problem)),
    )


def _with_parent(state: MailDns, resolver: Resolver) -> MailDns:
    """The state with the DMARC record of the nearest parent domain that has one, which counts for its subdomains, too."""
    labels = state.domain.split(".")
    parents = [".".join(labels[number:]) for number in range(1, len(labels) - 1)]
    for parent, answer in zip(parents, resolver.ask_all([(f"_dmarc.{parent}", "TXT") for parent in parents]), strict=True):
        if answer.problem:
            return replace(state, dmarc=None, unreadable=(*state.unreadable, answer.problem))
        if records := _of(answer, _DMARC):
            return replace(state, dmarc=records, dmarc_domain=parent)
    return state


def _of(answer: Answer, pattern: re.Pattern[str]) -> tuple[str, ...]:
    return tuple(value for value in answer.values if pattern.match(value))


# -- findings ---------------------------------------------------------------------------------------------------------


def findings(state: MailDns) -> Iterator[Finding]:
    """What is missing or differs. What was not readable has no finding."""
    yield from _mx(state)
    yield from _dkim(state)
    yield from _dmarc(state)
    yield from _mta_sts(state)


def _mx(state: MailDns) -> Iterator[Finding]:
    if state.mx is None or not state.expected_mx:
        return
    expected = state.expected_mx.lower()
    if not state.mx:
        yield Finding("mx_missing", "low", state.domain, "The domain has no MX record.", f"Publish the MX record 0 {expected}.")
    elif expected not in state.mx:
        problem = f"The MX records name {', '.join(state.mx)}, not {expected}, which Microsoft 365 assigned to the domain."
        yield Finding("mx_elsewhere", "info", state.domain, problem, f"Use {expected} as the server of connectors and of Direct Send.")
    elif len(state.mx) > 1:
        others = ", ".join(host for host in state.mx if host != expected)
        problem = f"The MX records name {others} beside {expected}."
        yield Finding("mx_mixed", "low", state.domain, problem, f"Remove all MX records but {expected}.")


def _dkim(state: MailDns) -> Iterator[Finding]:
    if not state.signing_known:
        return
    signing = state.signing
    if signing is None:
        remedy = "Create it: New-DkimSigningConfig, or page DKIM of the Microsoft Defender portal."
        yield Finding("dkim_missing", "medium", state.domain, "DKIM signing has no configuration for the domain.", remedy)
        return
    records = [
        f"{name}._domainkey.{state.domain} CNAME {target}"
        for name, current, target in zip(SELECTORS, state.targets, signing.targets, strict=True)
        if target and current is not None and current != target
    ]
    if records:
        problem = f"CNAME records of DKIM are missing or differ ({len(records)} of {len(SELECTORS)})."
        severity = "high" if signing.enabled and len(records) == len(SELECTORS) else "medium"
        yield Finding("dkim_cname", severity, state.domain, problem, f"Publish {' and '.join(records)}.")
    if not signing.enabled:
        remedy = "Enable it (Set-DkimSigningConfig) when its CNAME records are published."
        yield Finding("dkim_disabled", "medium", state.domain, "DKIM signing with the domain is disabled.", remedy)
    elif any(0 < size <= SHORT_KEY for size in signing.key_sizes):
        remedy = "Rotate it twice: Rotate-DkimSigningConfig -KeySize 2048."
        yield Finding("dkim_key_size", "low", state.domain, f"A DKIM key has {SHORT_KEY} bits or less.", remedy)


def _dmarc(state: MailDns) -> Iterator[Finding]:
    if state.dmarc is None:
        return
    if not state.dmarc:
        remedy = f'Publish _dmarc.{state.domain} TXT "v=DMARC1; p=none; rua=mailto:address" first.'
        yield Finding("dmarc_missing", "medium", state.domain, "The domain has no DMARC record.", remedy)
    elif state.dmarc_policy is None:
        text = "more than one DMARC record" if len(state.dmarc) > 1 else "a DMARC record without a valid policy (p)"
        problem = f"_dmarc.{state.dmarc_domain} has {text}: receivers ignore it."
        yield Finding("dmarc_invalid", "medium", state.domain, problem, "Publish one record with p=none, p=quarantine or p=reject.")
    elif state.dmarc_policy == "none":
        problem = f"The DMARC policy is none: receivers deliver mail that fails DMARC (record of {state.dmarc_domain})."
        yield Finding("dmarc_none", "low", state.domain, problem, "Set p=quarantine when every sender passes SPF or DKIM.")


def _mta_sts(state: MailDns) -> Iterator[Finding]:
    if state.mta_sts is None:
        return
    if not state.mta_sts:
        problem = "The domain has no MTA-STS record: other servers may send to it without TLS."
        yield Finding("mta_sts_missing", "info", state.domain, problem, f'See "{_MTA_STS_PAGE}".')
    elif len(state.mta_sts) > 1 or not _MTA_STS_ID.search(state.mta_sts[0]):
        problem = f"_mta-sts.{state.domain} has more than one MTA-STS record, or one without a valid id: senders ignore it."
        yield Finding("mta_sts_invalid", "low", state.domain, problem, 'Publish one record "v=STSv1; id=20261128".')
    elif state.tls_rpt is not None and len(state.tls_rpt) != 1:
        problem = f"_smtp._tls.{state.domain} has no single valid TLS-RPT record: nobody reports mail that MTA-STS stops."
        yield Finding("tls_rpt_missing", "info", state.domain, problem, 'Publish one record "v=TLSRPTv1; rua=mailto:address".')
