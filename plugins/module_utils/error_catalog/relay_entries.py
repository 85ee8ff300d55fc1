# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the relay host itself: Postfix, the submission proxy, the network, and the relay's own limits.

The texts are what Postfix and Dovecot log, not replies of a service; only `text` is matched.
The first matching entry applies.
"""

from __future__ import annotations

from .entry import ErrorEntry

_POSTFIX = "postfix smtp(8) and qmgr(8), as logged by 3.7 and 3.10"
_DOVECOT = "Dovecot's submission proxy, as logged by 2.3.19 and 2.4.1"
_OURS = "this collection's relay host"

# fmt: off
ENTRIES: tuple[ErrorEntry, ...] = (
    ErrorEntry(
        "relay-daily-quota-reached", "relay", "", "the mailbox has reached its daily quota of recipients",
        "No mail is lost: delivery resumes by itself when recipients leave the rolling 24 hours. If this happens often, spread the senders "
        "over more mailboxes (relay_mailboxes).", text=r"has reached its daily quota of \d+ recipients", transient=True, source=_OURS,
        variables=("relay_mailboxes",),
        sample="scanner@contoso.com has reached its daily quota of 10000 recipients; delivery resumes at 14:05"),
    ErrorEntry(
        "relay-sender-suspended", "relay", "", "the sender is suspended after a refusal that further attempts make worse",
        "Run mailops-relay status to see the refusal; remove its cause, then run mailops-relay release.",
        text=r"is suspended by the relay:", transient=True, source=_OURS,
        sample="boss@contoso.com is suspended by the relay: no SendAs right; tried again at 15:00"),
    ErrorEntry(
        "relay-no-mailbox", "relay", "", "no mailbox of this relay sends for this sender",
        "Add the address to the senders of a mailbox in relay_mailboxes, or rewrite the device's sender to one (relay_devices).",
        text=r"No mailbox of relay_mailboxes", source=_OURS,
        variables=("relay_mailboxes", "relay_devices"),
        sample="No mailbox of relay_mailboxes sends for this sender"),
    ErrorEntry(
        "relay-sender-not-allowed", "relay", "", "the relay does not send as this address",
        "Add the address to the senders of a mailbox in relay_mailboxes and of the device in relay_devices.",
        text=r"this relay sends only as the senders of", source=_OURS,
        variables=("relay_mailboxes", "relay_devices"),
        sample="554 5.7.1 <x@y.example>: Sender address rejected: this relay sends only as the senders of relay_mailboxes"),
    ErrorEntry(
        "relay-proxy-down", "relay", "", "the submission proxy to Microsoft 365 is not running on the relay",
        "Run systemctl status mailops-relay-proxy. Delivery resumes by itself once the proxy runs.",
        text=r"connect to 127\.0\.0\.1\[127\.0\.0\.1\]:\d+: Connection refused", transient=True, source=_POSTFIX,
        sample="connect to 127.0.0.1[127.0.0.1]:2587: Connection refused"),
    ErrorEntry(
        "relay-no-token", "relay", "", "the relay has no access token for the mailbox",
        "Run systemctl status mailops-relay-token to see why none was issued.", text=r"^535 5\.7\.8 Authentication failed\.?$",
        transient=True, source=_DOVECOT,
        sample="535 5.7.8 Authentication failed."),
    ErrorEntry(
        "relay-token-rejected", "relay", "", "Microsoft 365 rejects the relay's access token for this mailbox",
        "The sender app's permission on the mailbox is missing or not propagated yet: run the tenant's play (role entra_app), and wait up "
        "to an hour.", text=r"Failed to authenticate: 40[01]", transient=True, source=_DOVECOT,
        variables=("entra_app_full_access",),
        sample="Remote server sent invalid input: Invalid authentication data: Failed to authenticate: 401"),
    ErrorEntry(
        "relay-name-not-found", "relay", "", "the relay cannot resolve the upstream server's name",
        "Check the relay's name servers (/etc/resolv.conf) and that its DNS queries are allowed.",
        text=r"DNS lookup for .* failed|Name service error|Host or domain name not found|Host not found|name resolution", transient=True, source=_DOVECOT,
        sample="DNS lookup for smtp.office365.com failed: Temporary failure in name resolution"),
    ErrorEntry(
        "relay-upstream-certificate", "relay", "", "the upstream server's TLS certificate is not trusted for its name",
        "Check for a firewall that inspects TLS, and update the relay's CA bundle (package ca-certificates).",
        text=r"certificate doesn't match|[Cc]ertificate not (trusted|verified)|certificate verif|untrusted issuer|self.signed certificate"
             r"|certificate has expired|[Ii]nvalid certificate", source=_DOVECOT,
        sample="Disconnected by server: Connection closed: SSL certificate doesn't match expected host name smtp.office365.com: Malformed input"),
    ErrorEntry(
        "relay-upstream-no-tls", "relay", "", "the upstream server does not offer TLS to the relay",
        "Disable the SMTP inspection of the firewall, which removes STARTTLS, for the relay.",
        text=r"TLS is required, but was not offered|STARTTLS (not supported|isn't supported)|doesn't support STARTTLS",
        source=_POSTFIX,
        sample="TLS is required, but was not offered by host smtp.office365.com[192.0.2.1]"),
    ErrorEntry(
        "relay-upstream-tls", "relay", "", "TLS between the relay and the upstream server fails",
        "Check for a firewall that inspects or resets TLS; the lines of the log before it have OpenSSL's error. Microsoft 365 requires TLS 1.2.",
        text=r"Cannot start TLS: handshake failure|SSL_connect error to ", source=_POSTFIX,
        sample="Cannot start TLS: handshake failure"),
    ErrorEntry(
        "relay-expired", "relay", "", "the message was in the relay's queue for longer than its lifetime and was returned to its sender",
        "Run mailops-relay trace with the queue id, or read its earlier lines in the log: they have the reason of every attempt.",
        text=r"status=(?:force-)?expired, returned to sender", source=_POSTFIX, variables=("relay_queue_lifetime",),
        sample="from=<erp@contoso.com>, status=expired, returned to sender"),
    ErrorEntry(
        "relay-upstream-unreachable", "relay", "", "the upstream server does not answer the relay",
        "Check that the relay may connect out (port 587, for a connector 25), and Microsoft 365's service health.",
        text=r"connect\(.*\) failed|connect to \S+: |No route to host|Network is unreachable|Connection refused|Connect(ion)? timed out"
             r"|Timeout while connecting", transient=True, source=_POSTFIX,
        sample="connect(198.51.100.77, 587) failed: No route to host (after 15 secs, 3 reconnects, local=198.51.100.21:54136)"),
    ErrorEntry(
        "relay-connection-lost", "relay", "", "the connection to the upstream server was lost", "No action is required: Postfix tries again.",
        text=r"lost connection with|timed out while|conversation with|Connection (closed|reset)|[Tt]imed out|Disconnected by server",
        transient=True, source=_POSTFIX,
        sample="lost connection with 127.0.0.1[127.0.0.1] while sending end of data -- message may be sent more than once"),
    ErrorEntry(
        "relay-no-mechanism", "relay", "", "the relay's Postfix lacks the SASL mechanism to authenticate", "Install the package libsasl2-modules.",
        text=r"no mechanism available|No worthy mechs", source=_POSTFIX,
        sample="SASL authentication failed; cannot authenticate to server 127.0.0.1[127.0.0.1]: no mechanism available"),
    ErrorEntry(
        "relay-proxy-refused", "relay", "", "the submission proxy could not authenticate at Microsoft 365",
        "Run journalctl -u mailops-relay-proxy to see why.", text=r"454 4\.7\.0 (Account is temporarily unavailable|Temporary authentication failure)",
        transient=True, source=_DOVECOT,
        sample="454 4.7.0 Account is temporarily unavailable."),
    ErrorEntry(
        "relay-disk-full", "relay", "", "the relay's disk is full", "Free space below /var/spool/postfix.",
        text=r"[Ii]nsufficient system storage|No space left on device|queue file write error", transient=True, source=_POSTFIX,
        sample="452 4.3.1 Insufficient system storage"),
    ErrorEntry(
        "relay-table-error", "relay", "", "the relay's Postfix cannot read one of its tables",
        "Run the role again; journalctl -u 'postfix*' -p warning names the table.",
        text=r"local data error|[Ll]ookup (error|failure)|table lookup|mail transport unavailable|unknown mail transport error", transient=True,
        source=_POSTFIX,
        sample="local data error while talking to 127.0.0.1[127.0.0.1]"),
)
# fmt: on
