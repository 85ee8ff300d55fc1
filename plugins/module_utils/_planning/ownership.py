# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks of what this collection creates, with an owner, so that two inventories can share a tenant: each removes only its own."""

from __future__ import annotations

import re

DEFAULT_OWNER = "mailops"
RECORD_NAME = "mailops-record"  # the unique name of the application whose tags record what was created
COMMENT_LENGTH = 255
_MARK = re.compile(r"mailops\.m365 \[([^\]]*)\] ?", re.IGNORECASE)
_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


def problems(owner: str) -> list[str]:
    """The problem of an owner's name, if it has one."""
    if _OWNER.fullmatch(owner):
        return []
    return [f"m365_owner is {owner!r}: use 1 to 32 letters, digits, underscores and hyphens, beginning with a letter or digit."]


def application_problems(unique_name: str) -> list[str]:
    """The problem of an application's unique name that this collection reserves."""
    if unique_name.lower() != RECORD_NAME:
        return []
    return [f"unique_name is {unique_name!r}, the application with this collection's own record: choose another name."]


def comment(owner: str, text: str) -> str:
    """A comment with the owner's mark."""
    return f"{_mark(owner)} {text}"[:COMMENT_LENGTH]


def is_marked(text: str, owner: str) -> bool:
    """Whether a comment has the owner's mark."""
    return text.lower().startswith(_mark(owner).lower())


def owner_of(text: str) -> str:
    """The owner in the mark of a comment; "" where it has none."""
    match = _MARK.match(text)
    return match[1] if match else ""


def described(text: str) -> str:
    """A comment without its mark."""
    return _MARK.sub("", text)


def _mark(owner: str) -> str:
    return f"mailops.m365 [{owner}]"
