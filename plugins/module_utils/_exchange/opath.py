# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values in OPATH filters of Exchange. Source: "Filterable properties for the Filter parameter on Exchange cmdlets"."""

from __future__ import annotations

from collections.abc import Iterable


def literal(value: str) -> str:
    """A text in single quotation marks; one inside the text is doubled. No other character has a meaning there."""
    return "'" + value.replace("'", "''") + "'"


def equals(name: str, value: str) -> str:
    """The comparison of a property with a text."""
    return f"{name} -eq {literal(value)}"


def any_of(filters: Iterable[str]) -> str:
    """The filter that is true where one of the comparisons is."""
    return " -or ".join(filters)
