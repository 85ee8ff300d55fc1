# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The limits of the judgement, with their sources. Nothing else in _diagnosis/ has a number that decides about a finding."""

from __future__ import annotations

# Share of segments that had to be sent again. Microsoft, "Prepare your organization's network for Teams": less than 1 % in any 15 seconds.
# Twice that, and at least LOST_SEGMENTS: the sessions of a run have some hundred segments, of which one is a large share.
LOSS = 0.02
LOST_SEGMENTS = 3

# Round-trip time in ms. A session up to the first command after TLS takes some eight round trips (RFC 5321, RFC 3207, RFC 8446). At
# 500 ms that is 4 s, and a message with ten recipients that are not pipelined takes ten seconds. Microsoft documents 100 ms for calls in
# Teams, which mail does not need. The value is this collection's own.
LATENCY = 500.0

# Sessions after which a series of failures is a limit on connections: so many have to fail at the end, and none may succeed after them.
FAILURES_AT_END = 2

# Keywords of Exchange Online's reply to EHLO that are expected. More than one that is missing is a rewritten reply; a single one may be a
# change by Microsoft. Source: transcripts of smtp.office365.com of 2024-07, and RFC 1870, 2920, 2034, 6152, 3030.
EXPECTED_KEYWORDS = ("SIZE", "PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "CHUNKING")
MISSING_KEYWORDS = 2

# Part of Exchange Online's greeting. Microsoft, "Fix issues with printers, scanners, and LOB applications that send email".
MICROSOFT_BANNER = "Microsoft ESMTP MAIL Service"

# Segments in bytes for which the path is tried where full-size sessions time out: 1460 is Ethernet (RFC 879, RFC 894), 536 the least that
# every IPv4 path carries (RFC 9293, section 3.7.1). A path MTU is 40 bytes more (IPv4 and TCP headers without options).
SEGMENTS = (536, 1000, 1180, 1220, 1260, 1300, 1340, 1380, 1420)
HEADERS = 40

# Networks that no public server has: RFC 1918, RFC 6598, RFC 3927, RFC 1122 (0/8, 127/8), RFC 4193, RFC 4291.
PRIVATE_NETWORKS = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8", "0.0.0.0/8", "fc00::/7",
    "fe80::/10", "::/127",
)  # fmt: skip
