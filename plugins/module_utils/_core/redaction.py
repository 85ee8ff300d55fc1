# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Redaction of secrets in texts: a service or proxy may repeat a request in its answer, which is logged."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "********"


def hide(text: str, secrets: Iterable[str]) -> str:
    """A text without the secrets: neither plain nor as JSON, as a form or as base64 (SMTP AUTH) writes them."""
    for secret in secrets:
        for form in sorted(_forms(secret), key=len, reverse=True):
            text = text.replace(form, HIDDEN)
    return text


def hide_all(value: Any, secrets: Iterable[str]) -> Any:
    """Plain data without the secrets."""
    if isinstance(value, str):
        return hide(value, secrets)
    if isinstance(value, dict):
        return {name: hide_all(item, secrets) for name, item in value.items()}
    return [hide_all(item, secrets) for item in value] if isinstance(value, list) else value


def _forms(secret: str) -> set[str]:
    if not secret:
        return set()
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret, safe=""),
        quote_plus(secret),
        base64.b64encode(secret.encode()).decode(),
    }
