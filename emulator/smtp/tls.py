"""TLS of the two services, and what a client's certificate proves (RFC 5280)."""

from __future__ import annotations

import _ssl
import ssl
import sys
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

VERSIONS = {"TLSv1": "1.0", "TLSv1.1": "1.1", "TLSv1.2": "1.2", "TLSv1.3": "1.3"}


class CertificateAuthority(Protocol):
    """What the services need of emulator.ca.Authority."""

    ca_file: Path
    server_chain: Path
    server_key: Path


def server_context(authority: CertificateAuthority, *, client_certificates: bool = False) -> ssl.SSLContext:
    """Old versions get their handshake, because the service refuses them with a reply.

    With client certificates OpenSSL also trusts the intermediate, so that a client that does not send it is not
    cut off: Microsoft takes its certificate and finds no connector. `certificate_names` is strict instead.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(authority.server_chain, authority.server_key)
    if client_certificates:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(authority.ca_file)
        pem = authority.server_chain.read_bytes()
        for certificate in x509.load_pem_x509_certificates(pem)[1:]:
            context.load_verify_locations(cadata=certificate.public_bytes(Encoding.DER))
        context.options |= ssl.OP_NO_TICKET  # a resumed session would not show the chain again
        context.num_tickets = 0
    return context


def version(connection: ssl.SSLObject) -> str:
    """1.0 to 1.3."""
    return VERSIONS.get(connection.version() or "", "1.2")


def sent_chain(connection: ssl.SSLObject) -> list[x509.Certificate]:
    """The certificates that the client sent, its own first."""
    if not connection.getpeercert(binary_form=True):
        return []
    if sys.version_info >= (3, 13):
        return [x509.load_der_x509_certificate(der) for der in connection.get_unverified_chain()]
    found = vars(connection)["_sslobj"].get_unverified_chain() or ()
    return [x509.load_der_x509_certificate(one.public_bytes(_ssl.ENCODING_DER)) for one in found]


def certificate_names(connection: ssl.SSLObject, root: x509.Certificate) -> tuple[str, ...]:
    """The names in a client's certificate; none where what it sent does not lead to the root."""
    chain = sent_chain(connection)
    if not chain:
        return ()
    verifier = PolicyBuilder().store(Store([root])).build_client_verifier()
    try:
        verifier.verify(chain[0], chain[1:])
    except VerificationError:
        return ()
    return _names(chain[0])


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    found = [str(one.value) for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    found += alternatives.get_values_for_type(x509.DNSName)
    return tuple(dict.fromkeys(name.lower() for name in found))
