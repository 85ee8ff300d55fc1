"""The benchmark's SMTP sink counts every message of a relay host and replies correctly."""

from __future__ import annotations

import smtplib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import relay
from emulator.ca import Authority

REPO = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[tuple[int, Path, Path]]:
    """Port, the authority's file, and what the sink prints."""
    authority = Authority(tmp_path / "ca")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "log"
    command = [sys.executable, "-m", "bench.sink", "--port", str(port), "--chain", str(authority.server_chain)]
    with log.open("wb") as output:
        process = subprocess.Popen([*command, "--key", str(authority.server_key)], cwd=REPO, stdout=output)
    while log.read_text() != "ready\n":
        assert process.poll() is None
        time.sleep(0.02)
    yield port, authority.ca_file, log
    process.terminate()
    process.wait(10)


def counted(log: Path, expected: int) -> bool:
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        if log.read_text().splitlines()[-1].split()[0] == str(expected):
            return True
        time.sleep(0.02)
    return False


def test_messages_of_all_shapes_are_counted_once(sink: tuple[int, Path, Path]) -> None:
    port, ca, log = sink
    with smtplib.SMTP("localhost", port, timeout=10) as client:
        client.starttls(context=ssl.create_default_context(cafile=str(ca)))
        client.ehlo()
        client.login("scanner@contoso.com", "anything")
        for body in (b"", b".", b"Subject: x\r\n\r\n.\r\n..\r\n", b"x" * 300_000, b"a\r\n.b\r\n"):
            assert client.sendmail("a@contoso.com", ["b@example.net", "c@example.net"], body) == {}
    assert counted(log, 5)


def test_pipelined_commands_are_answered_together(sink: tuple[int, Path, Path]) -> None:
    port, _ca, log = sink
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw, raw.makefile("rb") as answers:
        assert answers.readline().startswith(b"220")
        raw.sendall(b"MAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\nDATA\r\n")
        assert [answers.readline()[:3] for _number in range(3)] == [b"250", b"250", b"354"]
        for part in (b"Subject: split\r\n\r\nx\r", b"\n.", b"\r\nQUIT\r\n"):
            raw.sendall(part)
            time.sleep(0.05)
        assert [answers.readline()[:3] for _number in range(2)] == [b"250", b"221"]
    assert counted(log, 1)


def test_relay_is_compared_with_the_limits_and_the_proxy() -> None:
    rows = {
        name: {"messages_a_second": rate, "cpu_ms_a_message": cpu, "cpu_ms_between": own}
        for name, rate, cpu, own in (
            ("bare", 240.0, 2.0, 0.0),
            ("plain", 200.0, 4.0, 0.0),
            ("relay", 180.0, 2.5, 0.5),
            ("proxy", 60.0, 15.0, 4.0),
        )
    }
    result = relay.ratios(rows)
    assert result == {"relay_of_bare": 0.75, "relay_of_plain": 0.9, "proxy_path_cpu_times_relay": 6.0, "proxy_cpu_ratio": 8.0}
    assert relay.table("only root may") == "The relay was not measured: only root may"
    assert "proxy           60.0            15.0              4.0" in relay.table({"paths": rows})
