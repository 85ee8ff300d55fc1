# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name server on loopback whose records are a table; what it is asked is counted, and it fails to order."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.update

KEY, SECRET = "mailops", "c2VjcmV0LXRoYXQtbm9ib2R5LW1heS1zZWU="


class NameServer:
    """`records`: (name, kind) -> data as in a zone file; `faults`: (name, kind) -> a response code, "silence" or "truncated"."""

    def __init__(self, records: dict[tuple[str, str], list[str]] | None = None, zone: str = "contoso.com") -> None:
        self.records, self.zone = dict(records or {}), zone
        self.faults: dict[tuple[str, str], str] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.updates: list[dns.update.UpdateMessage] = []
        self.refuse_updates = ""
        self.ttl = 300
        self.changes = lambda: None  # called before an update is evaluated: a concurrent change
        self._lock = threading.Lock()
        self._tcp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler(tcp=True))
        self._udp = socketserver.ThreadingUDPServer(self._tcp.server_address, self._handler(tcp=False))
        self.address = f"127.0.0.1:{self._tcp.server_address[1]}"
        for server in (self._tcp, self._udp):
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        for server in (self._tcp, self._udp):
            server.shutdown()
            server.server_close()

    def txt(self, name: str) -> list[str]:
        return self.records.get((name, "TXT"), [])

    def _handler(self, *, tcp: bool) -> type[socketserver.BaseRequestHandler]:
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                wire = self._read()
                answer = outer.answer(wire, "tcp" if tcp else "udp") if wire else None
                if answer is None:
                    return
                if tcp:
                    self.request.sendall(struct.pack("!H", len(answer)) + answer)
                else:
                    self.request[1].sendto(answer, self.client_address)

            def _read(self) -> bytes:
                if not tcp:
                    return bytes(self.request[0])
                connection: socket.socket = self.request
                size = connection.recv(2)
                return connection.recv(struct.unpack("!H", size)[0], socket.MSG_WAITALL) if size else b""

        return Handler

    def answer(self, wire: bytes, transport: str) -> bytes | None:
        keyring = {dns.name.from_text(KEY): dns.tsig.Key(KEY, SECRET, "hmac-sha256")}
        try:
            query = dns.message.from_wire(wire, keyring=keyring)
        except (dns.message.UnknownTSIGKey, dns.tsig.BadSignature) as error:
            query = dns.message.from_wire(wire, keyring=lambda message, name: False)
            response = dns.message.make_response(query)
            response.set_rcode(dns.rcode.NOTAUTH)
            code = dns.rcode.BADKEY if isinstance(error, dns.message.UnknownTSIGKey) else dns.rcode.BADSIG
            return _unsigned(response, query, int(code))
        with self._lock:
            response = self._update(query) if query.opcode() == dns.opcode.UPDATE else self._query(query, transport)
        return response.to_wire() if response else None

    def _query(self, query: dns.message.Message, transport: str) -> dns.message.Message | None:
        question = query.question[0]
        name, kind = question.name.to_text().rstrip(".").lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind, transport))
        response = dns.message.make_response(query)
        fault = self.faults.get((name, kind), "")
        if fault == "silence":
            return None
        if fault == "truncated" and transport == "udp":
            response.flags |= dns.flags.TC
            return response
        if fault and fault != "truncated":
            response.set_rcode(dns.rcode.from_text(fault))
            return response
        soa = f"ns.{self.zone}. admin.{self.zone}. 1 3600 600 86400 300"
        owner = question.name
        if alias := self.records.get((name, "CNAME")):
            response.answer.append(dns.rrset.from_text(owner, self.ttl, "IN", "CNAME", *alias))
            owner, name = dns.name.from_text(alias[0]), alias[0].rstrip(".")
        data = [soa] if (name, kind) == (self.zone, "SOA") else self.records.get((name, kind), [])
        if data:
            response.answer.append(dns.rrset.from_text(owner, self.ttl, "IN", kind, *data))
        else:
            response.authority.append(dns.rrset.from_text(f"{self.zone}.", 300, "IN", "SOA", soa))
            known = name == self.zone or any(name == one for one, _kind in self.records)
            response.set_rcode(dns.rcode.NOERROR if known else dns.rcode.NXDOMAIN)
        return response

    def _update(self, update: Any) -> dns.message.Message:
        self.updates.append(update)
        self.changes()
        response = dns.message.make_response(update)
        response.set_rcode(dns.rcode.from_text(self.refuse_updates) if self.refuse_updates else self._applied(update))
        return response

    def _applied(self, update: dns.update.UpdateMessage) -> dns.rcode.Rcode:
        desired: dict[tuple[str, str], set[str]] = {}
        for rrset in update.prerequisite:
            name, kind = rrset.name.to_text().rstrip("."), dns.rdatatype.to_text(rrset.rdtype)
            if rrset.deleting == dns.rdataclass.NONE:
                if kind == "ANY" and any(values for (one, _kind), values in self.records.items() if one == name):
                    return dns.rcode.YXDOMAIN
                if self.records.get((name, kind)):
                    return dns.rcode.YXRRSET
                continue
            desired.setdefault((name, kind), set()).update(item.to_text() for item in rrset)
        if any(values != set(self.records.get(place, [])) for place, values in desired.items()):
            return dns.rcode.NXRRSET
        for rrset in update.update:
            held = self.records.setdefault((rrset.name.to_text().rstrip("."), dns.rdatatype.to_text(rrset.rdtype)), [])
            for item in rrset:
                if rrset.deleting:
                    held.remove(item.to_text())
                else:
                    held.append(item.to_text())
        return dns.rcode.NOERROR


def _unsigned(response: dns.message.Message, query: Any, code: int) -> bytes:
    """A response with an empty TSIG that names the error (RFC 8945, section 5.2)."""
    tsig = query.tsig[0]
    response.tsig = dns.rrset.from_rdata(query.tsig.name, 0, tsig.replace(mac=b"", error=code, other=b""))
    renderer_wire = response.to_wire()
    return bytes(renderer_wire)
