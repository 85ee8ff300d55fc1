#!/usr/bin/env python3
"""The demo's relay host: a booted Debian becomes one, and a scanner's message goes through it. demo.py starts this.

python -m testbed network python scripts/demo_relay.py DIRECTORY    (as root: it makes a network of its own)
"""

from __future__ import annotations

import email
import email.utils
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.screen import COLOUR, Wrong, paint, say  # noqa: E402 - found through the line above
from testbed.lab import Lab  # noqa: E402
from testbed.network import Network  # noqa: E402

RELEASE = "trixie"
SCAN = 20_000_000  # bytes, before base64
MESSAGE_ID = "<scan-0001@scanner.local>"
# What a scanner does: no TLS, no password, an address of its own making, and a file.
SCANNER = f"""
import email.message, os, smtplib, time
scan = email.message.EmailMessage()
scan["From"], scan["To"], scan["Subject"] = "KM-C364 <scanner@km-c364.local>", "ada@contoso.com", "Scan from the third floor"
scan["Message-ID"] = "{MESSAGE_ID}"
scan.set_content("See the attached scan.")
scan.add_attachment(os.urandom({SCAN}), maintype="application", subtype="pdf", filename="scan.pdf")
start = time.monotonic()
with smtplib.SMTP("relay1.contoso.com", 25, timeout=60) as smtp:
    smtp.send_message(scan)
print(f"{{time.monotonic() - start:.2f}}")
"""


def play(lab: Lab) -> dict[str, Any]:
    """Playbook site, as a user runs it; its report."""
    say(paint("1", "$ ansible-playbook -i inventories/relay playbooks/site.yml"))
    report = lab.directory / "report.json"
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_DISPLAY_OK_HOSTS": "no",
        "ANSIBLE_FORCE_COLOR": "1" if COLOUR else "0",
        "MAILOPS_REPORT": str(report),
    }
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "playbooks/site.yml"]
    command += ["-i", str(lab.inventory), "-i", "inventories/relay"]
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
        raise Wrong("ansible-playbook failed")
    return dict(json.loads(report.read_text(encoding="utf-8")))


def scan(lab: Lab) -> None:
    """Send the scan, wait for it, and print its message trace."""
    say()
    say(paint("1", f"The scanner sends a scan of {SCAN / 1e6:.0f} MB, without TLS, password, or an address of this organization:"))
    device = lab.devices["scanner"]
    sent = device.call([sys.executable, "-c", SCANNER])
    if sent.returncode:
        raise Wrong(f"the scanner could not send: {sent.stderr.strip().splitlines()[-1]}")
    host, limit = lab.hosts["relay1"], time.monotonic() + 60
    while not (trace := read_trace(host)) or not trace["sent"]:
        if time.monotonic() > limit:
            raise Wrong(f"the scan did not arrive: {host.call('mailops-relay status').stdout}")
        time.sleep(0.5)
    say(f"  {'scanner':9} → {'Postfix':13}  {float(sent.stdout):>6.2f} s  25, allowed by its address ({device.address})")
    for hop in trace["hops"][1:]:
        say(f"  {hop['from']:16} → {hop['to']:16}  {hop['seconds']:>6.2f} s  {hop['event']}: {hop['detail'][:90]}")
    arrived = [message for message in lab.admin.messages(recipient="ada@contoso.com") if message["message_id"] == MESSAGE_ID]
    senders = [email.utils.parseaddr(one["header_from"])[1] for one in arrived]
    if senders != ["scanner@contoso.com"]:
        raise Wrong(f"the scans in Ada's mailbox are from {senders}")
    header = email.message_from_bytes(lab.admin.raw_message(arrived[0]["number"]))
    say(f"  In Ada's mailbox: {header['Subject']!r} from {header['From']}; replies go to {header['Reply-To']}.")


def read_trace(host: Any) -> dict[str, Any]:
    """The hops of the scan so far, from the relay's journal."""
    done = host.call(["mailops-relay", "trace", MESSAGE_ID, "--json"])
    return dict(json.loads(done.stdout)) if done.returncode == 0 else {}


def main() -> int:
    network = Network.around()
    if network is None:
        print(__doc__, file=sys.stderr)
        return 2
    lab = Lab(Path(sys.argv[1]), network)
    try:
        start = time.monotonic()
        lab.up({"relay1": RELEASE})
        took = time.monotonic() - start
        say(f"A Debian 13 of its own has booted in {took:.0f} seconds, on a network where Microsoft's names lead to the emulator.")
        report = play(lab)
        verified = sum(row["verified"] for row in [*report["tenants"].values(), *report["relays"].values()])
        if verified < 2:
            raise Wrong(f"{verified} senders of the relay host are verified, not 2")
        scan(lab)
    except Wrong as error:
        say(paint("1;31", f"\nThe demo stopped: {error}."))
        return 1
    finally:
        lab.down()
    return 0


if __name__ == "__main__":
    sys.exit(main())
