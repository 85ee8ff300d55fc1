# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The properties of a virtual server (IIsSmtpServerSetting) that this collection manages, by the options.

Sources: Microsoft Learn, IIS 6.0 metabase reference, one page a property; RouteAction: "TN cc757175" (community note) and published
configurations: 4 is TLS, 264 Basic, 268 both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from ..relay_options import is_ipv4
from .options import Params, Upstream

Value: TypeAlias = "str | int | bool"
_SSL, _AUTH_CLEARTEXT, _SASL = 4, 256, 8
_AUTH_FLAGS = {"anonymous": 1, "basic": 2, "windows": 4}
_ALWAYS, _NEVER = 2, 0  # SmartHostType
_TLS_REQUIRED = 8  # AccessSSLFlags
W3C_EXTENDED = "{FF160663-DE82-11CF-BC0A-00AA006111E0}"
# Date, Time, ClientIP, UserName, Method, UriStem, UriQuery, HttpStatus, Win32Status, BytesSent, BytesRecv, TimeTaken.
_LOGGED = 1 | 2 | 4 | 8 | 128 | 256 | 512 | 1024 | 2048 | 4096 | 8192 | 16384
LOG_DIRECTORY = "LogFileDirectory"
QUEUE, BAD_MAIL, PICKUP, DROP = "QueueDirectory", "BadMailDirectory", "PickupDirectory", "DropDirectory"
# As the feature installs them: a virtual server that is created anew has none.
DIRECTORIES: dict[str, Value] = {
    QUEUE: r"C:\inetpub\mailroot\Queue",
    BAD_MAIL: r"C:\inetpub\mailroot\Badmail",
    PICKUP: r"C:\inetpub\mailroot\Pickup",
    DROP: r"C:\inetpub\mailroot\Drop",
}


def desired(params: Params, upstream: Upstream) -> dict[str, Value]:
    """Property -> value. A smart host that is an address is in brackets."""
    action = (_SSL if upstream.tls == "required" else 0) | (_AUTH_CLEARTEXT | _SASL if upstream.username else 0)
    fqdn = str(params.fqdn)
    return {
        "FullyQualifiedDomainName": fqdn,
        "SmartHost": f"[{upstream.host}]" if is_ipv4(upstream.host) else upstream.host,
        "SmartHostType": _ALWAYS,
        "RemoteSmtpPort": upstream.port,
        "RouteAction": action,
        "RouteUserName": upstream.username or "",
        "AlwaysUseSsl": upstream.tls == "required",
        "RelayForAuth": -1 if params.relay_authenticated else 0,
        "AuthFlags": sum(_AUTH_FLAGS[one] for one in set(params.authentication)),
        "AccessSSLFlags": _TLS_REQUIRED if params.require_tls else 0,
        "MasqueradeDomain": params.masquerade_domain,
        "MaxMessageSize": params.max_message_size,
        "MaxSessionSize": params.max_session_size,
        "MaxRecipients": params.max_recipients,
        "SmtpRemoteProgressiveRetry": ",".join(map(str, params.retry_minutes)),
        "SmtpLocalDelayExpireMinutes": params.delay_notice_minutes,
        "SmtpRemoteDelayExpireMinutes": params.delay_notice_minutes,
        "SmtpLocalNDRExpireMinutes": params.give_up_minutes,
        "SmtpRemoteNDRExpireMinutes": params.give_up_minutes,
        "SendNdrTo": params.postmaster,
        "SendBadTo": params.postmaster,
        "LogType": 1 if params.log else 0,
        "LogPluginClsid": W3C_EXTENDED,
        "LogExtFileFlags": _LOGGED,
    }


# A credential's properties: a change of one of them needs the password again.
OF_CREDENTIAL = ("SmartHost", "RemoteSmtpPort", "RouteUserName")
MANAGED = (
    "FullyQualifiedDomainName", "SmartHost", "SmartHostType", "RemoteSmtpPort", "RouteAction", "RouteUserName", "AlwaysUseSsl",
    "RelayForAuth", "AuthFlags", "AccessSSLFlags", "MasqueradeDomain", "MaxMessageSize", "MaxSessionSize", "MaxRecipients",
    "SmtpRemoteProgressiveRetry", "SmtpLocalDelayExpireMinutes", "SmtpRemoteDelayExpireMinutes", "SmtpLocalNDRExpireMinutes",
    "SmtpRemoteNDRExpireMinutes", "SendNdrTo", "SendBadTo", "LogType", "LogPluginClsid", "LogExtFileFlags",
)  # fmt: skip
READ = (*MANAGED, *DIRECTORIES, LOG_DIRECTORY)


def differing(current: Mapping[str, object], wanted: Mapping[str, Value]) -> list[str]:
    """The names of properties whose value is another one. A text that is null is empty."""
    return [name for name, value in wanted.items() if plain(current.get(name), value) != value]


def plain(value: object, like: Value) -> object:
    if value is None:
        return "" if isinstance(like, str) else False if isinstance(like, bool) else 0
    return value


def grouped(values: Mapping[str, Value]) -> dict[str, list[dict[str, Value]]]:
    """Properties by type, as iis_write takes them."""
    groups: dict[str, list[dict[str, Value]]] = {"texts": [], "numbers": [], "flags": []}
    for name, value in values.items():
        kind = "flags" if isinstance(value, bool) else "numbers" if isinstance(value, int) else "texts"
        groups[kind].append({"name": name, "value": value})
    return groups
