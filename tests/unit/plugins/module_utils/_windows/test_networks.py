"""Networks of devices on Windows hosts."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._windows import networks


@pytest.mark.parametrize("texts", [["10.1.2.3"], ["10.0.0.0/8", "192.168.1.0/24"], ["10.1.2.0/255.255.255.0"], ["100.64.1.0/24"]])
def test_private_networks(texts: list[str]) -> None:
    assert networks.problems("relay_networks", texts) == []


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("0.0.0.0/0", "which is every address"),
        ("::/0", "an IPv6 network"),
        ("fd00::/64", "an IPv6 network"),
        ("10.1.2.3/24", "bits beyond the prefix: use 10.1.2.0/24"),
        ("10.0.0.0/255.0.255.0", "which is no network"),
        ("printers", "which is no network"),
        ("", "which is no network"),
        ("198.51.100.0/24", "which is not private"),
        ("8.8.8.8", "which is not private"),
        ("0.0.0.0/1", "which is not private"),
        ("10.0.0.0/7", "which is not private"),
        ("172.0.0.0/8", "which is not private"),
        ("224.0.0.1", "which is not private"),
    ],
)
def test_every_other_network_is_refused(text: str, part: str) -> None:
    [sentence] = networks.problems("relay_networks", ["10.1.2.0/24", text])
    assert sentence.startswith(f"relay_networks has {text}")
    assert part in sentence
    assert sentence.endswith(".")


def test_an_empty_list_and_overlaps() -> None:
    assert "is empty" in networks.problems("networks", [])[0]
    assert networks.problems("networks", ["10.1.0.0/16", "10.2.0.0/16", "10.1.2.3"]) == [
        "networks has 10.1.0.0/16 and 10.1.2.3, which overlap: name one of them."
    ]


@pytest.mark.parametrize(("text", "expected"), [("10.1.2.3", "10.1.2.3"), ("10.1.2.0/255.255.255.0", "10.1.2.0/24")])
def test_networks_as_results_have_them(text: str, expected: str) -> None:
    assert networks.written(networks.parse(text)) == expected
