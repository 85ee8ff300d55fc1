"""The demo's audit: programs that still use Basic authentication, as the emulator has seen them, and the report."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from emulator.sandbox import Sandbox
from scripts.screen import Wrong, paint, say

TENANT = "northwind.example.com"
PROGRAM = "reception@northwind.example.com"  # of a mailbox that no inventory names
MESSAGES = 3
Play = Callable[..., dict[str, Any]]


def send_with_basic_authentication(sandbox: Sandbox, password: str) -> None:
    """A program that nobody has listed sends as it has done for years, with user name and password."""
    sandbox.admin.change(TENANT, "mailboxes", PROGRAM, smtp_client_authentication_disabled=False)
    cloud = sandbox.ready["m365_cloud"]
    for _message in range(MESSAGES):
        with smtplib.SMTP(cloud["smtp_host"], cloud["smtp_port"], timeout=30) as client:
            client.starttls(context=ssl.create_default_context(cafile=cloud["ca_file"]))
            client.login(PROGRAM, password)
            client.sendmail(PROGRAM, ["oncall@northwind.example.com"], f"From: {PROGRAM}\r\nSubject: Visitor\r\n\r\nA visitor is here.\r\n")


def license_sign_in_log(sandbox: Sandbox) -> None:
    """What the sign-in log requires beside its permission: Microsoft Entra ID P1."""
    sandbox.admin.change(TENANT, licences=[{"sku": "SPE_E3", "purchased": 10}])


def audit(sandbox: Sandbox, play: Play, password: str) -> Path:
    """Audit the three tenants; the path of the report."""
    send_with_basic_authentication(sandbox, password)
    license_sign_in_log(sandbox)
    say(f"  northwind  a program at the reception sends {MESSAGES} messages with Basic authentication; no inventory names it")
    say("  northwind  has Microsoft Entra ID P1, so that its sign-in log is readable; of the other tenants, the usage report is")
    say()
    directory = sandbox.directory / "audit"
    result = play("audit.yml", variables={"MAILOPS_AUDIT": str(directory)})
    [northwind] = [task["audit"] for task in result["tasks"] if task["tenant"] == "northwind" and task["audit"]]
    row: dict[str, Any] = next((one for one in northwind["senders"] if one["address"] == PROGRAM), {})
    if (row.get("verdict"), (row.get("basic") or {}).get("succeeded")) != ("breaks", MESSAGES):
        raise Wrong(f"the audit says of {PROGRAM}: {row}")
    report = directory / "report.html"
    if not report.is_file():
        raise Wrong(f"{report} was not written")
    say()
    say(paint("1", f"Open {report} in a browser. Beside it are report.json, CSV files, SARIF and metrics."))
    return report
