# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate names of inbound connectors (TlsSenderCertificateName).

A name is a host (relay.contoso.com), a wildcard (*.contoso.com), or either of them with its issuer (<I>CN=..<S>CN=relay.contoso.com).
Sources: New-InboundConnector; "Updated requirements for SMTP relay through Exchange Online".
"""

from __future__ import annotations

from collections.abc import Collection


def issuer_and_subject(name: str) -> tuple[str, str]:
    """The issuer, "" for any, and the host or wildcard, in lower case."""
    text = name.strip().lower()
    if "<s>" not in text:
        return "", text
    issuer, _tag, subject = text.partition("<s>")
    return issuer.removeprefix("<i>"), subject.rpartition("cn=")[2]


def in_accepted_domain(name: str, domains: Collection[str]) -> bool:
    """Whether the name or its immediate parent is one of these domains: host.sub.contoso.com and *.sub.contoso.com need sub.contoso.com."""
    _issuer, subject = issuer_and_subject(name)
    return subject in domains or subject.partition(".")[2] in domains
