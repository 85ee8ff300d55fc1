# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates of an application: added, left, retired."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._entra import certificates
from ansible_collections.mailops.m365.plugins.module_utils.resources.entra_app import RESOURCE
from cryptography.hazmat.primitives.asymmetric import rsa

from ....conftest import CLIENT, Play, certificate, parameters, pem, validate
from ....script import Script
from .test_entra_app import Reads, application


@pytest.fixture
def reads(script: Script) -> Reads:
    return Reads(script)


def key_credential(text: str, number: int, **more: Any) -> dict[str, Any]:
    leaf = certificates.read(text)
    return {"keyId": f"key-{number}", "customKeyIdentifier": leaf.thumbprint, "type": "AsymmetricX509Cert", "usage": "Verify",
            "displayName": "old", "key": None, **more}  # fmt: skip


@pytest.fixture
def texts(rsa_key: rsa.RSAPrivateKey, other_key: rsa.RSAPrivateKey) -> tuple[str, str]:
    return pem(certificate(rsa_key, "one")).decode(), pem(certificate(other_key, "two")).decode()


def test_a_certificate_is_added_beside_those_that_are_there(play: Play, reads: Reads, script: Script, texts: tuple[str, str]) -> None:
    one, two = texts
    reads(application(keyCredentials=[key_credential(one, 1)]), apis=())
    kept = key_credential(one, 1, key="b64-of-one")
    script.expect("GET", "/v1.0/applications/app-object?$select=keyCredentials").answers(200, {"keyCredentials": [kept]})
    body = {"keyCredentials": [kept, certificates.read(two).key_credential()]}
    script.expect("PATCH", "/v1.0/applications/app-object").json_body(body).answers(204)
    result = play(RESOURCE, script, unique_name="sender", certificates=[two])
    assert result["app"]["certificates"] == sorted(certificates.read(text).thumbprint for text in texts)


def test_exclusive_removes_the_other_certificates(play: Play, reads: Reads, script: Script, texts: tuple[str, str]) -> None:
    one, two = texts
    reads(application(keyCredentials=[key_credential(one, 1), key_credential(two, 2)]), apis=(), granted=[])
    kept = [key_credential(one, 1, key="1"), key_credential(two, 2, key="2")]
    script.expect("GET", "/v1.0/applications/app-object?$select=keyCredentials").answers(200, {"keyCredentials": kept})
    script.expect("PATCH", "/v1.0/applications/app-object").answers(204)
    result = play(RESOURCE, script, unique_name="sender", certificates=[two], exclusive=True)
    assert [key["keyId"] for key in script.requests[-1].json["keyCredentials"]] == ["key-2"]
    assert result["app"]["certificates"] == [certificates.read(two).thumbprint]


def test_a_certificate_that_is_there_is_left(play: Play, reads: Reads, script: Script, texts: tuple[str, str]) -> None:
    one, two = texts
    present = [key_credential(one, 1, customKeyIdentifier=certificates.read(one).thumbprint.lower()), key_credential(two, 2)]
    reads(application(keyCredentials=present), apis=())
    assert play(RESOURCE, script, unique_name="sender", certificates=[one])["changed"] is False


def test_a_retired_certificate_is_removed_and_others_stay(play: Play, reads: Reads, script: Script, texts: tuple[str, str]) -> None:
    one, two = texts
    reads(application(keyCredentials=[key_credential(one, 1), key_credential(two, 2)]), apis=())
    kept = [key_credential(one, 1, key="1"), key_credential(two, 2, key="2")]
    script.expect("GET", "/v1.0/applications/app-object?$select=keyCredentials").answers(200, {"keyCredentials": kept})
    script.expect("PATCH", "/v1.0/applications/app-object").answers(204)
    result = play(RESOURCE, script, unique_name="sender", retired_certificates=[one])
    assert "notes" not in result
    assert [key["keyId"] for key in script.requests[-1].json["keyCredentials"]] == ["key-2"]
    assert result["app"]["certificates"] == [certificates.read(two).thumbprint]


def test_a_retired_certificate_that_is_gone_is_no_change(play: Play, reads: Reads, script: Script, texts: tuple[str, str]) -> None:
    one, two = texts
    reads(application(keyCredentials=[key_credential(two, 2)]), apis=())
    assert play(RESOURCE, script, unique_name="sender", retired_certificates=[one])["changed"] is False


def test_a_certificate_is_not_listed_and_retired_at_once(texts: tuple[str, str]) -> None:
    one, two = texts
    params = parameters(RESOURCE.spec, unique_name="sender", certificates=[one, two], retired_certificates=[two])
    [problem] = validate(RESOURCE, params)
    assert certificates.read(two).thumbprint in problem
    assert "keep it in one of them" in problem


# -- the last credential ----------------------------------------------------------------------------------------------

SOON, PAST, LATER = "2027-01-20T00:00:00Z", "2027-01-14T00:00:00Z", "2028-01-01T00:00:00Z"  # FakeClock: 2027-01-15
FEDERATED = "/v1.0/applications/app-object/federatedIdentityCredentials?$select=id,name"


def secret(end: str, name: str = "ERP") -> dict[str, Any]:
    return {"keyId": f"secret-{name}", "displayName": name, "hint": "abc", "endDateTime": end}


@pytest.mark.parametrize("option", ["exclusive", "retired"])
@pytest.mark.parametrize("others", ["none", "expired secret", "expired certificate"])
def test_the_last_usable_credential_is_not_removed(
    play: Play, reads: Reads, script: Script, texts: tuple[str, str], option: str, others: str
) -> None:
    one, two = texts
    keys = [key_credential(one, 1, endDateTime=LATER)]
    keys += [key_credential(two, 2, endDateTime=PAST)] if others == "expired certificate" and option == "retired" else []
    secrets = [secret(PAST)] if others == "expired secret" else []
    granted = [] if option == "exclusive" else None
    reads(application(keyCredentials=keys, passwordCredentials=secrets), apis=(), granted=granted)
    script.expect("GET", FEDERATED).answers(200, {"value": []})
    options: dict[str, Any] = {"certificates": [], "exclusive": True} if option == "exclusive" else {"retired_certificates": [one]}
    result = play(RESOURCE, script, unique_name="sender", **options)
    assert result["changed"] is False
    assert certificates.read(one).thumbprint in result["app"]["certificates"]
    assert [note for note in result["notes"] if "stays: without it the application has no usable credential" in note]


@pytest.mark.parametrize("other", ["secret", "secret without end", "federated", "certificate", "listed"])
def test_a_certificate_is_removed_where_another_credential_is_usable(
    play: Play, reads: Reads, script: Script, texts: tuple[str, str], other: str
) -> None:
    one, two = texts
    keys = [key_credential(one, 1, endDateTime=LATER)] + ([key_credential(two, 2, endDateTime=SOON)] if other == "certificate" else [])
    secrets = [secret(LATER if other == "secret" else "")] if other.startswith("secret") else []
    reads(application(keyCredentials=keys, passwordCredentials=secrets), apis=())
    if other == "federated":
        script.expect("GET", FEDERATED).answers(200, {"value": [{"id": "1", "name": "erp"}]})
    script.expect("GET", "/v1.0/applications/app-object?$select=keyCredentials").answers(200, {"keyCredentials": keys})
    script.expect("PATCH", "/v1.0/applications/app-object").answers(204)
    listed = {"certificates": [two]} if other == "listed" else {}
    result = play(RESOURCE, script, unique_name="sender", retired_certificates=[one], **listed)
    assert result["changed"] is True
    assert certificates.read(one).thumbprint not in result["app"]["certificates"]


def test_an_expired_certificate_is_removed_although_it_is_the_last(
    play: Play, reads: Reads, script: Script, texts: tuple[str, str]
) -> None:
    one, _two = texts
    keys = [key_credential(one, 1, endDateTime=PAST)]
    reads(application(keyCredentials=keys), apis=())
    script.expect("GET", "/v1.0/applications/app-object?$select=keyCredentials").answers(200, {"keyCredentials": keys})
    script.expect("PATCH", "/v1.0/applications/app-object").json_body({"keyCredentials": []}).answers(204)
    result = play(RESOURCE, script, unique_name="sender", retired_certificates=[one])
    assert result["app"]["certificates"] == []


def test_the_certificate_of_this_sign_in_is_not_removed(
    play: Play, reads: Reads, script: Script, tmp_path: Path, rsa_key: rsa.RSAPrivateKey, texts: tuple[str, str]
) -> None:
    one, two = texts
    file = tmp_path / "automation.pem"
    file.write_bytes(pem(rsa_key) + one.encode())
    keys = [key_credential(one, 1, endDateTime=LATER), key_credential(two, 2, endDateTime=LATER)]
    reads(application(appId=CLIENT, keyCredentials=keys), apis=(), granted=[])
    options = {"client_secret": None, "certificate_path": str(file), "client_id": CLIENT.upper()}
    result = play(RESOURCE, script, unique_name="sender", certificates=[two], exclusive=True, **options)
    assert result["changed"] is False
    assert [note for note in result["notes"] if f"({certificates.read(one).thumbprint}) stays: Ansible signs in with it." in note]


# -- expiry -----------------------------------------------------------------------------------------------------------


def test_credentials_that_end_within_30_days_need_attention(play: Play, reads: Reads, script: Script, texts: tuple[str, str]) -> None:
    one, two = texts
    keys = [key_credential(one, 1, endDateTime=SOON, displayName="CN=one until 2027-01-20"), key_credential(two, 2, endDateTime=LATER)]
    secrets = [secret(SOON), secret(PAST, "old"), secret("2027-02-15T00:00:00Z", "long enough")]
    reads(application(keyCredentials=keys, passwordCredentials=secrets), apis=())
    result = play(RESOURCE, script, unique_name="sender")
    entries = [(entry["kind"], entry["subject"], entry["problem"]) for entry in result["attention"]]
    assert entries == [
        ("key", f"sender: certificate CN=one ({certificates.read(one).thumbprint})", "Expires on 2027-01-20, in 4 days."),
        ("key", "sender: client secret ERP", "Expires on 2027-01-20, in 4 days."),
        ("key", "sender: client secret old", "Expired on 2027-01-14."),
    ]
    assert all("entra_app_certificates" in entry["remedy"] for entry in result["attention"])
    assert result["notes"] == [f"{entry['subject']}: {entry['problem']} {entry['remedy']}" for entry in result["attention"]]
    assert result["cost"]["requests"] == 2


def test_a_certificate_with_a_successor_of_its_name_needs_no_attention(
    play: Play, reads: Reads, script: Script, texts: tuple[str, str]
) -> None:
    one, two = texts
    keys = [key_credential(one, 1, endDateTime=SOON, displayName="CN=relay until 2027-01-20")]
    keys.append(key_credential(two, 2, endDateTime=LATER, displayName="CN=relay until 2028-01-01"))
    reads(application(keyCredentials=keys), apis=())
    result = play(RESOURCE, script, unique_name="sender")
    assert (result["attention"], result.get("notes")) == ([], None)
