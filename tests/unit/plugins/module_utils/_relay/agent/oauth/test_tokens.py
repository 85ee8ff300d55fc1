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
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.config import AgentConfig
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.oauth import tokens
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.oauth.identity import Identity
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.oauth.token_endpoint import TokenResponse
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.paths import Paths
from ansible_collections.mailops.m365.plugins.module_utils.error_catalog import entra

HOUR = 3600
CONFIG: dict[str, Any] = {
    "authority": "https://login.microsoftonline.com",
    "tenant": "contoso.com",
    "client_id": "11111111-2222-3333-4444-555555555555",
    "scope": "https://outlook.office365.com/.default",
    "smtp_host": "smtp.office365.com",
    "smtp_port": 587,
    "mailboxes": [{"address": "scanner@contoso.com"}, {"address": "erp@contoso.com"}],
}


@functools.cache
def key_and_certificate(prefix: str) -> tuple[str, str]:
    """A key and its certificate, the same for all tests."""
    with tempfile.TemporaryDirectory() as directory:
        key, cert = Path(directory, "key.pem"), Path(directory, "cert.pem")
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "31", "-subj", f"/CN=relay1 {prefix}"]
        subprocess.run([*command, "-keyout", key, "-out", cert], check=True, capture_output=True)
        return key.read_text(), cert.read_text()


def write_identity(directory: Path, prefix: str = "") -> None:
    """As the role's tasks create them."""
    for name, text in zip(("key.pem", "cert.pem"), key_and_certificate(prefix), strict=True):
        (directory / f"{prefix}{name}").write_text(text)


class Relay:
    """A relay's files, a clock and a token endpoint; `refusals`: its errors by thumbprint."""

    def __init__(self, root: Path) -> None:
        self.paths = Paths(root / "etc", root / "lib", root / "run")
        self.keys = self.paths.identity
        self.keys.mkdir(parents=True)
        self.paths.run.mkdir()
        self.paths.config_file.write_text(json.dumps(CONFIG))
        self.paths.proxy_secret.write_text("5ecret\n")
        write_identity(self.keys)
        self.now, self.requests, self.logged = 1_000_000.0, 0, list[str]()
        self.refusals: dict[str, Exception] = {}  # thumbprint, or "" for all

    def request(self, config: AgentConfig, identity: Identity) -> TokenResponse:
        self.requests += 1
        refusal = self.refusals.get(identity.thumbprint()) or self.refusals.get("")
        if refusal:
            raise refusal
        return TokenResponse(f"token{self.requests}", HOUR)

    def renewal(self) -> tokens.TokenRenewal:
        return tokens.TokenRenewal(self.paths, self.request, lambda: self.now, self.logged.append)

    def after(self, seconds: float) -> int:
        self.now += seconds
        return self.renewal().renew()

    @property
    def passdb(self) -> str:
        return self.paths.passdb.read_text()

    @property
    def status(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.paths.token_status.read_text())
        return document


@pytest.fixture
def relay(tmp_path: Path) -> Relay:
    return Relay(tmp_path)


def test_passdb_has_a_line_for_every_mailbox_and_is_private(relay: Relay) -> None:
    assert relay.after(0) == 0
    assert relay.passdb.splitlines() == [
        f"{address}:{{PLAIN}}5ecret::::::proxy=y host=smtp.office365.com port=587 starttls=yes proxy_mech=XOAUTH2 pass=token1"
        for address in ("scanner@contoso.com", "erp@contoso.com")
    ]
    assert relay.paths.passdb.stat().st_mode & 0o777 == 0o640
    assert relay.paths.token.stat().st_mode & 0o777 == 0o600
    assert not list(relay.paths.run.glob(".*")), "no temporary file is left"
    assert relay.status == {"issued": relay.now, "expires": relay.now + HOUR, "failure": "", "failing_since": None}


def test_token_is_renewed_after_a_quarter_of_its_lifetime(relay: Relay) -> None:
    relay.after(0)
    relay.after(HOUR / 4 - 1)
    assert relay.requests == 1
    relay.after(1)
    assert relay.requests == 2
    assert "pass=token2" in relay.passdb


def test_outage_uses_the_current_token_and_reports_the_cause(relay: Relay) -> None:
    relay.after(0)
    relay.refusals[""] = Unreachable("get a token for sending", "login.microsoftonline.com cannot be reached")
    assert relay.after(HOUR / 2) == 0
    assert "pass=token1" in relay.passdb
    assert relay.logged[-1].startswith("<4>No new token, the current one is valid for 30 minutes")
    assert relay.status["failure"] == "Could not get a token for sending: login.microsoftonline.com cannot be reached"
    since = relay.status["failing_since"]
    assert relay.after(HOUR / 2) == 1, "the token has expired"
    assert relay.logged[-1].startswith("<3>No new token, mail stays in the queue")
    assert relay.status == {"issued": None, "expires": None, "failure": relay.status["failure"], "failing_since": since}
    relay.refusals.clear()
    assert relay.after(60) == 0
    assert relay.status["failing_since"] is None


def test_refusal_has_its_catalog_entry_and_no_secret(relay: Relay) -> None:
    relay.refusals[""] = SignInError("get a token for sending", "x", code="AADSTS700027", entry=entra("700027"))
    assert relay.after(0) == 1
    known = entra("700027")
    assert known
    assert known.cause in relay.logged[0]
    assert known.remedy in relay.status["failure"]
    everything = "".join(relay.logged) + relay.paths.token_status.read_text()
    assert not [secret for secret in ("PRIVATE", "5ecret", "token1") if secret in everything]


def test_new_mailbox_needs_no_new_token(relay: Relay) -> None:
    relay.after(0)
    boxes = [*CONFIG["mailboxes"], {"address": "new@contoso.com"}]
    relay.paths.config_file.write_text(json.dumps(CONFIG | {"mailboxes": boxes}))
    relay.after(60)
    assert relay.requests == 1
    assert "new@contoso.com:" in relay.passdb


@pytest.mark.parametrize("changed", [{"client_id": "other"}, {"tenant": "fabrikam.com"}])
def test_token_of_another_application_is_not_used(relay: Relay, changed: dict[str, str]) -> None:
    relay.after(0)
    relay.paths.config_file.write_text(json.dumps(CONFIG | changed))
    relay.after(60)
    assert "pass=token2" in relay.passdb


def test_invalid_files_are_ignored(relay: Relay) -> None:
    relay.paths.token.write_text("{")
    relay.paths.token_status.write_text("")
    assert relay.after(0) == 0


# ---- key rotation -------------------------------------------------------------------------------------------


def test_next_key_is_activated_and_the_previous_certificate_kept(relay: Relay) -> None:
    relay.after(0)
    write_identity(relay.keys, "next.")
    old, new = ((relay.keys / name).read_text() for name in ("cert.pem", "next.cert.pem"))
    key = (relay.keys / "next.key.pem").read_text()
    assert relay.renewal().use_next_key() == 0
    assert (relay.keys / "cert.pem").read_text() == new
    assert (relay.keys / "key.pem").read_text() == key
    assert (relay.keys / "previous.cert.pem").read_text() == old
    assert sorted(path.name for path in relay.keys.iterdir()) == ["cert.pem", "key.pem", "previous.cert.pem"]
    assert "pass=token2" in relay.passdb
    relay.after(60)
    assert relay.requests == 2, "the token of the new key is used again"


def test_refused_next_key_changes_nothing(relay: Relay) -> None:
    relay.after(0)
    write_identity(relay.keys, "next.")
    before = {path.name: path.read_text() for path in relay.keys.iterdir()}
    following = Identity(relay.keys, "next.")
    relay.refusals[following.thumbprint()] = SignInError(
        "get a token for sending", "unknown key", code="AADSTS700027", entry=entra("700027")
    )
    assert relay.renewal().use_next_key() == 3
    assert relay.logged[-1].startswith("The relay keeps its current key: ")
    assert {path.name: path.read_text() for path in relay.keys.iterdir()} == before
    assert "pass=token1" in relay.passdb
    assert relay.status["failure"] == "", "the current key is not refused"


def test_no_request_without_a_next_key(relay: Relay) -> None:
    assert relay.renewal().use_next_key() == 0
    assert relay.requests == 0


@pytest.mark.parametrize("steps", [1, 2])
def test_interrupted_activation_is_completed(relay: Relay, steps: int) -> None:
    """A crash between the three renames of `activate_next`."""
    write_identity(relay.keys, "next.")
    new, key = (relay.keys / "next.cert.pem").read_text(), (relay.keys / "next.key.pem").read_text()
    (relay.keys / "cert.pem").replace(relay.keys / "previous.cert.pem")
    if steps == 2:
        (relay.keys / "next.cert.pem").replace(relay.keys / "cert.pem")
    assert relay.after(0) == 0
    if steps == 2:
        assert (relay.keys / "cert.pem").read_text() == new
        assert (relay.keys / "key.pem").read_text() == key
    else:
        assert Identity(relay.keys).next(), "both key pairs are complete again"
    assert not (relay.keys / "previous.cert.pem").exists() or steps == 2


@pytest.mark.parametrize("action", ["renew", "use_next_key"])
def test_timer_and_role_lock_each_other_out(relay: Relay, action: str) -> None:
    write_identity(relay.keys, "next.")
    attempts: list[int] = []

    def request(config: AgentConfig, identity: Identity) -> TokenResponse:
        attempts.append(subprocess.run(["flock", "--nonblock", relay.keys, "true"], check=False).returncode)
        return relay.request(config, identity)

    assert getattr(tokens.TokenRenewal(relay.paths, request, lambda: relay.now, relay.logged.append), action)() == 0
    attempts.append(subprocess.run(["flock", "--nonblock", relay.keys, "true"], check=False).returncode)
    assert attempts == [1, 0]


def test_incomplete_next_key_is_not_used(relay: Relay) -> None:
    write_identity(relay.keys, "next.")
    (relay.keys / "next.key.pem").unlink()
    assert relay.renewal().use_next_key() == 0
    assert (relay.keys / "next.cert.pem").exists()


def test_invalid_certificate_is_named(relay: Relay) -> None:
    (relay.keys / "cert.pem").write_text("nonsense")
    with pytest.raises(InvalidInput, match=r"cert\.pem holds no certificate"):
        relay.after(0)
