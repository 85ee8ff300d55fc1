"""The names in a certificate from its DER."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._diagnosis.certificate import read_certificate
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID


def der(issuer: list[x509.NameAttribute], subject: str = "smtp.office365.com") -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().issuer_name(x509.Name(issuer)).public_key(key.public_key()).serial_number(2**150)
    builder = builder.subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
    builder = builder.not_valid_before(start).not_valid_after(start + datetime.timedelta(90))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_organisation_and_common_name() -> None:
    names = [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "DigiCert Inc"),
        x509.NameAttribute(NameOID.COMMON_NAME, "DigiCert Cloud Services CA-1"),
    ]
    one = read_certificate(der(names), "expired")
    assert (one.organisation, one.common_name, one.subject) == ("DigiCert Inc", "DigiCert Cloud Services CA-1", "smtp.office365.com")
    assert (one.problem, one.trusted) == ("expired", False)


@pytest.mark.parametrize("oid", [NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME])
def test_one_name_alone(oid: x509.ObjectIdentifier) -> None:
    one = read_certificate(der([x509.NameAttribute(oid, "Büro Gateway")]))
    assert (one.issuer, one.full_issuer, one.trusted) == ("Büro Gateway", "Büro Gateway", True)


def test_a_hostile_name_is_one_short_line() -> None:
    one = read_certificate(der([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "a\r\n\x1b[31mb\u202e" + "x" * 50)]))
    assert one.issuer == "a [31mb " + "x" * 50


@pytest.mark.parametrize("size", [0, 1, 10, 60, 120, 200])
def test_data_that_is_no_certificate(size: int) -> None:
    whole = der([x509.NameAttribute(NameOID.COMMON_NAME, "CA")])
    assert read_certificate(whole[:size]).issuer == ""
    assert read_certificate(b"\xff" * size).issuer == ""
