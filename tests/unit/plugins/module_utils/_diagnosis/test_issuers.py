"""Public CAs, compared with Mozilla's list, and the CAs of appliances."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

import certifi
import pytest
from ansible_collections.mailops.m365.plugins.module_utils._diagnosis.certificate import read_certificate
from ansible_collections.mailops.m365.plugins.module_utils._diagnosis.issuers import ORGANISATIONS, is_expected, is_public
from ansible_collections.mailops.m365.plugins.module_utils._diagnosis.observations import Certificate

# Organisations of intermediate CAs only, and Entrust, whose roots Mozilla has removed.
NOT_IN_MOZILLAS_LIST = {"Let's Encrypt", "Entrust", "Gandi", "ZeroSSL"}


@pytest.fixture(scope="module")
def roots() -> list[Certificate]:
    """The issuers in Mozilla's list that have an organisation, as certifi has it."""
    bundle = Path(certifi.where()).read_text(encoding="utf-8")
    every = [read_certificate(ssl.PEM_cert_to_DER_cert(pem)) for pem in re.findall(r"-----BEGIN.+?END CERTIFICATE-----", bundle, re.DOTALL)]
    return [one for one in every if one.organisation]


def test_every_ca_of_mozillas_list_is_public(roots: list[Certificate]) -> None:
    assert len(roots) > 100
    assert {one.organisation for one in roots if not is_public(one)} == set(), "add the owner to issuers.py"


def test_every_organisation_is_one_of_mozillas_list(roots: list[Certificate]) -> None:
    names = [one.organisation.lower() for one in roots]
    assert {one for one in ORGANISATIONS if not any(name.startswith(one.lower()) for name in names)} <= NOT_IN_MOZILLAS_LIST


@pytest.mark.parametrize(
    ("organisation", "name"),
    [
        ("DigiCert Inc", "DigiCert Cloud Services CA-1"),
        ("Microsoft Corporation", "Microsoft Azure RSA TLS Issuing CA 03"),
        ("Let's Encrypt", "R12"),
        ("GoDaddy.com, Inc.", "Go Daddy Secure Certificate Authority - G2"),
    ],
)
def test_issuers_of_the_endpoints_are_public(organisation: str, name: str) -> None:
    assert is_public(Certificate(organisation, name))


@pytest.mark.parametrize(
    ("organisation", "name"),
    [
        ("Fortinet", "FortiGate CA"),
        ("Zscaler Inc.", "Zscaler Intermediate Root CA"),
        ("Cloudflare, Inc.", "Gateway CA - Cloudflare Managed G1"),
        ("", "Microsoft Forefront TMG HTTPS Inspection Certification Authority"),
        ("", "DigiCert Global Root CA"),
        ("Entrusted Networks", "Proxy"),
        ("", ""),
    ],
)
def test_issuers_of_appliances_are_not_public(organisation: str, name: str) -> None:
    assert not is_public(Certificate(organisation, name))


def test_an_expected_issuer_may_have_a_name_alone() -> None:
    assert is_expected(Certificate("", "Contoso Proxy CA"), ["contoso"])
    assert not is_expected(Certificate("Contosoft"), ["contoso"])
