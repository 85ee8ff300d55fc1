# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IIS SMTP as a relay, read-only: service, who may relay, queue, bad mail, and the last errors of the upstream server."""

from __future__ import annotations

from ..host import WindowsHost
from ..services import AUTOMATIC, RUNNING
from . import log, settings, state
from .desired import lists_of
from .removal import Folder, folders, messages
from .state import SMTP_SERVER, IisState, Server

_LOG_FILES = r"C:\Windows\System32\LogFiles"
_BATCH = 100  # messages in the folder of bad mail from which on it needs attention


def read(host: WindowsHost) -> tuple[dict[str, object] | None, list[dict[str, str]]]:
    """The result, and what needs attention; None where the feature is not installed."""
    current = state.read(host)
    if SMTP_SERVER in current.missing:
        return None, []
    result: dict[str, object] = {
        "managed": current.memory is not None,
        "missing_features": list(current.missing),
        "service": {"state": current.service.state.lower(), "start_mode": current.service.start_mode.lower()} if current.service else None,
        "virtual_server": None,
    }
    found = _of_service(host, current)
    if current.server is None:
        problem = "The virtual SMTP server is missing, as after an upgrade of Windows."
        return result, [*found, _attention(host, problem, "Run module windows_smtp_server, which creates it again.")]
    server, more = _of_server(host, current.server)
    return result | {"virtual_server": server}, found + more


def _of_service(host: WindowsHost, current: IisState) -> list[dict[str, str]]:
    service = current.service
    if current.memory is None or service is None:
        return []
    found = []
    if service.state != RUNNING:
        found.append(_attention(host, f"The SMTP service is {service.state.lower()}.", "Start the service SMTPSVC."))
    if service.start_mode != AUTOMATIC:
        problem = f"The SMTP service has the start mode {service.start_mode.lower()}: it is stopped after a restart."
        found.append(_attention(host, problem, "Run module windows_smtp_server, which sets it to automatic."))
    return found


def _of_server(host: WindowsHost, server: Server) -> tuple[dict[str, object], list[dict[str, str]]]:
    values = server.values
    paths = [str(values.get(name) or settings.DIRECTORIES[name]) for name in (settings.QUEUE, settings.BAD_MAIL)]
    queue, bad_mail = folders(host, *paths)
    directory = str(values.get(settings.LOG_DIRECTORY) or _LOG_FILES)
    errors = log.read(host, rf"{directory}\SMTPSVC1")
    open_relay = server.relay is not None and server.relay.open_to_all
    granted = {name: one.granted() if one else [] for name, one in lists_of(server).items()}
    result: dict[str, object] = {
        "fqdn": values.get("FullyQualifiedDomainName"),
        "listeners": [
            {"address": one.address, "port": one.port} for one in sorted(server.listeners, key=lambda one: (one.port, one.address))
        ],
        "upstream": {"host": str(values.get("SmartHost") or "").strip("[]"), "port": values.get("RemoteSmtpPort")},
        "relay_networks": granted["RelayIpList"],
        "connection_networks": granted["IPSecurity"],
        "open_relay": open_relay,
        "queue": _folder(queue),
        "bad_mail": _folder(bad_mail),
        "errors": [one.as_result() for one in errors],
    }
    found = []
    if open_relay:
        found.append(_attention(host, "Everybody who can connect may relay.", "Run module windows_smtp_server, which closes the relay."))
    if queue.count and errors:
        last = errors[0]
        problem = f"The queue has {messages(queue.count)}; the upstream server answers: {last.reply}"
        found.append(_attention(host, problem, f"{last.cause} {last.remedy}".strip()))
    if bad_mail.count >= _BATCH:
        problem = f"{bad_mail.path} has {bad_mail.count} messages that could be neither delivered nor returned."
        found.append(_attention(host, problem, "Read some of them, then delete them: nothing else does."))
    return result, found


def _folder(folder: Folder) -> dict[str, object]:
    return {"path": folder.path, "count": folder.count, "size": folder.size, "oldest": folder.oldest or None}


def _attention(host: WindowsHost, problem: str, remedy: str) -> dict[str, str]:
    return {"kind": "relay", "subject": host.name, "problem": problem, "remedy": remedy}
