"""A tenant with an account at a hosted relay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils.resources.hosted_domain import RESOURCE

from tests.emulator.conftest import Start

from .emulated import Run

TSIG = {"name": "mailops", "secret": "c2VjcmV0LXRoYXQtbm9ib2R5LW1heS1zZWU="}


class HostedWorld:
    """`__call__` runs a resource with the account. Subclasses set the provider, the path of its API, the region, the key and the domain."""

    provider = path = region = key = domain = ""

    def __init__(self, start: Start, state: dict[str, Any], directory: Path, account: dict[str, Any], **options: Any) -> None:
        self.api = start(**options)
        self.api.admin.reset(state | {self.provider: [account], "dns": {"keys": [TSIG]}})
        self.run = Run(self.api, directory / "run")

    def __call__(self, resource: Any = RESOURCE, key: str = "", region: str = "", domains: Any = None, **more: Any) -> dict[str, Any]:
        url = f"{self.api.emulator.cloud['graph']}/{self.provider}/{self.path}"
        account = {"provider": self.provider, "region": region or self.region, "api_key": key or self.key, "api_url": url}
        requested = [{"name": self.domain}] if domains is None else list(domains)
        result = self.run(resource, **account, dns_servers=self.api.emulator.dns_servers, **more, domains=requested)
        assert account["api_key"] not in str(result)
        return result

    @property
    def dns(self) -> dict[str, Any]:
        """Option dns: the emulated name server publishes the records."""
        [server] = self.api.emulator.dns_servers
        return {"provider": "rfc2136", "server": server, "tsig_name": TSIG["name"], "tsig_secret": TSIG["secret"]}
