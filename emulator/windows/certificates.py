"""Client certificates of WinRM (certificate mapping), and channel bindings of TLS."""

from __future__ import annotations

import datetime
import hashlib
import ssl

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from emulator.state import WindowsHost, WindowsUser

UPN = ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")  # szOID_NT_PRINCIPAL_NAME


def user_of(connection: ssl.SSLObject | None, host: WindowsHost, now: float) -> WindowsUser | None:
    """The user whose mapping the client's certificate fits: by the UPN in it, and by its issuer, which the mapping names."""
    der = connection.getpeercert(binary_form=True) if connection else None
    if not der:
        return None
    certificate = x509.load_der_x509_certificate(der)
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc or not _for_clients(certificate):
        return None
    names = _principal_names(certificate)
    for user in host.users:
        if user.certificate_upn and user.certificate_upn.lower() in names and _issued_by(certificate, user.certificate_issuer):
            return user
    return None


def _for_clients(certificate: x509.Certificate) -> bool:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.CLIENT_AUTH in usages


def _principal_names(certificate: x509.Certificate) -> list[str]:
    """User principal names among the alternative names: otherName with a UTF8String."""
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    others = [one for one in alternatives if isinstance(one, x509.OtherName) and one.type_id == UPN]
    return [one.value[2:].decode("utf-8", "replace").lower() for one in others if one.value[:1] == b"\x0c"]


def _issued_by(certificate: x509.Certificate, issuer: str) -> bool:
    try:
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(issuer.encode()))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def endpoint_binding(server_chain: bytes) -> bytes:
    """tls-server-end-point of a server's certificate (RFC 5929): its digest, by SHA-256 where the signature has MD5 or SHA-1."""
    certificate = x509.load_pem_x509_certificate(server_chain)
    algorithm = certificate.signature_hash_algorithm or hashes.SHA256()
    name = "sha256" if algorithm.name in ("md5", "sha1") else algorithm.name
    return b"tls-server-end-point:" + hashlib.new(name, certificate.public_bytes(Encoding.DER)).digest()
