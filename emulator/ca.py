"""A certificate authority of the emulator's own: root, intermediate, and what they sign.

The profile is RFC 5280's, in the strict reading that Python 3.13 made its default (VERIFY_X509_STRICT): critical
BasicConstraints and KeyUsage on authorities, SubjectKeyIdentifier and AuthorityKeyIdentifier everywhere.
"""

from __future__ import annotations

import datetime
import fcntl
import ipaddress
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from emulator.tokens import HOSTS

CA_DAYS = 3650
SERVER_DAYS = 825
RENEW_BEFORE = datetime.timedelta(days=30)
# Microsoft: "Microsoft 365 URLs and IP address ranges", worldwide and national clouds.
SERVER_NAMES = (
    "localhost",
    "127.0.0.1",
    "::1",
    "smtp.office365.com",
    "smtp-legacy.office365.com",
    "smtp.office365.us",
    "smtp.partner.outlook.cn",
    "smtp-legacy.partner.outlook.cn",
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    *sorted(HOSTS["graph"] | HOSTS["exchange"] | HOSTS["management"]),
    "*.mail.protection.outlook.com",
    "*.mail.protection.office365.us",
    "*.mail.protection.partner.outlook.cn",
    "*.mx.microsoft",
    "*.p-v1.mx.microsoft",
    "smtp.hve.mx.microsoft",
    "smtp.azurecomm.net",
    # The hosted relays' SMTP pages.
    *(f"mail{region}.smtp2go.com" for region in ("", "-us", "-eu", "-au")),
    "smtp.sendgrid.net",
    "smtp.eu.sendgrid.net",
    "smtp.mailgun.org",
    "smtp.eu.mailgun.org",
)


@dataclass
class _Signer:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Authority:
    """Makes the authority in a directory, or takes the one that is there.

    `ca_file` is what a client has to trust; `server_chain` (with the intermediate) and `server_key` are the services'.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = directory
        self.ca_file = directory / "ca.pem"
        self.server_chain = directory / "server.pem"
        self.server_key = directory / "server.key"
        with self._locked():
            root = self._signer("ca", "Emulator Root CA", None)
            self._intermediate = self._signer("intermediate", "Emulator Intermediate CA", root)
            if not self._server_is_good():
                chain, key = self.issue(SERVER_NAMES, days=SERVER_DAYS)
                _write(self.server_key, key)
                _write(self.server_chain, chain)

    @property
    def root(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.ca_file.read_bytes())

    def issue(self, names: Sequence[str], *, client: bool = False, days: int = 365) -> tuple[bytes, bytes]:
        """The chain (leaf and intermediate) and the key of a new certificate; `client`: it may also be a client certificate."""
        leaf, key = self.issue_leaf_only(names, client=client, days=days)
        return leaf + self._intermediate.certificate.public_bytes(Encoding.PEM), key

    def issue_leaf_only(self, names: Sequence[str], *, client: bool = False, days: int = 365) -> tuple[bytes, bytes]:
        """The same without the intermediate: what a badly set up relay sends. Negative `days`: it ended then."""
        key = ec.generate_private_key(ec.SECP256R1())
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, *([ExtendedKeyUsageOID.CLIENT_AUTH] if client else [])]
        builder = _builder(names[0], key, self._intermediate, days)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(authority=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        certificate = builder.sign(self._intermediate.key, hashes.SHA256())
        return certificate.public_bytes(Encoding.PEM), _key_pem(key)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time; the lock goes with the descriptor."""
        descriptor = os.open(self._directory / "ca.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _signer(self, name: str, title: str, issuer: _Signer | None) -> _Signer:
        """The authority of this name from its files, or a new one."""
        certificate_file, key_file = self._directory / f"{name}.pem", self._directory / f"{name}.key"
        result = _load(certificate_file, key_file)
        if result and (issuer is None or _signed_by(result.certificate, issuer.certificate)):
            return result
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(title, key, issuer, CA_DAYS)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0 if issuer else 1), critical=True)
        builder = builder.add_extension(_key_usage(authority=True), critical=True)
        certificate = builder.sign(issuer.key if issuer else key, hashes.SHA256())
        _write(key_file, _key_pem(key))
        _write(certificate_file, certificate.public_bytes(Encoding.PEM))
        return _Signer(certificate, key)

    def _server_is_good(self) -> bool:
        result = _load(self.server_chain, self.server_key)
        if result is None or not _signed_by(result.certificate, self._intermediate.certificate):
            return False
        there = result.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return set(there) >= {_general_name(name) for name in SERVER_NAMES}


def _builder(title: str, key: ec.EllipticCurvePrivateKey, issuer: _Signer | None, days: int) -> x509.CertificateBuilder:
    """What every certificate has: names, times, serial number and the two key identifiers."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title[:64])])  # RFC 5280: ub-common-name
    signer = issuer.key if issuer else key
    end = datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(days=days)
    begin = min(end, datetime.datetime.now(datetime.UTC)) - datetime.timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _load(certificate_file: Path, key_file: Path) -> _Signer | None:
    """A certificate and its key, where both are there, fit together and are good for a while."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = load_pem_private_key(key_file.read_bytes(), None)
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        return None
    left = certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    return _Signer(certificate, key) if left > RENEW_BEFORE else None


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    identifier = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    return identifier == issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def _write(path: Path, content: bytes) -> None:
    """In one step, and never readable by others."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    temporary.replace(path)
