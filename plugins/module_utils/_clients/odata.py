# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values in OData keys and filters of Microsoft Graph and Azure. Source: OData 4.01, "URL Conventions" (a quotation mark is doubled)."""

from __future__ import annotations

from urllib.parse import quote


def key(value: str) -> str:
    """A value between the quotation marks of a key or filter, or in a path: quotation marks doubled, percent-encoded."""
    return quote(value.replace("'", "''"), safe="")


def equals(name: str, value: str) -> str:
    """The filter that compares a property with a text, percent-encoded."""
    return f"{name}%20eq%20'{key(value)}'"
