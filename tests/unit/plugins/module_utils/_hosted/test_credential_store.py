# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory that keeps SMTP credentials: modes, content, and what is wrong with it."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._hosted.credential_store import (
    DirectoryStore,
    Replaced,
    Secret,
    StoredCredential,
    default_directory,
)

SECRET = Secret("mailops-erp-20261129", "abc", "apikey", "the-password")
STORED = StoredCredential(SECRET, None, (Replaced("mailops-erp-20260601", "def", datetime.date(2026, 11, 29)),))


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(str(tmp_path / "store"), "Contoso.com", "sendgrid")


def test_credential_is_kept_in_a_file_of_its_owner(store: DirectoryStore, tmp_path: Path) -> None:
    assert (store.names(), store.read("erp")) == ([], None)
    with store.lock():
        store.write("erp", STORED)
    path = tmp_path / "store/contoso.com/sendgrid/erp.json"
    assert store.location("erp") == str(path)
    assert [one.stat().st_mode & 0o777 for one in (path, *list(path.parents)[:3])] == [0o600, 0o700, 0o700, 0o700]
    assert [one.name for one in path.parent.iterdir()] == ["erp.json"], "no temporary file"
    assert (store.names(), store.read("erp"), store.notes("erp")) == (["erp"], STORED, [])
    path.chmod(0o640)
    assert store.notes("erp") == [f"{path} can be read by others than its owner: set its mode to 0600."]
    store.remove("erp")
    store.remove("erp")
    assert (store.read("erp"), store.notes("erp")) == (None, [])


def test_password_is_in_no_representation() -> None:
    assert "the-password" not in f"{STORED!r} {SECRET}"


@pytest.mark.parametrize("content", ["", "[]", '{"current": {"label": "x"}, "next": null, "previous": []}', '{"current": null}'])
def test_damaged_file_is_named(store: DirectoryStore, content: str) -> None:
    with store.lock():
        Path(store.location("erp")).write_text(content, encoding="ascii")
    with pytest.raises(InvalidInput, match=r"m365_hosted_credential_store: .*erp\.json is no stored credential: restore it from a backup"):
        store.read("erp")


def test_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    store = DirectoryStore(str(tmp_path / "file"), "contoso.com", "mailgun")
    with pytest.raises(InvalidInput, match=r"m365_hosted_credential_store: .*mailgun cannot be written"), store.lock():
        pass
    with pytest.raises(InvalidInput, match="cannot be written"):
        DirectoryStore(str(tmp_path / "missing"), "contoso.com", "mailgun").write("erp", STORED)


def test_default_directory_is_that_of_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/srv/state")
    assert default_directory() == os.path.join("/srv/state", "mailops", "credentials")
