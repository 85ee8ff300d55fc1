"""Managed certificates of the sender app and of the automation app, over years of the emulator's clock."""

from __future__ import annotations

import base64
import datetime
import json
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._entra.key_store import KeyStore, path_of
from ansible_collections.mailops.m365.plugins.module_utils.resources.entra_app import RESOURCE

from tests.emulator.conftest import TENANT, Api, KeyPair, Start, app_id

from .emulated import Run
from .tenant_play import Play

DAY = 86400.0
ERP = {"name": "ERP", "kind": "erp", "address": "erp@contoso.com"}
APP = "mailops-smtp-sender"


class World:
    """An emulator whose clock this process follows, and the keys and files of the runs."""

    def __init__(self, api: Api, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.api, self.directory, self.keys, self.runs = api, directory, directory / "keys", 0
        self.offset, real = 0.0, time.time
        monkeypatch.setattr(time, "time", lambda: real() + self.offset)

    def pass_days(self, days: float) -> None:
        self.offset += days * DAY
        self.api.admin.advance(days * DAY)
        self.api.forget_tokens()

    def run(self, **options: Any) -> dict[str, Any]:
        """Module entra_app in a run of its own."""
        self.runs += 1
        run = Run(self.api, self.directory / f"run{self.runs}")
        return run(RESOURCE, unique_name=APP, certificate="managed", key_directory=str(self.keys), **options)

    def registered(self, key: str = f"uniqueName='{APP}'") -> set[str]:
        """The thumbprints of the certificates on an application."""
        answer = self.api.graph("GET", f"/applications({key})?$select=keyCredentials").json()
        return {one["customKeyIdentifier"] for one in answer["keyCredentials"]}

    @property
    def store(self) -> KeyStore:
        return KeyStore(path_of(str(self.keys), TENANT, APP))

    def in_use(self, store: KeyStore | None = None) -> str:
        current = (store or self.store).current()
        assert current
        return current.thumbprint

    def token_status(self, store: KeyStore, app: str) -> int:
        """Whether Entra issues a token for the key in use."""
        import msal

        current = store.current()
        assert current
        http = self.api.session
        authority = f"{self.api.emulator.cloud['authority']}/{TENANT}"
        client = msal.ConfidentialClientApplication(
            app, authority=authority, client_credential=current.for_msal(), http_client=http, instance_discovery=False
        )
        answer = client.acquire_token_for_client(["https://graph.microsoft.com/.default"])
        return 200 if "access_token" in answer else 401


MakeWorld = Callable[..., World]


@pytest.fixture
def make(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeWorld:
    return lambda **settings: World(start(settings=settings), tmp_path, monkeypatch)


def test_a_certificate_is_created_renewed_with_overlap_and_retired(make: MakeWorld, tmp_path: Path) -> None:
    world = make()
    planned = world.run(check_mode=True)
    assert planned["changed"]
    assert not world.keys.exists()
    first = world.run()
    assert first["diff"] == planned["diff"]
    old = world.in_use()
    assert (first["app"]["certificate_in_use"], world.registered()) == (old, {old})
    assert first["key_file"] == str(world.store.path)
    assert stat.S_IMODE(world.store.path.stat().st_mode) == 0o600
    assert [stat.S_IMODE(one.stat().st_mode) for one in (world.keys, world.store.path.parent)] == [0o700, 0o700]

    world.pass_days(334)
    again = world.run()
    assert (again["changed"], again["attention"]) == (False, [])
    assert again["cost"]["requests"] == Run(world.api, tmp_path / "listed")(RESOURCE, unique_name=APP)["cost"]["requests"]

    world.pass_days(2)
    predicted = world.run(check_mode=True)
    assert world.in_use() == old
    renewed = world.run()
    new = world.in_use()
    assert renewed["diff"] == predicted["diff"]
    assert predicted["changed"]
    assert renewed["app"]["certificate_in_use"] == new != old
    assert world.registered() == {old, new}
    [entry] = renewed["attention"]
    assert entry["problem"].startswith("Renewed: the previous certificate ends on ")
    overlap = world.run()
    assert (overlap["changed"], world.registered(), overlap["attention"]) == (False, {old, new}, [entry])

    world.pass_days(30)
    retired = world.run()
    assert (retired["changed"], world.registered(), retired["attention"]) == (True, {new}, [])
    assert [path.name for path in world.store.path.parent.iterdir()] == [f"{APP}.pem"]
    assert world.run()["changed"] is False


@pytest.mark.parametrize("step", ["publish", "verify", "switch"])
def test_an_interrupted_renewal_is_continued(make: MakeWorld, step: str) -> None:
    world = make(lag={"credential": 120} if step == "verify" else {})
    if step == "verify":
        refused = world.run(wait_timeout=0)
        assert "the next certificate is not used yet, there is no certificate in use" in refused["notes"][0]
        assert not world.store.path.exists()
        world.pass_days(0.1)
    world.run()
    old = world.in_use()
    world.pass_days(340)
    if step == "publish":
        body = {"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges to complete the operation."}}
        world.api.admin.fault("graph", match={"method": "PATCH"}, status=403, body=body)
        assert world.run()["failed"]
        assert world.registered() == {old}
    if step == "verify":
        refused = world.run(wait_timeout=0)
        assert "the next certificate is not used yet, the certificate in use stays" in refused["notes"][-1]
        assert "AADSTS700027" in refused["notes"][-1]
        world.pass_days(0.1)
    if step == "switch":
        current = world.store.current()
        assert current
        world.store.create_next(APP, datetime.datetime.fromtimestamp(time.time(), datetime.UTC))
        world.store.path.with_suffix(".previous.crt").write_text(current.certificate)
    waiting = world.store.next()
    assert waiting
    assert world.in_use() == old
    done = world.run()
    assert (done["changed"], world.in_use()) == (True, waiting.thumbprint)
    assert world.registered() == {old, waiting.thumbprint}
    assert world.run()["changed"] is False


def test_exclusive_keeps_managed_certificates(make: MakeWorld, key_pair: KeyPair) -> None:
    world = make()
    world.run(certificates=[key_pair.pem])
    world.run(certificates=[], exclusive=True)
    assert world.registered() == {world.in_use()}


def test_a_key_file_with_a_mistake_stops_the_task_before_the_first_write(make: MakeWorld, key_pair: KeyPair) -> None:
    world = make()
    world.run()
    world.store.path.write_text(key_pair.private_pem)
    failed = world.run()
    sentence = "which holds a private key and no certificate: append its certificate to the file."
    assert failed["msg"] == f"the key file in m365_key_directory is {world.store.path}, {sentence}"
    world.store.path.chmod(0o644)
    world.store.path.write_text(key_pair.private_pem + key_pair.pem)
    assert "Other users may read this key." in [entry["problem"] for entry in world.run()["attention"]]


# -- module tenant ----------------------------------------------------------------------------------------------------


def register(api: Api, pair: KeyPair) -> None:
    entry = {"type": "AsymmetricX509Cert", "usage": "Verify", "displayName": "automation", "key": base64.b64encode(pair.der).decode()}
    body = {"keyCredentials": [entry], "uniqueName": "mailops-automation"}
    assert api.graph("PATCH", f"/applications(appId='{app_id('manager')}')", body).status_code == 204


def own_store(world: World, pair: KeyPair) -> KeyStore:
    """The key file of the automation app, which is registered."""
    path = path_of(str(world.keys), TENANT, "mailops-automation")
    path.parent.mkdir(mode=0o700, parents=True)
    path.write_text(pair.private_pem + pair.pem)
    path.chmod(0o600)
    register(world.api, pair)
    return KeyStore(path)


AUTOMATION = f"appId='{app_id('manager')}'"


@pytest.mark.parametrize("senders", [[ERP], []])
def test_the_automations_own_certificate_is_renewed_and_signs_in(make: MakeWorld, senders: list[dict[str, Any]]) -> None:
    world = make()
    store = own_store(world, KeyPair(days=30))
    play = Play(world.api, world.directory)
    options: dict[str, Any] = {"client_secret": None, "certificate_path": str(store.path), "key_directory": str(world.keys)}
    old = world.in_use(store)
    planned = play(*senders, check_mode=True, **options)
    assert world.in_use(store) == old
    done = play(*senders, **options)
    assert "failed" not in done, done
    assert done["changes"] == planned["changes"]
    [change] = [one for one in done["changes"] if one["kind"] == "certificate"]
    assert (change["action"], change["risk"], change["reason"]) == ("add", "key", "m365_certificate_path")
    new = world.in_use(store)
    assert new != old
    assert world.registered(AUTOMATION) == {old, new}
    assert [entry["problem"][:8] for entry in done["attention"]] == ["Renewed:"]
    again = play(*senders, **options)
    assert ("failed" in again, again["changed"]) == (False, False)
    world.pass_days(30)
    retired = play(*senders, **options)
    assert (retired["changed"], world.registered(AUTOMATION), world.token_status(store, app_id("manager"))) == (True, {new}, 200)
    quiet = play(*senders, **options)
    assert (quiet["changed"], quiet["attention"]) == (False, [])


def test_a_run_never_locks_itself_out(make: MakeWorld) -> None:
    world = make(lag={"credential": 3600})
    store = own_store(world, KeyPair(days=30))
    world.pass_days(0.1)
    play = Play(world.api, world.directory)
    options: dict[str, Any] = {
        "client_secret": None,
        "certificate_path": str(store.path),
        "key_directory": str(world.keys),
        "wait_timeout": 0,
    }
    old = world.in_use(store)
    done = play(**options)
    assert "the next certificate is not used yet, the certificate in use stays" in done["notes"][-1]
    assert (world.in_use(store), world.token_status(store, app_id("manager"))) == (old, 200)
    world.pass_days(0.1)
    assert play(**options)["changed"]
    assert world.in_use(store) != old
    assert world.token_status(store, app_id("manager")) == 200


def test_a_file_outside_of_the_key_directory_is_only_warned_about(make: MakeWorld) -> None:
    world = make()
    store = own_store(world, KeyPair(days=30))
    play = Play(world.api, world.directory)
    done = play(ERP, client_secret=None, certificate_path=str(store.path), key_directory=str(world.directory / "elsewhere"))
    [entry] = done["attention"]
    assert (entry["kind"], entry["problem"].startswith("Expires on ")) == ("key", True)
    assert "m365_certificate_path" in entry["remedy"]
    assert [note for note in done["notes"] if entry["problem"] in note]
    assert store.next() is None


@pytest.mark.parametrize(("folder", "name"), [("fabrikam.com", "mailops-automation"), (TENANT, "another")])
def test_a_key_file_of_another_tenant_or_application_is_not_renewed(make: MakeWorld, folder: str, name: str) -> None:
    world = make()
    store = own_store(world, KeyPair(days=30))
    other = path_of(str(world.keys), folder, name)
    other.parent.mkdir(exist_ok=True)
    store.path.rename(other)
    for senders in ([ERP], []):
        done = Play(world.api, world.directory)(
            *senders, client_secret=None, certificate_path=str(other), key_directory=str(world.keys), check_mode=not senders
        )
        assert "failed" not in done, done
        assert [path.name for path in other.parent.iterdir()] == [other.name]
        assert [change for change in done["changes"] if change["reason"] == "m365_certificate_path"] == []
        if senders:
            assert [entry["problem"][:10] for entry in done["attention"]] == ["Expires on"]


def test_a_managed_sender_app_is_part_of_the_plan_and_no_key_leaks(make: MakeWorld) -> None:
    world = make()
    play = Play(world.api, world.directory)
    inventory = {"entra_app_certificate": "managed"}
    options: dict[str, Any] = {"key_directory": str(world.keys)}
    planned = play(ERP, check_mode=True, inventory=inventory, **options)
    done = play(ERP, inventory=inventory, **options)
    assert done["changes"] == planned["changes"]
    assert done["variables"]["verify_app_certificate_path"] == str(world.store.path)
    assert world.registered() == {world.in_use()}
    results = [planned, done]
    world.pass_days(340)
    results.append(play(ERP, inventory=inventory, **options))
    assert "failed" not in results[-1], results[-1]
    texts = {"results": json.dumps(results), "journal": json.dumps(play.journal())}
    keys = [path.read_text() for path in world.keys.rglob("*.pem")]
    assert keys
    for key in keys:
        line = key.splitlines()[12]  # of the private exponent; the first lines are the public modulus
        assert not [name for name, text in texts.items() if line in text or "PRIVATE KEY" in text]
