"""A name server on loopback, by UDP and TCP, with the zones of the tenants' domains; it takes updates.

It is the resolver and the primary server of every zone at once: RFC 1035, 2136, 6891 and 8945.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.update

from emulator.dns import faults
from emulator.dns.update import apply
from emulator.dns.zones import Lookup, View, owner_of
from emulator.platform import Platform

_PLAIN = 512  # octets of an answer by UDP without EDNS
_TRIES = 20
_IDLE = 30.0


class NameServer:
    """What it answers; `serve` opens its ports."""

    def __init__(self, platform: Platform, host: str) -> None:
        self._platform = platform
        self._view = View(platform.state, host, platform.cloud.mx_suffix)

    async def answer(self, wire: bytes, transport: str) -> bytes | None:
        """The answer to a message, or None where there is none, by a fault or by the protocol."""
        try:
            query = dns.message.from_wire(wire, keyring=self._keyring())
        except (dns.message.UnknownTSIGKey, dns.tsig.BadSignature, dns.tsig.BadTime, dns.tsig.BadAlgorithm, dns.tsig.BadKey) as error:
            return _not_authentic(wire, error)
        except dns.exception.DNSException:
            return _malformed(wire)
        if query.flags & dns.flags.QR:
            return None
        latency = self._platform.faults.latency("dns")
        if latency:
            await asyncio.sleep(latency)
        response = self._respond(query, transport)
        if response is None:
            return None
        size = 65535 if transport == "tcp" else max(_PLAIN, query.payload if query.edns >= 0 else _PLAIN)
        return response.to_wire(max_size=size, prefer_truncation=True)

    def _keyring(self) -> dict[dns.name.Name, dns.tsig.Key]:
        keys = self._platform.state.dns.keys
        return {dns.name.from_text(key.name): dns.tsig.Key(key.name, key.secret, key.algorithm) for key in keys}

    def _respond(self, query: dns.message.Message, transport: str) -> dns.message.Message | None:
        response = dns.message.make_response(query, recursion_available=True)
        if not query.question:
            response.set_rcode(dns.rcode.FORMERR)
            return response
        name, kind = query.question[0].name.to_text().rstrip(".").lower(), dns.rdatatype.to_text(query.question[0].rdtype)
        updating = query.opcode() == dns.opcode.UPDATE
        owner = owner_of(self._platform.state, self._view.zone_of(name)[0])
        self._platform.counters.count(owner.id if owner else None, "dns")
        operation = "update" if updating else "query"
        facts = {"name": name, "type": kind, "transport": transport, "operation": operation, "tenant": owner.id if owner else ""}
        fault = self._platform.faults.take("dns", **facts)
        if fault and fault.name == faults.SILENCE:
            return None
        if fault and fault.name == faults.TRUNCATED and transport == "udp":
            response.flags |= dns.flags.TC
        elif fault and fault.name in faults.CODES:
            response.set_rcode(faults.CODES[fault.name])
        elif isinstance(query, dns.update.UpdateMessage):
            response.set_rcode(apply(self._view, query, signed=query.had_tsig))
        elif query.opcode() == dns.opcode.QUERY:
            self._look_up(response, name, kind)
        else:
            response.set_rcode(dns.rcode.NOTIMP)
        return response

    def _look_up(self, response: dns.message.Message, name: str, kind: str) -> None:
        result = self._view.find(name, kind)
        response.flags |= dns.flags.AA
        for one in (*result.aliases, *result.records):
            rrset = response.find_rrset(
                response.answer, dns.name.from_text(one.name), dns.rdataclass.IN, dns.rdatatype.from_text(one.kind), create=True
            )
            rrset.add(dns.rdata.from_text("IN", one.kind, one.data), one.ttl)
        if kind == "SOA" and name == result.zone:
            response.answer.append(self._soa(result))
        elif not result.records:
            if result.zone:
                response.authority.append(self._soa(result))
            response.set_rcode(dns.rcode.NOERROR if result.exists else dns.rcode.NXDOMAIN)

    def _soa(self, result: Lookup) -> dns.rrset.RRset:
        serial = self._platform.state.dns.serial
        data = f"ns1.{result.zone}. hostmaster.{result.zone}. {serial} 7200 900 1209600 300"
        return dns.rrset.from_text(f"{result.zone}.", 3600, "IN", "SOA", data)


def _not_authentic(wire: bytes, error: dns.exception.DNSException) -> bytes:
    """NOTAUTH with an empty signature that names the TSIG error (RFC 8945, section 5.2)."""
    query = dns.message.from_wire(wire, keyring=lambda message, name: False)
    response = dns.message.make_response(query)
    response.set_rcode(dns.rcode.NOTAUTH)
    code = dns.rcode.BADTIME if isinstance(error, dns.tsig.BadTime) else dns.rcode.BADSIG
    if isinstance(error, dns.message.UnknownTSIGKey | dns.tsig.BadAlgorithm | dns.tsig.BadKey):
        code = dns.rcode.BADKEY
    if query.tsig is not None:
        response.tsig = dns.rrset.from_rdata(query.tsig.name, 0, query.tsig[0].replace(mac=b"", error=int(code), other=b""))
    return response.to_wire()


def _malformed(wire: bytes) -> bytes | None:
    if len(wire) < 12 or wire[2] & 0x80:
        return None
    response = dns.message.Message(id=struct.unpack("!H", wire[:2])[0])
    response.flags |= dns.flags.QR
    response.set_rcode(dns.rcode.FORMERR)
    return response.to_wire()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer, tasks: set[asyncio.Task[None]]) -> None:
        self._server, self._tasks = server, tasks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        task = asyncio.get_running_loop().create_task(self._reply(data, address))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reply(self, data: bytes, address: tuple[str, int]) -> None:
        answer = await self._server.answer(data, "udp")
        if answer:
            self._transport.sendto(answer, address)


class Listening:
    """The open ports; `address` is what an inventory names in m365_dns_servers."""

    def __init__(self, tcp: asyncio.Server, udp: asyncio.BaseTransport, host: str) -> None:
        self._tcp, self._udp = tcp, udp
        self.port = int(tcp.sockets[0].getsockname()[1])
        self.address = f"{host}:{self.port}"

    def close(self) -> None:
        self._tcp.close()
        self._udp.close()


async def serve(platform: Platform, host: str, port: int = 0) -> Listening:
    """Open the same port for TCP and UDP; where any will do, one that is free for both."""
    server, tasks = NameServer(platform, host), set[asyncio.Task[None]]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, TimeoutError, ConnectionError):
            while True:
                size = struct.unpack("!H", await asyncio.wait_for(reader.readexactly(2), _IDLE))[0]
                answer = await server.answer(await asyncio.wait_for(reader.readexactly(size), _IDLE), "tcp")
                if answer is None:
                    await asyncio.sleep(_IDLE)  # silence is a connection without an answer
                    break
                writer.write(struct.pack("!H", len(answer)) + answer)
                await writer.drain()
        writer.close()

    loop = asyncio.get_running_loop()
    for left in range(_TRIES, 0, -1):
        tcp = await asyncio.start_server(connected, host, port, family=socket.AF_INET)
        try:
            chosen = tcp.sockets[0].getsockname()[1]
            udp, _protocol = await loop.create_datagram_endpoint(lambda: _Udp(server, tasks), (host, chosen))
        except OSError:
            tcp.close()
            if port or left == 1:
                raise
            continue
        return Listening(tcp, udp, host)
    raise OSError("no port is free for both TCP and UDP")
