# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known refusals of DNS updates."""

from __future__ import annotations

from .entry import ErrorEntry

_UPDATE = "RFC 2136, Dynamic Updates in the Domain Name System"
_TSIG = "RFC 8945, Secret Key Transaction Authentication for DNS"

# fmt: off
ENTRIES: tuple[ErrorEntry, ...] = (
    ErrorEntry("dns-changed", "dns", "NXRRSET", "the TXT records were changed by somebody else since they were read",
        "Run again: what is there now is read first.", transient=True, source=_UPDATE),
    ErrorEntry("dns-changed", "dns", "YXRRSET", "somebody else has made a TXT record there since it was read",
        "Run again: what is there now is read first.", transient=True, source=_UPDATE),
    ErrorEntry("dns-refused", "dns", "REFUSED", "the DNS server's policy forbids this update",
        "Allow the TSIG key to update TXT records at this name (BIND: update-policy or allow-update).", source=_UPDATE),
    ErrorEntry("dns-not-authoritative", "dns", "NOTAUTH", "the DNS server is not the primary of this zone, or does not accept the signature",
        "Name the zone's primary server (spf_server), the zone itself (spf_zone) and a TSIG key that it knows.", source=_UPDATE),
    ErrorEntry("dns-not-in-zone", "dns", "NOTZONE", "the name is not in this zone",
        "Correct spf_zone, or leave it out so that it is looked up.", source=_UPDATE),
    ErrorEntry("dns-no-updates", "dns", "NOTIMP", "the DNS server does not support updates",
        "Name a server that takes RFC 2136 updates, or publish the record by other means.", source=_UPDATE),
    ErrorEntry("dns-server-failed", "dns", "SERVFAIL", "the DNS server failed", "Try again later, and look into its log.",
        transient=True, source=_UPDATE),
    ErrorEntry("tsig-key", "dns", "BADKEY", "the DNS server does not know the TSIG key",
        "Correct spf_tsig_name and spf_tsig_algorithm; both have to be as the server has them.", source=_TSIG),
    ErrorEntry("tsig-signature", "dns", "BADSIG", "the TSIG key's secret is wrong", "Correct spf_tsig_secret.", source=_TSIG),
    ErrorEntry("tsig-time", "dns", "BADTIME", "this machine's clock and the DNS server's differ by more than five minutes",
        "Set the clocks right.", source=_TSIG),
)
# fmt: on
