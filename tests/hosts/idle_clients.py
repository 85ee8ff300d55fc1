"""Clients that hold idle connections: `python idle_clients.py '{"server": …, "port": …, "sources": […], "each": …}'`, without any protocol.

Each source address opens `each` connections, and opens another one for each that the server closes. It prints a line once every
connection was tried; it ends with its standard input.
"""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
import sys
import time
from typing import Any


class Crowd:
    def __init__(self, parameters: dict[str, Any]) -> None:
        self.server = (parameters["server"], parameters["port"])
        self.sources = [source for source in parameters["sources"] for _number in range(parameters["each"])]
        self.selector = selectors.DefaultSelector()

    def connect(self, source: str) -> None:
        connection = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET)
        connection.bind((source, 0))
        connection.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            connection.connect(self.server)
        self.selector.register(connection, selectors.EVENT_READ, source)

    def hold(self) -> None:
        for source in self.sources:
            self.connect(source)
        print("held", flush=True)
        self.selector.register(sys.stdin, selectors.EVENT_READ, "")
        while True:
            for key, _events in self.selector.select():
                if not key.data:
                    return
                assert isinstance(key.fileobj, socket.socket)
                self.read(key.fileobj, key.data)
            time.sleep(0.1)

    def read(self, connection: socket.socket, source: str) -> None:
        """The greeting and whatever follows is ignored."""
        try:
            if connection.recv(4096):
                return
        except OSError:
            pass
        self.selector.unregister(connection)
        connection.close()
        self.connect(source)


if __name__ == "__main__":
    Crowd(json.loads(sys.argv[1])).hold()
