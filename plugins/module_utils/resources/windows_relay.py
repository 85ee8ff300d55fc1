# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows hosts as relays, read-only: what the host is, which products can relay mail there, and how a relay is doing."""

from __future__ import annotations

from dataclasses import dataclass

from .._core.spec import Spec
from .._engine.resource import Plan
from .._engine.windows_engine import ReadOnlyWindowsResource
from .._windows import certificates, facts
from .._windows.hmail import status as hmail_status
from .._windows.host import WindowsHost
from .._windows.iis import info


@dataclass(frozen=True)
class Params:
    """The options."""

    hmailserver_admin_password: str | None


class WindowsRelayInfo(ReadOnlyWindowsResource[Params]):
    """Module windows_relay_info."""

    name = "windows_relay_info"
    spec = Spec({"hmailserver_admin_password": {"type": "str", "no_log": True}}, writes=False)
    params_type = Params

    def plan(self, host: WindowsHost, params: Params, check_mode: bool) -> Plan[None]:
        read = facts.read(host)
        products = {name: {"supported": not obstacles, "obstacles": obstacles} for name, obstacles in read.obstacles().items()}
        hmailserver, attention_of_hmailserver = hmail_status.read(host, params.hmailserver_admin_password or "")
        relay, attention = info.read(host) if read.has_server_features() else (None, [])
        found = certificates.read(host)
        server = relay["virtual_server"] if relay else None
        if isinstance(server, dict):
            attention += certificates.attention(host, found, str(server["fqdn"]))
        attention += attention_of_hmailserver
        result = {
            "host": read.as_result(),
            "products": products,
            "iis_smtp": relay,
            "hmailserver": hmailserver,
            "certificates": [one.as_result(host.clock.now()) for one in found if one.private_key],
        }
        return Plan(outcome={"windows_relay": result, "read_at": host.clock.now()} | ({"attention": attention} if attention else {}))


INFO = WindowsRelayInfo()
