# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CAs that servers' certificates are checked against, the same for HTTPS and for SMTP."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from .errors import InvalidInput

OPTION = "m365_cloud.ca_file"
# Those of requests, then those of OpenSSL; the first one that is set counts.
VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


def ca_bundle(ca_file: str = "", environment: Mapping[str, str] | None = None) -> str:
    """The path of the CAs: a PEM file or a directory of c_rehash; "" for the defaults of the library.

    `ca_file`, the cloud's own, counts before the environment. InvalidInput where the path does not exist or cannot be read.
    """
    environment = os.environ if environment is None else environment
    names = [(OPTION, ca_file), *((f"the environment variable {name}", environment.get(name, "")) for name in VARIABLES)]
    for name, value in names:
        if value:
            return _readable(name, value)
    return ""


def _readable(name: str, value: str) -> str:
    path = Path(value).expanduser()
    if not path.exists():
        raise InvalidInput(f"{name} is {value!r}, which does not exist: give a PEM file with the CAs' certificates, or leave it out.")
    if not os.access(path, os.R_OK):
        raise InvalidInput(f"{name} is {value!r}, which this user cannot read: allow it, or give another file.")
    return str(path)
