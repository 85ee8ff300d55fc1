"""A relay's key and certificate are replaced while its devices send: both are known for a while, and no message is refused or lost."""

from __future__ import annotations

import base64
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from testbed.world import World

from .relay import ACCEPTED, Relay, deploy, play, wait_until

# In this order, on one worker: each begins with the certificates that the one before left.
pytestmark = pytest.mark.xdist_group("rotation")

IDENTITY = "/etc/mailops-relay/identity"
MAILBOX = "scanner@contoso.com"
SENDERS = [{"name": "Scanner", "kind": "scanner", "address": MAILBOX, "relay_host": "relay1", "recipients": "internal"}]
VARIABLES: dict[str, Any] = {
    "relay_tenant": "contoso",
    "relay_devices": [{"name": "Printer", "networks": ["198.51.100.96/28"], "senders": [MAILBOX]}],
    "relay_mailboxes": [{"address": MAILBOX, "messages_per_minute": 0}],
}


class Rotating(Relay):
    def converge(self, **more: Any) -> None:
        deploy(self.world, {"relay1": VARIABLES | more}, SENDERS, ("relay1",))

    def converge_alone(self, client_id: str, **more: Any) -> str:
        """Without its tenant, which a run of the role by itself does not tell."""
        alone = {"relay_tenant": "", "m365_tenant": "contoso.com", "relay_client_id": client_id}
        hosts = {"relay1": VARIABLES | alone | more}
        return play(self.world, "tests/hosts/relay_only.yml", {"all": {"children": {"relays": {"hosts": hosts}}}}, "--limit", "relay1")

    @contextmanager
    def undisturbed(self, prefix: str, enough: Path) -> Iterator[None]:
        """A device sends all the while and some seconds more: nothing is refused, late, lost or sent twice."""
        with self.sending(prefix, enough, pause=0.4) as sending:
            wait_until(lambda: self.arrived(prefix), 30, "the first message")
            yield
            time.sleep(3)
        outcome = sending.outcome()
        assert set(outcome.values()) == {ACCEPTED}
        self.drains(30)
        assert self.count(outcome, prefix) == []
        assert self.late(outcome) == []

    def own(self, which: str = "cert") -> str:
        """A certificate on the relay (DER in Base64)."""
        return _plain(self.host.read(f"{IDENTITY}/{which}.pem"))

    def has(self, which: str) -> bool:
        return self.host.call(["test", "-e", f"{IDENTITY}/{which}.pem"]).returncode == 0

    def application(self) -> dict[str, Any]:
        """The one that the relay signs in as."""
        listed = self.world.admin.tenant("contoso.com")["applications"]
        return next(one for one in listed if one.get("certificates"))

    def known(self) -> set[str]:
        """The certificates that Microsoft knows."""
        return {one["der"] for one in self.application()["certificates"]}


def _plain(pem: str) -> str:
    return base64.b64encode(ssl.PEM_cert_to_DER_cert(pem.strip())).decode()


@pytest.fixture(scope="module")
def relay(world: World) -> Iterator[Rotating]:
    found = Rotating(world, world.boot("relay1", "trixie"), MAILBOX)
    found.converge()
    yield found
    world.remove("relay1")


def test_a_new_key_is_published_beside_the_old_one_and_used_while_mail_flows(relay: Rotating, tmp_path: Path) -> None:
    before = relay.own()
    assert relay.known() == {before}
    with relay.undisturbed("rotation", tmp_path / "enough"):
        relay.converge(relay_key_rotate=True)
    after = relay.own()
    assert after != before
    assert relay.known() == {before, after}
    assert not relay.has("next.key")


def test_the_run_after_that_retires_the_old_one(relay: Rotating, tmp_path: Path) -> None:
    now = relay.own()
    with relay.undisturbed("retired", tmp_path / "enough"):
        relay.converge()
    assert relay.own() == now
    assert relay.known() == {now}


def test_a_rotation_whose_certificate_did_not_arrive_stays_on_the_old_key_and_says_so(relay: Rotating) -> None:
    before = relay.own()
    told = relay.converge_alone(relay.application()["app_id"], relay_key_rotate=True)
    assert "The relay keeps its current key" in told
    assert "AADSTS700027" in told
    assert relay.own() == before
    assert relay.has("next.key")
    # What the key signs from now on is as good as it was.
    relay.host.run("rm /run/mailops-relay/token.json && systemctl start mailops-relay-token.service")
    outcome = relay.send("waiting", 3)
    wait_until(lambda: len(relay.arrived("waiting")) == 3, 30, lambda: f"mail; waiting for: {relay.reasons()}")
    assert relay.count(outcome, "waiting") == []


def test_the_next_whole_run_finishes_that_rotation_with_the_same_key(relay: Rotating) -> None:
    before, following = relay.own(), relay.own("next.cert")
    relay.converge()
    assert relay.own() == following
    assert relay.known() == {before, following}
    relay.converge()
    assert relay.known() == {following}
