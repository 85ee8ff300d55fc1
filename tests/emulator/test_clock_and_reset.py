"""The admin API's clock and reset: time that tests advance, and a running emulator that returns to its start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulator.conftest import GRAPH, Start, app_id

FOLLOWER = "import time; before = time.time(); time.sleep(3600); time.sleep(0.01); print(before, time.time())"


def test_a_process_follows_the_clock_and_its_sleep_advances_it(start: Start) -> None:
    api = start()
    api.admin.advance(7200)
    begin = api.admin.now()
    environment = os.environ | api.emulator.clock_environment(step=600)
    done = subprocess.run([sys.executable, "-c", FOLLOWER], env=environment, check=True, capture_output=True, text=True, timeout=60)
    before, after = map(float, done.stdout.split())
    assert begin <= before < begin + 1800
    assert after - before >= 3600
    assert api.admin.now() >= begin + 3600


def test_reset_returns_to_the_start(start: Start, tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    api = start(settings={"lag": {"rbac": 5}, "latency": {"dns": 0.01}}, record=record)
    before = api.admin.tenant("contoso.com")
    api.new_application("made")
    api.admin.change("contoso.com", "mailboxes", "ops@contoso.com", display_name="Changed")
    api.admin.fault("graph", "throttled")
    api.admin.lag(rbac=7, connector=3)
    api.admin.latency(dns=0.02, graph=0.02)
    api.admin.token_lifetime(60)
    api.admin.advance(86400)
    api.admin.start_job("github", sub="repo")
    assert record.read_text()
    api.admin.reset()
    assert api.admin.tenant("contoso.com") == before
    assert record.read_text() == ""
    assert (api.admin.faults(), api.admin.requests(), api.admin.messages()) == ([], {}, [])
    assert api.admin.call("PUT", "/lag", {}) == {"rbac": 5}
    assert api.admin.latency() == {"dns": 0.01}
    assert api.admin.call("GET", "/clock")["offset"] == 0
    assert (
        api.token_answer(client_id=app_id("manager"), client_secret="manager-secret", scope=GRAPH, grant_type="client_credentials").json()[
            "expires_in"
        ]
        == 3599
    )
    api.new_application("made")
    assert "made" in record.read_text()


def test_reset_ends_what_services_count(start: Start) -> None:
    """Pages that are under way and the limits of mailboxes are forgotten."""
    api = start(settings={"exchange_page_size": 5})
    first = api.exchange("Get-Mailbox").json()
    api.admin.reset()
    api.forget_tokens()
    answer = api.exchange("Get-Mailbox", url=first["@odata.nextLink"])
    assert answer.status_code == 400
    assert "Expired or Invalid pagination request" in answer.text


@pytest.mark.parametrize("path", ["/reset", "/clock"])
def test_other_methods_are_unknown(start: Start, path: str) -> None:
    with pytest.raises(ValueError, match="404"):
        start().admin.call("DELETE", path)
