"""Errors of upstream servers in the log of IIS SMTP."""

from __future__ import annotations

from ansible_collections.mailops.m365.plugins.module_utils._windows.iis.log import errors, parse

# The form of published excerpts.
HEADER = (
    "#Fields: date time c-ip cs-username s-sitename s-computername s-ip s-port cs-method cs-uri-stem cs-uri-query sc-status "
    "sc-win32-status sc-bytes cs-bytes time-taken cs-version cs-host cs(User-Agent) cs(Cookie) cs(Referer)"
)


def row(reply: str, time: str = "10:00:01", user: str = "OutboundConnectionResponse") -> str:
    text = reply.replace(" ", "+")
    return f"2026-11-29 {time} 52.101.0.1 {user} SMTPSVC1 WIN1 - 25 - - {text} 0 0 61 0 94 SMTP - - - -"


def test_errors_are_counted_and_the_latest_is_first() -> None:
    auth = "535 5.7.139 Authentication unsuccessful, basic authentication is disabled."
    lines = [
        row("220 mx.contoso.com Microsoft ESMTP"),
        row(auth, "10:00:02"),
        row("550 5.7.1 Unable to relay for a@contoso.com", "10:00:03"),
        row(auth, "10:00:04"),
        row("450 4.7.0 ignored", user="OutboundConnectionCommand"),
        row("4500 is no reply"),
        "a line of another kind",
        "",
    ]
    results = errors(parse((HEADER,), tuple(lines)))
    assert [(one.reply, one.count, one.last) for one in results] == [
        (auth, 2, "2026-11-29T10:00:04Z"),
        ("550 5.7.1 Unable to relay for a@contoso.com", 1, "2026-11-29T10:00:03Z"),
    ]
    assert "5.7.139" not in results[0].cause
    assert results[0].cause.strip()
    assert results[0].remedy.strip()


def test_the_last_header_counts() -> None:
    """LogExtFileFlags was changed during the day."""
    lines = ("10:00:01 OutboundConnectionResponse 421+4.3.2+busy",)
    [error] = errors(parse((HEADER, "#Fields: time cs-username cs-uri-query"), lines))
    assert (error.reply, error.last) == ("421 4.3.2 busy", "")


def test_no_header_and_no_line() -> None:
    assert errors(parse((), (row("550 5.7.1 x"),))) == []
    assert errors(parse((HEADER,), ())) == []


def test_only_some_replies_are_kept() -> None:
    assert len(errors(parse((HEADER,), tuple(row(f"550 5.7.1 number {number}") for number in range(50))))) == 10
