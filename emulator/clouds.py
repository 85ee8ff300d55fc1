"""Microsoft's clouds: the names in their tokens and documents.

Sources: "National cloud deployments" (Microsoft Graph), "Microsoft 365 endpoints", "Microsoft Entra authentication and
national clouds"; the MX and SPF names of the sovereign clouds and China's issuer have one source each.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cloud:
    """Hosts of one cloud. The first of several is what a client asks tokens for."""

    login: str
    issuer: str  # of version 1.0 tokens; the tenant's id and a slash follow
    graph: tuple[str, ...]
    exchange: tuple[str, ...]
    mx_suffix: str
    spf_include: str
    instance_name: str  # cloud_instance_name of the discovery document
    federated_audience: str
    management: str = "management.azure.com"
    communication: str = "communication.azure.com"

    def hosts(self, service: str) -> tuple[str, ...]:
        single = {"management": (self.management,), "acs": (self.communication,), "graph": self.graph}
        return single.get(service, self.exchange)

    def announced(self) -> dict[str, str]:
        """Keys of m365_cloud besides the addresses on loopback."""
        return {
            "graph_audience": f"https://{self.graph[0]}",
            "exchange_audience": f"https://{self.exchange[0]}",
            "management_audience": f"https://{self.management}",
            "acs_audience": f"https://{self.communication}",
            "federated_audience": self.federated_audience,
            "spf_include": self.spf_include,
        }


_US = {
    "login": "https://login.microsoftonline.us",
    "issuer": "https://sts.windows.net/",
    "mx_suffix": "mail.protection.office365.us",
    "spf_include": "spf.protection.office365.us",
    "instance_name": "microsoftonline.us",
    "federated_audience": "api://AzureADTokenExchangeUSGov",
    "management": "management.usgovcloudapi.net",
    "communication": "communication.azure.us",
}
CLOUDS = {
    "global": Cloud(
        login="https://login.microsoftonline.com",
        issuer="https://sts.windows.net/",
        graph=("graph.microsoft.com",),
        exchange=("outlook.office365.com", "outlook.office.com"),
        mx_suffix="mail.protection.outlook.com",
        spf_include="spf.protection.outlook.com",
        instance_name="microsoftonline.com",
        federated_audience="api://AzureADTokenExchange",
    ),
    "gcc-high": Cloud(graph=("graph.microsoft.us",), exchange=("outlook.office365.us",), **_US),
    "dod": Cloud(graph=("dod-graph.microsoft.us",), exchange=("outlook-dod.office365.us",), **_US),
    "china": Cloud(
        login="https://login.partner.microsoftonline.cn",
        issuer="https://sts.chinacloudapi.cn/",
        graph=("microsoftgraph.chinacloudapi.cn",),
        exchange=("partner.outlook.cn", "outlook.office365.cn"),
        mx_suffix="mail.protection.partner.outlook.cn",
        spf_include="spf.protection.partner.outlook.cn",
        instance_name="partner.microsoftonline.cn",
        federated_audience="api://AzureADTokenExchangeChina",
        management="management.chinacloudapi.cn",
        communication="communication.azure.cn",
    ),
}
