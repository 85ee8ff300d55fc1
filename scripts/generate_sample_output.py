#!/usr/bin/env python3
"""Write the sample outputs in README.md and docs/getting-started.md, against the emulator.

`plan` is the summary of a check run of inventories/example, and `output` that of the first run. tests/e2e/test_sample_output.py compares
the pages with both. Durations differ from run to run, and are not compared.
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

PAGES = (ROOT / "README.md", ROOT / "docs" / "getting-started.md")
# Sample -> options of the run, in the order of the runs.
SAMPLES = {"plan": ["--check"], "output": []}
_BLOCK = re.compile(r"(<!-- sample (\w+): begin -->\n)(.*?)(<!-- sample \2: end -->\n)", re.DOTALL)


def play(directory: Path) -> dict[str, str]:
    """The output of playbook site for inventories/example by sample, with an emulator of its own in `directory`."""
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
        return {sample: _run([*command, *arguments], environment) for sample, arguments in SAMPLES.items()}
    finally:
        sandbox.stop()


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
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
    """The block of a page between the markers."""
    return f"```text\n{text}```\n"


def comparable(text: str) -> str:
    """The text without durations."""
    return re.sub(r"\d+(\.\d+)? (s|min)\b", "N s", text)


def blocks(page: str) -> dict[str, str]:
    """The blocks of a page by sample."""
    return {sample: text for _begin, sample, text, _end in _BLOCK.findall(page)}


def main() -> int:
    with tempfile.TemporaryDirectory() as directory:
        texts = {sample: block(summary(output)) for sample, output in play(Path(directory) / "sandbox").items()}
    for page in PAGES:
        content = page.read_text(encoding="utf-8")
        page.write_text(_BLOCK.sub(lambda found: found[1] + texts[found[2]] + found[4], content), encoding="utf-8")
    print("\n".join(texts.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
