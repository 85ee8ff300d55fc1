"""Base64 of SASL exchanges (RFC 4954)."""

from __future__ import annotations

import base64
import binascii

from emulator.smtp import texts
from emulator.smtp.texts import Refused


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def decoded(text: str) -> bytes:
    """What a client sent; "=" is an empty initial response, and "*" cancels."""
    if text == "=":
        return b""
    if text == "*":
        raise Refused(texts.CANCELLED)
    try:
        return base64.b64decode(text.encode("utf-8", "surrogateescape"), validate=True)
    except binascii.Error:
        raise Refused(texts.BAD_BASE64) from None
