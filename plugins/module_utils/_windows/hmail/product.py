# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The installation of hMailServer: whether it is there, what would stop its setup program, and the memory of this collection.

Source of what stops a setup program: hMailServer's installation scripts. Their message boxes are shown in a silent installation, too, and
nobody can answer them under WinRM.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..._core.errors import MailopsError
from .. import memory as relay_memory
from .. import services as windows_services
from ..host import WindowsError, WindowsHost, rows
from ..services import AUTOMATIC, RUNNING
from .options import Installer

SERVICE, IIS_SERVICE = "hMailServer", "SMTPSVC"
SILENT = ("/VERYSILENT", "/SUPPRESSMSGBOXES", "/NORESTART")
# Where a setup program looks for hMailServer.INI; of 32 bits (5.6) and of 64 (5.7 and 6).
FOLDERS = ("C:\\Program Files (x86)\\hMailServer\\", "C:\\Program Files\\hMailServer\\")
_DOWNLOADS = "C:\\ProgramData\\mailops"
_SETUP_PORTS = (25, 110, 143)
_TOOLS = ("hmailadmin", "dbsetup", "dbsetupquick", "dbupdater")
_DOTNET_45 = 378389
_UNINSTALL_SECONDS, _POLL_SECONDS = 120, 2


@dataclass(frozen=True)
class Memory:
    """What was there before this collection. `installed`: it has installed the product; else `before` has the settings from before."""

    installed: bool
    before: Mapping[str, Any]

    def text(self) -> str:
        return json.dumps({"installed": self.installed, "before": self.before}, sort_keys=True)


@dataclass(frozen=True)
class Product:
    """What is on the host. `version` empty: not installed. `holders`: the process that listens on a port. `memory`: None where
    this collection has changed nothing. `protected`: an INI file has an administrator password."""

    version: str
    directory: str
    state: str
    start_mode: str
    iis_runs: bool
    holders: Mapping[int, str]
    tools: tuple[str, ...]
    framework: int
    protected: tuple[str, ...]
    memory: Memory | None

    @property
    def is_installed(self) -> bool:
        return bool(self.version)

    @property
    def runs(self) -> bool:
        return self.state == RUNNING


def read(host: WindowsHost) -> Product:
    """The state of the installation, in one script."""
    password, empty = "AdministratorPassword=[0-9a-fA-F]", "AdministratorPassword=d41d8cd98f00b204e9800998ecf8427e"  # MD5 of nothing
    request = {"folders": list(FOLDERS), "password": password, "empty": empty}
    document = host.run("hmail_host", "read whether hMailServer is installed", request)
    products = rows(host.name, document, "products")
    services = {str(one.get("name")): one for one in rows(host.name, document, "services")}
    names = {one.get("id"): str(one.get("name")) for one in rows(host.name, document, "processes")}
    holders: dict[int, str] = {}
    for one in rows(host.name, document, "listening"):
        holders.setdefault(int(one.get("port") or 0), names.get(one.get("process"), "an unknown process"))
    service = services.get(SERVICE, {})
    first: Mapping[str, object] = products[0] if products else {}
    protected, framework = document.get("protected"), document.get("framework")
    return Product(
        str(first.get("version") or ""),
        str(first.get("directory") or ""),
        str(service.get("state") or ""),
        str(service.get("start_mode") or ""),
        services.get(IIS_SERVICE, {}).get("state") == RUNNING,
        holders,
        tuple(sorted({name for name in names.values() if name.lower() in _TOOLS})),
        framework if isinstance(framework, int) else 0,
        tuple(map(str, protected)) if isinstance(protected, list) else (),
        _memory(host, document.get("memory")),
    )


def _memory(host: WindowsHost, text: object) -> Memory | None:
    if not text:
        return None
    try:
        document = json.loads(str(text))
        return Memory(bool(document["installed"]), dict(document["before"]))
    except (ValueError, KeyError, TypeError):
        key = r"HKLM:\SOFTWARE\mailops\relay"
        raise MailopsError(
            f"The value hmailserver of {key} on {host.name} is not what this collection writes: restore it, or remove it to adopt the "
            "settings as they are."
        ) from None


def conflicts(product: Product, ports: Iterable[int]) -> list[str]:
    """Who else uses the ports of the relay."""
    if product.iis_runs:
        return ["IIS SMTP Server (SMTPSVC) runs and uses port 25: stop it and set its start mode to disabled, or use it as the relay."]
    others = {port: product.holders[port] for port in ports if product.holders.get(port, SERVICE) != SERVICE}
    return [f"Port {port} is in use by the process {name}: stop it, or choose another port in listeners." for port, name in others.items()]


def obstacles(product: Product, restart_pending: bool, name: str) -> list[str]:
    """What would make the setup program wait for good, or fail."""
    sentences = []
    if restart_pending:
        sentences.append(f"{name} waits for a restart, so that hMailServer cannot be installed: restart it first.")
    if product.framework < _DOTNET_45:
        sentences.append("The setup program needs .NET Framework 4.5 or newer: install it.")
    for port in _SETUP_PORTS:
        if port in product.holders:
            sentences.append(
                f"Port {port} is in use by the process {product.holders[port]}, for which the setup program would wait: stop it."
            )
    sentences += [f"{tool} runs, for which the setup program would wait: close it." for tool in product.tools]
    sentences += [
        f"{path} of an earlier installation has an administrator password, for which the setup program would ask: move or remove the file."
        for path in product.protected
    ]
    return sentences


def installer_path(installer: Installer) -> str:
    """Where the setup program is on the host; a downloaded one has the name of its URL."""
    if installer.path:
        return installer.path
    name = (installer.url or "").rpartition("/")[2].partition("?")[0]
    safe = "".join(one if one.isascii() and (one.isalnum() or one in "._-") else "_" for one in name)
    return f"{_DOWNLOADS}\\{safe or 'hMailServer.exe'}"


def installer_problems(host: WindowsHost, installer: Installer) -> list[str]:
    """Whether a setup program on the host is the one that was verified. One at a URL is checked when it is downloaded."""
    if not installer.path:
        return []
    return _hash_problems(host, installer, _hash(host, installer, download=False))


def _hash(host: WindowsHost, installer: Installer, *, download: bool) -> str:
    request = {"path": installer_path(installer), "url": [installer.url] if download else [], "directory": _DOWNLOADS}
    return str(host.run("hmail_installer", "read the setup program", request).get("sha256") or "")


def _hash_problems(host: WindowsHost, installer: Installer, digest: str) -> list[str]:
    source = f"installer.path is {installer.path}" if installer.path else f"installer.url is {installer.url}"
    if not digest:
        return [f"{source}, which does not exist on {host.name}: copy the setup program there."]
    if digest.lower() != (installer.sha256 or "").lower():
        return [f"{source}, whose SHA-256 is {digest.lower()}, not installer.sha256: verify the file, and correct one of them."]
    return []


def install(host: WindowsHost, installer: Installer) -> None:
    """Run the setup program silently. MailopsError where it does not end well."""
    if installer.url:
        wrong = _hash_problems(host, installer, _hash(host, installer, download=True))
        if wrong:
            raise MailopsError(wrong[0])
    _run(host, installer_path(installer), [installer.sha256 or ""], installer.timeout, "install hMailServer")


def _run(host: WindowsHost, path: str, hashes: list[str], seconds: int, attempted: str) -> None:
    request = {"path": path, "sha256": hashes, "arguments": list(SILENT), "milliseconds": seconds * 1000}
    try:
        document = host.run("hmail_setup", attempted, request)
    except WindowsError as error:
        if error.code != "InstallerHash":
            raise
        raise MailopsError(f"{path} on {host.name} has changed since it was checked: verify it, and correct installer.sha256.") from None
    if document.get("ended") is not True:
        raise MailopsError(
            f"Could not {attempted} on {host.name}: {path} did not end within {seconds} seconds, probably because of a dialog, and was "
            "stopped. Run it there by hand to see it, or raise installer.timeout."
        )
    if document.get("code") != 0:
        raise MailopsError(f"Could not {attempted} on {host.name}: {path} ended with the exit code {document.get('code')}: run it by hand.")


def uninstall(host: WindowsHost, product: Product) -> None:
    """Remove the product and its directory, which the removal leaves."""
    _run(host, f"{product.directory}unins000.exe", [], _UNINSTALL_SECONDS, "remove hMailServer")
    end = host.clock.now() + _UNINSTALL_SECONDS
    while read(host).is_installed:  # the program that was started ends before its copy
        if host.clock.now() >= end:
            raise MailopsError(f"hMailServer is still installed on {host.name} {_UNINSTALL_SECONDS} seconds after its removal: look there.")
        host.clock.sleep(_POLL_SECONDS)
        host.cost.count(waited=_POLL_SECONDS)
    if product.directory.lower().rstrip("\\").endswith("\\hmailserver"):
        host.run("hmail_remove", "remove the directory of hMailServer", {"paths": [product.directory]})


def remember(host: WindowsHost, memory: Memory) -> None:
    relay_memory.write(host, relay_memory.HMAILSERVER, memory.text())


def forget(host: WindowsHost) -> None:
    relay_memory.remove(host, relay_memory.HMAILSERVER)


def start_service(host: WindowsHost) -> None:
    """Start the service, now and with Windows."""
    service(host, AUTOMATIC, RUNNING)


def service(host: WindowsHost, start_mode: str, state: str) -> None:
    """Set start mode (of Win32_Service) and state of the service."""
    runs = state == RUNNING
    windows_services.configure(host, {SERVICE: start_mode}, start=[SERVICE] if runs else [], stop=[] if runs else [SERVICE])
