# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Redaction of secrets in texts: a service or proxy may repeat a request in its answer, which is logged.

A secret that could be a word or a number (`is_ordinary`) is replaced at word boundaries only. In the collection's own texts, such as the
sentences of the error catalog, it is replaced only where a value stands: quoted, assigned, or part of a URL. Every other secret is
replaced wherever it stands.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "********"
SERVICE_MESSAGE = "service_message"  # the key of a service's text in a result
_SHORT, _WORD = 8, 16  # characters
# Not a letter or digit before it, unless they belong to an escape sequence of a URL (%3A) or of JSON (\n, \u0001).
_BEFORE = r"(?:(?<!\w)|(?<=%[0-9A-Fa-f]{2})|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4}))"
_AFTER = r"(?!\w)"
_ASSIGNED, _ENDED, _QUOTE = r'(?<=[="`&?@/|<:])', r'(?=["`&|@])', r"(?<!\w)'"
_BASE64_RUN = re.compile(r"(?:[A-Za-z0-9+/_-]|%2[BbFf])+(?:=|%3[Dd]){0,2}")
_DOT_NET_ESCAPED = "\"'&<>+`"  # what System.Text.Json writes as \uXXXX


def hide(text: str, secrets: Iterable[str]) -> str:
    """A service's text without the secrets: neither plain nor as JSON, HTML, a URL, a form or base64 (SMTP AUTH, HTTP) writes them."""
    return _hidden(text, secrets, own=False)


def hide_in_own(value: Any, secrets: Iterable[str]) -> Any:
    """Plain data of the collection without the secrets. Values named `service_message` are texts of services."""
    secrets = list(secrets)
    if isinstance(value, str):
        return _hidden(value, secrets, own=True)
    if isinstance(value, dict):
        return {
            name: hide(item, secrets) if name == SERVICE_MESSAGE and isinstance(item, str) else hide_in_own(item, secrets)
            for name, item in value.items()
        }
    return [hide_in_own(item, secrets) for item in value] if isinstance(value, list) else value


def is_ordinary(secret: str) -> bool:
    """Whether a secret could be a word or a number: fewer than 8 characters, or fewer than 16 that are all letters or all digits."""
    return len(secret) < _SHORT or (len(secret) < _WORD and (secret.isalpha() or secret.isdigit()))


def _hidden(text: str, secrets: Iterable[str], *, own: bool) -> str:
    for secret in sorted({secret for secret in secrets if secret}, key=len, reverse=True):
        if own and text == secret:
            return HIDDEN
        ordinary = is_ordinary(secret)
        for form in _forms(secret):
            if form in text:
                text = _pattern(form, own).sub(HIDDEN, text) if ordinary else text.replace(form, HIDDEN)
        if any(core in text for core in _base64_cores(secret)):
            text = _BASE64_RUN.sub(partial(_without, secret), text)
    return text


@lru_cache(maxsize=512)
def _pattern(form: str, own: bool) -> re.Pattern[str]:
    """A form of an ordinary secret at word boundaries; `own`: where a value stands."""
    before = _BEFORE if _is_word(form[0]) else ""
    after = _AFTER if _is_word(form[-1]) else ""
    escaped = re.escape(form)
    if not own:
        return re.compile(f"{before}{escaped}{after}")
    return re.compile(f"{before}(?:{_ASSIGNED}{escaped}{after}|{escaped}{_ENDED}|(?<={_QUOTE}){escaped}(?='))")


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


@lru_cache(maxsize=512)
def _forms(secret: str) -> tuple[str, ...]:
    """The texts that mean the secret, the longest first."""
    plain_json = json.dumps(secret, ensure_ascii=False)[1:-1]
    urls = {quote(secret, safe=""), quote_plus(secret), quote(secret)}
    forms = {
        secret,
        plain_json,
        plain_json.replace("/", "\\/"),
        json.dumps(secret)[1:-1],
        *_dot_net(secret),
        html.escape(secret),
        html.escape(secret, quote=False),
        *urls,
        *map(_lower_escapes, urls),
    }
    return tuple(sorted(forms, key=len, reverse=True))


def _lower_escapes(url: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda escape: escape.group().lower(), url)


def _dot_net(secret: str) -> Iterator[str]:
    """The secret in JSON of .NET, whose hexadecimal digits are upper case in System.Text.Json."""
    text = json.dumps(secret)[1:-1].replace('\\"', '"')
    escaped = "".join(f"\\u{ord(c):04x}" if c in _DOT_NET_ESCAPED else c for c in text)
    yield escaped
    yield re.sub(r"\\u[0-9a-f]{4}", lambda escape: "\\u" + escape.group()[2:].upper(), escaped)


# -- base64 -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def _base64_cores(secret: str) -> tuple[str, ...]:
    """What every base64 text has that encodes the secret, by the secret's place in a group of three bytes; "" where that is nothing."""
    content = secret.encode()
    cores = set()
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + content).decode()
        core = encoded[-(-8 * offset // 6) : 8 * (offset + len(content)) // 6]
        escaped = quote(core, safe="")
        cores |= {core, core.replace("+", "-").replace("/", "_"), escaped, _lower_escapes(escaped)}
    return tuple(cores)


def _without(secret: str, run: re.Match[str]) -> str:
    return HIDDEN if _encodes(run.group(), secret) else run.group()


def _encodes(run: str, secret: str) -> bool:
    """Whether a run of base64 characters encodes the secret. What precedes the encoded text may be part of the run."""
    text = re.sub("%2b", "+", re.sub("%2f", "/", re.sub("%3d", "=", run, flags=re.I), flags=re.I), flags=re.I)
    text = text.rstrip("=").replace("-", "+").replace("_", "/")
    ordinary = is_ordinary(secret)
    for start in range(min(4, len(text))):
        group = text[start:]
        group = group[:-1] if len(group) % 4 == 1 else group
        try:
            content = base64.b64decode(group + "=" * (-len(group) % 4))
        except binascii.Error:
            continue
        if ordinary and _is_text(content, secret) and _pattern(secret, own=False).search(content.decode()):
            return True
        if not ordinary and secret.encode() in content:
            return True
    return False


def _is_text(content: bytes, secret: str) -> bool:
    """Whether bytes are a text that may hold the secret; SMTP AUTH separates its parts with NUL and SOH (RFC 4616, XOAUTH2)."""
    try:
        return all(c.isprintable() or c in "\0\1\t\r\n" or c in secret for c in content.decode())
    except UnicodeDecodeError:
        return False
