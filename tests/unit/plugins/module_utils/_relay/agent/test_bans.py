# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""fail2ban's list and nftables' sets, as `fail2ban-client` 1.0 and `nft --json` 1.0 print them; tests/hosts flushes a real rule set."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import bans

NOW = 1_795_600_000.0
V4, V6 = "192.0.2.7", "2001:db8:1:2::7"
PREFIX = {"prefix": {"addr": "2001:db8:1:2::", "len": 64}}
MISSING = "Error: No such file or directory\nlist table inet f2b-table\n                ^^^^^^^^^\n"


def table(*elements4: Any, elements6: tuple[Any, ...] = (), jail: str = "mailops-relay", rules: bool = True) -> str:
    """The packet filter's table with a set and a rule for each IP version."""
    objects: list[dict[str, Any]] = [{"metainfo": {"version": "1.0.6"}}, {"table": {"family": "inet", "name": "f2b-table"}}]
    for name, protocol, elements in ((f"addr-set-{jail}", "ip", elements4), (f"addr6-set-{jail}", "ip6", elements6)):
        objects.append({"set": {"family": "inet", "name": name, **({"elem": list(elements)} if elements else {})}})
        source = {"payload": {"protocol": protocol, "field": "saddr"}}
        expression = [{"match": {"op": "==", "left": source, "right": f"@{name}"}}, {"reject": {}}]
        if rules:
            objects.append({"rule": {"family": "inet", "chain": "f2b-chain", "expr": expression}})
    return json.dumps({"nftables": objects})


@dataclass
class Host:
    """Answers the commands. `ages`: address -> seconds since its ban; a name of the list that has none was unbanned meanwhile."""

    ages: dict[str, float]
    nft: str = ""
    nft_error: str = ""
    listed: tuple[str, ...] = ()
    commands: list[str] = field(default_factory=list)

    def __call__(self, command: list[str], **_options: Any) -> subprocess.CompletedProcess[str]:
        self.commands.append(command[0].rpartition("/")[2] + " " + command[1])
        if command[0] == "/usr/sbin/nft":
            return subprocess.CompletedProcess(command, int(bool(self.nft_error)), "" if self.nft_error else self.nft, self.nft_error)
        if command[1] == "status":
            output = f"Status for the jail: mailops-relay\n   `- Banned IP list:\t{' '.join(self.listed or self.ages)}\n"
        else:
            output = "".join(
                f"{address} \t{written(NOW - age)} + 3600 = {written(NOW - age + 3600)}\n" for address, age in self.ages.items()
            )
        return subprocess.CompletedProcess(command, 0, output, "")

    def read(self, since: float | None = NOW - 9000) -> bans.Bans:
        return bans.read(self, since, NOW)


def written(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


@pytest.mark.parametrize(
    "nft",
    [
        table(V4, elements6=(PREFIX,)),
        table({"elem": {"val": V4, "counter": {"packets": 3}}}, elements6=({"elem": {"val": PREFIX}},)),
        table({"range": ["192.0.2.6", "192.0.2.9"]}, elements6=({"range": ["2001:db8:1:2::", "2001:db8:1:3::"]},)),
    ],
)
def test_ban_that_nftables_has_is_not_lost(nft: str) -> None:
    host = Host({V4: 600, V6: 600}, nft)
    assert host.read() == bans.Bans((V4, V6), (), True)
    assert host.commands == ["fail2ban-client status", "nft --json"]


@pytest.mark.parametrize(
    ("nft", "error"),
    [("", MISSING), (table(), ""), (table(V4, elements6=(PREFIX,), jail="sshd"), ""), (table(V4, elements6=(PREFIX,), rules=False), "")],
)
def test_ban_without_table_element_or_rule_is_lost(nft: str, error: str) -> None:
    """Another jail's sets are in the same table."""
    assert Host({V4: 600, V6: 600}, nft, error).read() == bans.Bans((V4, V6), (V4, V6), True)


def test_only_the_missing_ban_is_lost() -> None:
    assert Host({V4: 600, V6: 600}, table("192.0.2.77", elements6=(PREFIX,))).read().lost == (V4,)
    assert Host({V4: 600, V6: 600}, table(V4, elements6=({"prefix": {"addr": "2001:db8:1:3::", "len": 64}},))).read().lost == (V6,)


def test_ban_of_a_network_by_an_administrator() -> None:
    element = {"prefix": {"addr": "192.0.2.0", "len": 24}}
    assert Host({"192.0.2.0/24": 600}, table(element)).read().lost == ()
    assert Host({"192.0.2.0/24": 600}, table(V4)).read().lost == ("192.0.2.0/24",)


def test_ban_whose_action_may_still_run_is_not_lost() -> None:
    """fail2ban lists a ban before it runs the action; after its start it restores the bans one after the other."""
    assert Host({V4: bans.SECONDS - 1}, nft_error=MISSING).read().lost == ()
    assert Host({V4: bans.SECONDS}, nft_error=MISSING).read().lost == (V4,)
    assert Host({V4: 600}, nft_error=MISSING).read(NOW - bans.SECONDS + 1) == bans.Bans((V4,), (), True)


def test_ban_that_ended_between_the_two_lists_is_not_lost() -> None:
    assert Host({}, nft_error=MISSING, listed=(V4,)).read().lost == ()


def test_nothing_is_lost_where_nftables_cannot_be_read() -> None:
    assert Host({V4: 600}, nft_error="Operation not permitted (you must be root)").read() == bans.Bans((V4,), (), True)


def test_nftables_is_not_read_without_bans() -> None:
    host = Host({})
    assert host.read() == bans.Bans((), (), True)
    assert host.commands == ["fail2ban-client status"]
