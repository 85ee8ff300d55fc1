# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes hMailServer's settings (script hmail_write): who may send first, then the upstream, the ports at last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..._core.errors import MailopsError
from ..._core.json_types import JsonObject
from ..host import WindowsHost
from . import desired, server
from .desired import Change, Desired, Differences
from .options import Account
from .server import CERTIFICATES, Secrets, Server, Value

_ATTEMPTED = "write the settings of hMailServer"


def administrator_password(host: WindowsHost, current: str, new: str) -> None:
    """Set the administrator password. `current` empty: there is none."""
    secrets = Secrets()
    request = _request(secrets, current) | {"administrator": [secrets.line(new)]}
    _run(host, request, secrets)


def apply_differences(
    host: WindowsHost, password: str, current: Server, differing: Differences, relayer_password: str | None = None
) -> None:
    """Write changes that need no ID of each other. `relayer_password` None: it stays as it is."""
    secrets = Secrets()
    request = _request(secrets, password) | _elements(secrets, current, (*differing.elements, *differing.ports))
    request |= {"settings": _pairs(differing.settings), "logging": _pairs(differing.logging)}
    request["relayer"] = [] if relayer_password is None else [secrets.line(relayer_password)]
    request["restart"] = ["Stop", "Start"] if differing.restart else []
    _run(host, request, secrets)


def converge(host: WindowsHost, password: str, current: Server, wanted: Desired, relayer_password: str | None) -> None:
    """Write what differs. The ports need the ID of a certificate, which its creation assigns: they are written on their own."""
    differing = desired.differences(current, wanted)
    first = Differences(differing.settings, differing.logging, differing.elements, ())
    apply_differences(host, password, current, first, relayer_password)
    if differing.ports or any(one.collection == CERTIFICATES for one in differing.elements):
        read = server.read(host, password, wanted.accounts)
        apply_differences(host, password, read, Differences({}, {}, (), desired.differences(read, wanted).ports))


def verify(host: WindowsHost, password: str, wanted: Desired, accounts: Sequence[Account]) -> None:
    """MailopsError where hMailServer does not have what was written."""
    remaining = desired.differences(server.read(host, password, accounts), wanted)
    if remaining:
        raise MailopsError(
            f"hMailServer on {host.name} does not have {', '.join(remaining.named())} as they were written: check them there."
        )


def _request(secrets: Secrets, password: str) -> JsonObject:
    """A request that changes nothing yet."""
    lists = ("administrator", "domains", "remove", "save", "settings", "logging", "relayer", "restart")
    return {"authenticate": [secrets.line(password)] if password else []} | {name: [] for name in lists}


def _run(host: WindowsHost, request: JsonObject, secrets: Secrets) -> None:
    host.run("hmail_write", _ATTEMPTED, request | {"secrets": secrets.lines()}, secrets.values)


def _pairs(values: Mapping[str, Value]) -> list[dict[str, Value]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def _elements(secrets: Secrets, current: Server, changes: Sequence[Change]) -> JsonObject:
    """What is removed and saved; an account's owner is its domain, which may be new."""
    names = {one.name.lower(): one.name for one in current.domains}
    saved = [one for one in changes if one.after is not None]
    return {
        "domains": sorted(names[one.owner] for one in changes if one.collection == "Accounts" and one.owner in names),
        "remove": [{"owner": one.owner, "collection": one.collection, "id": one.id} for one in changes if one.after is None],
        "save": [
            {
                "owner": one.owner,
                "collection": one.collection,
                "id": one.id,
                "label": str(one.values["Name"]) if one.collection == "Domains" else "",
                "set": _pairs(one.values),
                "password": [secrets.line(one.password)] if one.password else [],
            }
            for one in saved
        ],
    }
