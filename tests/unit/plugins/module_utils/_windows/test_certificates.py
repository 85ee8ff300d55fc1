"""Certificates of a Windows host."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.m365.plugins.module_utils._windows import certificates
from ansible_collections.mailops.m365.plugins.module_utils._windows.host import Answer, WindowsHost

from ....conftest import FakeClock


def host(*rows: dict[str, Any]) -> WindowsHost:
    return WindowsHost("win1", lambda script, lines: Answer(0, json.dumps({"certificates": rows}), ""), FakeClock())


def certificate(days: float, *names: str, **changed: Any) -> dict[str, Any]:
    end = datetime.datetime.fromtimestamp(FakeClock().time, datetime.UTC) + datetime.timedelta(days=days)
    row = {"subject": f"CN={names[0]}", "names": names, "thumbprint": "AB12", "private_key": True}
    return row | {"not_after": end.strftime("%Y-%m-%dT%H:%M:%S.0000000Z")} | changed


@pytest.mark.parametrize(
    ("days", "parts"),
    [
        ([30.5], []),
        ([3.5], ["The certificate of relay.contoso.com expires in 3 days (AB12)."]),
        ([-1.5], ["The certificate of relay.contoso.com has expired (AB12)."]),
        ([-1.5, 90], []),
        ([], []),
    ],
)
def test_a_certificate_of_the_relay_that_expires(days: list[float], parts: list[str]) -> None:
    windows = host(*(certificate(one, "Relay.contoso.com", "other.contoso.com") for one in days), certificate(1, "other.contoso.com"))
    results = certificates.read(windows)
    assert [one["problem"] for one in certificates.attention(windows, results, "relay.contoso.com")] == parts


def test_a_certificate_without_a_private_key_is_no_certificate_of_the_relay() -> None:
    windows = host(certificate(1, "relay.contoso.com", private_key=False))
    assert certificates.attention(windows, certificates.read(windows), "relay.contoso.com") == []


def test_the_result() -> None:
    windows = host(certificate(10, "a.contoso.com"))
    [one] = certificates.read(windows)
    assert one.as_result(windows.clock.now()) | {"not_after": ""} == {
        "subject": "CN=a.contoso.com", "names": ["a.contoso.com"], "thumbprint": "AB12", "not_after": "", "days": 10, "private_key": True
    }  # fmt: skip


@pytest.mark.parametrize("written", ["", "29.11.2026", None])
def test_a_date_that_is_none(written: Any) -> None:
    with pytest.raises(MailopsError, match="which is no date"):
        certificates.read(host(certificate(1, "a.contoso.com", not_after=written)))
