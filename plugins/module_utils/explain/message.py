# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The readable text of what a user pastes: a message in MIME format (RFC 2045), HTML, or plain text."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from email.message import Message
from html.parser import HTMLParser

_HTML = re.compile(r"<(?:html|body|head|div|p|br|table|td|span|font)(?:\s[^<>]*)?/?>", re.IGNORECASE)
_BOUNDARY = re.compile(r"--([\w'()+,./:=?-]{1,70})\r?\n(?=content-)", re.IGNORECASE)
# A reply in the log of the SMTP server of Windows (IIS), whose fields have + for a blank.
_PLUS = re.compile(r"(?<!\S)[245]\d\d\+[245]\.\d{1,3}\.\d{1,3}\+\S+")
_BLOCKS = {"p", "div", "br", "tr", "td", "th", "li", "table", "h1", "h2", "h3", "h4", "pre", "hr", "title"}
_UNREAD = {"style", "script"}


def readable(text: str) -> str:
    """The text of all parts, one after the other, with lines separated by \\n. The returned original of a bounce is not part of it."""
    text = text.lstrip("\ufeff \r\n")
    boundary = _BOUNDARY.match(text)
    message = email.message_from_bytes(
        (f'Content-Type: multipart/mixed; boundary="{boundary[1]}"\n\n{text}' if boundary else text).encode("utf-8", "replace")
    )
    if message.is_multipart() or message["Content-Transfer-Encoding"]:
        text = "\n\n".join(_parts(message)) or text
    plain = _without_markup(text).replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
    return _PLUS.sub(lambda reply: reply[0].replace("+", " "), plain)


def _parts(message: Message) -> Iterator[str]:
    """The text parts, and the fields of a delivery status (RFC 3464)."""
    kind = message.get_content_type()
    content = message.get_payload()
    if kind == "message/delivery-status" and isinstance(content, list):
        yield from ("\n".join(f"{name}: {value}" for name, value in fields.items()) for fields in content if isinstance(fields, Message))
    elif kind.startswith("multipart/") and isinstance(content, list):
        for part in content:
            if isinstance(part, Message):
                yield from _parts(part)
    elif kind in ("text/plain", "text/html"):
        yield _without_markup(_decoded(message))


def _decoded(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    try:
        return content.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return content.decode("utf-8", "replace")


class _Text(HTMLParser):
    """Collects the text of an HTML document."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unread += tag in _UNREAD
        if tag in _BLOCKS:
            self.texts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._unread -= tag in _UNREAD and self._unread > 0
        if tag in _BLOCKS:
            self.texts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.texts.append(data)


def _without_markup(text: str) -> str:
    if not _HTML.search(text):
        return text
    parser = _Text()
    parser.feed(text)
    parser.close()
    return "".join(parser.texts)
