"""The role delegated_sign_in as a user runs it: no file and no output contains a token."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path

import pytest

from emulator.person import enter
from tests.e2e.test_playbooks import Playground

ADA = "ada@contoso.com"
PLAY = """
- hosts: contoso
  connection: local
  gather_facts: false
  vars:
    delegated_sign_in_app_unique_name: mailops-user-sender
    delegated_sign_in_users: [{user: ada@contoso.com, token_store: {path: TOKEN_STORE}}]
  roles: [mailops.m365.delegated_sign_in]
"""


@pytest.fixture
def play(tmp_path: Path) -> Path:
    path = tmp_path / "play.yml"
    path.write_text(PLAY.replace("TOKEN_STORE", str(tmp_path / "token_stores" / "ada.token")))
    return path


def test_sign_in_leaves_no_token_outside_the_store(tmp_path: Path, play: Path) -> None:
    playground = Playground(tmp_path)
    try:
        person = threading.Thread(target=enter, args=(playground.admin, ADA, playground.secrets["any_password"], 100.0))
        person.start()
        run = playground.play(str(play), "-vvv", "--diff")
        person.join()
        assert run.code == 0, run.output
        kept = [(tmp_path / "token_stores" / "ada.token").read_text().strip()]
        again = playground.play(str(play), "-vvv", "--diff")
        assert (again.code, again.total("changed")) == (0, 0), again.output
        kept.append((tmp_path / "token_stores" / "ada.token").read_text().strip())
    finally:
        playground.sandbox.stop()
    assert kept[0] != kept[1], "every use renews it"
    journal = "".join(path.read_text() for path in playground.sandbox.directory.glob("journal/*"))
    assert '"delegated_sign_in"' in journal
    texts = (run.output, again.output, journal, playground.record_file.read_text(), json.dumps([run.report, again.report]))
    for text in texts:
        assert not [secret for secret in kept if secret in text]
        assert not re.search(r"eyJ[\w-]{20,}\.[\w-]{20,}\.|device_code\W{1,4}[\w-]{60,}", text)
