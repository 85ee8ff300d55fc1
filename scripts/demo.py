#!/usr/bin/env python3
"""`make demo`: three tenants from "nothing sends" to "every sender verified", against the embedded Microsoft 365.

Every step checks what it shows; the demo ends with status 1 where something is not as it says.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from emulator.sandbox import Sandbox  # noqa: E402 - found through the line above
from scripts import demo_audit, demo_windows  # noqa: E402
from scripts.screen import COLOUR, Wrong, chapter, paint, say  # noqa: E402
from testbed import needs  # noqa: E402

TENANTS = ("contoso", "fabrikam", "northwind")
SENDERS = 10


class Demo:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.report_file = sandbox.directory / "report.json"

    def play(self, playbook: str, *options: str, fails: bool = False, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Run a playbook as a user would; its report. `variables`: of the environment."""
        settings = " ".join(f"{name}={os.path.relpath(value, ROOT)}" for name, value in (variables or {}).items())
        command_line = f"{settings} ansible-playbook playbooks/{playbook} {' '.join(options)}".strip()
        say(paint("1", f"$ {command_line}"))
        command = [str(Path(sys.executable).with_name("ansible-playbook")), f"playbooks/{playbook}", *options]
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_DISPLAY_OK_HOSTS": "no",
            "MAILOPS_DEMO_DIRECTORY": str(self.sandbox.directory),
            "ANSIBLE_FORCE_COLOR": "1" if COLOUR else "0",
            "MAILOPS_REPORT": str(self.report_file),
            **(variables or {}),
        }
        self.report_file.unlink(missing_ok=True)
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        if bool(code) is not fails:
            raise Wrong(f"ansible-playbook ended with {code}")
        return dict(json.loads(self.report_file.read_text(encoding="utf-8")))

    def expect(self, report: dict[str, Any], what: str, expected: int) -> None:
        total = sum(row[what] for row in report["tenants"].values())
        if total != expected:
            raise Wrong(f"{what} is {total}, not {expected}")

    def run(self) -> None:
        chapter(
            1, "Before: nothing sends", "Every sender of three tenants tries to send a test message. Each refusal has Microsoft's code."
        )
        self.expect(self.play("verify.yml", "-e", "verify_required=false"), "verified", 0)

        chapter(2, "Plan", "A check run predicts every change and writes nothing.")
        planned = self.play("site.yml", "--check", "--diff")

        chapter(3, "Apply", "The tenants are brought to what inventories/demo says; then every sender sends a test message.")
        applied = self.play("site.yml")
        self.expect(applied, "verified", SENDERS)
        expected = sum(row["changed"] for row in planned["tenants"].values())
        self.expect(applied, "changed", expected)

        chapter(4, "Again", "A second run finds nothing to do.")
        again = self.play("site.yml")
        self.expect(again, "changed", 0)
        self.expect(again, "verified", SENDERS)

        chapter(5, "Drift", "Three settings are changed by hand in the portals.")
        for text in self.drift():
            say(f"  {text}")
        say()
        self.expect(self.play("site.yml", "--check", "--diff"), "changed", 3)

        chapter(6, "Correct", "The next run corrects exactly these, and verifies every sender.")
        mended = self.play("site.yml")
        self.expect(mended, "changed", 3)
        self.expect(mended, "verified", SENDERS)
        self.received()

    def drift(self) -> list[str]:
        admin = self.sandbox.admin
        admin.change("contoso.com", "mailboxes", "scanner@contoso.com", smtp_client_authentication_disabled=True)
        admin.change("fabrikam.com", "inbound_connectors", "Plant relay", SenderIPAddresses=["203.0.113.99"])
        admin.change("northwind.example.com", "mailboxes", "monitoring@northwind.example.com", grants=[])
        return [
            "contoso    SMTP AUTH of the scanners' mailbox is switched off",
            "fabrikam   the plant relay's address is changed to 203.0.113.99",
            "northwind  the monitoring application loses its right on its mailbox",
        ]

    def received(self) -> None:
        """The last test message of every sender, as Microsoft 365 accepted it."""
        say()
        say(paint("1", "What Microsoft 365 accepted in the last run:"))
        for message in self.sandbox.admin.messages()[-SENDERS:]:
            how = {
                "submission": "XOAUTH2",
                "hve": "High Volume Email",
                "acs": "Azure Communication Services",
                "submission-login": "LOGIN",
                "connector": f"connector {message['connector']}",
            }
            route = how.get(message["via"], "Direct Send")
            say(f"  {message['header_from']:34} → {', '.join(message['recipients']):34} {route}")


def relay_host(directory: Path) -> None:
    """This chapter needs a machine of its own, and so root; without, it says what it skips."""
    chapter(7, "A relay host", "Printers and scanners cannot do OAuth: a relay host, built by the same playbook, does it for them.")
    if os.geteuid() == 0 and needs.missing():
        subprocess.run(["sh", "scripts/system_packages.sh", *needs.PROGRAMS], cwd=ROOT, check=False)
    missing = needs.missing()
    if missing:
        say(f"Skipped: {missing} Then this chapter boots a Debian, makes it a relay host and sends a scan through it.")
        return
    command = [sys.executable, "-m", "testbed", "network", sys.executable, "scripts/demo_relay.py", str(directory / "relay")]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise Wrong("the relay host's chapter failed")


def main() -> int:
    started = time.monotonic()
    sandbox = Sandbox(ROOT / ".demo")
    sandbox.stop()
    say(paint("1", "mailops.m365: SMTP sending through Microsoft 365 as code"))
    say("A Microsoft 365 of its own runs on this machine: sign-in, Graph, Exchange admin API, SMTP. Nothing leaves the machine.")
    try:
        passwords = sandbox.make()
        sandbox.start(passwords)
        demo = Demo(sandbox)
        demo.run()
        relay_host(sandbox.directory)
        chapter(8, "A relay on Windows", "A site without Linux: the same playbook makes a relay of a Windows server, by WinRM.")
        demo_windows.windows_relay(sandbox.directory / "windows")
        chapter(9, "Audit", "Who still sends with Basic authentication, who breaks and when? The audit reads, and changes nothing.")
        demo_audit.audit(sandbox, demo.play, passwords["any_password"])
    except Wrong as error:
        say(paint("1;31", f"\nThe demo stopped: {error}."))
        return 1
    finally:
        sandbox.stop()
    say()
    say(paint("1;32", f"All {SENDERS} senders of {len(TENANTS)} tenants verified, {time.monotonic() - started:.0f} seconds in all."))
    say("Next: README.md, “Set up your tenants”.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
