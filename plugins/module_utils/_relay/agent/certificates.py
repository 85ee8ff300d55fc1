# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates of a relay: its own (sign-in to Entra), the listeners' (devices), and the client certificates of connectors.

Postfix disables TLS, and logs a warning only, where a file of smtpd_tls_chain_files is missing or does not match the others. Source:
postconf(5). openssl prints public keys only, and asks for no passphrase. The sign-in key, which the metrics unit must not read, is looked
for and not read.
"""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from .status_document import CertificateStatus

Output = Callable[..., str]  # runs a command; "" where it fails
_PUBLIC_KEY = re.compile(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)
_END = re.compile(r"^notAfter=(.+)$", re.MULTILINE)


def read(identity: Path, signs_in: bool, output: Output) -> tuple[CertificateStatus, ...]:
    """All of them. `identity`: the directory of the sign-in certificate; `signs_in`: whether the relay has one."""
    result = [*_sign_in(identity, output)] if signs_in else []
    listeners = output("/usr/sbin/postconf", "-xh", "smtpd_tls_chain_files", "smtpd_tls_cert_file")
    result += _chain("devices", [path for path in _paths(listeners) if path.startswith("/")], output)
    for line in dict.fromkeys(output("/usr/sbin/postconf", "-P").splitlines()):
        name, _equals, value = line.partition("=")
        if name.strip().endswith("/smtp_tls_chain_files"):
            result += _chain("connector", _paths(value), output)
    return tuple(dict.fromkeys(result))


def _paths(value: str) -> list[str]:
    return list(dict.fromkeys(value.replace(",", " ").split()))


def _sign_in(identity: Path, output: Output) -> Iterator[CertificateStatus]:
    """The current one, and during a rotation the next one."""
    for use, prefix in (("sign-in", ""), ("sign-in, next", "next.")):
        certificate, key = identity / f"{prefix}cert.pem", identity / f"{prefix}key.pem"
        if prefix and not certificate.exists():
            continue
        expires, _key = _certificate(str(certificate), output)
        if not key.exists():
            yield CertificateStatus(use, str(key), None, "the file does not exist")
        yield CertificateStatus(use, str(certificate), expires, "" if expires else _failure(certificate))


def _chain(use: str, paths: Sequence[str], output: Output) -> Iterator[CertificateStatus]:
    """Of files that hold keys and certificates, in any order: the certificates, and the files that cannot be used."""
    certificates = {path: _certificate(path, output) for path in paths}
    keys = {path: _public_key(output("openssl", "pkey", "-in", path, "-passin", "pass:", "-pubout")) for path in paths}
    known = [key for key in keys.values() if key]
    for path, (expires, public_key) in certificates.items():
        if not expires and not keys[path]:
            yield CertificateStatus(use, path, None, _failure(Path(path)))
        elif expires:
            matches = not known or public_key in known
            yield CertificateStatus(use, path, expires, "" if matches else "it does not match its key")


def _certificate(path: str, output: Output) -> tuple[float | None, str]:
    """When the first certificate of a file ends (Unix time), and its public key; None and "" where there is none."""
    text = output("openssl", "x509", "-in", path, "-noout", "-enddate", "-pubkey")
    match = _END.search(text)
    try:
        return (float(calendar.timegm(time.strptime(match[1], "%b %d %H:%M:%S %Y GMT"))) if match else None), _public_key(text)
    except ValueError:
        return None, ""


def _public_key(text: str) -> str:
    match = _PUBLIC_KEY.search(text)
    return match[0] if match else ""


def _failure(path: Path) -> str:
    return "the file holds neither a certificate nor a key without a passphrase" if path.exists() else "the file does not exist"
