# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a server accepts TLS 1.0, 1.1, 1.2 and 1.3, each offered alone.

A host that cannot offer a version, by its OpenSSL or its policy, gets UNAVAILABLE: that says nothing about the server.
"""

from __future__ import annotations

import ssl
import warnings

from . import observations as seen
from .observations import ACCEPTED, NOT_TESTED, UNAVAILABLE, Endpoint
from .session import Session

_VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
# Reasons of OpenSSL that come before anything is sent.
_LOCAL = ("NO_PROTOCOLS_AVAILABLE", "NO_CIPHERS_AVAILABLE", "UNSUPPORTED_PROTOCOL_VERSION", "INTERNAL_ERROR")


def context_of(version: str) -> ssl.SSLContext | None:
    """A context that offers this version alone and trusts any certificate; None where this Python or OpenSSL has it not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of TLS 1.0 and 1.1, which are what is asked about
            context.minimum_version = context.maximum_version = _VERSIONS[version]
        context.set_ciphers("ALL:@SECLEVEL=0")  # OpenSSL 3 offers TLS 1.0 and 1.1 at security level 0 only
    except (ssl.SSLError, ValueError):
        return None
    return context


def test_version(endpoint: Endpoint, version: str, timeout: float) -> str:
    """ACCEPTED, UNAVAILABLE, NOT_TESTED where the session ended before TLS, or how the handshake ended."""
    context = context_of(version)
    if context is None:
        return UNAVAILABLE
    sample = Session(endpoint, context, timeout).run()
    if sample.complete or (sample.tls_version and sample.error != seen.REPLY):
        return ACCEPTED
    if not sample.reached(seen.TLS):
        return NOT_TESTED
    if sample.error == seen.PROTOCOL and sample.detail in _LOCAL:
        return UNAVAILABLE
    return seen.REFUSED if sample.error in (seen.PROTOCOL, seen.REPLY) else sample.error
