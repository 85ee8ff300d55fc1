# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long each service may take and how often it is asked: all timeouts, back-offs and polling intervals, in seconds.

Sources: "Microsoft Graph throttling guidance"; the retry policy of Microsoft's Exchange Online PowerShell module (five
retries, two seconds doubled, Retry-After obeyed; 15 minutes for one command).
"""

from __future__ import annotations

from dataclasses import dataclass

from .waiting import Backoff

THROTTLED = Backoff(first=2.0, longest=60.0, jitter=0.2, attempts=6, budget=300.0)  # refused, or a transient fault
CONNECTION = Backoff(first=1.0, longest=30.0, jitter=0.2, attempts=3)  # no connection, or a lost answer


@dataclass(frozen=True)
class Bounds:
    """The bounds of one HTTP service's requests. Throttled answers and lost connections are counted apart."""

    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    throttled: Backoff = THROTTLED
    connection: Backoff = CONNECTION


SIGN_IN = Bounds()  # token endpoints, managed identity endpoints, a pipeline's token service
SERVICES = {
    "graph": Bounds(read_timeout=120.0),  # a $batch of 20 writes
    "exchange": Bounds(read_timeout=960.0),  # one command may take 15 minutes
    "management": Bounds(read_timeout=120.0),
}

HOSTED_RELAY = Bounds()  # the API of a hosted relay
# SMTP2GO names no time in its 429; it refuses an address for at least a minute.
SMTP2GO = Bounds(throttled=Backoff(first=60.0, longest=60.0, jitter=0.1, attempts=5, budget=300.0))
# Mailgun limits the validations in a minute, and names no time in that 429.
MAILGUN_VERIFICATION = Bounds(throttled=Backoff(first=15.0, longest=60.0, jitter=0.2, attempts=6, budget=300.0))
HOSTED_VALIDATION = Backoff(first=5.0, longest=30.0)  # until a zone's servers have records that were just published
HOSTED_CREDENTIAL = Backoff(first=2.0, longest=10.0, budget=60.0)  # until SMTP accepts a new credential
MAILGUN_REMOVAL = Backoff(first=1.0, longest=15.0, budget=300.0)  # until a removed domain is no longer listed

# A new object is not visible to every server of the service at once. m365_wait_timeout bounds these.
GRAPH_REPLICATION = Backoff(first=1.0, longest=15.0)
EXCHANGE_REPLICATION = Backoff(first=2.0, longest=30.0)
ROLE_PROPAGATION = Backoff(first=5.0, longest=30.0)  # a role that was granted, in tokens and services
SMTP_PROPAGATION = Backoff(first=5.0, longest=30.0)

ARM_OPERATION = Backoff(first=5.0, longest=5.0)  # an Azure operation that continues after its answer
DEVICE_CODE = Backoff(first=5.0, longest=5.0)  # where the device code flow names no interval (RFC 8628)

SMTP_TIMEOUT = 30.0
DNS_TIMEOUT, DNS_LIFETIME = 2.0, 6.0  # one attempt; all attempts of a query at all servers
DNS_UPDATE_TIMEOUT = 10.0
TOKEN_COMMAND_TIMEOUT = 60.0  # a token store's program
