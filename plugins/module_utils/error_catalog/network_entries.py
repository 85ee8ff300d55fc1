# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failures between a host and a mail server: no answer, or an answer of something else than the server.

Microsoft's mail servers accept TCP connections on their ports, greet with SMTP, offer STARTTLS and have a certificate of a public CA. Where
that is missing, the network of the host is the cause (firewall, proxy, captive portal, DNS) or the host name, and not a refusal.
"""

from __future__ import annotations

from .entry import ErrorEntry

_TCP = "RFC 9293 (TCP)"
_SMTP = "RFC 5321 (SMTP)"
_TLS = "RFC 3207 (STARTTLS)"
_ALLOW = "Allow outbound TCP to this port from this host, or use a host whose network does; many networks block port 25."

# fmt: off
ENTRIES: tuple[ErrorEntry, ...] = (
    ErrorEntry(
        "name-not-resolved", "network", "DNS", "the server's name does not resolve on this host",
        "Check the host name and the DNS resolver of this host.", source="RFC 1035 (DNS)",
        sample="[Errno -2] Name or service not known"),
    ErrorEntry(
        "tcp-refused", "network", "connection", "the network refused the TCP connection: a firewall rejects the port, or nothing listens there",
        _ALLOW, text=r"[Cc]onnection refused|[Cc]onnection reset|ECONNREFUSED|ECONNRESET", source=_TCP,
        sample="[Errno 111] Connection refused"),
    ErrorEntry(
        "tcp-no-route", "network", "connection", "this host has no route to the server",
        "Check the network of this host: interface, source address, default route, IPv6.",
        text=r"unreachable|[Nn]o route|[Cc]annot assign|ENETUNREACH|EHOSTUNREACH", source=_TCP,
        sample="[Errno 101] Network is unreachable"),
    ErrorEntry(
        "tcp-failed", "network", "connection", "the TCP connection to the server failed", _ALLOW, source=_TCP,
        sample="[Errno 103] Software caused connection abort"),
    ErrorEntry(
        "tcp-timeout", "network", "timeout", "no TCP connection within the time limit: a firewall on the path drops the packets", _ALLOW,
        text=r"TCP|[Cc]onnection timed out|ETIMEDOUT", source=_TCP,
        sample="no TCP connection in time"),
    ErrorEntry(
        "greeting-timeout", "network", "timeout",
        "the TCP connection was made, but no SMTP greeting arrived: something on the path accepts the connection and does not forward it",
        "Check firewalls and proxies between this host and the server.", text=r"greeting", source=_SMTP,
        sample="no greeting in time"),
    ErrorEntry(
        "closed-before-greeting", "network", "closed",
        "the connection was closed before an SMTP greeting: something on the path closes it",
        "Check firewalls and proxies between this host and the server.", text=r"greeting", source=_SMTP,
        sample="the connection was closed before the greeting"),
    ErrorEntry(
        "not-smtp", "network", "not SMTP", "what answered on this port is not an SMTP server: a captive portal or a proxy, or the wrong host or port",
        "Check the network of this host, and the host name and port.", source=_SMTP,
        sample="what answers on this port does not greet with SMTP"),
    ErrorEntry(
        "no-starttls", "network", "no STARTTLS",
        "the server that answered does not offer STARTTLS: a firewall or mail proxy removes it, or the server is not Microsoft's",
        "Exempt this connection from inspection of SMTP, or correct the host name.", source=_TLS,
        sample="STARTTLS extension not supported by server."),
    ErrorEntry(
        "certificate-name", "network", "certificate",
        "the server that answered has a certificate of another name: a captive portal or proxy, or the wrong host name",
        "Check the network of this host, its DNS and the host name.", text=r"[Hh]ostname mismatch|IP address mismatch", source=_TLS,
        sample="certificate verify failed: Hostname mismatch, certificate is not valid for 'smtp.office365.com'."),
    ErrorEntry(
        "certificate-date", "network", "certificate", "the certificate of the server that answered is not valid today",
        "Check the clock of this host, then the network between this host and the server.", text=r"expired|not yet valid", source=_TLS,
        sample="certificate verify failed: certificate has expired"),
    ErrorEntry(
        "certificate-issuer", "network", "certificate",
        "the certificate of the server that answered is of an issuer that this host does not trust: a captive portal, or a firewall that inspects TLS",
        "Exempt this connection from inspection, or give the issuer's CA: m365_cloud.ca_file, REQUESTS_CA_BUNDLE or SSL_CERT_FILE.", source=_TLS,
        variables=("m365_cloud",),
        sample="certificate verify failed: unable to get local issuer certificate"),
    ErrorEntry(
        "tls-failed", "network", "TLS", "TLS with the server failed", "Check firewalls and proxies that inspect TLS between this host and the server.",
        source=_TLS,
        sample="[SSL: WRONG_VERSION_NUMBER] wrong version number"),
)
# fmt: on
