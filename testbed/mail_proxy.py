"""What stands between a device and the mail servers: appliances that change, inspect, limit or redirect SMTP sessions.

`python -m testbed.mail_proxy KIND PORT [--certificate FILE] [--after NUMBER]` serves in the test network's hub. A rule of the hub's packet
filter (testbed/mail_path.py) leads connections here; their original destination is asked of the kernel.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import select
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable
from typing import BinaryIO

_ORIGINAL_DESTINATION = 80  # linux/netfilter_ipv4.h
_STARTTLS = re.compile(rb"^250([ -])STARTTLS\r\n", re.IGNORECASE)
# The type of the extension supported_versions and the first byte of its length (RFC 8446); clients without TLS 1.3 do not send it.
_OFFERS_TLS_13 = b"\x00\x2b\x00"
# What Cisco ASA's inspection leaves of the keywords; others are masked ("SMTP and Extended SMTP Inspection").
_KEPT = (b"SIZE", b"8BITMIME", b"PIPELINING", b"DSN")


class Connection:
    """A client's connection, and the one to the server that it wanted."""

    def __init__(self, client: socket.socket, context: ssl.SSLContext | None) -> None:
        self.client, self._context = client, context
        data = client.getsockopt(socket.SOL_IP, _ORIGINAL_DESTINATION, 16)
        port, address = struct.unpack_from("!2xH4s", data)
        self.destination = (socket.inet_ntoa(address), port)
        self._server: socket.socket | None = None

    @property
    def server(self) -> socket.socket:
        """The connection to the server, which the first use makes."""
        if self._server is None:
            self._server = socket.create_connection(self.destination, 60)
        return self._server

    def lines(self) -> tuple[BinaryIO, BinaryIO]:
        """The client's and the server's lines."""
        return self.client.makefile("rb"), self.server.makefile("rb")

    def start_tls(self, *, upstream: bool = False) -> None:
        """End the client's TLS with the proxy's certificate; `upstream`: and start TLS with the server, whatever its certificate."""
        if self._context is None:
            raise OSError("this proxy has no certificate")
        self.client = self._context.wrap_socket(self.client, server_side=True)
        if upstream:
            trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
            self._server = trusting.wrap_socket(self.server)

    def pass_on(self) -> None:
        """Everything unchanged, both ways, until one side ends. One thread, for a TLS connection is not to be used by two."""
        other = {self.client: self.server, self.server: self.client}
        self.server.settimeout(None)
        while True:
            buffered = [sock for sock in other if isinstance(sock, ssl.SSLSocket) and sock.pending()]
            for source in buffered or select.select(list(other), [], [])[0]:
                data = _received(source)
                if data == b"":
                    return
                other[source].sendall(data or b"")

    def reset(self) -> None:
        """Close with RST, as a packet filter does."""
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.client.close()

    def close(self) -> None:
        for sock in (self.client, self._server):
            if sock:
                sock.close()


def _received(source: socket.socket) -> bytes | None:
    """What has arrived: empty at the end, None where it is a record of TLS without data (RFC 8446: a session ticket)."""
    source.setblocking(False)
    try:
        return source.recv(16384)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return None
    finally:
        source.setblocking(True)


def _pass(one: Connection) -> None:
    """Changes nothing."""
    one.pass_on()


def _reply(server: BinaryIO, change: Callable[[bytes], bytes]) -> bytes:
    """The lines of a reply, each changed; without those that are empty then. Empty where the server has ended."""
    lines = []
    while line := server.readline():
        lines.append(change(line))
        if line[3:4] != b"-":
            break
    kept = [line for line in lines if line]
    return b"".join([*kept[:-1], *(last[:3] + b" " + last[4:] for last in kept[-1:])])


def _converse(one: Connection, reply: Callable[[bytes], bytes], command: Callable[[bytes], bytes]) -> None:
    """Line by line, each changed by a function, until a side ends; an empty command ends the client with RST."""
    client, server = one.lines()
    while answer := _reply(server, reply):
        one.client.sendall(answer)
        line = client.readline()
        changed = command(line) if line else b""
        if not changed:
            if line:
                one.reset()
            return
        one.server.sendall(changed)


def _same(line: bytes) -> bytes:
    return line


def _strip(one: Connection) -> None:
    """Removes STARTTLS from the reply to EHLO."""
    _converse(one, lambda line: b"" if _STARTTLS.match(line) else line, _same)


def _mask(one: Connection) -> None:
    """Cisco ASA's inspection: greeting and keywords are masked, their lengths kept."""

    def reply(line: bytes) -> bytes:
        if line.startswith(b"220"):
            return b"220 " + b"*" * (len(line) - 6) + b"\r\n"
        word = line[4:].split()[0] if line.startswith(b"250") and line[4:].split() else b""
        is_keyword = word.isupper() and b"." not in word and not word.startswith(_KEPT)
        return line[:4] + b"X" * (len(line) - 7) + b"A\r\n" if is_keyword else line

    _converse(one, reply, _same)


def _rewrite(one: Connection) -> None:
    """Lets the offer of STARTTLS pass, and changes the command."""
    _converse(one, _same, lambda line: b"XXXXXXXX\r\n" if line.upper().startswith(b"STARTTLS") else line)


def _reset(one: Connection) -> None:
    """Cuts the connection off at STARTTLS."""
    _converse(one, _same, lambda line: b"" if line.upper().startswith(b"STARTTLS") else line)


def _pass_until_starttls(one: Connection) -> bool:
    """Line by line up to the answer to STARTTLS; whether the client sent it."""
    client, server = one.lines()
    while answer := _reply(server, _same):
        one.client.sendall(answer)
        line = client.readline()
        if not line:
            return False
        one.server.sendall(line)
        if line.upper().startswith(b"STARTTLS"):
            one.client.sendall(_reply(server, _same))
            return True
    return False


def _no_tls_13(one: Connection) -> None:
    """Cuts off a handshake that offers TLS 1.3, as devices do that do not know it."""
    if not _pass_until_starttls(one):
        return
    hello = one.client.recv(16384)
    if _OFFERS_TLS_13 in hello:
        one.reset()
        return
    one.server.sendall(hello)
    one.pass_on()


def _silent(one: Connection) -> None:
    """Accepts the connection and sends nothing, until the client ends it."""
    with contextlib.suppress(OSError):
        while one.client.recv(1024):
            pass


def _serve(one: Connection, greeting: bytes, starttls: bool = False) -> None:
    """A mail server of its own."""
    client = one.client.makefile("rb")
    one.client.sendall(greeting)
    while line := client.readline():
        verb = line.split(b" ")[0].strip().upper()
        if verb == b"EHLO":
            peer = one.client.getpeername()[0].encode()
            offer = b"250-STARTTLS\r\n" if starttls and not isinstance(one.client, ssl.SSLSocket) else b""
            one.client.sendall(b"250-proxy.example Hello [" + peer + b"]\r\n" + offer + b"250 SIZE 10240000\r\n")
        elif verb == b"STARTTLS" and starttls:
            one.client.sendall(b"220 ready\r\n")
            one.start_tls()
            client = one.client.makefile("rb")
        else:
            one.client.sendall(b"221 bye\r\n" if verb == b"QUIT" else b"502 not implemented\r\n")
            if verb == b"QUIT":
                return


def _redirect(one: Connection) -> None:
    """The mail server of an access provider, to which port 25 is redirected."""
    _serve(one, b"220 smtp.provider.example ESMTP Postfix\r\n", starttls=True)


def _implicit(one: Connection) -> None:
    """A server with TLS from the start."""
    one.start_tls()
    _serve(one, b"220 smtp.hosted.example ESMTP ready\r\n")


def _inspect(one: Connection) -> None:
    """Ends TLS with a certificate of its own after STARTTLS, and starts it anew with the server."""
    if not _pass_until_starttls(one):
        return
    one.start_tls(upstream=True)
    one.pass_on()


KINDS: dict[str, Callable[[Connection], None]] = {
    "pass": _pass,
    "strip": _strip,
    "mask": _mask,
    "rewrite": _rewrite,
    "reset": _reset,
    "no-tls-13": _no_tls_13,
    "silent": _silent,
    "redirect": _redirect,
    "implicit": _implicit,
    "inspect": _inspect,
}


def _handle(kind: str, one: Connection) -> None:
    with contextlib.suppress(OSError):
        KINDS[kind](one)
    one.close()


def _end_with_starter() -> None:
    """End this process when its standard input ends, that is with whoever started it."""
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m testbed.mail_proxy", description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("port", type=int)
    parser.add_argument("--certificate", help="chain and private key in PEM")
    parser.add_argument("--old-tls", action="store_true", help="TLS 1.0 and 1.1 only")
    parser.add_argument("--after", type=int, help="reset connections after so many with one server and port")
    arguments = parser.parse_args()
    context = None
    if arguments.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(arguments.certificate)
        if arguments.old_tls:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    threading.Thread(target=_end_with_starter, daemon=True).start()
    counts: dict[tuple[str, int], int] = {}
    with socket.create_server(("", arguments.port), backlog=200) as listener:
        print("ready", flush=True)
        while True:
            one = Connection(listener.accept()[0], context)
            counts[one.destination] = counts.get(one.destination, 0) + 1
            if arguments.after is not None and counts[one.destination] > arguments.after:
                one.reset()
                continue
            threading.Thread(target=_handle, args=(arguments.kind, one), daemon=True).start()


if __name__ == "__main__":
    main()
