# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sender Policy Framework (RFC 7208): parse a record, count its DNS lookups, build the record to publish, evaluate an address.

Sends no DNS query itself; callers pass a `Resolver` (plugins/module_utils/_clients/dns.py).
"""

from __future__ import annotations

from .check import CheckResult, check_host
from .desired import POLICIES, desired_record
from .dns_answer import Answer, Resolver
from .lookups import MAX_LOOKUPS, MAX_VOID_LOOKUPS, LookupNode, count_lookups
from .problems import Problem, find_problems
from .record import Record, Term, chunks, included_domains, is_spf, parse

__all__ = [
    "MAX_LOOKUPS",
    "MAX_VOID_LOOKUPS",
    "POLICIES",
    "Answer",
    "CheckResult",
    "LookupNode",
    "Problem",
    "Record",
    "Resolver",
    "Term",
    "check_host",
    "chunks",
    "count_lookups",
    "desired_record",
    "find_problems",
    "included_domains",
    "is_spf",
    "parse",
]
