"""The contract of Microsoft Graph, Exchange Online and hosted relays as data, and the checks of requests and answers against it.

Sources: README.md.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import requests

from .check_answers import answer_problems

CHECKER = Path(__file__).with_name("check_requests.py")

# Where the reference says that its own list of parameters is incomplete (doc_quirks): "Manage High Volume Email for Microsoft 365"
# passes PrimarySmtpAddress with -HVEAccount.
QUIRKS = ("New-MailUser -PrimarySmtpAddress is not for Exchange Online's customers",)


def run_checker(record: Path) -> subprocess.CompletedProcess[str]:
    """The checker's output: a line for each violation and a closing count; exit status 1 with violations, 2 without a request."""
    return subprocess.run([sys.executable, str(CHECKER), str(record)], check=False, capture_output=True, text=True)


def assert_violation(directory: Path, line: str, violation: str) -> None:
    """Fail where the checker's output about one recorded request (a line of JSON) is another one; "": none."""
    record = directory / "record.jsonl"
    record.write_text(f"{line}\n", encoding="utf-8")
    output = run_checker(record).stdout
    assert violation in output
    assert ("0 violations" in output) == (not violation)


def check_contract(record: Path) -> None:
    """Fail where a recorded request is none that Microsoft publishes, or where the record holds no request."""
    done = run_checker(record)
    *violations, total = done.stdout.splitlines() or [done.stderr]
    assert done.returncode in (0, 1), total
    remaining = [line for line in violations if not line.endswith(QUIRKS)]
    assert not remaining, "\n".join(remaining[:40])


def published(answer: requests.Response, service: str, path: str) -> requests.Response:
    """The answer of a hosted relay's API. Fails where it is a success that the provider does not publish. `path`: without base URL."""
    if answer.status_code < 300:
        body = answer.json() if answer.content else None
        problems = answer_problems(service, str(answer.request.method), path.partition("?")[0], answer.status_code, body)
        assert not problems, "\n".join(problems[:40])
    return answer
