# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sender as the inventory describes it."""

from __future__ import annotations

from dataclasses import dataclass

from .._core import mail_addresses

# Kind of sender: whether it usually supports OAuth.
KINDS = {
    "application": True,
    "erp": True,
    "monitoring": True,
    "website": True,
    "nas": False,
    "other": False,
    "printer": False,
    "scanner": False,
    "ups": False,
}


@dataclass(frozen=True)
class VerifyConnection:
    """Connection settings of a sender's test message, where they differ from the defaults. `credential`: of a hosted relay."""

    source_address: str | None = None
    certificate_path: str | None = None
    host: str | None = None
    port: int | None = None
    credential: str | None = None


@dataclass(frozen=True)
class Sender:
    """One sender: requirements and capabilities. Rates are peaks; recipients_per_day 0: not specified.

    `product`: the name of a maker or program in _products; "": not specified.
    """

    name: str
    address: str
    kind: str = "other"
    product: str = ""
    method: str = "auto"
    was: str = ""
    mailbox: str = ""
    display_name: str | None = None
    recipients: str = "external"
    oauth: bool = False
    tls12: bool = True
    public_addresses: tuple[str, ...] = ()
    certificate_name: str = ""
    connector: str = ""
    relay_host: str = ""
    messages_per_minute: int = 1
    recipients_per_day: int = 0
    recipients_per_message: int = 1
    sent_items: bool = False
    third_party_host: bool = False
    keep_in_tenant: bool = False
    verify_recipient: str = ""
    verify_connection: VerifyConnection = VerifyConnection()
    verify_from: str = ""

    @property
    def internal(self) -> bool:
        """Whether all its recipients are internal."""
        return self.recipients == "internal"

    @property
    def domain(self) -> str:
        return mail_addresses.domain(self.address)
