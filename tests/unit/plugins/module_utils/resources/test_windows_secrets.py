"""Secrets of the modules of Windows hosts: Windows logs none, and no script, output, result, journal or registry value has one."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._windows.host import Answer
from ansible_collections.mailops.m365.plugins.module_utils.resources import (
    windows_hmailserver,
    windows_relay,
    windows_relay_probe,
    windows_smtp_server,
)

from emulator.state import HMailServer
from emulator.state.windows_files import WindowsFile
from emulator.state.windows_services import WindowsService

from .._windows.emulated import EmulatedHost
from .._windows.hmail.hmail_lab import CONTENT, OPTIONS, SETUP

ADMIN, OF_UPSTREAM, OF_ACCOUNT = (f"canary-{name} \"'`$(1+1)<&|ö漢" for name in ("admin", "upstream", "account"))
SECRETS = (ADMIN, OF_UPSTREAM, OF_ACCOUNT)
SMART_HOST = {"host": "relay1.contoso.com", "port": 587, "username": "branch1", "password": OF_UPSTREAM}
IIS: dict[str, Any] = {"fqdn": "relay.contoso.com", "relay_networks": ["10.1.2.0/24"], "upstream": SMART_HOST}
HMAIL: dict[str, Any] = OPTIONS | {
    "admin_password": ADMIN,
    "upstream": SMART_HOST,
    "listeners": [{"port": 25}, {"port": 587, "tls": "required"}],
    "certificate": {"certificate_file": r"C:\a.pem", "private_key_file": r"C:\a.key"},
    "ranges": [{"name": "scanners", "networks": ["10.1.3.0/24"], "authenticate": True}],
    "accounts": [{"address": "scanner@relay.internal", "password": OF_ACCOUNT}],
}
MESSAGE = {"product": "hmailserver", "senders": [{"address": "a@contoso.com", "verify_recipient": "b@example.net"}], "timeout": 1}
WRONG = {"hmailserver_admin_password": f"wrong {ADMIN}"}


class Recorder(EmulatedHost):
    """Keeps the texts of scripts, and their input without the lines of secrets."""

    def __init__(self, **keys: Any) -> None:
        super().__init__(**keys)
        self.sent: list[str] = []

    def execute(self, script: str, lines: str) -> Answer:
        self.sent += [script, *lines.splitlines()[:1]]
        return super().execute(script, lines)


def iis() -> Recorder:
    return Recorder(services=[WindowsService("MpsSvc", start_mode="Auto", state="Running")])


def hmail() -> Recorder:
    files = [WindowsFile(SETUP, CONTENT, "5.6.9-B2632"), WindowsFile(r"C:\a.pem", b""), WindowsFile(r"C:\a.key", b"")]
    return Recorder(files=files)


def configured() -> Recorder:
    """A host whose hMailServer has the administrator password."""
    host = hmail()
    host.state.hmailserver = HMailServer(administrator_password=ADMIN)
    host.state.services = [WindowsService("hMailServer", start_mode="Auto", state="Running")]
    return host


def forms(secret: str) -> list[str]:
    """A secret as it stands, in JSON, and in base64."""
    encoded = [base64.b64encode(secret.encode(name)).decode()[8:40] for name in ("utf-8", "utf-16-le")]
    return [secret, json.dumps(secret)[1:-1], *encoded]


RUNS: dict[str, tuple[Callable[[], Recorder], Any, dict[str, Any]]] = {
    "windows_smtp_server": (iis, windows_smtp_server.RESOURCE, IIS),
    "windows_hmailserver": (hmail, windows_hmailserver.RESOURCE, HMAIL),
    "windows_hmailserver, absent": (configured, windows_hmailserver.RESOURCE, {"state": "absent", "admin_password": ADMIN}),
    "windows_hmailserver, wrong password": (configured, windows_hmailserver.RESOURCE, HMAIL | {"admin_password": f"wrong {ADMIN}"}),
    "windows_relay_info": (configured, windows_relay.INFO, {"hmailserver_admin_password": ADMIN}),
    "windows_relay_probe": (configured, windows_relay_probe.RESOURCE, MESSAGE | {"hmailserver_admin_password": ADMIN}),
    "windows_relay_info, wrong password": (configured, windows_relay.INFO, WRONG),
    "windows_relay_probe, wrong password": (configured, windows_relay_probe.RESOURCE, MESSAGE | WRONG),
}


@pytest.mark.parametrize("name", RUNS)
def test_no_trace_of_a_secret(name: str, tmp_path: Path) -> None:
    begin, resource, options = RUNS[name]
    host = begin()
    more = {"journal_dir": str(tmp_path)} if resource.spec.writes else {}
    result = host.run(resource, options | more)
    traces = {
        "events": json.dumps([event.message for event in host.state.events], ensure_ascii=False),
        "scripts and requests": "\n".join(host.sent),
        "output": "\n".join(host.outputs),
        "result": json.dumps(result, ensure_ascii=False),
        "registry": json.dumps([str(value) for value in host.state.registry], ensure_ascii=False),
        "journal": "\n".join(path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file()),
    }
    assert host.state.events
    assert [kind for kind, text in traces.items() for secret in SECRETS for form in forms(secret) if form in text] == []


def test_the_secrets_were_used(tmp_path: Path) -> None:
    """The test above would find nothing where nothing is written."""
    host = hmail()
    result = host.run(windows_hmailserver.RESOURCE, HMAIL | {"journal_dir": str(tmp_path)})
    assert not result.get("failed"), result
    assert host.state.hmailserver is not None
    assert (host.state.hmailserver.administrator_password, host.state.hmailserver.relayer_password) == (ADMIN, OF_UPSTREAM)
    server = iis()
    assert not server.run(windows_smtp_server.RESOURCE, IIS | {"journal_dir": str(tmp_path)}).get("failed")
    assert server.state.smtp_servers[0].properties["RoutePassword"] == OF_UPSTREAM
