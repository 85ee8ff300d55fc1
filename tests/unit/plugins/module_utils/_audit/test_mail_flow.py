# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import ipaddress
from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils._audit.mail_flow import Flows, MailFlow, connector_of, idle
from ansible_collections.mailops.m365.plugins.module_utils._exchange.inbound_connectors import Connector

MICROSOFT = [ipaddress.ip_network("40.92.0.0/15")]


def row(sender: str = "erp@contoso.com", recipient: str = "a@customer.example", **more: Any) -> dict[str, Any]:
    base = {"SenderAddress": sender, "RecipientAddress": recipient, "MessageTraceId": "1", "Received": "2026-11-28T10:00:00.0000000"}
    return base | {"FromIP": "203.0.113.10"} | more


def flows(*rows: dict[str, Any]) -> dict[str, MailFlow]:
    counted = Flows(["contoso.com"], MICROSOFT)
    for one in rows:
        counted.take([one])
    return counted.result()


def test_messages_recipients_and_days_are_counted() -> None:
    days = [row(MessageTraceId=f"old {number}", Received=f"2026-11-{number:02}T00:00:00Z") for number in range(1, 21)]
    busy = [row(recipient=f"{n}@contoso.com", Received="2026-11-28T10:00:00Z") for n in range(50)]
    [flow] = flows(row("ERP@contoso.com"), *busy, *days).values()
    assert (flow.messages, flow.recipients, flow.external) == (21, 71, 21)
    assert (flow.last, flow.recipients_per_day) == (datetime.date(2026, 11, 28), 1), "the 95th percentile of 21 days"
    assert flow.sources == ("203.0.113.10",)


def test_servers_of_microsoft_are_no_sources() -> None:
    addresses = ["40.92.1.1", "2603:10a6:20b::1", "", None, "no address", "198.51.100.7"]
    [flow] = flows(*(row(FromIP=address) for address in addresses)).values()
    assert flow.sources == ("198.51.100.7",)


def test_connectors_are_matched_by_address() -> None:
    office, disabled, certificate = (
        Connector("Office", sender_ip_addresses=("203.0.113.0/28",)),
        Connector("Off", enabled=False, sender_ip_addresses=("203.0.113.10",)),
        Connector("Data centre", tls_sender_certificate_name="relay.contoso.com"),
    )
    other = Connector("Old site", sender_ip_addresses=("192.0.2.1", "no address"))
    connectors = [disabled, certificate, other, office]
    [flow] = flows(row()).values()
    assert connector_of(flow, connectors) == office
    assert connector_of(MailFlow(), connectors) is None
    assert idle([flow], connectors) == ["Old site"]


def test_nothing_of_a_message_is_kept() -> None:
    counted = Flows(["contoso.com"], MICROSOFT)
    counted.take([row(recipient="canary@customer.example", Subject="canary", MessageId="<canary@x>")])
    assert "canary" not in str(counted.result())
    assert "canary" not in str([one.as_result() for one in counted.result().values()])
