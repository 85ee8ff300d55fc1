"""The report "SMTP AUTH clients" of the Exchange admin center, as a person exports it: a CSV file in one of three dialects.

Source: "SMTP AUTH clients submission report in the new Exchange admin center". Its header line is not published; the columns are those of
the page. Rows come from the messages that client submission accepted in 90 days.
"""

from __future__ import annotations

import csv
import io
from collections import Counter

from emulator.platform import Platform
from emulator.state import DAY, Tenant

HEADER = ("Sender address", "Domain", "Authentication protocol", "No TLS", "TLS 1.0", "TLS 1.1", "TLS 1.2", "Messages sent")
PROTOCOLS = {"submission": "OAuth", "submission-login": "Basic"}
COVERED = 90 * DAY
# Delimiter, encoding, and how a share of 1 is written.
DIALECTS = {"commas": (",", "utf-8-sig", "1"), "tabs": ("\t", "utf-16", "1"), "semicolons": (";", "utf-8", "100 %")}


def export(platform: Platform, tenant: Tenant, dialect: str) -> bytes:
    """The export of a tenant. `dialect`: a key of DIALECTS."""
    delimiter, encoding, whole = DIALECTS[dialect]
    oldest = platform.now - COVERED
    sent = Counter(
        (message.mail_from.lower(), PROTOCOLS[message.via])
        for message in platform.state.messages
        if message.tenant_id == tenant.id and message.via in PROTOCOLS and message.received > oldest
    )
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(HEADER)
    for (sender, protocol), number in sorted(sent.items()):
        writer.writerow((sender, sender.rpartition("@")[2], protocol, "0", "0", "0", whole, number))
    return text.getvalue().encode(encoding)
