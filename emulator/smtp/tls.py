"""TLS of the two services, and validation of a client's certificate (RFC 5280)."""

from __future__ import annotations

import _ssl
import contextlib
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME (OpenSSL: X509_VERIFY_PARAM_set_flags)
VERSIONS = {"TLSv1": "1.0", "TLSv1.1": "1.1", "TLSv1.2": "1.2", "TLSv1.3": "1.3"}


class CertificateAuthority(Protocol):
    """What the services need of emulator.ca.Authority."""

    ca_file: Path
    server_chain: Path
    server_key: Path


class _TakesAny(ssl.SSLContext):
    """A server that asks for a client certificate and hangs up on none, as Microsoft's does; but for one thing.

    A self-signed, foreign, expired or incomplete chain is accepted but not trusted: `certificate_names` is strict
    instead. OpenSSL could be told so by a verify callback, which Python does not offer; it lets see the messages of a
    handshake before they are processed, so that whatever certificate arrives becomes its own anchor. One whose extended
    key usage leaves clients out OpenSSL refuses all the same; what Microsoft does with it is not published.
    """

    _msg_callback: Callable[..., None]  # ssl.SSLContext's own, which its stub leaves out

    def take_any(self) -> None:
        self.verify_mode = ssl.CERT_OPTIONAL
        self.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN | NO_CHECK_TIME
        self.options |= ssl.OP_NO_TICKET  # a resumed session would not show the chain again
        self.num_tickets = 0
        self._msg_callback = self._seen

    def _seen(self, connection: object, direction: str, version: int, content: int, message: object, data: bytes) -> None:
        if direction != "read" or getattr(message, "name", "") != "CERTIFICATE":
            return
        body = data[4:]  # type and length
        if version == ssl.TLSVersion.TLSv1_3:
            body = body[1 + body[0] :]  # certificate_request_context (RFC 8446, section 4.4.2)
        size = int.from_bytes(body[3:6], "big")
        if size:
            with contextlib.suppress(ssl.SSLError):  # no certificate at all: OpenSSL refuses it next
                self.load_verify_locations(cadata=body[6 : 6 + size])


def server_context(authority: CertificateAuthority, *, client_certificates: bool = False) -> ssl.SSLContext:
    """Old versions get their handshake, because the service refuses them with a reply."""
    context = _TakesAny(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(authority.server_chain, authority.server_key)
    if client_certificates:
        context.take_any()
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
    result = vars(connection)["_sslobj"].get_unverified_chain() or ()
    return [x509.load_der_x509_certificate(one.public_bytes(_ssl.ENCODING_DER)) for one in result]


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
    matches = [str(one.value) for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    matches += alternatives.get_values_for_type(x509.DNSName)
    return tuple(dict.fromkeys(name.lower() for name in matches))
