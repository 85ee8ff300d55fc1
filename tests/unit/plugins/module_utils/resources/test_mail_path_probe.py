"""Bad input of module mail_path_probe is refused before a connection."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._engine.host_engine import run
from ansible_collections.mailops.m365.plugins.module_utils.resources.mail_path_probe import RESOURCE

OPTIONS: dict[str, Any] = {
    "domains": [], "cloud": "global", "hosted_relays": [], "endpoints": [], "samples": 1, "duration": 0, "timeout": 1,
    "public_dns_servers": [], "certificate_issuers": [], "device_tls": None, "required": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"samples": 0}, "diagnose_samples is 0: give a number from 1 to 1000."),
        ({"duration": -1}, "diagnose_duration is -1: give a number from 0 to 86400."),
        ({"timeout": 301}, "diagnose_timeout is 301: give a number from 1 to 300."),
        ({"public_dns_servers": ["dns.google"]}, "diagnose_public_dns_servers holds 'dns.google': give the IP address of a DNS server"),
        ({"endpoints": [{"host": "relay 1", "ports": [25]}]}, "diagnose_endpoints holds the host 'relay 1': give a DNS name"),
        ({"endpoints": [{"host": "relay1", "ports": [25, 70000]}]}, "diagnose_endpoints: relay1: port 70000 does not exist"),
        ({"domains": ["erp@contoso.com"]}, "diagnose_domains holds 'erp@contoso.com': give a domain such as contoso.com."),
        ({"cloud": "mars"}, "m365_cloud is 'mars', which is no cloud"),
    ],
)
def test_bad_input(options: dict[str, Any], problem: str) -> None:
    result = run(RESOURCE, OPTIONS | options, check_mode=False)
    assert result["failed"] is True
    assert problem in result["msg"]
