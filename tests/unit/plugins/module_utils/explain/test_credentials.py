# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No output of explain repeats a credential of the pasted text."""

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.explain.recognition import explain

PASSWORD = "Tr0ub4dor&3"
PLAIN = base64.b64encode(f"\0scan@contoso.com\0{PASSWORD}".encode()).decode()
JWT = "eyJ0eXAiOiJKV1QifQ.eyJhdWQiOiJ4In0.c2lnbmF0dXJl"
ENTRA_SECRET = "abc8Q~abcdefghijklmnopqrstuvwxyz01234567"
REPLY = "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect"


@pytest.mark.parametrize(
    ("text", "credential"),
    [
        (f"{REPLY} password={PASSWORD}", PASSWORD),
        (f"{REPLY} (user scan, password '{PASSWORD}')\nrelay_password: {PASSWORD}", PASSWORD),
        (f"{REPLY} for {PASSWORD}\nm365_client_secret: {PASSWORD}\n", PASSWORD),
        (f'{REPLY} {PASSWORD} {{"client_secret": {json.dumps(PASSWORD)}}}', PASSWORD),
        (f"C: AUTH PLAIN {PLAIN}\nS: {REPLY} {PLAIN}", PLAIN),
        (f"AUTH LOGIN\n334 UGFzc3dvcmQ6\n{PLAIN}\n{REPLY} {PLAIN}", PLAIN),
        (f"Authorization: Basic {PLAIN}\n{REPLY} {PLAIN}", PLAIN),
        (f"{REPLY} Bearer {JWT}", JWT),
        (f"{REPLY} token {JWT}", JWT),
        (f"AADSTS7000215: Invalid client secret {ENTRA_SECRET}", ENTRA_SECRET),
        (f"AADSTS7000215: grant_type=client_credentials&client_secret={PASSWORD}&x=1", PASSWORD),
        (f"{REPLY} smtp://scan:{PASSWORD}@smtp.office365.com", PASSWORD),
        (f"AADSTS50173: refresh_token=1.{'AXYZ-_q' * 12}", "AXYZ-_q" * 3),
        (json.dumps({"error": "invalid_client", "error_description": f"AADSTS7000215: client_secret={PASSWORD}"}), PASSWORD),
    ],
)
def test_credential_is_not_repeated(text: str, credential: str) -> None:
    explanations = explain(text).explanations
    assert explanations
    assert credential not in json.dumps([explanation.as_dict() for explanation in explanations], ensure_ascii=False)


@pytest.mark.parametrize(
    "text",
    [
        REPLY,
        "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value.",
        "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
        "Basic authentication: 550 5.7.30 Basic authentication is not supported for Client Submission.",
        "token: AADSTS7000222: The provided client secret keys are expired.",
        "password: 535 5.7.139 Authentication unsuccessful",
        "|Microsoft.Exchange.Configuration.Tasks.InvalidOperationInDehydratedContextException|The command is not allowed",
    ],
)
def test_text_without_credentials_is_unchanged(text: str) -> None:
    assert explain(text).explanations[0].text in text
