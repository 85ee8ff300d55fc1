# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._entra.applications import EXCHANGE
from ansible_collections.mailops.m365.plugins.module_utils.resources.entra_app import RESOURCE

from ....conftest import Play
from ....script import Script
from .test_entra_app import EXCHANGE_API, GRAPH_API, Reads, application, expect_principal, required

HERE = "http://localhost"
SEND = [{"name": "SMTP.Send", "type": "delegated"}, {"name": "offline_access", "api": "graph", "type": "delegated"}]
GRAPH = GRAPH_API | {"oauth2PermissionScopes": [{"id": "7427e0e9", "value": "offline_access"}]}


@pytest.fixture
def reads(script: Script) -> Reads:
    return Reads(script)


def test_a_public_client_is_made_with_its_consent(play: Play, reads: Reads, script: Script) -> None:
    reads(apis=(EXCHANGE_API, GRAPH))
    made = {"isFallbackPublicClient": True, "publicClient": {"redirectUris": [HERE]}}
    wished = [required(EXCHANGE, ("76faac2a", "Scope")), required(GRAPH["appId"], ("7427e0e9", "Scope"))]
    body = {"displayName": "sender", "signInAudience": "AzureADMyOrg", "requiredResourceAccess": wished}
    body |= made | {"notes": "Managed by mailops.m365", "tags": ["mailops"]}
    script.expect("PATCH", "/v1.0/applications(uniqueName='sender')").json_body(body).answers(201, application(**made))
    expect_principal(script)
    for resource, scope in (("exchange-sp", "SMTP.Send"), ("graph-sp", "offline_access")):
        script.expect("GET", "/v1.0/servicePrincipals/sp-object/oauth2PermissionGrants").answers(200, {"value": []})
        granted = {"clientId": "sp-object", "consentType": "AllPrincipals", "resourceId": resource, "scope": scope}
        script.expect("POST", "/v1.0/oauth2PermissionGrants").json_body(granted).answers(201, granted)
    result = play(RESOURCE, script, unique_name="sender", public_client=True, permissions=SEND)
    assert (result["app"]["public_client"], result["app"]["redirect_uris"]) == (True, [HERE])
    assert result["app"]["consented"] == [
        "Microsoft Graph: offline_access (delegated)",
        "Office 365 Exchange Online: SMTP.Send (delegated)",
    ]


def test_check_mode_predicts_it(play: Play, reads: Reads, script: Script) -> None:
    reads(apis=())
    result = play(RESOURCE, script, check_mode=True, unique_name="sender", public_client=True)
    assert (result["diff"]["after"]["public_client"], result["diff"]["after"]["redirect_uris"]) == (True, [HERE])


PUBLIC = {"isFallbackPublicClient": True, "publicClient": {"redirectUris": [HERE, "myapp://auth"]}}


@pytest.mark.parametrize("asked", [True, None])
def test_a_public_client_is_left_alone(play: Play, reads: Reads, script: Script, asked: bool | None) -> None:
    reads(application(**PUBLIC), apis=())
    result = play(RESOURCE, script, unique_name="sender", public_client=asked)
    assert (result["changed"], result["app"]["public_client"], result["app"]["redirect_uris"]) == (False, True, [HERE, "myapp://auth"])


def test_an_application_becomes_a_public_client_and_keeps_its_addresses(play: Play, reads: Reads, script: Script) -> None:
    reads(application(publicClient={"redirectUris": ["myapp://auth"]}), apis=())
    body = {"isFallbackPublicClient": True, "publicClient": {"redirectUris": ["myapp://auth", HERE]}}
    script.expect("PATCH", "/v1.0/applications/app-object").json_body(body).answers(204)
    result = play(RESOURCE, script, unique_name="sender", public_client=True)
    assert "public_client" not in result["diff"]["before"]
    assert result["diff"]["after"]["redirect_uris"] == [HERE, "myapp://auth"]


def test_a_public_client_becomes_a_confidential_one(play: Play, reads: Reads, script: Script) -> None:
    reads(application(**PUBLIC), apis=())
    script.expect("PATCH", "/v1.0/applications/app-object").json_body({"isFallbackPublicClient": False}).answers(204)
    result = play(RESOURCE, script, unique_name="sender", public_client=False)
    assert (result["diff"]["before"]["public_client"], "public_client" in result["diff"]["after"]) == (True, False)
