# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput, SignInError, Unreachable
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.oauth import tokens
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.oauth.identity import Identity
from ansible_collections.mailops.m365.plugins.module_utils.error_catalog import entra

HOUR = 3600
SETTINGS: dict[str, Any] = {
    "authority": "https://login.microsoftonline.com",
    "tenant": "contoso.com",
    "client_id": "11111111-2222-3333-4444-555555555555",
    "scope": "https://outlook.office365.com/.default",
    "smtp_host": "smtp.office365.com",
    "smtp_port": 587,
    "mailboxes": [{"address": "scanner@contoso.com"}, {"address": "erp@contoso.com"}],
}


@functools.cache
def made(prefix: str) -> tuple[str, str]:
    """A key and its certificate, one pair for all tests."""
    with tempfile.TemporaryDirectory() as directory:
        key, cert = Path(directory, "key.pem"), Path(directory, "cert.pem")
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "31", "-subj", f"/CN=relay1 {prefix}"]
        subprocess.run([*command, "-keyout", key, "-out", cert], check=True, capture_output=True)
        return key.read_text(), cert.read_text()


def pair(directory: Path, prefix: str = "") -> None:
    """As the role's tasks make it."""
    for name, text in zip(("key.pem", "cert.pem"), made(prefix), strict=True):
        (directory / f"{prefix}{name}").write_text(text)


class Relay:
    """A relay's files, a clock and a token endpoint; `refuses` is what that says instead of a token."""

    def __init__(self, root: Path) -> None:
        self.places = tokens.Places(root / "etc", root / "run")
        self.keys = self.places.configuration / "identity"
        self.keys.mkdir(parents=True)
        self.places.run.mkdir()
        self.places.settings.write_text(json.dumps(SETTINGS))
        self.places.secret.write_text("5ecret\n")
        pair(self.keys)
        self.now, self.asked, self.said = 1_000_000.0, 0, list[str]()
        self.refuses: dict[str, Exception] = {}  # thumbprint, or "" for all

    def ask(self, settings: dict[str, Any], identity: Identity) -> dict[str, Any]:
        self.asked += 1
        refusal = self.refuses.get(identity.thumbprint()) or self.refuses.get("")
        if refusal:
            raise refusal
        return {"access_token": f"token{self.asked}", "expires_in": HOUR}

    def writer(self) -> tokens.Writer:
        return tokens.Writer(self.places, self.ask, lambda: self.now, self.said.append)

    def after(self, seconds: float) -> int:
        self.now += seconds
        return self.writer().renew()

    @property
    def passdb(self) -> str:
        return self.places.passdb.read_text()

    @property
    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.places.state.read_text())
        return found


@pytest.fixture
def relay(tmp_path: Path) -> Relay:
    return Relay(tmp_path)


def test_every_mailbox_gets_a_line_that_dovecot_takes_and_nobody_else_reads_it(relay: Relay) -> None:
    assert relay.after(0) == 0
    assert relay.passdb.splitlines() == [
        f"{address}:{{PLAIN}}5ecret::::::proxy=y host=smtp.office365.com port=587 starttls=yes proxy_mech=XOAUTH2 pass=token1"
        for address in ("scanner@contoso.com", "erp@contoso.com")
    ]
    assert relay.places.passdb.stat().st_mode & 0o777 == 0o640
    assert relay.places.token.stat().st_mode & 0o777 == 0o600
    assert not list(relay.places.run.glob(".*")), "nothing half-written is left"
    assert relay.state == {"got": relay.now, "expires": relay.now + HOUR, "failure": "", "failing_since": None}


def test_a_token_is_renewed_when_a_quarter_of_its_life_is_over_and_not_before(relay: Relay) -> None:
    relay.after(0)
    relay.after(HOUR / 4 - 1)
    assert relay.asked == 1
    relay.after(1)
    assert relay.asked == 2
    assert "pass=token2" in relay.passdb


def test_an_outage_is_outlived_with_the_present_token_and_the_cause_is_told(relay: Relay) -> None:
    relay.after(0)
    relay.refuses[""] = Unreachable("get a token for sending", "login.microsoftonline.com cannot be reached")
    assert relay.after(HOUR / 2) == 0
    assert "pass=token1" in relay.passdb
    assert relay.said[-1].startswith("<4>No new token, the present one is good for 30 minutes")
    assert relay.state["failure"] == "Could not get a token for sending: login.microsoftonline.com cannot be reached"
    since = relay.state["failing_since"]
    assert relay.after(HOUR / 2) == 1, "it has ended"
    assert relay.said[-1].startswith("<3>No new token, mail waits")
    assert relay.state == {"got": None, "expires": None, "failure": relay.state["failure"], "failing_since": since}
    relay.refuses.clear()
    assert relay.after(60) == 0
    assert relay.state["failing_since"] is None


def test_a_refusal_is_told_in_the_error_tables_words_and_never_with_a_secret(relay: Relay) -> None:
    relay.refuses[""] = SignInError("get a token for sending", "x", code="AADSTS700027", known=entra("700027"))
    assert relay.after(0) == 1
    known = entra("700027")
    assert known
    assert known.cause in relay.said[0]
    assert known.remedy in relay.state["failure"]
    everything = "".join(relay.said) + relay.places.state.read_text()
    assert not [secret for secret in ("PRIVATE", "5ecret", "token1") if secret in everything]


def test_a_mailbox_that_is_new_needs_no_new_token(relay: Relay) -> None:
    relay.after(0)
    boxes = [*SETTINGS["mailboxes"], {"address": "new@contoso.com"}]
    relay.places.settings.write_text(json.dumps(SETTINGS | {"mailboxes": boxes}))
    relay.after(60)
    assert relay.asked == 1
    assert "new@contoso.com:" in relay.passdb


@pytest.mark.parametrize("changed", [{"client_id": "other"}, {"tenant": "fabrikam.com"}])
def test_a_token_of_another_application_is_not_used(relay: Relay, changed: dict[str, str]) -> None:
    relay.after(0)
    relay.places.settings.write_text(json.dumps(SETTINGS | changed))
    relay.after(60)
    assert "pass=token2" in relay.passdb


def test_a_broken_memory_is_as_none(relay: Relay) -> None:
    relay.places.token.write_text("{")
    relay.places.state.write_text("")
    assert relay.after(0) == 0


# ---- from one key to the next -------------------------------------------------------------------------------------------


def test_the_next_key_is_used_once_microsoft_knows_it_and_the_one_before_stays_published(relay: Relay) -> None:
    relay.after(0)
    pair(relay.keys, "next.")
    old, new = ((relay.keys / name).read_text() for name in ("cert.pem", "next.cert.pem"))
    key = (relay.keys / "next.key.pem").read_text()
    assert relay.writer().switch() == 0
    assert (relay.keys / "cert.pem").read_text() == new
    assert (relay.keys / "key.pem").read_text() == key
    assert (relay.keys / "previous.cert.pem").read_text() == old
    assert sorted(path.name for path in relay.keys.iterdir()) == ["cert.pem", "key.pem", "previous.cert.pem"]
    assert "pass=token2" in relay.passdb
    relay.after(60)
    assert relay.asked == 2, "the token of the new key is kept"


def test_a_next_key_that_is_refused_changes_nothing(relay: Relay) -> None:
    relay.after(0)
    pair(relay.keys, "next.")
    before = {path.name: path.read_text() for path in relay.keys.iterdir()}
    following = Identity(relay.keys, "next.")
    relay.refuses[following.thumbprint()] = SignInError(
        "get a token for sending", "unknown key", code="AADSTS700027", known=entra("700027")
    )
    assert relay.writer().switch() == 3
    assert relay.said[-1].startswith("The relay stays on its present key: ")
    assert {path.name: path.read_text() for path in relay.keys.iterdir()} == before
    assert "pass=token1" in relay.passdb
    assert relay.state["failure"] == "", "the key that is used is not refused"


def test_without_a_next_key_there_is_nothing_to_switch(relay: Relay) -> None:
    assert relay.writer().switch() == 0
    assert relay.asked == 0


@pytest.mark.parametrize("steps", [1, 2])
def test_a_switch_that_was_cut_short_is_finished(relay: Relay, steps: int) -> None:
    """A crash between the three renames of `advance`."""
    pair(relay.keys, "next.")
    new, key = (relay.keys / "next.cert.pem").read_text(), (relay.keys / "next.key.pem").read_text()
    (relay.keys / "cert.pem").replace(relay.keys / "previous.cert.pem")
    if steps == 2:
        (relay.keys / "next.cert.pem").replace(relay.keys / "cert.pem")
    assert relay.after(0) == 0
    if steps == 2:
        assert (relay.keys / "cert.pem").read_text() == new
        assert (relay.keys / "key.pem").read_text() == key
    else:
        assert Identity(relay.keys).following(), "the old pair is whole again, and so is the next"
    assert not (relay.keys / "previous.cert.pem").exists() or steps == 2


@pytest.mark.parametrize("action", ["renew", "switch"])
def test_the_timer_and_the_role_do_not_change_keys_at_once(relay: Relay, action: str) -> None:
    pair(relay.keys, "next.")
    attempts: list[int] = []

    def ask(settings: dict[str, Any], identity: Identity) -> dict[str, Any]:
        attempts.append(subprocess.run(["flock", "--nonblock", relay.keys, "true"], check=False).returncode)
        return relay.ask(settings, identity)

    assert getattr(tokens.Writer(relay.places, ask, lambda: relay.now, relay.said.append), action)() == 0
    attempts.append(subprocess.run(["flock", "--nonblock", relay.keys, "true"], check=False).returncode)
    assert attempts == [1, 0]


def test_a_next_pair_that_is_half_made_is_not_used(relay: Relay) -> None:
    pair(relay.keys, "next.")
    (relay.keys / "next.key.pem").unlink()
    assert relay.writer().switch() == 0
    assert (relay.keys / "next.cert.pem").exists()


def test_a_damaged_certificate_is_named(relay: Relay) -> None:
    (relay.keys / "cert.pem").write_text("nonsense")
    with pytest.raises(InvalidInput, match=r"cert\.pem holds no certificate"):
        relay.after(0)
