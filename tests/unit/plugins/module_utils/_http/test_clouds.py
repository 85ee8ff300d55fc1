# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._http import clouds

EMULATOR: dict[str, Any] = {
    "authority": "https://login.example:8443",
    "graph": "https://graph.example:8443",
    "exchange": "https://exchange.example:8443/",
    "smtp_host": "smtp.example",
}


@pytest.mark.parametrize(
    ("name", "authority", "graph", "exchange", "smtp"),
    [
        ("global", "login.microsoftonline.com", "graph.microsoft.com", "outlook.office365.com", "smtp.office365.com"),
        ("gcc-high", "login.microsoftonline.us", "graph.microsoft.us", "outlook.office365.us", "smtp.office365.us"),
        ("dod", "login.microsoftonline.us", "dod-graph.microsoft.us", "outlook-dod.office365.us", "outlook-dod.office365.us"),
        ("china", "login.chinacloudapi.cn", "microsoftgraph.chinacloudapi.cn", "partner.outlook.cn", "smtp.partner.outlook.cn"),
    ],
)
def test_each_cloud_has_microsofts_hosts(name: str, authority: str, graph: str, exchange: str, smtp: str) -> None:
    cloud = clouds.resolve(name)
    assert (cloud.authority, cloud.graph, cloud.exchange) == (f"https://{authority}", f"https://{graph}", f"https://{exchange}")
    assert (cloud.smtp_host, cloud.smtp_port, cloud.mx_host, cloud.mx_port) == (smtp, 587, "", 25)
    assert cloud.scope("exchange") == f"https://{exchange}/.default"
    assert cloud.scope("graph") == f"https://{graph}/.default"


@pytest.mark.parametrize(
    ("name", "management", "hve", "acs"),
    [
        ("global", "management.azure.com", "smtp.hve.mx.microsoft", "smtp.azurecomm.net"),
        ("gcc-high", "management.usgovcloudapi.net", "", ""),
        ("dod", "management.usgovcloudapi.net", "", ""),
        ("china", "management.chinacloudapi.cn", "", ""),
    ],
)
def test_each_cloud_has_its_resource_manager_and_the_services_it_has(name: str, management: str, hve: str, acs: str) -> None:
    cloud = clouds.resolve(name)
    assert cloud.scope("management") == f"{cloud.management}/.default" == f"https://{management}/.default"
    assert (cloud.hve_host, cloud.hve_port, cloud.acs_host, cloud.acs_port) == (hve, 587, acs, 587)
    assert (cloud.scope("hve"), cloud.scope("acs")) == ("https://outlook.office.com/.default", "https://communication.azure.com/.default")


def test_mapping_sets_other_endpoints() -> None:
    cloud = clouds.resolve({**EMULATOR, "smtp_port": "5870", "mx_host": "mx.example", "mx_port": 2525, "ca_file": "/tmp/ca.pem"})  # noqa: S108
    assert cloud.exchange == "https://exchange.example:8443"
    assert (cloud.smtp_port, cloud.mx_host, cloud.mx_port, cloud.ca_file) == (5870, "mx.example", 2525, "/tmp/ca.pem")  # noqa: S108
    assert clouds.resolve(cloud) is cloud


def test_an_audience_may_differ_from_the_url() -> None:
    cloud = clouds.resolve(
        {**EMULATOR, "exchange_audience": "https://outlook.office365.com/", "graph_audience": "https://graph.microsoft.com"}
    )
    assert cloud.scope("exchange") == "https://outlook.office365.com/.default"
    assert cloud.scope("graph") == "https://graph.microsoft.com/.default"


def test_empty_settings_are_left_out_settings() -> None:
    assert clouds.resolve({**EMULATOR, "smtp_port": None, "mx_port": "", "mx_host": None}) == clouds.resolve(EMULATOR)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"portal": "x"}, "portal is not a setting of a cloud"),
        ({"authority": None}, "authority is missing"),
        ({"graph": ""}, "graph is missing"),
        ({"smtp_host": None}, "smtp_host is missing"),
        ({"graph": "http://graph.example"}, "graph is 'http://graph.example', not an https URL without a path"),
        ({"graph": "graph.example"}, "graph is 'graph.example', not an https URL without a path"),
        (
            {"exchange": "https://exchange.example/adminapi"},
            "exchange is 'https://exchange.example/adminapi', not an https URL without a path",
        ),
        ({"exchange": "https://exchange.example?x=1"}, "exchange is 'https://exchange.example?x=1', not an https URL without a path"),
        ({"authority": "https://me@login.example"}, "authority is 'https://me@login.example', not an https URL without a path"),
        ({"authority": "https://[::1"}, "authority is 'https://[::1', not an https URL without a path"),
        ({"authority": "https://login.example:70000"}, "authority is 'https://login.example:70000', not an https URL without a path"),
        ({"authority": "https://"}, "authority is 'https://', not an https URL without a path"),
        ({"smtp_port": 0}, "smtp_port is 0, not a port (1 to 65535)"),
        ({"smtp_port": 65536}, "smtp_port is 65536, not a port (1 to 65535)"),
        ({"smtp_port": "smtp"}, "smtp_port is 'smtp', not a port (1 to 65535)"),
        ({"hve_port": 0}, "hve_port is 0, not a port (1 to 65535)"),
        ({"management": "azure"}, "management is 'azure', not an https URL without a path"),
        ({"mx_port": -25}, "mx_port is -25, not a port (1 to 65535)"),
        ({"mx_port": "²"}, "mx_port is '²', not a port (1 to 65535)"),
    ],
)
def test_a_bad_mapping_is_named(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        clouds.resolve({**EMULATOR, **change})
    assert str(raised.value).startswith(f"m365_cloud: {sentence}. Known settings: authority, graph, ")


def test_all_problems_of_a_mapping_come_at_once() -> None:
    with pytest.raises(InvalidInput) as raised:
        clouds.resolve({"graph": "http://g.example", "smtp_port": 0, "region": "eu"})
    for part in (
        "region is not",
        "authority is missing",
        "exchange is missing",
        "smtp_host is missing",
        "graph is 'http",
        "smtp_port is 0",
    ):
        assert part in str(raised.value)


@pytest.mark.parametrize("value", ["Global", "", "usgov", None, 3, ["global"]])
def test_what_is_no_cloud_is_refused_with_the_names(value: object) -> None:
    with pytest.raises(InvalidInput, match=r"m365_cloud is .*global, gcc-high, dod, china"):
        clouds.resolve(value)
