# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The format of Ansible Vault: Ansible's own library reads what is written here, and the reverse."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.constants import DEFAULT_VAULT_IDENTITY
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.mailops.m365.plugins.module_utils._core import ansible_vault
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from hypothesis import given, settings
from hypothesis import strategies as st

PASSWORD = "correct horse"
ANSIBLE = VaultLib([(DEFAULT_VAULT_IDENTITY, VaultSecret(PASSWORD.encode()))])


@settings(max_examples=20, deadline=None)
@given(st.text(max_size=200))
def test_ansible_reads_and_writes_the_same_format(text: str) -> None:
    assert ANSIBLE.decrypt(ansible_vault.encrypt(text, PASSWORD)) == text.encode()
    assert ansible_vault.decrypt(ansible_vault.encrypt(text, PASSWORD), PASSWORD) == text
    assert ansible_vault.decrypt(ANSIBLE.encrypt(text).decode(), PASSWORD) == text
    assert ansible_vault.decrypt(ANSIBLE.encrypt(text, vault_id="mail").decode(), PASSWORD) == text


def test_two_texts_have_two_salts() -> None:
    assert ansible_vault.encrypt("text", PASSWORD) != ansible_vault.encrypt("text", PASSWORD)


def test_wrong_password_and_changed_file_are_refused() -> None:
    vault = ansible_vault.encrypt("text", PASSWORD)
    with pytest.raises(ansible_vault.WrongVaultPassword):
        ansible_vault.decrypt(vault, "another")
    payload = bytes.fromhex("".join(vault.splitlines()[1:]))
    changed = payload[:-1] + (b"0" if payload[-1:] != b"0" else b"1")
    with pytest.raises(ansible_vault.WrongVaultPassword):
        ansible_vault.decrypt(f"{vault.splitlines()[0]}\n{changed.hex()}\n", PASSWORD)
    for damaged in ("$ANSIBLE_VAULT;1.0;AES\n00\n", "$ANSIBLE_VAULT;1.1;AES256\nzz\n", "$ANSIBLE_VAULT;1.1;AES256\n", "text"):
        with pytest.raises(ValueError, match=r"."):
            ansible_vault.decrypt(damaged, PASSWORD)


def test_password_is_read_from_a_file_or_a_program(tmp_path: Path) -> None:
    file, program = tmp_path / "password", tmp_path / "program"
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    program.write_text(f"#!/bin/sh\necho '{PASSWORD}'\n", encoding="utf-8")
    program.chmod(0o700)
    assert [ansible_vault.read_password("m365_x", str(path)) for path in (file, program)] == [PASSWORD] * 2


@pytest.mark.parametrize(("content", "sentence"), [
    (None, r"m365_x is .*, which cannot be read \(No such file or directory\): give a file with the vault password"),
    ("\n", "m365_x is .*, which has no password"),
    ("#!/bin/sh\nexit 1\n", r"m365_x is .*, which cannot be read \(CalledProcessError\)"),
])  # fmt: skip
def test_password_that_cannot_be_read_is_one_sentence(tmp_path: Path, content: str | None, sentence: str) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_text(content, encoding="utf-8")
        path.chmod(0o700 if content.startswith("#!") else 0o600)
    with pytest.raises(InvalidInput, match=sentence):
        ansible_vault.read_password("m365_x", str(path))
