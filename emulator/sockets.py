"""Listening sockets."""

from __future__ import annotations

import socket


def listening(host: str, port: int) -> socket.socket:
    """A bound socket, port 0 for any free one. It listens, so that a client may connect before the event loop serves it."""
    # asyncio sets TCP_NODELAY only where the protocol is named; without it every answer waits for an ACK
    result = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    result.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    result.bind((host, port))
    result.listen(128)
    return result
