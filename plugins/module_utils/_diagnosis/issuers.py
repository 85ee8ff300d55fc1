# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The organisations of public CAs. The certificate of a public server that another one issued is that of an inspecting appliance."""

from __future__ import annotations

from collections.abc import Iterable

from .observations import Certificate

# Of the certificates of Microsoft's servers: Microsoft, "Microsoft 365 encryption chains" (DigiCert, D-Trust, Entrust, GlobalSign,
# Let's Encrypt, Microsoft) and "Office TLS Certificate Changes" (DigiCert Global Root G2 with CAs of Microsoft's own, since 2022).
_OF_MICROSOFT = ("D-Trust", "DigiCert", "Entrust", "GlobalSign", "Let's Encrypt", "Microsoft Corporation")
# The other owners of roots in Mozilla's list, of which package ca-certificates is made; a hosted relay or a custom cloud may
# have any. tests/unit compares this with the list. The last two are names of intermediate CAs of Sectigo.
_OF_MOZILLA = (
    "ACCV", "ANF Autoridad de Certificacion", "Actalis", "Agence Nationale de Certification Electronique", "Amazon", "Asseco Data Systems",
    "Atos", "BEIJING CERTIFICATE AUTHORITY", "Buypass", "CERTSIGN", "COMODO CA", "Certainly", "China Financial Certification Authority",
    "Chunghwa Telecom", "Cybertrust Japan", "Deutsche Telekom", "Dhimyotis", "Disig", "FNMT-RCM", "GUANG DONG CERTIFICATE AUTHORITY",
    "GoDaddy.com", "Google Trust Services", "Hellenic Academic and Research Institutions", "Hongkong Post", "IZENPE", "IdenTrust",
    "Internet Security Research Group", "Krajowa Izba Rozliczeniowa", "Microsec", "NAVER", "NetLock", "OISTE Foundation", "QuoVadis",
    "SECOM Trust Systems", "SSL Corporation", "Sectigo", "Starfield Technologies", "SwissSign", "T-Systems", "TAIWAN-CA", "Telia",
    "The USERTRUST Network", "TrustAsia", "Turkiye Bilimsel ve Teknolojik Arastirma Kurumu", "UniTrust", "Unizeto Technologies", "WISeKey",
    "iTrusChina", "Gandi", "ZeroSSL",
)  # fmt: skip
ORGANISATIONS = (*_OF_MICROSOFT, *_OF_MOZILLA)


def is_public(certificate: Certificate) -> bool:
    """Whether a public CA issued it. Such a CA has an organisation: an appliance with a name alone may call itself anything."""
    return _begins(certificate.organisation, ORGANISATIONS)


def is_expected(certificate: Certificate, issuers: Iterable[str]) -> bool:
    """Whether the user expects certificates by this issuer."""
    return _begins(certificate.issuer, issuers)


def _begins(name: str, beginnings: Iterable[str]) -> bool:
    """Whether the name begins with whole words: DigiCert is the beginning of `DigiCert, Inc.`, and not of `DigiCertified`."""
    lower = name.lower()
    begun = (one.lower() for one in beginnings)
    return any(lower.startswith(one) and not lower[len(one) : len(one) + 1].isalnum() for one in begun)
