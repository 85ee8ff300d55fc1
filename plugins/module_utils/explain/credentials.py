# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The credentials in a pasted text, which no output repeats."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .._core.redaction import hide

_NAME = r"""(?i:passw(?:or)?d|pwd|passphrase|secret|token|assertion|api[_-]?key|device_code|credential)["']?\s*"""
# Each has one group: the credential.
_CREDENTIALS = (
    # password=..., "client_secret": "...", and relay_password: ... of YAML, but not a sentence after a colon.
    _NAME + r"""[:=]\s*"((?:[^"\\]|\\.)+)\"""",
    _NAME + r"""[:=]\s*'([^']+)'""",
    _NAME + r"""=\s*([^\s"'&,;}<>]+)""",
    _NAME + r"""(?m::[ \t]*([^\s"'&,;}<>]+)[ \t]*$)""",
    _NAME + r""":[ \t]*(?!AADSTS|[245]\d\d\b)([^\s"'&,;}<>]*[\d!$%*+/@\\^~-][^\s"'&,;}<>]*)""",
    r"(?i)\b(?:Bearer|Authorization\W+Basic)\s+([\w.~+/=-]{6,})",
    r"(?i)\bAUTH\s+(?:PLAIN|LOGIN|XOAUTH2|OAUTHBEARER|CRAM-MD5)\s+([\w+/=-]+)",
    r"(?m)^.*\b334\s.*\n\W*(?:[A-Za-z]+:\s*)?([\w+/=-]{2,})\s*$",  # the answer to a challenge of SMTP AUTH
    r"://[^/\s:@]*:([^@\s/]+)@",
    r"\b(eyJ[\w-]+\.[\w.-]+)",  # a JSON web token
    r"\b([\w.~-]{3}\dQ~[\w.~-]{20,})",  # a client secret of Entra
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}")  # of a token or key; a long word without a digit is none


def without_credentials(text: str, pasted: str) -> str:
    """Part of a pasted text without the credentials that stand anywhere in the whole."""
    return hide(text, _values(pasted))


def _values(text: str) -> Iterator[str]:
    yield from {value for pattern in _CREDENTIALS for value in re.findall(pattern, text)}
    yield from (value for value in _BASE64.findall(text) if re.search(r"\d", value))
