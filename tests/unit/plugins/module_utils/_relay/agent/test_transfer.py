# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Export and import of a simulated queue; tests/hosts has a real one."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import transfer
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix import queue
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.transfer import TransferError

from .simulated_postfix import Postfix


@pytest.fixture
def postfix(monkeypatch: pytest.MonkeyPatch) -> Postfix:
    fake = Postfix("AAAAAA1", "AAAAAA2", "AAAAAA3")
    monkeypatch.setattr(queue, "read", lambda: fake.read())
    monkeypatch.setattr(transfer, "run_command", lambda *command, stdin=None: fake.call(*command, stdin=stdin))
    return fake


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """The signal handlers as before."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


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


def test_empty_queue_runs_no_command(postfix: Postfix, tmp_path: Path) -> None:
    postfix.messages.clear()
    assert transfer.export_queue(tmp_path) == 0
    assert transfer.import_queue(tmp_path) == 0
    assert postfix.calls == []


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


def verbs(postfix: Postfix) -> list[str]:
    return [command[1] for command in postfix.calls if command[0].endswith("systemctl")]


def test_directory_that_cannot_be_created_stops_nothing(postfix: Postfix, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    for directory in (tmp_path / "file", tmp_path / "file" / "queue"):
        assert transfer.export_main(directory, stop=True) == 1
        assert "so Postfix was not stopped" in capsys.readouterr().err
    assert postfix.calls == []


@pytest.mark.parametrize(("blocks", "files"), [(4000, 10**6), (10**6, 5)])
def test_full_disk_stops_nothing(
    postfix: Postfix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], blocks: int, files: int
) -> None:
    """Space for the three messages and a reserve of 16 MB, and two files for each message."""
    free = SimpleNamespace(f_bavail=blocks, f_frsize=4096, f_files=10**7, f_favail=files)
    monkeypatch.setattr(os, "statvfs", lambda _path: free)
    assert transfer.export_main(tmp_path / "queue", stop=True) == 1
    assert "3 messages need 16 MB and 6 files, and" in capsys.readouterr().err
    assert postfix.calls == []


def test_export_starts_postfix_again_unless_stop_is_set(postfix: Postfix, tmp_path: Path) -> None:
    assert transfer.export_main(tmp_path / "queue") == 0
    assert verbs(postfix) == ["stop", "start"]
    postfix.calls.clear()
    assert transfer.export_main(tmp_path / "queue", stop=True) == 0
    assert verbs(postfix) == ["stop"]


@pytest.mark.parametrize("broken", ["systemctl stop", "postcat", "postsuper", "SIGTERM", "SIGHUP"])
def test_failure_after_the_stop_starts_postfix_again(
    postfix: Postfix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], broken: str
) -> None:
    real = postfix.call

    def fail(*command: str, stdin: bytes | None = None) -> bytes:
        if f"{Path(command[0]).name} {command[1]}".startswith(broken) and command[-1] != "AAAAAA1":
            postfix.calls.append(command)
            raise TransferError("broken.")
        if broken.startswith("SIG") and "postcat" in command[0]:
            os.kill(os.getpid(), getattr(signal, broken))
        return real(*command, stdin=stdin)

    monkeypatch.setattr(transfer, "run_command", fail)
    assert transfer.export_main(tmp_path / "queue", stop=True) == 1
    assert capsys.readouterr().err
    assert verbs(postfix) == ["stop", "start"]
    exported = {path.stem.partition("-")[2] for path in (tmp_path / "queue").iterdir()}
    assert exported | set(postfix.messages) == {"AAAAAA1", "AAAAAA2", "AAAAAA3"}
    assert not exported & set(postfix.messages), "a message in both would be sent twice"


def test_import_from_a_directory_that_does_not_exist_is_an_error(
    postfix: Postfix, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert transfer.import_main(tmp_path / "missing") == 1
    assert "is not a directory" in capsys.readouterr().err


def test_existing_directory_is_unchanged(postfix: Postfix, tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    assert transfer.export_queue(tmp_path) == 3
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777
