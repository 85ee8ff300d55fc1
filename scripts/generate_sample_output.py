#!/usr/bin/env python3
"""Write the sample output in README.md: the summary of the first run of inventories/example, against the emulator.

tests/e2e/test_sample_output.py holds the two together. Durations differ from run to run, and are not compared.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from emulator.sandbox import Sandbox  # noqa: E402 - found through the line above

README = ROOT / "README.md"
BEGIN, END = "<!-- sample output: begin -->\n", "<!-- sample output: end -->\n"


def play(directory: Path) -> str:
    """The output of playbook site for inventories/example, with an emulator of its own in `directory`."""
    sandbox = Sandbox(directory)
    secrets = sandbox.make()
    variables = {
        "m365_cloud": "{{ (lookup('ansible.builtin.file', sandbox_vars) | from_yaml).m365_cloud }}",
        "m365_dns_servers": "{{ (lookup('ansible.builtin.file', sandbox_vars) | from_yaml).m365_dns_servers }}",
        "sandbox_vars": str(sandbox.vars_file),
        "m365_client_id": "6a1d0b5e-1111-4c1e-9b3a-0a5f3d1c0001",
        "m365_client_secret": secrets["contoso_client_secret"],
        "m365_certificate_path": "",
        "m365_journal_dir": str(directory / "journal"),
        "entra_app_certificates": [str(sandbox.keys / "contoso-sender.crt")],
        "verify_app_certificate_path": str(sandbox.keys / "contoso-sender.pem"),
        "verify_required": False,
    }
    options = directory / "options.json"
    options.write_text(json.dumps(variables), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "ANSIBLE_", "MAILOPS_"))}
    environment |= {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "NO_COLOR": "1"}
    command = [
        str(Path(sys.executable).with_name("ansible-playbook")),
        "-i",
        "inventories/example",
        "playbooks/site.yml",
        "-e",
        f"@{options}",
    ]
    try:
        sandbox.start(secrets)
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    finally:
        sandbox.stop()
    if done.returncode:
        raise RuntimeError(f"ansible-playbook ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


# What the emulator listens on, what it assigns, and the sandbox's files are those of the documentation in the sample.
SUBSTITUTES = (
    (r"127\.0\.0\.1, port \d+", "smtp.office365.com, port 587"),
    (r"https://127\.0\.0\.1:\d+/\.default", "https://outlook.office365.com/.default"),
    (r"https://127\.0\.0\.1:\d+/SMTP\.Send", "https://outlook.office.com/SMTP.Send"),
    (r"https://127\.0\.0\.1:\d+/", "https://login.microsoftonline.com/"),
    (r"(Client ID +)[0-9a-f-]{36}", r"\g<1>22222222-3333-4444-8555-666666666666"),
    (r"(Credential +)[^\n]*(\n {10,}[^\n]*)*", r"\g<1>certificate with private key in /etc/mailops/smtp-sender.pem on the control node"),
)


def summary(output: str) -> str:
    """The summary at the end of a run's output."""
    text = output[output.index("tenants: ") :].strip() + "\n"
    for pattern, substitute in SUBSTITUTES:
        text = re.sub(pattern, substitute, text)
    return text


def block(text: str) -> str:
    """The block of README.md between the markers."""
    return f"```text\n{text}```\n"


def comparable(text: str) -> str:
    """The text without durations."""
    return re.sub(r"\d+(\.\d+)? (s|min)\b", "N s", text)


def split(page: str) -> tuple[str, str, str]:
    """A page before, in and after the block; the markers belong to the outer parts."""
    head, rest = page.split(BEGIN, 1)
    text, tail = rest.split(END, 1)
    return head + BEGIN, text, END + tail


def main() -> int:
    head, _old, tail = split(README.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as directory:
        text = block(summary(play(Path(directory) / "sandbox")))
    README.write_text(head + text + tail, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
