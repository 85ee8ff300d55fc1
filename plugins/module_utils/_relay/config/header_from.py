# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the From header of outgoing mail: a message in a mailbox's transport has one of that mailbox's senders in From.

The envelope sender is checked where a device connects (devices.py). The From header, which recipients see, is checked here: Microsoft
refuses another address and locks a mailbox that keeps trying, and a connector or smart host would accept it.
Source: Postfix's header_checks(5), regexp_table(5); RFC 5322, 3.4.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .model import TABLES, RelayConfig

_BLANK = "[[:space:]]*"
_QUOTED = r'"([^"\\]|\\.)*"'
_PHRASE = r'[^]"<>@,;:()\\[]*'  # plain or encoded words; raw 8-bit too, as old devices send it
_COMMENT = r'([(][^]"<>@,;:()\\[]*[)])?'


def _quoted(text: str) -> str:
    """The text as a POSIX extended regular expression between slashes."""
    return re.sub(r"([.*+?^|/\\])", lambda match: "\\" + match[1], text)


def option(transport: str) -> dict[str, str]:
    """The option of the transport's smtp client in master.cf."""
    return {"smtp_header_checks": f"regexp:{TABLES}/from-{transport}"}


def tables(config: RelayConfig) -> dict[str, list[str]]:
    """File -> lines: a table for each mailbox; where mail also leaves without a mailbox, one for all other senders."""
    result = {f"from-m365-{number}": lines(mailbox.senders, mailbox.address) for number, mailbox in enumerate(config.mailboxes, 1)}
    if not config.upstream.oauth:
        result["from-m365"] = lines(config.senders, config.senders[0]) if config.senders else []
    return result


def lines(senders: Sequence[str], replacement: str) -> list[str]:
    """A regexp table for smtp_header_checks. Another From becomes the address `replacement`; another Sender is removed.

    From passes only with one address, in a form that leaves no room for a second one.
    """
    allowed = "|".join(_quoted(sender) for sender in dict.fromkeys(sender.lower() for sender in senders))
    one = f"{_BLANK}((({_QUOTED}|{_PHRASE}|{allowed}){_BLANK}<({allowed})>|({allowed})){_BLANK}{_COMMENT}){_BLANK}"
    return [
        "if /^From[[:space:]]*:/",
        f"!/^From[[:space:]]*:{one}$/ REPLACE From: {replacement}",
        "endif",
        "if /^(Sender|Resent-From|Resent-Sender)[[:space:]]*:/",
        f"!/^[^:]*:{one}$/ IGNORE",
        "endif",
    ]
