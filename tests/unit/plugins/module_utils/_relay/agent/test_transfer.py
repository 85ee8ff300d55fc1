# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A queue that is played: nothing of it may be lost. tests/hosts has the real one."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import transfer
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix import queue
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix.queue import Message
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.transfer import NotDone

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

    def call(self, *command: str, given: bytes | None = None) -> bytes:
        self.calls.append(command)
        name = Path(command[0]).name
        if name == self.broken:
            raise NotDone(f"{name} failed.")
        if name == "postcat":
            return f"Subject: {command[-1]}\n\nhello".encode()
        if name == "postsuper":
            del self.messages[command[-1]]
        if name == "sendmail":
            self.sent.append((command[1:], given or b""))
        if name == "postqueue":
            self.flushes -= 1
            if not self.flushes:
                self.messages.clear()
        return b""


@pytest.fixture
def postfix(monkeypatch: pytest.MonkeyPatch) -> Postfix:
    found = Postfix("AAAAAA1", "AAAAAA2", "AAAAAA3")
    monkeypatch.setattr(queue, "read", lambda: found.read())
    monkeypatch.setattr(transfer, "call", lambda *command, given=None: found.call(*command, given=given))
    return found


def test_what_is_exported_is_sent_again_whole(postfix: Postfix, tmp_path: Path) -> None:
    assert transfer.export(tmp_path / "queue") == 3
    assert postfix.messages == {}
    files = sorted((tmp_path / "queue").iterdir())
    assert len(files) == 6
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "queue").stat().st_mode) == 0o700
    assert transfer.bring_in(tmp_path / "queue") == 3
    options = ("-i", "-B", "8BITMIME", "-f", "scanner@contoso.com", "--", "a@example.net")
    assert postfix.sent == [(options, f"Subject: AAAAAA{n}\n\nhello".encode()) for n in (1, 2, 3)]
    assert list((tmp_path / "queue").iterdir()) == []


def test_an_export_that_fails_leaves_the_queue_and_no_files(postfix: Postfix, tmp_path: Path) -> None:
    real = postfix.call

    def second_fails(*command: str, given: bytes | None = None) -> bytes:
        if command[-1] == "AAAAAA2":
            postfix.broken = "postcat"
        return real(*command, given=given)

    postfix.call = second_fails  # type: ignore[method-assign]
    with pytest.raises(NotDone, match="and is as it was: postcat failed"):
        transfer.export(tmp_path / "queue")
    assert len(postfix.messages) == 3
    assert list((tmp_path / "queue").iterdir()) == []


def test_a_queue_that_moves_meanwhile_is_not_exported(postfix: Postfix, tmp_path: Path) -> None:
    reads = [postfix.read(), postfix.read()[:2]]
    postfix.read = lambda: reads.pop(0)  # type: ignore[method-assign]
    with pytest.raises(NotDone, match="2 messages in the queue, 3 on disk: Postfix did not stand still"):
        transfer.export(tmp_path / "queue")
    assert len(postfix.messages) == 3


def test_an_import_that_fails_keeps_what_was_not_taken(postfix: Postfix, tmp_path: Path) -> None:
    transfer.export(tmp_path)
    postfix.broken = "sendmail"
    with pytest.raises(NotDone):
        transfer.bring_in(tmp_path)
    assert len(list(tmp_path.iterdir())) == 6


def test_half_a_message_is_not_sent(postfix: Postfix, tmp_path: Path) -> None:
    transfer.export(tmp_path)
    first = min(tmp_path.glob("*.eml"))
    first.write_bytes(first.read_bytes()[:4])
    with pytest.raises(NotDone, match="is not whole: it has 4 octets and had 23"):
        transfer.bring_in(tmp_path)
    assert postfix.sent == []


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_queue_that_drains_is_flushed_every_minute(postfix: Postfix) -> None:
    time, postfix.flushes = Time(), 2
    assert transfer.drain(300, time.clock, time.sleep) == 3
    assert 60 <= time.now <= 62
    assert [command[-1] for command in postfix.calls] == ["-f", "-f"]


def test_a_queue_that_does_not_drain_is_one_sentence(postfix: Postfix) -> None:
    time = Time()
    with pytest.raises(NotDone) as told:
        transfer.drain(90, time.clock, time.sleep)
    assert str(told.value) == (
        "3 messages still wait in the relay's queue after 90 s (3 x the upstream server does not answer the relay), so nothing was "
        "removed: remedy the cause, raise relay_drain_timeout, or take them along with relay_queue_on_removal: export."
    )
    assert len(postfix.messages) == 3


def test_held_messages_are_not_waited_for(postfix: Postfix) -> None:
    postfix.messages = Postfix("AAAAAA9", reason="", held=True).messages
    time = Time()
    with pytest.raises(NotDone, match=r"1 message still waits .* \(1 x held back\)"):
        transfer.drain(90, time.clock, time.sleep)
    assert time.now == 0


def test_an_empty_queue_needs_nothing(postfix: Postfix, tmp_path: Path) -> None:
    postfix.messages.clear()
    assert transfer.drain(1) == 0
    assert transfer.export(tmp_path) == 0
    assert transfer.bring_in(tmp_path) == 0
    assert postfix.calls == []


@pytest.mark.parametrize(("main", "arguments"), [("export_main", []), ("import_main", []), ("drain_main", ["soon"])])
def test_a_wrong_call_says_how(main: str, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert getattr(transfer, main)(arguments) == 2
    assert capsys.readouterr().err.startswith("usage: mailops-relay ")


def test_a_failed_drain_opens_the_listeners_again(postfix: Postfix, capsys: pytest.CaptureFixture[str]) -> None:
    assert transfer.drain_main(["0"]) == 1
    assert "3 messages still wait" in capsys.readouterr().err
    assert [command[1:] for command in postfix.calls] == [
        ("-e", "master_service_disable = !127.0.0.1:2526/inet, inet"), ("reload",), ("-X", "master_service_disable"), ("reload",),
    ]  # fmt: skip


def test_a_drain_that_cannot_close_the_listeners_leaves_them_as_they_were(postfix: Postfix, capsys: pytest.CaptureFixture[str]) -> None:
    postfix.broken = "postfix"
    assert transfer.drain_main(["5"]) == 1
    assert "postfix failed" in capsys.readouterr().err
    assert postfix.calls[-2][1:] == ("-X", "master_service_disable")


def test_what_an_open_connection_handed_in_at_the_last_moment_is_sent_too(
    postfix: Postfix, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    postfix.messages, real = {}, postfix.call

    def late(*command: str, given: bytes | None = None) -> bytes:
        if "stop" in command and not any("start" in call for call in postfix.calls):
            postfix.messages, postfix.flushes = Postfix("AAAAAA9").messages, 1
        return real(*command, given=given)

    monkeypatch.setattr(transfer, "call", late)
    monkeypatch.setattr(transfer, "PAUSE", 0.0)
    assert transfer.drain_main(["5"]) == 0
    assert capsys.readouterr().out.startswith("The queue is empty: 1 messages were sent.")
    verbs = [command[1] for command in postfix.calls if command[0].endswith("systemctl")]
    assert verbs == ["stop", "start", "stop"]
    assert not any("-X" in command for command in postfix.calls), "the listeners stay closed"


def test_a_drain_that_is_stopped_opens_the_listeners_again(
    postfix: Postfix, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before, real = signal.getsignal(signal.SIGTERM), postfix.call

    def stopped(*command: str, given: bytes | None = None) -> bytes:
        if command[0].endswith("postqueue"):
            os.kill(os.getpid(), signal.SIGTERM)
        return real(*command, given=given)

    monkeypatch.setattr(transfer, "call", stopped)
    try:
        assert transfer.drain_main(["5"]) == 1
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "It was stopped" in capsys.readouterr().err
    assert [command[1] for command in postfix.calls[-2:]] == ["-X", "reload"]


def test_half_a_file_does_not_stand_in_the_next_exports_way(postfix: Postfix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    real = os.fsync
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotDone, match="No space left"):
        transfer.export(tmp_path / "queue")
    monkeypatch.setattr(os, "fsync", real)
    assert list((tmp_path / "queue").iterdir()) == []
    assert transfer.export(tmp_path / "queue") == 3


def test_a_directory_that_cannot_be_made_is_one_sentence_and_postfix_runs_again(
    postfix: Postfix, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert transfer.export_main([str(tmp_path / "file" / "queue"), "--stop"]) == 1
    assert "could not be exported" in capsys.readouterr().err
    assert postfix.calls[-1][1] == "start"


def test_a_directory_that_is_somebodys_stays_as_it_is(postfix: Postfix, tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    assert transfer.export(tmp_path) == 3
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777
