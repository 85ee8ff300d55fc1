# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates of an application: added, left, retired."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._entra import certificates
from ansible_collections.mailops.m365.plugins.module_utils.resources.entra_app import RESOURCE
from cryptography.hazmat.primitives.asymmetric import rsa

from ....conftest import Play, certificate, parameters, pem, validate
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
    sent = {name: value for name, value in kept.items() if name != "customKeyIdentifier"}
    body = {"keyCredentials": [sent, certificates.read(two).key_credential()]}
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
