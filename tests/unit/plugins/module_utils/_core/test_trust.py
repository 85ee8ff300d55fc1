# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTPS and SMTP check servers' certificates against the same CAs."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._clients.smtp import Conversation
from ansible_collections.mailops.m365.plugins.module_utils._core import trust
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Session

from ....mailserver import MailServer


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in trust.VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_the_first_one_that_is_set_counts(tmp_path: Path) -> None:
    paths = {name: str(tmp_path / name) for name in ("own", *trust.VARIABLES)}
    for path in paths.values():
        Path(path).touch()
    own = paths.pop("own")
    assert trust.ca_bundle(own, paths) == own
    for name in trust.VARIABLES:
        assert trust.ca_bundle("", paths) == paths.pop(name)
    assert trust.ca_bundle("", paths) == ""


def test_a_missing_file_is_named_with_its_variable(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.pem")
    with pytest.raises(InvalidInput, match=r"m365_cloud\.ca_file is '.*none\.pem', which does not exist"):
        trust.ca_bundle(missing)
    with pytest.raises(InvalidInput, match=r"the environment variable SSL_CERT_FILE is '.*none\.pem', which does not exist"):
        trust.ca_bundle("", {"SSL_CERT_FILE": missing})


@pytest.mark.parametrize("name", trust.VARIABLES[:3])
def test_a_variable_serves_https_and_smtp(monkeypatch: pytest.MonkeyPatch, mail_server: MailServer, name: str) -> None:
    path = mail_server.route().ca_file
    monkeypatch.setenv(name, path)
    assert Session()._verify == path
    conversation = Conversation(mail_server.route(ca_file=""))
    conversation.connect()
    conversation.start_tls()
    conversation.close()


def test_a_missing_file_stops_https_and_smtp_alike(monkeypatch: pytest.MonkeyPatch, mail_server: MailServer, tmp_path: Path) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with pytest.raises(InvalidInput, match="REQUESTS_CA_BUNDLE"):
        Session()
    conversation = Conversation(mail_server.route(ca_file=""))
    conversation.connect()
    with pytest.raises(InvalidInput, match="REQUESTS_CA_BUNDLE"):
        conversation.start_tls()
    conversation.close()
