# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names in a certificate, from its DER (RFC 5280). The standard library reads them only from certificates that are trusted."""

from __future__ import annotations

from .observations import Certificate

_COMMON_NAME, _ORGANISATION = b"\x55\x04\x03", b"\x55\x04\x0a"  # id-at 3 and 10
_SEQUENCE, _VERSION = 0x30, 0xA0


def read_certificate(der: bytes, problem: str = "") -> Certificate:
    """Issuer and subject; empty texts where the data is no certificate."""
    try:
        _tag, certificate, _rest = _element(der)
        _tag, signed, _rest = _element(certificate)
        tag, _version, rest = _element(signed)
        if tag != _VERSION:  # version 1 has no such field
            rest = signed
        _serial, rest = _skip(rest)
        _algorithm, rest = _skip(rest)
        issuer, rest = _skip(rest)
        _validity, rest = _skip(rest)
        subject, rest = _skip(rest)
        names, of_subject = _names(issuer), _names(subject)
    except (IndexError, ValueError):
        return Certificate(problem=problem)
    return Certificate(names.get(_ORGANISATION, ""), names.get(_COMMON_NAME, ""), of_subject.get(_COMMON_NAME, ""), problem)


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """Tag, content and what follows; IndexError or ValueError where the data ends before."""
    tag, length, start = data[0], data[1], 2
    if length & 0x80:
        count = length & 0x7F
        length, start = int.from_bytes(data[2 : 2 + count], "big"), 2 + count
    if start + length > len(data):
        raise ValueError("the element is longer than the data")
    return tag, data[start : start + length], data[start + length :]


def _skip(data: bytes) -> tuple[bytes, bytes]:
    _tag, content, rest = _element(data)
    return content, rest


def _names(name: bytes) -> dict[bytes, str]:
    """Attribute -> text of a Name; the last one of several. BMPString and the like are read as they are."""
    result: dict[bytes, str] = {}
    while name:
        attributes, name = _skip(name)
        while attributes:
            pair, attributes = _skip(attributes)
            kind, rest = _skip(pair)
            tag, text, _rest = _element(rest)
            result[kind] = _one_line(text.decode("utf-16-be" if tag == 0x1E else "utf-8", "replace"))
    return result


def _one_line(text: str) -> str:
    """Without line breaks and control characters: an appliance names itself."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:100]
