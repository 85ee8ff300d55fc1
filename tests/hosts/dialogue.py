"""A client that says exactly what it is told: `python dialogue.py '{"server": …, "port": …, "send": […]}'`; nothing of the collection's.

`send` are texts with their line ends, Latin-1; each goes out in one piece, and one reply is read after it. `hasty` goes out before the
greeting is read. `tls` names the version of TLS to speak from the beginning, or, with `starttls`, after STARTTLS was answered. It prints
the replies, the greeting first, as a JSON list; a connection that ends is "closed", and is not opened again.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
from typing import Any, BinaryIO


def context(version: str) -> ssl.SSLContext:
    """As an old device has it: one version, and no opinion on certificates and keys."""
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    found.check_hostname, found.verify_mode = False, ssl.CERT_NONE
    found.set_ciphers("ALL:@SECLEVEL=0")
    found.minimum_version = found.maximum_version = ssl.TLSVersion[version]
    return found


def reply(lines: BinaryIO) -> str:
    """All lines of one reply."""
    found = ""
    while not found or found.splitlines()[-1][3:4] == "-":
        try:
            line = lines.readline()
        except OSError:
            line = b""
        if not line:
            return found + "closed"
        found += line.decode("latin-1")
    return found.rstrip()


def talk(order: dict[str, Any]) -> list[str]:
    connection = socket.create_connection((order["server"], order["port"]), timeout=order.get("timeout", 15))
    version = order.get("tls")
    if version and not order.get("starttls"):
        connection = context(version).wrap_socket(connection)
    lines = connection.makefile("rb")
    if order.get("hasty"):
        connection.sendall(order["hasty"].encode("latin-1"))
    replies = [reply(lines)]
    for text in order["send"]:
        try:
            connection.sendall(text.encode("latin-1"))
        except OSError:
            return [*replies, "closed"]
        replies.append(reply(lines))
        if replies[-1].endswith("closed"):
            break
        if text.startswith("STARTTLS\r\n") and version and replies[-1].startswith("220"):
            connection = context(version).wrap_socket(connection)
            lines = connection.makefile("rb")
    return replies


def main() -> None:
    try:
        print(json.dumps(talk(json.loads(sys.argv[1]))))
    except ssl.SSLError as error:
        print(json.dumps([f"no TLS: {error.reason}"]))


if __name__ == "__main__":
    main()
