"""Named faults of the DNS service. Their facts are name, type, transport and operation."""

from __future__ import annotations

import dns.rcode

SILENCE, TRUNCATED = "timeout", "truncated"
CODES = {
    "servfail": dns.rcode.SERVFAIL,
    "refused": dns.rcode.REFUSED,
    "nxdomain": dns.rcode.NXDOMAIN,
    "notimp": dns.rcode.NOTIMP,
}
NAMES = (SILENCE, TRUNCATED, *CODES)  # truncated: by UDP only
