"""The internal DNS server of a test network: forwards queries, except for names that it answers itself.

`python -m testbed.internal_dns ADDRESS FORWARDER [NAME=ADDRESS ...]`: a name without an address does not exist there.
"""

from __future__ import annotations

import argparse
import socketserver
import sys
import threading

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset


def answer(wire: bytes, forwarder: str, own: dict[str, str]) -> bytes:
    """The response to a query."""
    query = dns.message.from_wire(wire)
    question = query.question[0]
    name = question.name.to_text().rstrip(".").lower()
    if name not in own:
        return dns.query.udp(query, forwarder, timeout=20).to_wire()
    response = dns.message.make_response(query)
    response.flags |= dns.flags.RA
    if not own[name]:
        response.set_rcode(dns.rcode.NXDOMAIN)
    elif question.rdtype == dns.rdatatype.A:
        response.answer.append(dns.rrset.from_text(question.name, 300, "IN", "A", own[name]))
    return response.to_wire()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m testbed.internal_dns", description=__doc__)
    parser.add_argument("address")
    parser.add_argument("forwarder")
    parser.add_argument("own", nargs="*")
    arguments = parser.parse_args()
    own = {name: place for name, _equal, place in (entry.partition("=") for entry in arguments.own)}

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, sock = self.request
            sock.sendto(answer(wire, arguments.forwarder, own), self.client_address)

    with socketserver.ThreadingUDPServer((arguments.address, 53), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print("ready", flush=True)
        sys.stdin.read()  # it ends with whoever started it


if __name__ == "__main__":
    main()
