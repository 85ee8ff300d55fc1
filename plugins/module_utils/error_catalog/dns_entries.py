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
    ErrorEntry(
        "dns-changed", "dns", "NXRRSET", "the records have changed since they were read",
        "Run the task again: it reads the current records first.", transient=True, source=_UPDATE,
        sample="update failed: NXRRSET"),
    ErrorEntry(
        "dns-changed", "dns", "YXRRSET", "a record of this type was created there since the name was read",
        "Run the task again: it reads the current records first.", transient=True, source=_UPDATE,
        sample="update failed: YXRRSET"),
    ErrorEntry(
        "dns-name-in-use", "dns", "YXDOMAIN", "the name has records of another type, and a name with a CNAME record has no other",
        "Remove these records, or set another return_path, and run the task again.", source=f"{_UPDATE}; RFC 1034, section 3.6.2",
        sample="update failed: YXDOMAIN"),
    ErrorEntry(
        "dns-refused", "dns", "REFUSED", "the DNS server's policy forbids this update",
        "Allow the TSIG key to update records of this type at this name (BIND: update-policy or allow-update).", source=_UPDATE,
        variables=("spf_server", "spf_tsig_name"),
        sample="update failed: REFUSED"),
    ErrorEntry(
        "dns-not-authoritative", "dns", "NOTAUTH", "the DNS server is not the primary of this zone, or does not accept the signature",
        "Set spf_server to the zone's primary server, spf_zone to the zone, and use a TSIG key of that server.", source=_UPDATE,
        variables=("spf_server", "spf_zone", "spf_tsig_name"),
        sample="update failed: NOTAUTH"),
    ErrorEntry(
        "dns-not-in-zone", "dns", "NOTZONE", "the name is not in this zone",
        "Correct spf_zone, or omit it so that it is looked up.", source=_UPDATE,
        variables=("spf_zone",),
        sample="update failed: NOTZONE"),
    ErrorEntry(
        "dns-no-updates", "dns", "NOTIMP", "the DNS server does not support updates",
        "Use a server that accepts RFC 2136 updates, or publish the record by other means.", source=_UPDATE,
        variables=("spf_server", "spf_provider"),
        sample="update failed: NOTIMP"),
    ErrorEntry(
        "dns-server-failed", "dns", "SERVFAIL", "the DNS server failed", "Try again later, and check the server's log.",
        transient=True, source=_UPDATE,
        sample="update failed: SERVFAIL"),
    ErrorEntry(
        "tsig-key", "dns", "BADKEY", "the DNS server does not know the TSIG key",
        "Set spf_tsig_name and spf_tsig_algorithm as in the server's configuration.", source=_TSIG,
        variables=("spf_tsig_name", "spf_tsig_algorithm"),
        sample="update failed: NOTAUTH(BADKEY)"),
    ErrorEntry(
        "tsig-signature", "dns", "BADSIG", "the TSIG key's secret is wrong", "Correct spf_tsig_secret.", source=_TSIG,
        variables=("spf_tsig_secret",),
        sample="update failed: NOTAUTH(BADSIG)"),
    ErrorEntry(
        "tsig-time", "dns", "BADTIME", "the clocks of this host and of the DNS server differ by more than five minutes",
        "Synchronize both clocks (NTP).", source=_TSIG,
        sample="update failed: NOTAUTH(BADTIME)"),
)
# fmt: on
