"""Authentication of hMailServer's accounts, and IP ranges: the one of a client, and those that auto-ban adds.

Source: hMailServer's source (AccountLogon, PersistentSecurityRange).
"""

from __future__ import annotations

import ipaddress

from emulator.state import HMailElement, HMailServer
from emulator.state.hmailserver import LogonFailure
from emulator.windows.hmail_com import expanded, setting
from emulator.windows.hmail_domains import account_of

BAN_PRIORITY = 100


def range_of(server: HMailServer, address: str, now: float) -> HMailElement | None:
    """The range with the highest priority that contains an address; it counts alone. Ranges that have expired are removed."""
    server.ranges = [one for one in server.ranges if not one.properties.get("Expires") or one.properties.get("ExpiresTime", 0) > now]
    for row in server.ranges:
        expanded(row)
    number = int(ipaddress.ip_address(address))
    matching = [one for one in server.ranges if _number(one, "LowerIP") <= number <= _number(one, "UpperIP")]
    return max(matching, key=lambda one: int(one.properties.get("Priority", 0)), default=None)


def _number(row: HMailElement, name: str) -> int:
    return int(ipaddress.ip_address(str(row.properties.get(name) or "0.0.0.0")))  # noqa: S104 (a range's end)


class Logon:
    def __init__(self, server: HMailServer, now: float) -> None:
        self._server, self._now = server, now

    def accepts(self, user: str, password: str) -> bool:
        account = account_of(self._server, user)
        return account is not None and account.properties.get("Password") == password

    def count_failure(self, address: str, user: str) -> bool:
        """Whether the client is disconnected: after the allowed number of failures it is banned, too."""
        server, most = self._server, int(setting(self._server, "MaxInvalidLogonAttempts"))
        if not setting(server, "AutoBanOnLogonFailure") or most == 0:
            return False
        since = self._now - 60 * int(setting(server, "MaxInvalidLogonAttemptsWithin"))
        server.logon_failures = [one for one in server.logon_failures if one.time > since]
        server.logon_failures.append(LogonFailure(address, self._now))
        if sum(one.address == address for one in server.logon_failures) < most:
            return False
        server.logon_failures = [one for one in server.logon_failures if one.address != address]
        minutes = int(setting(server, "AutoBanMinutes"))
        if minutes:
            self._ban(address, user, minutes)
        return True

    def _ban(self, address: str, user: str, minutes: int) -> None:
        ranges = self._server.ranges
        names = {str(one.properties.get("Name")) for one in ranges}
        names_to_try = [f"Auto-ban: {user}", *(f"Auto-ban: {user} ({number})" for number in range(1, len(ranges) + 2))]
        name = next(one for one in names_to_try if one not in names)
        properties = {"Name": name, "Priority": BAN_PRIORITY, "LowerIP": address, "UpperIP": address}
        properties |= {"Expires": True, "ExpiresTime": self._now + 60 * minutes}
        ranges.append(HMailElement(max((one.id for one in ranges), default=0) + 1, properties))
