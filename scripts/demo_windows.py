"""The demo's relay on Windows: a host becomes one by the same playbook, and a printer's message goes through it."""

from __future__ import annotations

import email.message
import json
import os
import smtplib
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from emulator.sandbox import Sandbox
from scripts.screen import COLOUR, Wrong, paint, say

ROOT = Path(__file__).resolve().parent.parent
TENANTS = ROOT / "emulator" / "tenants" / "windows.yml"
RELAY, SUBJECT = "relay2.contoso.com", "Scan from the branch office"
# Addresses on this host, and what they stand for: emulator/tenants/windows.yml.
PRINTER, UNKNOWN = "127.0.0.5", "127.0.0.7"


def windows_relay(directory: Path) -> None:
    """Configure the Windows host and its tenant, send a printer's message, and show that others are refused."""
    sandbox = Sandbox(directory)
    try:
        sandbox.start(sandbox.make(TENANTS))
        _play(sandbox)
        say()
        say(paint("1", "A printer sends to a customer through the Windows host, and a client of another network tries to:"))
        accepted = _accepted(sandbox)
        say(f"  {PRINTER} (10.1.2.5)       → {', '.join(accepted['recipients']):22} connector {accepted['connector']}")
        refusal = _send(sandbox, UNKNOWN)
        if not refusal:
            raise Wrong("the Windows host relays for unknown clients")
        say(f"  {UNKNOWN} (198.51.100.7)   → refused: {refusal}")
    finally:
        sandbox.stop()


def _play(sandbox: Sandbox) -> None:
    """Playbook site, as a user runs it, twice: the second run changes nothing. Each verifies the printers by a test message."""
    command = ["playbooks/site.yml", "-i", "inventories/windows", "--limit", f"contoso,{RELAY}"]
    report = sandbox.directory / "report.json"
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_DISPLAY_OK_HOSTS": "no",
        "ANSIBLE_FORCE_COLOR": "1" if COLOUR else "0",
        "MAILOPS_DEMO_DIRECTORY": str(sandbox.directory),
        "MAILOPS_REPORT": str(report),
    }
    for run in ("first", "second"):
        say(paint("1", f"$ ansible-playbook {' '.join(command)}"))
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        if subprocess.run([program, *command], cwd=ROOT, env=environment, check=False).returncode:
            raise Wrong("ansible-playbook failed")
        relay = json.loads(report.read_text(encoding="utf-8"))["relays"][RELAY]
        if bool(relay["changed"]) is not (run == "first"):
            raise Wrong(f"the {run} run changed {relay['changed']} settings of {RELAY}")
        if relay["verified"] != 1:
            raise Wrong(f"the {run} run verified {relay['verified']} senders of {RELAY}")


def _send(sandbox: Sandbox, source: str) -> str:
    """Send a message from an address of this host; the refusal, "" where the relay accepts it."""
    host = next(one for one in sandbox.admin.windows_hosts() if one["name"] == RELAY)
    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = "printers@contoso.com", "customer@example.net", SUBJECT
    message.set_content("See the attached scan.")
    try:
        with smtplib.SMTP(host["address"], host["smtp_ports"]["25"], "printer", 60, source_address=(source, 0)) as client:
            client.send_message(message)
    except (smtplib.SMTPException, OSError) as error:
        return str(error) or type(error).__name__
    return ""


def _accepted(sandbox: Sandbox) -> dict[str, Any]:
    """The printer's message as Microsoft 365 accepted it."""
    refusal = _send(sandbox, PRINTER)
    if refusal:
        raise Wrong(f"the printer could not send: {refusal}")
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        for message in sandbox.admin.messages():
            if message["subject"] == SUBJECT:
                return dict(message)
        time.sleep(0.1)
    raise Wrong("the printer's message did not arrive")
