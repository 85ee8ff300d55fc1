"""What a Windows host is, and which products can relay mail there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.m365.plugins.module_utils._windows import facts
from ansible_collections.mailops.m365.plugins.module_utils._windows.host import Answer, WindowsHost

ANSWER: dict[str, Any] = {
    "name": "WIN1",
    "caption": "Microsoft Windows Server 2022 Standard ",
    "build": "20348",
    "installation": "Server",
    "restarts": [False, False],
    "exchange": False,
}


def read(**values: Any) -> facts.HostFacts:
    text = json.dumps({name: value for name, value in (ANSWER | values).items() if value is not ...})
    return facts.read(WindowsHost("win1", lambda script, lines: Answer(0, f"{text}\r\n", "")))


def test_facts_of_a_server() -> None:
    assert read().as_result() == {
        "name": "WIN1",
        "caption": "Microsoft Windows Server 2022 Standard",
        "build": 20348,
        "installation": "desktop_experience",
        "restart_pending": False,
        "exchange": False,
    }


@pytest.mark.parametrize("restarts", [[True, False], [False, True], [True, True]])
def test_either_reason_makes_a_restart_pending(restarts: list[bool]) -> None:
    assert read(restarts=restarts).restart_pending


@pytest.mark.parametrize(
    ("values", "iis_smtp", "hmailserver"),
    [
        ({"build": "14393", "caption": "Windows Server 2016"}, [], []),
        ({"build": "17763", "caption": "Windows Server 2019"}, [], []),
        ({}, [], []),
        (
            {"build": "26100", "caption": "Windows Server 2025"},
            ["Microsoft has removed the feature SMTP-Server from Windows Server 2025"],
            [],
        ),
        ({"build": "29000"}, ["Microsoft has removed"], []),
        ({"installation": "Server Core"}, ["is a Server Core installation"], []),
        ({"installation": "Server Core", "build": "26100"}, ["Microsoft has removed", "is a Server Core installation"], []),
        ({"installation": "Client", "build": "22631", "caption": "Windows 11 Pro"}, ["Windows 11 Pro is a client edition"], []),
        ({"exchange": True}, ["Exchange Server is installed"], ["Exchange Server is installed"]),
        (
            {"build": "9600", "caption": "Windows Server 2012 R2"},
            ["is older than Windows Server 2016"],
            ["is older than Windows Server 2016"],
        ),
    ],
)
def test_products(values: dict[str, Any], iis_smtp: list[str], hmailserver: list[str]) -> None:
    obstacles = read(**values).obstacles()
    for product, expected in (("iis_smtp", iis_smtp), ("hmailserver", hmailserver)):
        assert len(obstacles[product]) == len(expected), obstacles
        for sentence, part in zip(obstacles[product], expected, strict=True):
            assert part in sentence
            assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("name", "value"),
    [("installation", "Nano Server"), ("build", "20348.1"), ("build", 20348), ("caption", None), ("name", ...), ("restarts", True)],
)
def test_a_value_that_windows_does_not_have_is_named(name: str, value: Any) -> None:
    with pytest.raises(MailopsError, match=f"^win1 says {name} "):
        read(**{name: value})
