# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The samples of a sheet: the program or configuration, and the commands of a test."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from .._planning.device_settings import OPTIONAL, is_certificate
from .._products.model import Product
from .._products.sample import VERIFIED, Sample
from .._products.samples import SAMPLES
from .document import Block, Code, Link, Paragraph, Section, Text, Value, paragraph

_ERRORS = "https://github.com/mailops/m365/blob/main/docs/device-settings.md#errors"
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:-]*")


def authentication(settings: Mapping[str, Any]) -> str:
    """A key of AUTHENTICATIONS in _products/sample.py."""
    if settings["oauth"]:
        return "certificate" if is_certificate(settings["oauth"]["credential"]) else "oauth"
    return "password" if settings["user"] else "none"


def is_optional(settings: Mapping[str, Any]) -> bool:
    """Whether the server also accepts mail without TLS."""
    return str(settings["encryption"]).startswith(OPTIONAL)


def rendered(sample: Sample, settings: Mapping[str, Any]) -> str:
    """The sample for these settings; "" where it has none, or where their server is not a host name."""
    host, user = _host(settings), _user(settings)
    if not host or not f"{user}{settings['from']}".isprintable() or '"' in user:
        return ""
    oauth = settings["oauth"] or {}
    values: dict[str, str | int] = {name: str(oauth.get(name) or "") for name in ("tenant_id", "authority", "token_url", "scope")}
    values |= {"client_id": oauth.get("client_id") or "CLIENT_ID", "host": host, "port": int(settings["port"])}
    return sample.render(authentication(settings), values | {"user": user, "sender": settings["from"]})


def _host(settings: Mapping[str, Any]) -> str:
    """The server's name; "" where it is not known. A pair of relay hosts is "one or two"."""
    first = str(settings["server"]).split(" or ", maxsplit=1)[0]
    return first if _HOST.fullmatch(first) else ""


def _user(settings: Mapping[str, Any]) -> str:
    """The user name, or a placeholder where it is described."""
    return "USER_NAME" if " " in settings["user"] else str(settings["user"])


def sections(entry: Mapping[str, Any], product: Product | None) -> Iterator[Section]:
    sample = SAMPLES.get(product.name) if product else None
    written = rendered(sample, entry["settings"]) if sample else ""
    if not sample or not written.strip():
        return
    blocks: list[Block] = []
    kind = authentication(entry["settings"])
    if kind != "none":
        blocks.append(paragraph(f"The secret is not in it; it is read from {sample.secrets[sample.mark(kind)]}."))
    if kind == "certificate" and sample.mark(kind) != kind:
        blocks.append(paragraph("It signs in with a client secret. With a certificate, a library such as MSAL requests the token."))
    blocks.append(Code(sample.language, written))
    blocks.append(paragraph(VERIFIED[sample.verified]))
    yield Section(f"Sample: {sample.file}" if sample.file else "Sample", tuple(blocks))


def test(tenant: str, entry: Mapping[str, Any]) -> tuple[Block, ...]:
    """How to see that the settings work."""
    blocks: list[Block] = [
        paragraph("Send a test message from the device or program to an address of your own, and look at its log or display.")
    ]
    commands = list(_commands(entry))
    if commands:
        blocks += [paragraph("From a computer in the same network, without the device:"), Code("console", "\n".join(commands))]
    errors = (Text("If a reply is displayed, mailops-explain says what it means. The usual ones:"), Link("errors of devices", _ERRORS))
    verify = (
        Text("The administrator verifies the senders of the tenant with"),
        Value(f"ansible-playbook mailops.m365.verify --limit {tenant}"),
    )
    return (*blocks, Paragraph(errors), Paragraph(verify))


def _commands(entry: Mapping[str, Any]) -> Iterator[str]:
    settings = entry["settings"]
    host, user = _host(settings), _user(settings)
    if not host or settings["oauth"] or not f"{user}{settings['from']}".isprintable():
        return
    sender = shlex.quote(settings["from"])
    tls = "-tlso" if is_optional(settings) else "-tls"
    command = f"swaks --server {host} --port {settings['port']} {tls} --from {sender} --to {sender}"
    # swaks asks for the password, so that no history and no list of processes has it.
    yield command + (f" --auth LOGIN --auth-user {shlex.quote(user)}" if user else "")
