# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts that senders are verified from (`verify_from`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from .._core.option_values import nearest

CONTROL_NODE = "localhost"  # for Ansible, a host of every inventory


def problems(named: Iterable[tuple[str, str | None]], inventory_hosts: Collection[str]) -> Iterator[str]:
    """A sentence for each `verify_from` that is no host of the inventory. `named`: label of the sender and its host.

    Nothing is checked where the inventory's hosts are not available, because the module runs outside of a playbook.
    """
    hosts = {*inventory_hosts, CONTROL_NODE} if inventory_hosts else set()
    for label, host in named:
        if host and hosts and host not in hosts:
            near = nearest(host, sorted(hosts))
            yield f"{label}: verify_from is {host!r}, which is no host of the inventory: " + (
                f"did you mean {near}?" if near else "name a host of the inventory that sends as the sender does."
            )
