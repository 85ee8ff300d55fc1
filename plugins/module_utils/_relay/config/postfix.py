# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's variables: what is wrong with them, and what Postfix is to be told.

Private to the collection; runs on the controller. `given` is the role's variables by their own names, besides `inventory_hostname`
and `fqdn`, which the host says of itself ("" where it does not). Limits: "Exchange Online limits" (30 messages a minute, 3 connections
and 10,000 recipients a day a mailbox).
"""

from __future__ import annotations

import math
from typing import Any

from ..._core.errors import InvalidInput
from ..._http.clouds import CLOUDS, Cloud, resolve
from . import devices, dsn_filter, header_from, upstreams
from .checks import checked
from .parse import Mailbox, hostname, mailboxes, number

NO_MAILBOX = "retry:4.3.5 No mailbox of relay_mailboxes sends for this sender"
NO_SENDER = "discard:a returned message has no mailbox to be sent from; relay_postmaster is told of it"


def problems(given: dict[str, Any]) -> list[str]:
    """One sentence for each thing that cannot be carried out."""
    return checked(given)


def settings(given: dict[str, Any]) -> dict[str, Any]:
    """The plan, without a secret. `tables`: files in /etc/postfix/m365, as lists of lines.

    `transports`: each with name, options (of master.cf) and limits (of main.cf); `relay`: what the relay's own program reads.
    Raises InvalidInput with all problems.
    """
    found = problems(given)
    if found:
        raise InvalidInput(*found)
    listed, pair = mailboxes(given), number(given["relay_count"])
    notices = notices_sender(given, listed)
    return {
        "hostname": hostname(given),
        "upstream": given["relay_upstream"],
        "transports": _transports(given, listed),
        "default_transport": NO_MAILBOX if given["relay_upstream"] == "oauth" else f"m365:{upstreams.next_hop(given)}",
        "notices_sender": notices,
        "tables": {
            "transports": _routes(given, listed, bool(notices)),
            "dsn_filter": dsn_filter.lines(given["relay_upstream"]),
            **header_from.tables(given),
            **devices.tables(given),
            "notices": [f"@{hostname(given)} {notices}"] if notices else [],
        },
        "devices": devices.plan(given),
        "relay": _program(given, listed, pair),
    }


def passwords(given: dict[str, Any]) -> dict[str, list[str]]:
    """File in /etc/postfix/m365 -> lines, for nobody else's eyes. The bridge's secret is made on the relay: there it ends in a colon."""
    hop, transports = upstreams.next_hop(given), _transports(given, mailboxes(given))
    if given["relay_upstream"] == "oauth":
        return {f"{entry['name']}.passwd": [f"{hop} {entry['mailbox']}:"] for entry in transports}
    if given["relay_upstream"] == "connector" or not upstreams.credentials(given)[0]:
        return {}
    return {f"{entry['name']}.passwd": [f"{hop} {':'.join(upstreams.credentials(given))}"] for entry in transports}


def notices_sender(given: dict[str, Any], listed: list[Mailbox]) -> str:
    """Whose mail the relay's own notices are: the first mailbox's, the first device's; "" where nobody is told."""
    if not given.get("relay_postmaster"):
        return ""
    devices = [sender for device in given.get("relay_devices") or [] for sender in device.get("senders") or []]
    return next(iter([box.address for box in listed] + devices), str(given["relay_postmaster"]))


def _limits(given: dict[str, Any]) -> dict[str, str]:
    """One refused connection is no verdict on a paced destination: postconf(5), concurrency_failed_cohort_limit."""
    most = upstreams.UPSTREAMS[given["relay_upstream"]].recipients
    return {"destination_recipient_limit": str(most), "destination_concurrency_failed_cohort_limit": "10"}


def _plain(given: dict[str, Any], name: str) -> dict[str, Any]:
    return {
        "name": name,
        "mailbox": "",
        "options": upstreams.options(given, f"{upstreams.TABLES}/{name}.passwd") | header_from.option(name),
        "limits": _limits(given),
    }


def _transports(given: dict[str, Any], listed: list[Mailbox]) -> list[dict[str, Any]]:
    found = [_transport(given, place, box, number(given["relay_count"])) for place, box in enumerate(listed, 1)]
    found += [_plain(given, "m365")] if given["relay_upstream"] != "oauth" else []
    return found + ([_notices(given, listed)] if notices_sender(given, listed) else [])


def _transport(given: dict[str, Any], place: int, box: Mailbox, pair: int) -> dict[str, Any]:
    """A mailbox's own. The pace and the connections are this relay's part of them."""
    found = {**_plain(given, f"m365-{place}"), "mailbox": box.address}
    found["limits"]["destination_concurrency_limit"] = str(max(1, box.connections // pair))
    if box.messages_per_minute:
        found["limits"]["destination_rate_delay"] = f"{math.ceil(60 * pair / box.messages_per_minute)}s"
    return found


def _notices(given: dict[str, Any], listed: list[Mailbox]) -> dict[str, Any]:
    """The relay's own notices, in the name of a mailbox: slowly, and one at a time, since the mailbox has its own transport."""
    found = {**_plain(given, "m365-notices"), "mailbox": listed[0].address if listed else ""}
    del found["options"]["smtp_header_checks"]
    # Its connection ends with the message: idle, it would be one of the mailbox's three.
    found["options"] |= {"smtp_connection_cache_destinations": "", "smtp_connection_cache_on_demand": "no"}
    found["options"]["smtp_generic_maps"] = f"texthash:{upstreams.TABLES}/notices"
    found["limits"] |= {"destination_concurrency_limit": "1", "destination_rate_delay": "10s"}
    return found


def _routes(given: dict[str, Any], listed: list[Mailbox], notices: bool) -> list[str]:
    """Sender -> transport and next hop. Returned mail, which has no sender, has no mailbox either."""
    hop = upstreams.next_hop(given)
    found = [f"{sender.lower()} m365-{place}:{hop}" for place, box in enumerate(listed, 1) for sender in box.senders]
    own = [f"@{hostname(given)} m365-notices:{hop}"] if notices else []
    return [*found, *own, f"<> {NO_SENDER}"]


def _program(given: dict[str, Any], listed: list[Mailbox], pair: int) -> dict[str, Any]:
    """/etc/mailops-relay/relay.json: no secrets. Recipients a day are this relay's part of them."""
    value = given.get("m365_cloud") or "global"
    cloud: Cloud = resolve(value)
    return {
        "upstream": given["relay_upstream"],
        "hostname": hostname(given),
        "next_hop": upstreams.next_hop(given),
        "tenant": str(given.get("m365_tenant") or ""),
        "client_id": str(given.get("relay_client_id") or ""),
        "authority": cloud.authority,
        "scope": cloud.scope("exchange"),
        "smtp_host": cloud.smtp_host,
        "smtp_port": cloud.smtp_port,
        "cloud": next((name for name, known in CLOUDS.items() if known == cloud), ""),
        "relay_count": pair,
        "postmaster": str(given.get("relay_postmaster") or ""),
        "mailboxes": [
            {
                "address": box.address,
                "transport": f"m365-{place}",
                "senders": [sender.lower() for sender in box.senders],
                "messages_per_minute": box.messages_per_minute,
                "recipients_per_day": box.recipients_per_day // pair,
            }
            for place, box in enumerate(listed, 1)
        ],
    }
