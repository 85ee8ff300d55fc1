"""An SMTP client that sends exact bytes, without the collection's code: `python smtp_session.py < parameters.json`.

The parameters are `server`, `port` and `send`, texts with their line ends, Latin-1; each is sent at once, and one reply is read after it.
`early` is sent before the greeting is read. `tls` is the TLS version to use from the beginning, or, with `starttls`, after the reply to
STARTTLS. It prints the replies, the greeting first, as a JSON list; "closed" stands for a connection that the server closed.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
from typing import Any, BinaryIO


def context(version: str) -> ssl.SSLContext:
    """One TLS version, no certificate verification, every cipher: like an old device."""
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    result.check_hostname, result.verify_mode = False, ssl.CERT_NONE
    result.set_ciphers("ALL:@SECLEVEL=0")
    result.minimum_version = result.maximum_version = ssl.TLSVersion[version]
    return result


def reply(lines: BinaryIO) -> str:
    """All lines of one reply."""
    text = ""
    while not text or text.splitlines()[-1][3:4] == "-":
        try:
            line = lines.readline()
        except OSError:
            line = b""
        if not line:
            return text + "closed"
        text += line.decode("latin-1")
    return text.rstrip()


def session(parameters: dict[str, Any]) -> list[str]:
    connection = socket.create_connection((parameters["server"], parameters["port"]), timeout=parameters.get("timeout", 60))
    version = parameters.get("tls")
    if version and not parameters.get("starttls"):
        connection = context(version).wrap_socket(connection)
    lines = connection.makefile("rb")
    if parameters.get("early"):
        connection.sendall(parameters["early"].encode("latin-1"))
    replies = [reply(lines)]
    for text in parameters["send"]:
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
        print(json.dumps(session(json.load(sys.stdin))))
    except ssl.SSLError as error:
        print(json.dumps([f"no TLS: {error.reason}"]))


if __name__ == "__main__":
    main()
