# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of each Microsoft cloud, and the mapping that defines others (an emulator, a test tenant).

Hosts: Microsoft, "National clouds" (Microsoft Graph), "Microsoft 365 endpoints" and "Azure
Resource Manager endpoints"; High Volume Email and Azure Communication Services Email from their own pages.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from urllib.parse import urlsplit

from .._core.errors import InvalidInput
from .._core.json_types import JsonObject


@dataclass(frozen=True)
class Cloud:
    """The endpoints of one cloud: URLs without a path, SMTP hosts with their ports.

    `spf_include` is what a domain's SPF record names for the cloud's own servers.
    `mx_host` is empty in a real cloud: there every domain has its own, which Graph returns. `hve_host` (High Volume Email) and
    `acs_host` (Azure Communication Services Email) are empty where Microsoft documents none; `management` is Azure Resource
    Manager. `reports` is where Graph's usage reports are downloaded, empty where it has none; hosts of the same domain count as well.
    An audience is what a token is asked for; left out, it is the service's own URL. `federated_audience` is what a
    token of another issuer is made out for ("Workload identity federation").
    """

    authority: str
    graph: str
    exchange: str
    smtp_host: str
    smtp_port: int = 587
    mx_host: str = ""
    mx_port: int = 25
    graph_audience: str = ""
    exchange_audience: str = ""
    ca_file: str = ""
    smtp_audience: str = ""  # of a user's token for SMTP; left out, it is Exchange's
    federated_audience: str = "api://AzureADTokenExchange"
    spf_include: str = "spf.protection.outlook.com"
    management: str = ""
    management_audience: str = ""
    hve_host: str = ""
    hve_port: int = 587
    hve_audience: str = "https://outlook.office.com"
    acs_host: str = ""
    acs_port: int = 587
    acs_audience: str = "https://communication.azure.com"
    reports: str = ""

    def scope(self, service: str) -> str:
        """The scope of an app-only token for a service: `exchange` serves SMTP as well, `hve` and `acs` are SMTP services."""
        audience: str = getattr(self, f"{service}_audience") or getattr(self, service)
        return f"{audience.rstrip('/')}/.default"

    def smtp_scope(self) -> str:
        """The scope of a user's token for SMTP ("Authenticate an IMAP, POP or SMTP connection using OAuth")."""
        return f"{(self.smtp_audience or self.exchange_audience or self.exchange).rstrip('/')}/SMTP.Send"


CLOUDS = {
    "global": Cloud(
        authority="https://login.microsoftonline.com",
        graph="https://graph.microsoft.com",
        exchange="https://outlook.office365.com",
        smtp_host="smtp.office365.com",
        management="https://management.azure.com",
        hve_host="smtp.hve.mx.microsoft",
        reports="https://reports.office.com",
        acs_host="smtp.azurecomm.net",
        smtp_audience="https://outlook.office.com",
    ),
    "gcc-high": Cloud(
        authority="https://login.microsoftonline.us",
        graph="https://graph.microsoft.us",
        exchange="https://outlook.office365.us",
        smtp_host="smtp.office365.us",
        federated_audience="api://AzureADTokenExchangeUSGov",
        spf_include="spf.protection.office365.us",
        management="https://management.usgovcloudapi.net",
    ),
    "dod": Cloud(
        authority="https://login.microsoftonline.us",
        graph="https://dod-graph.microsoft.us",
        exchange="https://outlook-dod.office365.us",
        smtp_host="outlook-dod.office365.us",
        federated_audience="api://AzureADTokenExchangeUSGov",
        spf_include="spf.protection.office365.us",
        management="https://management.usgovcloudapi.net",
    ),
    "china": Cloud(
        authority="https://login.chinacloudapi.cn",
        graph="https://microsoftgraph.chinacloudapi.cn",
        exchange="https://partner.outlook.cn",
        smtp_host="smtp.partner.outlook.cn",
        federated_audience="api://AzureADTokenExchangeChina",
        spf_include="spf.protection.partner.outlook.cn",
        management="https://management.chinacloudapi.cn",
    ),
}

_FIELDS = {field.name: field for field in fields(Cloud)}
_REQUIRED = ("authority", "graph", "exchange", "smtp_host")
_URLS = ("authority", "graph", "exchange", "management", "reports")
_PORTS = ("smtp_port", "mx_port", "hve_port", "acs_port")
SERVICES = ("graph", "exchange", "management", "hve", "acs")  # what tokens are asked for


def resolve(value: object) -> Cloud:
    """The cloud that a name or a mapping of endpoints means; InvalidInput says what is wrong with it."""
    if isinstance(value, Cloud):
        return value
    if isinstance(value, str):
        if value in CLOUDS:
            return CLOUDS[value]
        raise InvalidInput(
            f"m365_cloud is {value!r}, which is no cloud: use {', '.join(CLOUDS)}, "
            "or a mapping with authority, graph, exchange and smtp_host."
        )
    if isinstance(value, dict):
        return _from_mapping(value)
    raise InvalidInput(f"m365_cloud is {value!r}: use the name of a cloud ({', '.join(CLOUDS)}) or a mapping.")


def _from_mapping(value: JsonObject) -> Cloud:
    problems = [f"{name} is not a setting of a cloud" for name in value if name not in _FIELDS]
    problems += [f"{name} is missing" for name in _REQUIRED if not value.get(name)]
    for name in _URLS:
        if value.get(name) and not _is_origin(str(value[name])):
            problems.append(f"{name} is {value[name]!r}, not an https URL without a path")
    for name in _PORTS:
        port = str(value.get(name, ""))
        if port not in ("", "None") and not (port.isdecimal() and 0 < int(port) < 65536):
            problems.append(f"{name} is {value[name]!r}, not a port (1 to 65535)")
    if problems:
        raise InvalidInput(
            f"m365_cloud: {'; '.join(problems)}. Known settings: {', '.join(_FIELDS)}; the names {', '.join(CLOUDS)} need no mapping."
        )
    clean = {name: item for name, item in value.items() if item not in (None, "")}
    for name in _URLS:
        if name in clean:
            clean[name] = str(clean[name]).rstrip("/")
    for name in _PORTS:
        if name in clean:
            clean[name] = int(clean[name])
    return Cloud(**clean)


def _is_origin(text: str) -> bool:
    """Whether a text is an https URL of a host (and port) alone."""
    try:
        url = urlsplit(text)
        usable = bool(url.hostname) and url.port != 0
    except ValueError:
        return False
    return usable and url.scheme == "https" and url.path in ("", "/") and not (url.username or url.query or url.fragment)
