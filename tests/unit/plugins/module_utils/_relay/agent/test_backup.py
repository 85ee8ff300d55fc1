# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import stat
import tarfile
from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import backup
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.backup import BackupError


@pytest.fixture
def relay(tmp_path: Path) -> Path:
    """A root with a relay's files."""
    root = tmp_path / "root"
    for name in ("etc/mailops-relay/identity/key.pem", "etc/postfix/main.cf", "etc/postfix/m365/transports", "etc/passwd"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "etc/mailops-relay/identity/key.pem").chmod(0o600)
    return root


def test_backup_is_restored_on_another_host(relay: Path, tmp_path: Path) -> None:
    file = backup.create(tmp_path / "backups", 0, relay)
    assert file.name == "relay-19700101-000000.tar.gz"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    (tmp_path / "new").mkdir()
    backup.restore(file, tmp_path / "new")
    key = tmp_path / "new/etc/mailops-relay/identity/key.pem"
    assert (key.read_text(), stat.S_IMODE(key.stat().st_mode)) == ("etc/mailops-relay/identity/key.pem", 0o600)
    assert (tmp_path / "new/etc/postfix/m365/transports").exists()
    assert not (tmp_path / "new/etc/passwd").exists()


def test_existing_directory_is_unchanged(relay: Path, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o755)
    (tmp_path / "shared").chmod(0o755)
    file = backup.create(tmp_path / "shared", 0, relay)
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o755
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_only_the_newest_backups_are_kept(relay: Path, tmp_path: Path) -> None:
    for day in range(5):
        backup.create(tmp_path / "backups", day * 86400.0, relay, keep=3)
    assert [path.name[6:14] for path in sorted((tmp_path / "backups").iterdir())] == ["19700103", "19700104", "19700105"]


def test_host_without_a_relay_has_no_backup(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="There is no relay on this host"):
        backup.create(tmp_path / "backups", 0, tmp_path)


def test_file_that_is_not_a_backup_is_not_extracted(relay: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.tar.gz"
    with tarfile.open(foreign, "w:gz") as archive:
        archive.add(relay / "etc/passwd", "etc/passwd")
    with pytest.raises(BackupError, match=r"is not a backup of a relay: it holds etc/passwd\."):
        backup.restore(foreign, tmp_path)
    with pytest.raises(BackupError, match="name a backup"):
        backup.restore(tmp_path / "nothing", tmp_path)
    foreign.write_bytes(b"no archive")
    with pytest.raises(BackupError, match="tar failed"):
        backup.restore(foreign, tmp_path)


@pytest.mark.parametrize("complete", [True, False])
def test_monitor_is_stopped_while_a_backup_is_restored(monkeypatch: pytest.MonkeyPatch, complete: bool) -> None:
    calls: list[str] = []

    def restore(file: Path) -> None:
        calls.append(str(file))
        if not complete:
            raise BackupError("tar failed")

    monkeypatch.setattr(backup, "check", lambda file: None)
    monkeypatch.setattr(backup, "restore", restore)
    monkeypatch.setattr(backup, "_systemctl", lambda verb, unit: calls.append(f"{verb} {unit}") or verb != "is-failed")
    assert backup.restore_main(Path("/root/relay.tar.gz")) == (0 if complete else 1)
    positions = [place for place, call in enumerate(calls) if call.endswith("mailops-relay-monitor.service")]
    assert [calls[place].split()[0] for place in positions] == ["stop", "start"]
    assert positions[0] < calls.index("/root/relay.tar.gz") < positions[1]


def test_service_that_does_not_start_afterwards_is_reported(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(backup, "check", lambda file: None)
    monkeypatch.setattr(backup, "restore", lambda file: None)
    monkeypatch.setattr(backup, "_systemctl", lambda verb, unit: verb != "is-failed" or unit.startswith("mailops-relay-proxy"))
    assert backup.restore_main(Path("/root/relay.tar.gz")) == 1
    assert "The backup is restored, but mailops-relay-proxy.service did not start" in capsys.readouterr().err


def test_dovecot_configuration_of_this_host_is_kept(relay: Path, tmp_path: Path) -> None:
    configuration = relay / "etc/mailops-relay"
    (configuration / "proxy.conf").write_text("for 2.3")
    file = backup.create(tmp_path / "backups", 0, relay)
    (configuration / "proxy.conf").write_text("for 2.4")
    backup.restore(file, relay)
    assert (configuration / "proxy.conf").read_text() == "for 2.4"


def test_file_that_is_no_backup_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(backup, "_systemctl", lambda verb, unit: calls.append(f"{verb} {unit}"))
    (tmp_path / "text.tar.gz").write_text("no archive")
    for file in (tmp_path, tmp_path / "missing.tar.gz", tmp_path / "text.tar.gz"):
        assert backup.restore_main(file) == 1
    assert calls == []
