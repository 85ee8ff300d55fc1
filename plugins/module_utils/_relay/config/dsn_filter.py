# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which refusals of the upstream are no verdict on the message: Postfix keeps that mail and tries again.

Private to the collection. Made of the error table's column `keep`: what it says to defer or to hold is turned from a permanent
refusal (5.x.x) into a temporary one (4.x.x). Source: postconf(5), smtp_delivery_status_filter; regexp_table(5).
"""

from __future__ import annotations

from ...error_catalog import ENTRIES
from .upstreams import UPSTREAMS

# Refusals of other providers that mean a wrong setting, in their own words; they have no enhanced code of their own.
OTHERS = ("[Aa]uthentication required", "verified Sender Identity", "[Mm]aximum credits exceeded")
# What a submission server says of an address, account or sender that it was not told of: with Microsoft's own servers the error table
# knows better, and there these words may be a recipient's server's. The last three are this role's own, as another relay's smart host.
OF_SUBMISSION = (
    "[Rr]elay(ing)? (access )?(is )?(denied|not permitted)",
    "not verified",
    "Unauthenticated senders",
    "not owned by user",
    "Sender address rejected",
    "may send only as",
    "in no network of relay_devices",
    "sends only as the senders of",
)
ANY_CODE = r"5\.\d+\.\d+"


def lines(upstream: str) -> list[str]:
    """A regexp table, of `if` blocks: as in the error table, the first row that fits decides, a returning one too."""
    services = UPSTREAMS[upstream].services
    rows = [row for service in services for row in ENTRIES if row.service == service and row.queue_policy]
    found = [_block(row.code or ANY_CODE, row.text, row.queue_policy == "bounce") for row in rows]
    found += [_block(ANY_CODE, text, False) for text in (*OTHERS, *(() if services else OF_SUBMISSION))]
    return [line for block in dict.fromkeys(found) for line in block]


def _block(code: str, text: str, final: bool) -> tuple[str, str, str]:
    """The filter sees the enhanced code and the text. A digit is [0-9] in POSIX expressions."""
    said = f".*({text})" if text else ""
    pattern = f"^({code}) {said}".replace(r"\d", "[0-9]").replace("/", r"\/")
    return f"if /{pattern}/", "/^(5.*)$/ $1" if final else "/^5(.*)$/ 4$1", "endif"
