"""Graph: secrets and certificates of applications."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.emulator.conftest import Api, KeyPair
from tests.emulator.test_graph_applications import refused


def test_add_and_remove_password(api: Api) -> None:
    application = api.new_application("apps: password")
    path = f"/applications/{application['id']}"
    expected = {"displayName": "mailops 2026-08", "endDateTime": "2027-02-01T00:00:00Z"}
    secret = api.graph("POST", f"{path}/addPassword", {"passwordCredential": expected}).json()
    assert secret["secretText"][:3] == secret["hint"]
    assert secret["endDateTime"] == "2027-02-01T00:00:00Z"
    listed = api.graph("GET", path).json()["passwordCredentials"]
    assert [one["keyId"] for one in listed] == [secret["keyId"]]
    assert listed[0]["secretText"] is None
    assert refused(api.graph("POST", f"{path}/addPassword", {"passwordCredential": {"secretText": "mine"}}))[0] == 400
    assert refused(api.graph("POST", f"{path}/addPassword", {"credential": {}}))[0] == 400
    assert api.graph("POST", f"{path}/removePassword", {"keyId": secret["keyId"]}).status_code == 204
    assert api.graph("GET", path).json()["passwordCredentials"] == []
    assert refused(api.graph("POST", f"{path}/removePassword", {"keyId": secret["keyId"]}))[0] == 400


def test_default_password_life_is_two_years(api: Api) -> None:
    application = api.new_application("apps: password life")
    secret = api.graph("POST", f"/applications/{application['id']}/addPassword", {}).json()
    years = int(secret["endDateTime"][:4]) - int(secret["startDateTime"][:4])
    assert years == 2


def key_entry(pair: KeyPair, **changes: Any) -> dict[str, Any]:
    entry = {"type": "AsymmetricX509Cert", "usage": "Verify", "displayName": "relay1", "key": base64.b64encode(pair.der).decode()}
    return entry | changes


def test_key_credentials_are_replaced_whole(api: Api, key_pair: KeyPair) -> None:
    other = KeyPair()
    application = api.new_application("apps: keys", keyCredentials=[key_entry(key_pair)])
    path = f"/applications/{application['id']}"
    first = application["keyCredentials"][0]
    assert first["customKeyIdentifier"] == key_pair.thumbprint.upper()
    assert first["key"] is None
    assert first["endDateTime"] == key_pair.certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    # keep the first by its keyId, add a second
    assert api.graph("PATCH", path, {"keyCredentials": [first, key_entry(other)]}).status_code == 204
    keys = api.graph("GET", path).json()["keyCredentials"]
    assert [key["customKeyIdentifier"].lower() for key in keys] == [key_pair.thumbprint, other.thumbprint]
    listed = api.graph("GET", f"{path}?$select=keyCredentials").json()["keyCredentials"]
    assert base64.b64decode(listed[0]["key"]) == key_pair.der
    # a list without the first takes it away
    assert api.graph("PATCH", path, {"keyCredentials": [keys[1]]}).status_code == 204
    left = api.graph("GET", path).json()["keyCredentials"]
    assert [key["keyId"] for key in left] == [keys[1]["keyId"]]


@pytest.mark.parametrize("name", ["customKeyIdentifier", "displayName", "endDateTime", "startDateTime", "key"])
@pytest.mark.parametrize("value", ["absent", "other"])
def test_an_existing_key_credential_is_written_back_as_it_was_read(api: Api, key_pair: KeyPair, name: str, value: str) -> None:
    application = api.new_application(f"apps: {name} {value}", keyCredentials=[key_entry(key_pair)])
    path = f"/applications/{application['id']}"
    [entry] = api.graph("GET", f"{path}?$select=keyCredentials").json()["keyCredentials"]
    other = "2026-01-01T00:00:00Z" if name.endswith("DateTime") else "bm8=" if name == "key" else "other"
    changed = {key: old for key, old in entry.items() if key != name} | ({name: other} if value == "other" else {})
    answer = api.graph("PATCH", path, {"keyCredentials": [changed, key_entry(KeyPair())]})
    if (name, value) == ("key", "absent"):
        assert answer.status_code == 204
        return
    status, message = answer.status_code, answer.json()["error"]["message"]
    assert (status, message) == (400, f"Update to existing credential with KeyId '{entry['keyId']}' is not allowed.")
    assert [one["keyId"] for one in api.graph("GET", path).json()["keyCredentials"]] == [entry["keyId"]]


@pytest.mark.parametrize(
    "change",
    [{"key": "bm8gY2VydGlmaWNhdGU="}, {"key": None}, {"usage": "Sign"}, {"type": "X"}, {"endDateTime": "2099-01-01T00:00:00Z"}],
)
def test_bad_key_credentials(api: Api, key_pair: KeyPair, change: dict[str, Any]) -> None:
    answer = api.graph("POST", "/applications", {"displayName": "x", "keyCredentials": [key_entry(key_pair, **change)]})
    assert answer.status_code == 400
