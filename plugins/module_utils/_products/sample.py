# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples: a whole program or configuration of a product, as a sheet prints it.

A line that begins with ?none, ?password, ?oauth or ?certificate is only in the sample of a sender with that authentication. Words in
braces are values, written as the language quotes them, or with `:plain` as they are. A sample never holds a secret: it says where the
program reads it.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# `certificate`: with OAuth, by a certificate instead of a client secret. A sample without lines for it has those of `oauth`.
AUTHENTICATIONS = ("none", "password", "oauth", "certificate")
# How far a sample was verified, and what the sheet says of it.
RUN, PARSED, WRITTEN = "run", "parsed", "written"
VERIFIED = {
    RUN: "The tests of this collection run this sample as it is printed.",
    PARSED: "The tests of this collection check the syntax and the values of this sample. They do not run it with the product.",
    WRITTEN: "This sample was written from the documentation of the product. It was not run.",
}
# Values of a sample. `port` is a number.
VALUES = ("host", "port", "user", "sender", "tenant_id", "client_id", "authority", "token_url", "scope")
_VALUE = re.compile(r"\{(" + "|".join(VALUES) + r")(:plain)?\}")


def _single(text: str) -> str:
    """Between single quotes, as PHP, Python and JavaScript read them."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _ini(text: str) -> str:
    """For Grafana: # and ; begin a comment where the value is not between triple quotes."""
    return f'"""{text}"""' if re.search("[#;`]", text) else text


def _properties(text: str) -> str:
    return text.replace("\\", "\\\\")


def _dotenv(text: str) -> str:
    return '"' + re.sub(r'([\\"$])', r"\\\1", text) + '"'


def _double(text: str) -> str:
    """Between double quotes without escape sequences: a mail address, host name or URL has no double quote."""
    return f'"{text}"'


QUOTES: dict[str, Callable[[str], str]] = {
    "single": _single,
    "json": json.dumps,
    "shell": shlex.quote,
    "ini": _ini,
    "properties": _properties,
    "dotenv": _dotenv,
    "double": _double,
    "plain": str,
}


@dataclass(frozen=True)
class Sample:
    """`language`: as Markdown names it; `quote`: a key of QUOTES; `file`: where it belongs; `verified`: a key of VERIFIED.

    `secrets`: of AUTHENTICATIONS -> where the program reads its password, client secret or key.
    """

    language: str
    quote: str
    file: str
    secrets: Mapping[str, str]
    text: str
    verified: str = WRITTEN

    def render(self, authentication: str, values: Mapping[str, str | int]) -> str:
        """The sample for a key of AUTHENTICATIONS; "" where it has none for it. `values`: of VALUES."""
        if authentication in ("oauth", "certificate") and not self.has_oauth:
            return ""
        authentication = self.mark(authentication)
        quote = QUOTES[self.quote]

        def value(name: re.Match[str]) -> str:
            one = values[name[1]]
            return str(one) if isinstance(one, int) or name[2] else quote(one)

        lines = [line for line in (_line(line, authentication) for line in self.text.strip("\n").splitlines()) if line is not None]
        return _VALUE.sub(value, "\n".join(lines)) + "\n"

    @property
    def has_oauth(self) -> bool:
        return "?oauth" in self.text

    def mark(self, authentication: str) -> str:
        """The mark of the lines for an authentication."""
        return "oauth" if authentication == "certificate" and "?certificate" not in self.text else authentication


def _line(line: str, authentication: str) -> str | None:
    """The line without its mark; None where it belongs to another authentication."""
    if not line.startswith("?"):
        return line
    marks, _space, rest = line.partition(" ")
    return rest if authentication in marks.strip("?").split("|") else None
