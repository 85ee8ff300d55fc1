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


def test_a_backup_makes_another_host_the_relay(relay: Path, tmp_path: Path) -> None:
    file = backup.make(tmp_path / "backups", 0, relay)
    assert file.name == "relay-19700101-000000.tar.gz"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    (tmp_path / "new").mkdir()
    backup.restore(file, tmp_path / "new")
    key = tmp_path / "new/etc/mailops-relay/identity/key.pem"
    assert (key.read_text(), stat.S_IMODE(key.stat().st_mode)) == ("etc/mailops-relay/identity/key.pem", 0o600)
    assert (tmp_path / "new/etc/postfix/m365/transports").exists()
    assert not (tmp_path / "new/etc/passwd").exists()


def test_a_directory_that_is_somebodys_stays_as_it_is(relay: Path, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o755)
    (tmp_path / "shared").chmod(0o755)
    file = backup.make(tmp_path / "shared", 0, relay)
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o755
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_only_the_newest_are_kept(relay: Path, tmp_path: Path) -> None:
    for day in range(5):
        backup.make(tmp_path / "backups", day * 86400.0, relay, keep=3)
    assert [path.name[6:14] for path in sorted((tmp_path / "backups").iterdir())] == ["19700103", "19700104", "19700105"]


def test_a_host_without_a_relay_has_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="There is no relay on this host"):
        backup.make(tmp_path / "backups", 0, tmp_path)


def test_a_file_that_is_no_backup_is_not_unpacked(relay: Path, tmp_path: Path) -> None:
    strange = tmp_path / "strange.tar.gz"
    with tarfile.open(strange, "w:gz") as archive:
        archive.add(relay / "etc/passwd", "etc/passwd")
    with pytest.raises(BackupError, match=r"is no backup of a relay: it holds etc/passwd\."):
        backup.restore(strange, tmp_path)
    with pytest.raises(BackupError, match="name a backup"):
        backup.restore(tmp_path / "nothing", tmp_path)
    strange.write_bytes(b"no archive")
    with pytest.raises(BackupError, match="tar failed"):
        backup.restore(strange, tmp_path)


def test_a_wrong_call_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert backup.main([]) == backup.restore_main([]) == 2
    assert capsys.readouterr().err.count("usage: mailops-relay ") == 2


@pytest.mark.parametrize("whole", [True, False])
def test_the_watcher_does_not_write_over_what_is_restored(monkeypatch: pytest.MonkeyPatch, whole: bool) -> None:
    done: list[str] = []

    def restore(file: Path) -> None:
        done.append(str(file))
        if not whole:
            raise BackupError("tar failed")

    monkeypatch.setattr(backup, "restore", restore)
    monkeypatch.setattr(backup, "_systemctl", lambda verb, unit: done.append(f"{verb} {unit}") or verb != "is-failed")
    assert backup.restore_main(["/root/relay.tar.gz"]) == (0 if whole else 1)
    watcher = [place for place, what in enumerate(done) if what.endswith("mailops-relay-monitor.service")]
    assert [done[place].split()[0] for place in watcher] == ["stop", "start"]
    assert watcher[0] < done.index("/root/relay.tar.gz") < watcher[1]


def test_a_service_that_does_not_start_afterwards_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(backup, "restore", lambda file: None)
    monkeypatch.setattr(backup, "_systemctl", lambda verb, unit: verb != "is-failed" or unit.startswith("mailops-relay-proxy"))
    assert backup.restore_main(["/root/relay.tar.gz"]) == 1
    assert "Restored, but mailops-relay-proxy.service did not start" in capsys.readouterr().err


def test_what_the_role_wrote_for_this_hosts_dovecot_stays(relay: Path, tmp_path: Path) -> None:
    configuration = relay / "etc/mailops-relay"
    (configuration / "proxy.conf").write_text("for 2.3")
    file = backup.make(tmp_path / "backups", 0, relay)
    (configuration / "proxy.conf").write_text("for 2.4")
    backup.restore(file, relay)
    assert (configuration / "proxy.conf").read_text() == "for 2.4"
