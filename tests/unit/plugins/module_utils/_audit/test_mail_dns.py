# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._audit import mail_dns
from ansible_collections.mailops.m365.plugins.module_utils._audit.mail_dns import MailDns
from ansible_collections.mailops.m365.plugins.module_utils._exchange.dkim import Signing
from ansible_collections.mailops.m365.plugins.module_utils._spf import Answer

HOST = "contoso-com.mail.protection.outlook.com"
TARGETS = (
    "selector1-contoso-com._domainkey.contoso.y-v1.dkim.mail.microsoft",
    "selector2-contoso-com._domainkey.contoso.y-v1.dkim.mail.microsoft",
)
SIGNING = Signing(True, "Valid", TARGETS, (2048, 2048))
GOOD = {
    ("contoso.com", "MX"): (HOST,),
    ("_dmarc.contoso.com", "TXT"): ("v=DMARC1; p=reject; rua=mailto:dmarc@contoso.com",),
    ("_mta-sts.contoso.com", "TXT"): ("v=STSv1; id=20261128;",),
    ("_smtp._tls.contoso.com", "TXT"): ("v=TLSRPTv1; rua=mailto:tls@contoso.com",),
    ("selector1._domainkey.contoso.com", "CNAME"): (TARGETS[0],),
    ("selector2._domainkey.contoso.com", "CNAME"): (TARGETS[1],),
}


class Zone:
    """Answers from a table; a text as value is why the query failed."""

    def __init__(self, records: dict[tuple[str, str], tuple[str, ...] | str]) -> None:
        self.records, self.asked = records, list[tuple[str, str]]()

    def ask_all(self, questions: list[tuple[str, str]]) -> list[Answer]:
        self.asked += questions
        answers = [self.records.get(one, ()) for one in questions]
        return [Answer(*one, problem=v) if isinstance(v, str) else Answer(*one, v) for one, v in zip(questions, answers, strict=True)]


def read(domain: str = "contoso.com", signing: dict[str, Signing] | None = None, **changed: tuple[str, ...] | str) -> MailDns:
    """The state of a domain whose records are all good but for those given by their kind: mx, dmarc, mta_sts, tls_rpt, selector1 or 2."""
    names = {"mx": ("contoso.com", "MX"), "dmarc": ("_dmarc.contoso.com", "TXT"), "mta_sts": ("_mta-sts.contoso.com", "TXT")}
    names["tls_rpt"] = ("_smtp._tls.contoso.com", "TXT")
    names |= {name: (f"{name}._domainkey.contoso.com", "CNAME") for name in ("selector1", "selector2")}
    zone = Zone({**GOOD, **{names[name]: value for name, value in changed.items()}})
    [state] = mail_dns.read([domain], zone, {"contoso.com": HOST}, {"contoso.com": SIGNING} if signing is None else signing)
    return state


def listed(state: MailDns) -> list[tuple[str, str]]:
    return [(one.id, one.severity) for one in mail_dns.findings(state)]


def test_a_domain_as_microsoft_wants_it_has_no_finding() -> None:
    state = read()
    assert listed(state) == []
    assert state.as_result() == {
        "domain": "contoso.com",
        "mx": {"current": [HOST], "expected": HOST},
        "dkim": {
            "enabled": True,
            "status": "Valid",
            "selectors": [
                {"name": "selector1", "current": TARGETS[0], "expected": TARGETS[0]},
                {"name": "selector2", "current": TARGETS[1], "expected": TARGETS[1]},
            ],
        },
        "dmarc": {"current": ["v=DMARC1; p=reject; rua=mailto:dmarc@contoso.com"], "domain": "contoso.com", "policy": "reject"},
        "mta_sts": {"current": ["v=STSv1; id=20261128;"]},
        "tls_rpt": {"current": ["v=TLSRPTv1; rua=mailto:tls@contoso.com"]},
    }


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"mx": ()}, [("mx_missing", "low")]),
        ({"mx": ("mx.filter.example",)}, [("mx_elsewhere", "info")]),
        ({"mx": (HOST.upper(), "mx.old.example")}, [("mx_mixed", "low")]),
        ({"selector1": ()}, [("dkim_cname", "medium")]),
        ({"selector1": (), "selector2": ("elsewhere.example",)}, [("dkim_cname", "high")]),
        ({"dmarc": ()}, [("dmarc_missing", "medium")]),
        ({"dmarc": ("v=DMARC1; p=none",)}, [("dmarc_none", "low")]),
        ({"dmarc": ("v=DMARC1; rua=mailto:a@contoso.com",)}, [("dmarc_invalid", "medium")]),
        ({"dmarc": ("v=DMARC1; p=reject", "v=DMARC1; p=none")}, [("dmarc_invalid", "medium")]),
        ({"dmarc": ("another text", "v=DMARC1; p=reject")}, []),
        ({"mta_sts": ()}, [("mta_sts_missing", "info")]),
        ({"mta_sts": ("v=STSv1;",)}, [("mta_sts_invalid", "low")]),
        ({"tls_rpt": ()}, [("tls_rpt_missing", "info")]),
        ({"tls_rpt": ("v=TLSRPTv1;",)}, [("tls_rpt_missing", "info")]),
        ({"tls_rpt": (), "mta_sts": ()}, [("mta_sts_missing", "info")]),
    ],
)
def test_what_is_missing_or_differs(changed: dict[str, tuple[str, ...]], expected: list[tuple[str, str]]) -> None:
    assert listed(read(**changed)) == expected


@pytest.mark.parametrize(
    ("signing", "expected"),
    [
        ({}, [("dkim_missing", "medium")]),
        ({"contoso.com": Signing(False, "CnameMissing", TARGETS, (2048, 2048))}, [("dkim_disabled", "medium")]),
        ({"contoso.com": Signing(True, "Valid", TARGETS, (1024, 2048))}, [("dkim_key_size", "low")]),
    ],
)
def test_dkim_signing(signing: dict[str, Signing], expected: list[tuple[str, str]]) -> None:
    assert listed(read(signing=signing)) == expected


def test_the_targets_of_the_selectors_are_those_of_exchange() -> None:
    [finding] = mail_dns.findings(read(selector2=()))
    assert finding.remedy == f"Publish selector2._domainkey.contoso.com CNAME {TARGETS[1]}."


def test_a_subdomain_has_the_dmarc_record_of_its_parent() -> None:
    state = read("shop.eu.contoso.com", {"shop.eu.contoso.com": SIGNING})
    assert (state.dmarc_domain, state.dmarc_policy) == ("contoso.com", "reject")
    zone = Zone({**GOOD, ("_dmarc.contoso.com", "TXT"): "no answer."})
    [failed] = mail_dns.read(["shop.contoso.com"], zone, None, None)
    assert (failed.dmarc, failed.unreadable) == (None, ("no answer.",))


def test_six_queries_a_domain() -> None:
    zone = Zone(dict(GOOD))
    mail_dns.read(["contoso.com"], zone, None, None)
    assert len(zone.asked) == 6


def test_what_does_not_exist_is_empty_and_not_null() -> None:
    [state] = mail_dns.read(["contoso.com"], Zone({**GOOD, ("_dmarc.contoso.com", "TXT"): ()}), {}, {})
    result = state.as_result()
    assert result["mx"]["expected"] == ""
    assert result["dmarc"] == {"current": [], "domain": "", "policy": ""}
    assert (result["dkim"]["enabled"], result["dkim"]["status"]) == (False, "")
    assert [one["expected"] for one in result["dkim"]["selectors"]] == ["", ""]


def test_what_was_not_readable_is_null_and_has_no_finding() -> None:
    failed = {name: f"{name} failed." for name in ("mx", "dmarc", "mta_sts", "tls_rpt", "selector1", "selector2")}
    state = read(**failed)
    assert state.unreadable == tuple(failed.values())
    assert listed(state) == []
    result = state.as_result()
    assert [result[name]["current"] for name in ("mx", "dmarc", "mta_sts", "tls_rpt")] == [None] * 4
    assert [one["current"] for one in result["dkim"]["selectors"]] == [None, None]
    [without_microsoft] = mail_dns.read(["contoso.com"], Zone({**GOOD, ("contoso.com", "MX"): ("mx.example",)}), None, None)
    assert listed(without_microsoft) == []
    unread = without_microsoft.as_result()
    assert (unread["mx"]["expected"], unread["dkim"]["enabled"], unread["dkim"]["status"]) == (None, None, None)
    assert [one["expected"] for one in unread["dkim"]["selectors"]] == [None, None]
    assert (result["dmarc"]["domain"], result["dmarc"]["policy"]) == (None, None)
