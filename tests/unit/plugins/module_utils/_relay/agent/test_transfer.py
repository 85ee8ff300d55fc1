# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Export, import and drain of a simulated queue; tests/hosts has a real one."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import transfer
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix import queue
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix.queue import Message
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.transfer import TransferError

REFUSED = "connect to 198.51.100.10[198.51.100.10]:587: Connection refused"


class Postfix:
    """Messages by queue id; `flushes` empties it after so many flushes."""

    def __init__(self, *ids: str, reason: str = REFUSED, held: bool = False) -> None:
        kind = "hold" if held else "deferred"
        self.messages = {i: Message(i, kind, 1_795_611_340.0, 9, "scanner@contoso.com", ("a@example.net",), reason) for i in ids}
        self.calls: list[tuple[str, ...]] = []
        self.sent: list[tuple[tuple[str, ...], bytes]] = []
        self.flushes = 0
        self.broken = ""

    def read(self) -> list[Message]:
        return list(self.messages.values())

    def call(self, *command: str, stdin: bytes | None = None) -> bytes:
        self.calls.append(command)
        name = Path(command[0]).name
        if name == self.broken:
            raise TransferError(f"{name} failed.")
        if name == "postcat":
            return f"Subject: {command[-1]}\n\nhello".encode()
        if name == "postsuper":
            del self.messages[command[-1]]
        if name == "sendmail":
            self.sent.append((command[1:], stdin or b""))
        if name == "postqueue":
            self.flushes -= 1
            if not self.flushes:
                self.messages.clear()
        return b""


@pytest.fixture
def postfix(monkeypatch: pytest.MonkeyPatch) -> Postfix:
    fake = Postfix("AAAAAA1", "AAAAAA2", "AAAAAA3")
    monkeypatch.setattr(queue, "read", lambda: fake.read())
    monkeypatch.setattr(transfer, "run_command", lambda *command, stdin=None: fake.call(*command, stdin=stdin))
    return fake


def test_exported_messages_are_imported_completely(postfix: Postfix, tmp_path: Path) -> None:
    assert transfer.export_queue(tmp_path / "queue") == 3
    assert postfix.messages == {}
    files = sorted((tmp_path / "queue").iterdir())
    assert len(files) == 6
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "queue").stat().st_mode) == 0o700
    assert transfer.import_queue(tmp_path / "queue") == 3
    options = ("-i", "-B", "8BITMIME", "-f", "scanner@contoso.com", "--", "a@example.net")
    assert postfix.sent == [(options, f"Subject: AAAAAA{n}\n\nhello".encode()) for n in (1, 2, 3)]
    assert list((tmp_path / "queue").iterdir()) == []


def test_failed_export_leaves_the_queue_and_no_files(postfix: Postfix, tmp_path: Path) -> None:
    real = postfix.call

    def second_fails(*command: str, stdin: bytes | None = None) -> bytes:
        if command[-1] == "AAAAAA2":
            postfix.broken = "postcat"
        return real(*command, stdin=stdin)

    postfix.call = second_fails  # type: ignore[method-assign]
    with pytest.raises(TransferError, match="and is unchanged: postcat failed"):
        transfer.export_queue(tmp_path / "queue")
    assert len(postfix.messages) == 3
    assert list((tmp_path / "queue").iterdir()) == []


def test_queue_that_changes_meanwhile_is_not_exported(postfix: Postfix, tmp_path: Path) -> None:
    reads = [postfix.read(), postfix.read()[:2]]
    postfix.read = lambda: reads.pop(0)  # type: ignore[method-assign]
    with pytest.raises(TransferError, match="2 messages in the queue, 3 on disk: Postfix was not stopped"):
        transfer.export_queue(tmp_path / "queue")
    assert len(postfix.messages) == 3


def test_failed_import_keeps_the_files(postfix: Postfix, tmp_path: Path) -> None:
    transfer.export_queue(tmp_path)
    postfix.broken = "sendmail"
    with pytest.raises(TransferError):
        transfer.import_queue(tmp_path)
    assert len(list(tmp_path.iterdir())) == 6


def test_incomplete_message_is_not_sent(postfix: Postfix, tmp_path: Path) -> None:
    transfer.export_queue(tmp_path)
    first = min(tmp_path.glob("*.eml"))
    first.write_bytes(first.read_bytes()[:4])
    with pytest.raises(TransferError, match="is incomplete: it has 4 of 23 bytes"):
        transfer.import_queue(tmp_path)
    assert postfix.sent == []


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_queue_is_flushed_every_minute_while_it_drains(postfix: Postfix) -> None:
    time, postfix.flushes = Time(), 2
    assert transfer.drain(300, time.clock, time.sleep) == 3
    assert 60 <= time.now <= 62
    assert [command[-1] for command in postfix.calls] == ["-f", "-f"]


def test_queue_that_does_not_drain_raises_one_sentence(postfix: Postfix) -> None:
    time = Time()
    with pytest.raises(TransferError) as raised:
        transfer.drain(90, time.clock, time.sleep)
    assert str(raised.value) == (
        "3 messages are still in the relay's queue after 90 s (3 x the upstream server does not answer the relay), so nothing was "
        "removed: remove the cause, raise relay_drain_timeout, or export the queue with relay_queue_on_removal: export."
    )
    assert len(postfix.messages) == 3


def test_drain_does_not_wait_for_held_messages(postfix: Postfix) -> None:
    postfix.messages = Postfix("AAAAAA9", reason="", held=True).messages
    time = Time()
    with pytest.raises(TransferError, match=r"1 message is still in .* \(1 x on hold\)"):
        transfer.drain(90, time.clock, time.sleep)
    assert time.now == 0


def test_empty_queue_runs_no_command(postfix: Postfix, tmp_path: Path) -> None:
    postfix.messages.clear()
    assert transfer.drain(1) == 0
    assert transfer.export_queue(tmp_path) == 0
    assert transfer.import_queue(tmp_path) == 0
    assert postfix.calls == []


def test_failed_drain_enables_the_listeners_again(postfix: Postfix, capsys: pytest.CaptureFixture[str]) -> None:
    assert transfer.drain_main(0.0) == 1
    assert "3 messages are still in the relay's queue" in capsys.readouterr().err
    assert [command[1:] for command in postfix.calls] == [
        ("-e", "master_service_disable = !127.0.0.1:2526/inet, inet"), ("reload",), ("-X", "master_service_disable"), ("reload",),
    ]  # fmt: skip


def test_drain_that_cannot_disable_the_listeners_enables_them(postfix: Postfix, capsys: pytest.CaptureFixture[str]) -> None:
    postfix.broken = "postfix"
    assert transfer.drain_main(5.0) == 1
    assert "postfix failed" in capsys.readouterr().err
    assert postfix.calls[-2][1:] == ("-X", "master_service_disable")


def test_message_submitted_by_an_open_connection_is_drained(
    postfix: Postfix, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    postfix.messages, real = {}, postfix.call

    def late(*command: str, stdin: bytes | None = None) -> bytes:
        if "stop" in command and not any("start" in call for call in postfix.calls):
            postfix.messages, postfix.flushes = Postfix("AAAAAA9").messages, 1
        return real(*command, stdin=stdin)

    monkeypatch.setattr(transfer, "run_command", late)
    monkeypatch.setattr(transfer, "_POLL_INTERVAL", 0.0)
    assert transfer.drain_main(5.0) == 0
    assert capsys.readouterr().out.startswith("The queue is empty: 1 messages were sent.")
    verbs = [command[1] for command in postfix.calls if command[0].endswith("systemctl")]
    assert verbs == ["stop", "start", "stop"]
    assert not any("-X" in command for command in postfix.calls), "the listeners stay disabled"


def test_terminated_drain_enables_the_listeners_again(
    postfix: Postfix, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before, real = signal.getsignal(signal.SIGTERM), postfix.call

    def stopped(*command: str, stdin: bytes | None = None) -> bytes:
        if command[0].endswith("postqueue"):
            os.kill(os.getpid(), signal.SIGTERM)
        return real(*command, stdin=stdin)

    monkeypatch.setattr(transfer, "run_command", stopped)
    try:
        assert transfer.drain_main(5.0) == 1
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "The drain was stopped" in capsys.readouterr().err
    assert [command[1] for command in postfix.calls[-2:]] == ["-X", "reload"]


def test_incomplete_file_does_not_prevent_the_next_export(postfix: Postfix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    real = os.fsync
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TransferError, match="No space left"):
        transfer.export_queue(tmp_path / "queue")
    monkeypatch.setattr(os, "fsync", real)
    assert list((tmp_path / "queue").iterdir()) == []
    assert transfer.export_queue(tmp_path / "queue") == 3


def test_directory_that_cannot_be_created_starts_postfix_again(
    postfix: Postfix, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert transfer.export_main(tmp_path / "file" / "queue", stop=True) == 1
    assert "could not be exported" in capsys.readouterr().err
    assert postfix.calls[-1][1] == "start"


def test_existing_directory_is_unchanged(postfix: Postfix, tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    assert transfer.export_queue(tmp_path) == 3
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777
