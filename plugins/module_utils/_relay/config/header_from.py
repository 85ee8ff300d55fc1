# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What leaves through a mailbox's transport has one of that mailbox's senders in From, whatever path it took to there.

The envelope's sender is checked where a device speaks (devices.py); header From, which people see, is checked here, on the way out:
Microsoft refuses a foreign one and locks a mailbox that keeps trying, and a connector or smart host would let it through.

Private to the collection. Source: Postfix's header_checks(5), regexp_table(5); RFC 5322, 3.4.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from . import devices
from .parse import mailboxes
from .upstreams import TABLES

_BLANK = "[[:space:]]*"
_QUOTED = r'"([^"\\]|\\.)*"'
_PHRASE = r'[^]"<>@,;:()\\[]*'  # plain or encoded words; raw 8-bit too, as old devices send it
_COMMENT = r'([(][^]"<>@,;:()\\[]*[)])?'


def _quoted(text: str) -> str:
    """As a POSIX extended regular expression between slashes."""
    return re.sub(r"([.*+?^|/\\])", lambda match: "\\" + match[1], text)


def option(transport: str) -> dict[str, str]:
    """What the transport's smtp client is told in master.cf."""
    return {"smtp_header_checks": f"regexp:{TABLES}/from-{transport}"}


def tables(given: dict[str, Any]) -> dict[str, list[str]]:
    """A table a transport: a mailbox's own, and, where mail leaves without a mailbox, one for all other senders."""
    found = {f"from-m365-{place}": lines(box.senders, box.address) for place, box in enumerate(mailboxes(given), 1)}
    everybody = devices.senders(given)
    if given["relay_upstream"] != "oauth":
        found["from-m365"] = lines(everybody, everybody[0]) if everybody else []
    return found


def lines(senders: Sequence[str], instead: str) -> list[str]:
    """A regexp table for the transport's smtp_header_checks. A foreign From becomes the address `instead`; a foreign Sender goes.

    Only From with one address passes, and only in the forms that leave no room for a second one.
    """
    allowed = "|".join(_quoted(sender) for sender in dict.fromkeys(sender.lower() for sender in senders))
    one = f"{_BLANK}((({_QUOTED}|{_PHRASE}|{allowed}){_BLANK}<({allowed})>|({allowed})){_BLANK}{_COMMENT}){_BLANK}"
    return [
        "if /^From[[:space:]]*:/",
        f"!/^From[[:space:]]*:{one}$/ REPLACE From: {instead}",
        "endif",
        "if /^(Sender|Resent-From|Resent-Sender)[[:space:]]*:/",
        f"!/^[^:]*:{one}$/ IGNORE",
        "endif",
    ]
