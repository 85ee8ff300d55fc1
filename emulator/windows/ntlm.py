"""NTLM and Negotiate of one connection: the handshake, channel bindings, and message encryption (MS-NLMP, MS-WSMV section 2.2.9.1)."""

from __future__ import annotations

import contextlib
import os
import re
import struct
import tempfile
from collections.abc import Iterator

import spnego
from spnego._ntlm_raw.crypto import lmowfv1, ntowfv1  # the acceptor's own format of hashed passwords, which it has no public writer for
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

from emulator.state import WindowsHost

BOUNDARY = b"--Encrypted Boundary"
PROTOCOL = "application/HTTP-SPNEGO-session-encrypted"
ENCRYPTED_TYPE = f'multipart/encrypted;protocol="{PROTOCOL}";boundary="Encrypted Boundary"'
_OCTETS = b"\tContent-Type: application/octet-stream\r\n"
_CHANNEL_BINDINGS = 10  # MsvAvChannelBindings (MS-NLMP, AV_PAIR)


class MessageError(Exception):
    """An encrypted message that cannot be read."""


class Negotiation:
    """A security context of a connection. `bindings`: those of its TLS channel; `strict`: the client must name them."""

    def __init__(self, host: WindowsHost, bindings: GssChannelBindings | None, *, strict: bool) -> None:
        self._host, self._bindings, self._strict = host, bindings, strict
        with _credentials(host):
            self._context = spnego.server(protocol="negotiate", options=spnego.NegotiateOptions.use_negotiate)

    @property
    def complete(self) -> bool:
        return self._context.complete

    @property
    def principal(self) -> str:
        """The user who has signed in, as DOMAIN\\USER or USER."""
        return self._context.client_principal or ""

    def step(self, token: bytes) -> bytes | None:
        """The answer to a token; None where the handshake fails or there is none. `complete` says whether it succeeded."""
        bindings = self._bindings if self._strict or _has_bindings(token) else None
        try:
            with _credentials(self._host):
                return self._context.step(token, channel_bindings=bindings)
        except SpnegoError:
            return None

    def unwrap(self, data: bytes) -> bytes:
        """The plain text of an encrypted message."""
        match = re.match(re.escape(BOUNDARY) + rb"\r\n(.*?)\r\n" + re.escape(BOUNDARY) + rb"\r\n", data, re.DOTALL)
        length = re.search(rb"Length=(\d+)", match[1]) if match else None
        if not match or not length or not data[match.end() :].startswith(_OCTETS):
            raise MessageError("no parts")
        sealed = data[match.end() + len(_OCTETS) :].removesuffix(BOUNDARY + b"--\r\n")
        (size,) = struct.unpack_from("<i", sealed)
        try:
            plain = self._context.unwrap_winrm(sealed[4 : 4 + size], sealed[4 + size :])
        except SpnegoError as error:
            raise MessageError(str(error)) from None
        if len(plain) != int(length[1]):
            raise MessageError("another length")
        return plain

    def wrap(self, plain: bytes) -> bytes:
        wrapped = self._context.wrap_winrm(plain)
        head = f"\tContent-Type: {PROTOCOL}\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(plain)}\r\n"
        sealed = struct.pack("<i", len(wrapped.header)) + wrapped.header + wrapped.data
        return BOUNDARY + b"\r\n" + head.encode() + BOUNDARY + b"\r\n" + _OCTETS + sealed + BOUNDARY + b"--\r\n"


@contextlib.contextmanager
def _credentials(host: WindowsHost) -> Iterator[None]:
    """The accounts as the file that the acceptor reads (NTLM_USER_FILE, the format of smbpasswd), for the time of a step."""
    with tempfile.NamedTemporaryFile("w", prefix="emulator-ntlm-", encoding="utf-8") as file:
        for user in host.users:
            hashes = f"1000:{lmowfv1(user.password).hex()}:{ntowfv1(user.password).hex()}:[U]:LCT-0"
            file.writelines(f"{domain}{user.name}:{hashes}\n" for domain in ("", f"{host.name}\\", ".\\"))
        file.flush()
        os.environ["NTLM_USER_FILE"] = file.name
        try:
            yield
        finally:
            del os.environ["NTLM_USER_FILE"]


def _has_bindings(token: bytes) -> bool:
    """Whether an AUTHENTICATE_MESSAGE names channel bindings (MS-NLMP, sections 2.2.1.3 and 2.2.2.7)."""
    start = token.find(b"NTLMSSP\0\x03\0\0\0")
    if start < 0 or len(token) < start + 28:
        return False
    length, _, offset = struct.unpack_from("<HHI", token, start + 20)
    pairs, at = token[start + offset : start + offset + length], 44
    while at + 4 <= len(pairs):
        kind, size = struct.unpack_from("<HH", pairs, at)
        if kind in (0, _CHANNEL_BINDINGS):
            return bool(kind)
        at += 4 + size
    return False
