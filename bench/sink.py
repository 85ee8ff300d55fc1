"""A mail server that accepts and discards every message, for the relay's benchmark: STARTTLS, AUTH, SIZE, PIPELINING.

It must not be what is measured. Postfix's smtp-sink speaks neither TLS nor AUTH; the emulator judges every message (rights,
limits, headers), and takes far longer than a relay needs to send one. This one only looks for ends of lines and of messages.
Any token, user and password will do. Whenever its count has changed it prints `<messages> <bytes> <seconds>` (time.monotonic),
ten times a second at most. `python -m bench.sink --host ADDRESS --port 587 --chain FILE --key FILE` (PEM). With `--keep DIRECTORY`
every message becomes a JSON file there, named by its number: `envelope`, the commands MAIL and RCPT, and `text`, without the dots
that its way doubled. With `--clock-offset SECONDS` the greeting has the time of a clock that is so many seconds ahead.
With `--smtputf8` it offers SMTPUTF8 (RFC 6531).
"""

from __future__ import annotations

import argparse
import asyncio
import email.utils
import json
import ssl
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast


@dataclass
class Count:
    messages: int = 0
    size: int = 0
    last: float = 0.0
    keep: Path | None = None
    clock_offset: float | None = None
    extensions: bytes = b""


class Session(asyncio.Protocol):
    """One connection. Commands may come several at once (PIPELINING), and so do the replies."""

    def __init__(self, count: Count, context: ssl.SSLContext | None, *, secured: bool = False) -> None:
        self._count, self._context, self._secured = count, context, secured
        self._transport: asyncio.Transport | None = None
        self._held = bytearray()
        self._owed = bytearray()
        self._body = False
        self._envelope: list[str] = []
        self._auth_lines_left = 0  # lines of an AUTH conversation that are still to come

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._write(bytearray() if self._secured else bytearray(self._greeting()))

    def _greeting(self) -> bytes:
        offset = self._count.clock_offset
        date = "" if offset is None else f" ready at {email.utils.formatdate(time.time() + offset)}"
        return f"220 sink ESMTP{date}\r\n".encode()

    def data_received(self, data: bytes) -> None:
        self._held += data
        answers = bytearray()
        while self._body or b"\n" in self._held:
            if self._body:
                if not self._take_body():
                    break
                answers += b"250 2.0.0 OK\r\n"
                continue
            line, _end, rest = self._held.partition(b"\n")
            self._held = rest
            if line[:8].upper() == b"STARTTLS" and self._context:
                self._write(answers + b"220 2.0.0 go on\r\n")
                self._start_tls()
                return
            answers += self._answer(line)
        self._write(answers)

    def _write(self, answers: bytearray) -> None:
        """A client may send before start_tls() has returned: its reply waits."""
        self._owed += answers
        if self._owed and self._transport:
            self._transport.write(bytes(self._owed))
            self._owed.clear()

    def _take_body(self) -> bool:
        """Whether the end of the message has come."""
        end = self._held.find(b"\r\n.\r\n")
        if end < 0 and self._count.keep:
            return False
        if end < 0:
            # Only what may be the beginning of the end has to be kept.
            self._count.size += max(0, len(self._held) - 4)
            del self._held[:-4]
            return False
        length = end + 5
        self._count.messages += 1
        self._count.size += length
        self._count.last = time.monotonic()
        if self._count.keep:
            self._write_down(self._count.keep, bytes(self._held[: end + 2]))
        del self._held[:length]
        self._body = False
        return True

    def _write_down(self, directory: Path, body: bytes) -> None:
        text = body.replace(b"\r\n.", b"\r\n").decode("latin-1").removeprefix("\r\n")
        file = directory / f"{self._count.messages}.json"
        file.write_text(json.dumps({"envelope": self._envelope, "text": text}), encoding="ascii")

    def _answer(self, line: bytes | bytearray) -> bytes:
        if self._auth_lines_left:
            self._auth_lines_left -= 1
            return b"334 \r\n" if self._auth_lines_left else b"235 2.7.0 in\r\n"
        words = line.split()
        verb = words[0].upper() if words else b""
        if verb == b"EHLO":
            tls = b"" if self._secured or not self._context else b"250-STARTTLS\r\n"
            fixed = b"250-PIPELINING\r\n250-8BITMIME\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n250 SIZE 157286400\r\n"
            return b"250-sink\r\n" + tls + self._count.extensions + fixed
        if verb == b"AUTH":
            self._auth_lines_left = 2 if words[1].upper() == b"LOGIN" else 1 if len(words) == 2 else 0
            return b"334 \r\n" if self._auth_lines_left else b"235 2.7.0 in\r\n"
        if verb in (b"MAIL", b"RCPT") and self._count.keep:
            self._envelope = [*(self._envelope if verb == b"RCPT" else []), line.decode("latin-1").strip()]
        if verb == b"DATA":
            self._body = True
            self._held[:0] = b"\r\n"  # so that an empty message ends like any other
            return b"354 go on\r\n"
        if verb == b"QUIT":
            return b"221 2.0.0 bye\r\n"
        return b"250 2.0.0 OK\r\n"

    def _start_tls(self) -> None:
        loop = asyncio.get_running_loop()
        inner = Session(self._count, self._context, secured=True)

        async def swap() -> None:
            if not self._transport or not self._context:
                return
            try:
                transport = await loop.start_tls(self._transport, inner, self._context, server_side=True)
            except (OSError, ssl.SSLError):
                return
            if transport:
                inner.connection_made(transport)

        self._task = loop.create_task(swap())


async def serve(host: str, port: int, chain: str, key: str, count: Count) -> None:
    output = 0
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    server = await asyncio.get_running_loop().create_server(lambda: Session(count, context), host, port, backlog=512)
    async with server:
        print("ready", flush=True)
        while True:
            await asyncio.sleep(0.1)
            if count.messages != output:
                output = count.messages
                print(count.messages, count.size, count.last, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--chain", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--clock-offset", type=float)
    parser.add_argument("--smtputf8", action="store_true")
    arguments = parser.parse_args()
    extensions = b"250-SMTPUTF8\r\n" if arguments.smtputf8 else b""
    count = Count(keep=arguments.keep, clock_offset=arguments.clock_offset, extensions=extensions)
    asyncio.run(serve(arguments.host, arguments.port, arguments.chain, arguments.key, count))
    return 0


if __name__ == "__main__":
    sys.exit(main())
