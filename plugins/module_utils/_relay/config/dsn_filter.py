# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which permanent refusals of the upstream Postfix treats as temporary, so that it keeps the message and tries again.

Made from the error catalog's column `queue_policy`: what it says to defer or to hold is turned from 5.x.x into 4.x.x.
Source: postconf(5), smtp_delivery_status_filter; regexp_table(5).
"""

from __future__ import annotations

from ...error_catalog import ENTRIES
from .model import UPSTREAM_TYPES

# Refusals of other providers that mean a wrong setting, by their text; they have no enhanced status code of their own.
OTHER_PROVIDERS = ("[Aa]uthentication required", "verified Sender Identity", "[Mm]aximum credits exceeded")
# What a submission server says of an address, account or sender that it does not accept. Not for Microsoft's servers: there the error
# catalog is exact, and these texts may come from a recipient's server. The last three are this role's own replies: a relay may be the
# smart host of another.
SUBMISSION = (
    "[Rr]elay(ing)? (access )?(is )?(denied|not permitted)",
    "not verified",
    "Unauthenticated senders",
    "not owned by user",
    "not allowed to send",
    "blank sender",
    "Sender address rejected",
    "may send only as",
    "in no network of relay_devices",
    "sends only as the senders of",
)
ANY_CODE = r"5\.\d+\.\d+"


def lines(upstream: str) -> list[str]:
    """A regexp table of `if` blocks: as in the error catalog, the first entry that matches decides, also one that bounces."""
    type_ = UPSTREAM_TYPES[upstream]
    entries = [entry for service in type_.services for entry in ENTRIES if entry.service == service and entry.queue_policy]
    blocks = [_block(entry.code or ANY_CODE, entry.text, entry.queue_policy == "bounce") for entry in entries]
    blocks += [_block(ANY_CODE, text, False) for text in (*OTHER_PROVIDERS, *(() if type_.of_microsoft else SUBMISSION))]
    return [line for block in dict.fromkeys(blocks) for line in block]


def _block(code: str, text: str, final: bool) -> tuple[str, str, str]:
    """The filter reads the enhanced status code and the text. A digit is [0-9] in POSIX expressions."""
    rest = f".*({text})" if text else ""
    pattern = f"^({code}) {rest}".replace(r"\d", "[0-9]").replace("/", r"\/")
    return f"if /{pattern}/", "/^(5.*)$/ $1" if final else "/^5(.*)$/ 4$1", "endif"
