# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory that keeps SMTP credentials: modes, content, what is wrong with it; the same with files of Ansible Vault."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._hosted.credential_store import (
    CredentialStore,
    DirectoryStore,
    Replaced,
    Secret,
    StoredCredential,
    default_directory,
    open_store,
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


# -- Ansible Vault ----------------------------------------------------------------------------------------------------


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    path = tmp_path / "vault-password"
    path.write_text("correct horse\n", encoding="utf-8")
    return path


@pytest.fixture
def vault(tmp_path: Path, password_file: Path) -> CredentialStore:
    return open_store(str(tmp_path / "store"), str(password_file), "Contoso.com", "sendgrid")


def test_file_of_a_vault_is_one_of_ansible(vault: CredentialStore, password_file: Path) -> None:
    with vault.lock():
        vault.write("erp", STORED)
    path = Path(vault.location("erp"))
    assert "the-password" not in path.read_text(encoding="ascii")
    assert (vault.names(), vault.read("erp"), vault.notes("erp")) == (["erp"], STORED, [])
    command = [str(Path(sys.executable).with_name("ansible-vault")), "view", f"--vault-password-file={password_file}", str(path)]
    viewed = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    assert viewed["current"]["password"] == "the-password"


def test_wrong_vault_password_is_one_sentence_and_writes_nothing(vault: CredentialStore, password_file: Path, tmp_path: Path) -> None:
    with vault.lock():
        vault.write("erp", STORED)
    content = Path(vault.location("erp")).read_bytes()
    password_file.write_text("another", encoding="utf-8")
    wrong = open_store(str(tmp_path / "store"), str(password_file), "contoso.com", "sendgrid")
    sentence = r"m365_hosted_credential_vault_password_file is .*, and .*erp\.json was encrypted with another password: give that one\."
    with pytest.raises(InvalidInput, match=sentence) as raised:
        wrong.read("erp")
    assert "another\n" not in str(raised.value)
    assert Path(vault.location("erp")).read_bytes() == content


def test_encrypted_file_without_a_password_is_named(vault: CredentialStore, tmp_path: Path) -> None:
    with vault.lock():
        vault.write("erp", STORED)
    plain = open_store(str(tmp_path / "store"), None, "contoso.com", "sendgrid")
    with pytest.raises(InvalidInput, match=r"is encrypted with Ansible Vault, and m365_hosted_credential_vault_password_file is not set"):
        plain.read("erp")


def test_file_from_before_the_vault_is_read_and_encrypted_when_it_is_written(
    store: DirectoryStore, vault: CredentialStore, tmp_path: Path
) -> None:
    with store.lock():
        store.write("erp", STORED)
    path = Path(vault.location("erp"))
    assert vault.read("erp") == STORED
    assert vault.notes("erp") == [f"{path} is not encrypted: run ansible-vault encrypt on it."]
    with vault.lock():
        vault.write("erp", STORED)
    assert path.read_text(encoding="ascii").startswith("$ANSIBLE_VAULT;1.1;AES256\n")
    assert path.stat().st_mode & 0o777 == 0o600
