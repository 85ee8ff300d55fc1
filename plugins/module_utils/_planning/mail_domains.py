# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mail domains of the tenants in the inventory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def of_inventory(tenants: Iterable[Mapping[str, Any]]) -> list[str]:
    """The domains of the senders' addresses, and the tenant's name where it is a domain and not an id; each once, in their order.

    `tenants`: host variables. What is no address is left out: playbook site says what is wrong with it.
    """
    domains: dict[str, None] = {}
    for variables in tenants:
        addresses = [str(sender.get("address") or "") for sender in variables.get("m365_senders") or [] if isinstance(sender, Mapping)]
        names = [address.rpartition("@")[2] for address in addresses if "@" in address]
        names.append(str(variables.get("m365_tenant") or ""))
        domains |= dict.fromkeys(name.lower().rstrip(".") for name in names if "." in name)
    return list(domains)
