# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sender Policy Framework (RFC 7208), without a single look-up of its own: read a record, count what it costs, make the
record to publish, and judge an address. Whoever asks DNS hands in an `Answers` (plugins/module_utils/_clients/dns.py).

Private to the collection.
"""

from __future__ import annotations

from .answer import Answer, Answers
from .check import Verdict, check_host
from .cost import LOOKUPS, VOIDS, Cost, cost_of
from .desired import POLICIES, wanted_record
from .problems import Problem, judge
from .record import Record, Term, chunks, is_spf, parse

__all__ = [
    "LOOKUPS",
    "POLICIES",
    "VOIDS",
    "Answer",
    "Answers",
    "Cost",
    "Problem",
    "Record",
    "Term",
    "Verdict",
    "check_host",
    "chunks",
    "cost_of",
    "is_spf",
    "judge",
    "parse",
    "wanted_record",
]
