# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the intent share: a tenant's facts, and senders in one line."""

from __future__ import annotations

import datetime
from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils._planning.context import PROVIDERS, Facts, Mailbox, Relay
from ansible_collections.mailops.m365.plugins.module_utils._planning.senders import SENDER, Sender, read

TODAY = datetime.date(2026, 11, 23)
BRIDGE = Relay("bridge", "relay.contoso.com", "oauth")
PLANT = Relay("plant", "10.1.2.3", "connector", ("198.51.100.7",))


def item(**options: Any) -> dict[str, Any]:
    """A sender's options as the module hands them in."""
    blank = {name: option.get("default") for name, option in SENDER.items()}
    return blank | {"name": "Device", "address": "device@contoso.com"} | options


def sender(**options: Any) -> Sender:
    return read(item(**options))


def facts(**known: Any) -> Facts:
    mailboxes = {name: Mailbox(name, kind) for name, kind in known.pop("mailboxes", {}).items()}
    relays = {relay.name: relay for relay in known.pop("relays", ())}
    hosted = PROVIDERS.get(known.pop("hosted", ""))
    standing: dict[str, Any] = {"domains": frozenset({"contoso.com", "contoso.onmicrosoft.com"}), "today": TODAY, "licences": 100}
    return Facts(**standing | {"mailboxes": mailboxes, "relays": relays, "hosted": hosted} | known)
