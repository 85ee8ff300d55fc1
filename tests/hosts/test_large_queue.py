"""A queue of 50,000 messages of one mailbox beside one message of another: only in `make test-all`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from testbed import image
from testbed.host import Host
from testbed.lab import Lab

from . import queue_files
from .health import status
from .relay import wait_until
from .smarthost_relay import run_role, upstream

pytestmark = pytest.mark.tier_all

SCANNER, ERP = "scanner@contoso.com", "erp@contoso.com"
COUNT = 50_000
SENT = 120  # of the backlog at most, while the test runs: two hours
BYTES_PER_MESSAGE = 2048  # as roles/relay_host/README.md says
VARIABLES: dict[str, Any] = {
    "relay_mailboxes": [{"address": SCANNER, "messages_per_minute": 0}, {"address": ERP, "messages_per_minute": 1}],
    "relay_devices": [{"name": "Printer", "networks": ["198.51.100.101"], "senders": [SCANNER, ERP]}],
}


@pytest.fixture(scope="module", params=image.tested())
def host(request: pytest.FixtureRequest, lab: Lab) -> Iterator[Host]:
    booted = lab.boot(f"queue{request.param}", request.param)
    run_role(lab, booted.name, **VARIABLES)
    yield booted
    lab.remove(booted.name)


def memory(host: Host) -> int:
    """Of the queue manager, in bytes."""
    return 1024 * int(host.run("ps -C qmgr -o rss="))


def test_backlog_of_a_mailbox_does_not_delay_the_others(lab: Lab, host: Host) -> None:
    """Of the mailbox with the backlog one message a minute is sent: with a full active queue the other's would wait for days."""
    queue_files.fill(host, ERP, COUNT)
    with upstream(lab, "--clock-offset=0") as server:
        host.run("systemctl start postfix")
        before = memory(host)
        wait_until(
            lambda: queue_files.count(host, "active") > COUNT - SENT and not queue_files.count(host, "incoming"),
            300,
            lambda: {name: queue_files.count(host, name) for name in ("incoming", "active")},
        )
        host.run(f"printf 'Subject: other\\n\\n' | sendmail -f {SCANNER} a@example.net")
        wait_until(lambda: ["Subject: other"] in [subjects for subjects, *_rest in server.messages()], 60, server.count)
        assert server.count() < SENT, "the backlog waits for its pace"
        per_message = (memory(host) - before) / COUNT
        assert 500 < per_message < BYTES_PER_MESSAGE, per_message
        assert_status(host)


def assert_status(host: Host) -> None:
    """The sent message shows that the server answers: the check of the time before is outdated as soon as the monitor has read the log."""
    # The message that was queued first was tried once.
    expected = {"queue_long", "delivery_failing"}
    wait_until(lambda: {problem["check"] for problem in status(host)["problems"]} <= expected, 60, lambda: status(host)["problems"])
    document = status(host)
    messages = document["queue"]["messages"]
    assert COUNT - SENT < messages <= COUNT
    assert document["queue"]["sending_seconds"] == 60 * messages
    line = host.call("mailops-relay status", timeout=300).stdout.splitlines()[0]
    assert " messages in the queue (the oldest for " in line
    assert re.search(rf", empty (in )?about {60 * messages / 86400:.0f} d", line), line
