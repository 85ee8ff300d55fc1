"""Rules of Windows Defender Firewall, as PowerShell writes them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.m365.plugins.module_utils._windows import firewall
from ansible_collections.mailops.m365.plugins.module_utils._windows.host import Answer, WindowsHost
from ansible_collections.mailops.m365.plugins.module_utils.resources.windows_relay_firewall import RESOURCE, Params

RULE: dict[str, Any] = {
    "name": "mailops-relay-25",
    "display_name": "Mail relay, port 25 (mailops)",
    "group": "mailops relay",
    "enabled": "True",
    "action": "Allow",
    "profile": "Any",
    "protocol": "TCP",
    "ports": ["25"],
    "addresses": ["10.1.2.0/255.255.255.0", "10.1.3.7"],
}


def read(*rules: Any) -> list[firewall.Rule]:
    return firewall.read(host(rules))


def host(rules: Any) -> WindowsHost:
    return WindowsHost("win1", lambda script, lines: Answer(0, json.dumps({"rules": rules}), ""))


DESIRED = firewall.desired([25], ["10.1.3.7", "10.1.2.0/24"], [])[0]


@pytest.mark.parametrize(
    "changed",
    [{}, {"profile": "Domain, Private, Public"}, {"addresses": ["10.1.3.7/255.255.255.255", "10.1.2.0/24"]}, {"name": "MAILOPS-relay-25"}],
)
def test_the_same_rule_in_another_form(changed: dict[str, Any]) -> None:
    assert DESIRED.same(read(RULE | changed)[0])


@pytest.mark.parametrize(
    "changed",
    [
        {"enabled": "False"},
        {"action": "Block"},
        {"profile": "Domain, Private"},
        {"protocol": "UDP"},
        {"ports": ["25", "26"]},
        {"ports": ["20-25"]},
        {"addresses": ["Any"]},
        {"addresses": ["LocalSubnet"]},
        {"addresses": ["10.1.2.0/24"]},
        {"addresses": ["10.1.2.0/24", "10.1.3.7", "10.9.0.0/16"]},
        {"display_name": "mine"},
    ],
)
def test_another_rule(changed: dict[str, Any]) -> None:
    assert not DESIRED.same(read(RULE | changed)[0])


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, True),
        ({"ports": ["20-25"]}, True),
        ({"ports": ["Any"], "protocol": "Any"}, True),
        ({"ports": ["RPC", "IPHTTPSIn", "443"]}, False),
        ({"ports": ["26-30"]}, False),
        ({"enabled": "False"}, False),
        ({"action": "Block"}, False),
        ({"protocol": "UDP"}, False),
    ],
)
def test_ports_that_a_rule_opens(changed: dict[str, Any], expected: bool) -> None:
    assert read(RULE | changed)[0].opens(25) is expected


def test_keywords_and_ranges_stand_as_they_are() -> None:
    addresses = ["LocalSubnet", "fd00::/64", "10.1.2.0/255.255.255.0", "10.0.0.1-10.0.0.9", "DNS"]
    assert read(RULE | {"addresses": addresses})[0].as_result()["networks"] == [
        "10.0.0.1-10.0.0.9", "DNS", "LocalSubnet", "fd00::/64", "10.1.2.0/24"
    ]  # fmt: skip


@pytest.mark.parametrize("answer", [None, {"a": 1}, ["x"], "x"])
def test_an_answer_of_another_type(answer: Any) -> None:
    with pytest.raises(MailopsError, match="which is no list of objects"):
        firewall.read(host(answer))


def test_a_write_that_had_no_effect_is_a_failure() -> None:
    plan = RESOURCE.plan(host([]), Params("present", ("10.1.2.0/24",), (25,), ()), False)
    with pytest.raises(MailopsError, match="does not have the rules mailops-relay-25 as they were written"):
        RESOURCE.apply(host([]), Params("present", ("10.1.2.0/24",), (25,), ()), plan)


@pytest.mark.parametrize("ports", [(), (0,), (65536,), (25, -1)])
def test_ports_that_are_none(ports: tuple[int, ...]) -> None:
    assert len(RESOURCE.validate(Params("present", ("10.1.2.0/24",), ports, ()))) == 1
    assert RESOURCE.validate(Params("absent", (), ports, ())) == []
