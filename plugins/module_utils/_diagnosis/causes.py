# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The causes that a diagnosis names: a sentence about the problem, and the remedy. docs/diagnose.md lists them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """`problem` and `remedy` are templates of str.format."""

    name: str
    problem: str
    remedy: str


@dataclass(frozen=True)
class Finding:
    """A cause with the endpoints, names or servers that show it."""

    cause: str
    subjects: tuple[str, ...]
    problem: str
    remedy: str

    @property
    def sentence(self) -> str:
        return f"{self.problem} {self.remedy}"

    def as_result(self) -> dict[str, object]:
        return {"cause": self.cause, "subjects": list(self.subjects), "problem": self.problem, "remedy": self.remedy}


_NAMED = 4  # subjects in a sentence
_PORT_REMEDIES = {
    25: "Send through port 587 (methods oauth, relay_host, hve, hosted), or ask the network's provider to open outgoing TCP port 25.",
    465: "Send through port 587, or allow outgoing TCP port 465 in the firewall.",
    587: "Allow outgoing TCP port 587 from this host in the firewall.",
    443: "Allow outgoing TCP port 443 from this host in the firewall; access tokens are requested there.",
}
_CAUSES = (
    Cause("no_network", "No endpoint is reachable from this host.", "Check the host's default route, its firewall and its DNS servers."),
    Cause(
        "port_blocked",
        "The network of this host, or its provider, blocks outgoing TCP port {port} ({how} at {subjects}).",
        "{port_remedy}",
    ),
    Cause(
        "endpoint_blocked",
        "{subjects} cannot be reached ({how}), while other servers answer on the same port.",
        "Allow this host and port in the firewall; a rule that lists IP addresses has to have all of Microsoft's published ranges.",
    ),
    Cause(
        "connection_limit",
        "After {count} connections, further ones to {subjects} fail ({how}): a firewall or intrusion prevention limits them.",
        "Exempt the connections of this host to mail servers from the intrusion prevention rule that counts connections.",
    ),
    Cause(
        "no_greeting",
        "The connection to {subjects} is accepted, and no greeting follows ({how}): a firewall or proxy on the path accepts it.",
        "Exempt these ports from the firewall's proxy or its SMTP inspection.",
    ),
    Cause(
        "smtp_redirected",
        "Another server than Microsoft's answers at {subjects}; its greeting is {detail!r}.",
        "Remove the rule that redirects outgoing SMTP to a proxy or to the provider's mail server, or exempt this host from it.",
    ),
    Cause(
        "ehlo_rewritten",
        "A device on the path rewrites the SMTP session with {subjects} ({detail}).",
        "Turn off the SMTP inspection of the firewall for this host (Cisco ASA: no inspect esmtp, or allow-tls in its policy map).",
    ),
    Cause(
        "starttls_stripped",
        "A device on the path removes STARTTLS from the reply to EHLO of {subjects}.",
        "Turn off the SMTP inspection of the firewall or of the antivirus program for this host, or allow STARTTLS in it.",
    ),
    Cause(
        "starttls_refused",
        "STARTTLS is offered at {subjects}, and the command is refused ({detail}): a device on the path changes it.",
        "Turn off the SMTP inspection of the firewall or of the antivirus program for this host, or allow STARTTLS in it.",
    ),
    Cause(
        "tls_reset",
        "The connection to {subjects} is cut off when TLS starts ({how}): a device on the path does not let TLS pass.",
        "Exempt mail servers from TLS inspection and protocol filters on the path, and allow TLS 1.2 and 1.3.",
    ),
    Cause(
        "tls_inspection",
        "TLS to {subjects} is inspected: the certificate is issued by {detail!r}, which is no CA of that server.",
        "Exempt these servers from the TLS inspection of that proxy or firewall; Microsoft does not support it for these endpoints.",
    ),
    Cause(
        "certificate_not_trusted",
        "This host does not trust the certificate of {subjects}, which the public CA {detail} issued.",
        "Update the package ca-certificates, and check the clock of this host.",
    ),
    Cause(
        "certificate_of_another_server",
        "The certificate at {subjects} has another name ({detail}): the connection ends at another server.",
        "Check DNS, the hosts file and redirections (NAT) for these names.",
    ),
    Cause(
        "old_tls_only",
        "At {subjects} only TLS {detail} is accepted: a device on the path ends TLS and does not support TLS 1.2.",
        "Exempt these servers from the TLS inspection of that device, or update it.",
    ),
    Cause(
        "tls_13_blocked",
        "TLS 1.3 to {subjects} is cut off ({how}), and TLS 1.2 is accepted: a device on the path does not support TLS 1.3.",
        "Update that device, or exempt these servers from its inspection.",
    ),
    Cause(
        "no_tls_12",
        "This host does not support TLS 1.2, which Exchange Online requires.",
        "Update OpenSSL or the crypto policy of this host, or send through the legacy listener of a relay host.",
    ),
    Cause(
        "device_tls_too_old",
        "The device supports TLS {detail} at most, and {subjects} does not accept it.",
        "Send through the legacy listener of a relay host (relay_legacy_address), or update the device's firmware.",
    ),
    Cause(
        "path_mtu",
        "Packets of more than {detail} bytes to or from {subjects} disappear: the path MTU is smaller, and its ICMP messages are filtered.",
        "Allow ICMP type 3 code 4 in the firewalls of the path, turn on MSS clamping there, or set the MTU of the interface to {detail}.",
    ),
    Cause(
        "internal_dns",
        "The DNS server {detail} answers differently for {subjects} than public DNS.",
        "Remove the zone or record for this name from the internal DNS server or filter, so that it forwards the query.",
    ),
    Cause(
        "hosts_file",
        "This host resolves {subjects} to {detail}, which its DNS servers do not answer.",
        "Remove the name from /etc/hosts.",
    ),
    Cause("dns_failed", "The DNS servers of this host do not resolve {subjects} ({detail}).", "Check the DNS servers of this host."),
    Cause(
        "dns_server_down",
        "The DNS server {subjects} does not answer ({detail}), and others do: names resolve late.",
        "Remove it from the DNS servers of this host, or restore it.",
    ),
    Cause("mx_missing", "The MX records of {subjects} cannot be read ({detail}).", "Check the domain's MX records and the DNS servers."),
    Cause(
        "loss",
        "Packets to {subjects} are lost: {detail} percent had to be sent again.",
        "Check the line, the duplex mode of the ports and the load on the path. Mail passes late, and devices with a short timeout fail.",
    ),
    Cause(
        "latency",
        "A round trip to {subjects} takes {detail} ms.",
        "Send from a network nearer to the internet (no detour through a VPN or a satellite), and raise the timeout of the device.",
    ),
    Cause(
        "intermittent",
        "{count} of {total} connections to {subjects} fail ({how}), in no order.",
        "Check the firewall's session table and its limits on connections per minute, and balanced lines of which one does not pass.",
    ),
    Cause(
        "address_changes",
        "{subjects} sees this host with several public addresses ({detail}).",
        "List all of them in public_addresses of senders with method connector, or route mail through one line.",
    ),
)
CAUSES = {cause.name: cause for cause in _CAUSES}


def finding(name: str, subjects: tuple[str, ...], **values: object) -> Finding:
    """A finding with its sentence. `values` fill the template."""
    cause = CAUSES[name]
    port = values.get("port")
    remedy = _PORT_REMEDIES.get(port, f"Allow outgoing TCP port {port} in the firewall.") if isinstance(port, int) else ""
    filled = {"subjects": _listed(subjects), "port_remedy": remedy, **values}
    return Finding(name, subjects, cause.problem.format(**filled), cause.remedy.format(**filled))


def _listed(subjects: tuple[str, ...]) -> str:
    """The first ones; the result has all."""
    rest = len(subjects) - _NAMED
    if rest < 2:
        return ", ".join(subjects)
    return f"{', '.join(subjects[:_NAMED])} and {rest} others"
