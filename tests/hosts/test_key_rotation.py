"""Key rotation while devices send: Entra has both certificates for a time, and no message is refused or lost."""

from __future__ import annotations

import base64
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from testbed.lab import Lab

from .relay import ACCEPTED, Relay, deploy, run_playbook, wait_until

# In this order, on one worker: each test starts with the certificates of the one before.
pytestmark = pytest.mark.xdist_group("key-rotation")

IDENTITY = "/etc/mailops-relay/identity"
MAILBOX = "scanner@contoso.com"
SENDERS = [{"name": "Scanner", "kind": "scanner", "address": MAILBOX, "relay_host": "relay1", "recipients": "internal"}]
VARIABLES: dict[str, Any] = {
    "relay_tenant": "contoso",
    "relay_devices": [{"name": "Printer", "networks": ["198.51.100.96/28"], "senders": [MAILBOX]}],
    "relay_mailboxes": [{"address": MAILBOX, "messages_per_minute": 0}],
}


class RotatingRelay(Relay):
    def converge(self, **more: Any) -> None:
        deploy(self.lab, {"relay1": VARIABLES | more}, SENDERS, ("relay1",))

    def converge_alone(self, client_id: str, **more: Any) -> str:
        """Run the role alone, without the tenant's plays."""
        alone = {"relay_tenant": "", "m365_tenant": "contoso.com", "relay_client_id": client_id}
        hosts = {"relay1": VARIABLES | alone | more}
        return run_playbook(
            self.lab, "tests/hosts/relay_only.yml", {"all": {"children": {"relays": {"hosts": hosts}}}}, "--limit", "relay1"
        )

    @contextmanager
    def undisturbed(self, prefix: str, stop_file: Path) -> Iterator[None]:
        """A device sends meanwhile and three seconds longer: no message is refused, deferred, lost or duplicated."""
        with self.sending(prefix, stop_file, pause=0.4) as sending:
            wait_until(lambda: self.arrived(prefix), 30, "the first message")
            yield
            time.sleep(3)
        outcome = sending.outcome()
        assert set(outcome.values()) == {ACCEPTED}
        self.wait_until_empty(30)
        assert self.duplicates(outcome, prefix) == []
        assert self.failed_attempts(outcome) == []

    def own(self, which: str = "cert") -> str:
        """A certificate on the relay (DER in Base64)."""
        return _plain(self.host.read(f"{IDENTITY}/{which}.pem"))

    def has(self, which: str) -> bool:
        return self.host.call(["test", "-e", f"{IDENTITY}/{which}.pem"]).returncode == 0

    def application(self) -> dict[str, Any]:
        """The relay's sender app."""
        listed = self.lab.admin.tenant("contoso.com")["applications"]
        return next(one for one in listed if one.get("certificates"))

    def published(self) -> set[str]:
        """The certificates that Entra has for the sender app."""
        return {one["der"] for one in self.application()["certificates"]}


def _plain(pem: str) -> str:
    return base64.b64encode(ssl.PEM_cert_to_DER_cert(pem.strip())).decode()


@pytest.fixture(scope="module")
def relay(lab: Lab) -> Iterator[RotatingRelay]:
    result = RotatingRelay(lab, lab.boot("relay1", "trixie", installed=True), MAILBOX)
    result.converge()
    yield result
    lab.remove("relay1")


def test_new_key_is_published_beside_the_old_one_while_mail_flows(relay: RotatingRelay, tmp_path: Path) -> None:
    before = relay.own()
    assert relay.published() == {before}
    with relay.undisturbed("rotation", tmp_path / "stop"):
        relay.converge(relay_key_rotate=True)
    after = relay.own()
    assert after != before
    assert relay.published() == {before, after}
    assert not relay.has("next.key")


def test_next_run_retires_the_old_certificate(relay: RotatingRelay, tmp_path: Path) -> None:
    now = relay.own()
    with relay.undisturbed("retired", tmp_path / "stop"):
        relay.converge()
    assert relay.own() == now
    assert relay.published() == {now}


def test_unpublished_certificate_keeps_the_current_key(relay: RotatingRelay) -> None:
    before = relay.own()
    output = relay.converge_alone(relay.application()["app_id"], relay_key_rotate=True)
    assert "The relay keeps its current key" in output
    assert "AADSTS700027" in output
    assert relay.own() == before
    assert relay.has("next.key")
    # The current key still gets tokens.
    relay.host.run("rm /run/mailops-relay/token.json && systemctl start mailops-relay-token.service")
    outcome = relay.send("waiting", 3)
    wait_until(lambda: len(relay.arrived("waiting")) == 3, 30, lambda: f"mail; waiting for: {relay.reasons()}")
    assert relay.duplicates(outcome, "waiting") == []


def test_next_complete_run_finishes_the_rotation_with_the_same_key(relay: RotatingRelay) -> None:
    before, following = relay.own(), relay.own("next.cert")
    relay.converge()
    assert relay.own() == following
    assert relay.published() == {before, following}
    relay.converge()
    assert relay.published() == {following}
