# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way of signing in the options mean: one option chooses, and left alone it follows from what is given."""

from __future__ import annotations

import os

from .._core.errors import InvalidInput
from .._core.json_types import JsonObject
from . import credentials, managed_identity
from .device_code import DeviceCode, Prompt
from .federated import FederatedToken, IdentityToken, Source, TokenFile, TokenRequest, TokenVariable
from .managed_identity import SYSTEM, ManagedIdentity
from .sign_in import Credential

# What stands for a method where m365_auth_method is auto. The request URL is not among them: GitHub gives it to every
# job that may have a token, whether it means this or not.
_GIVEN = {
    "client_secret": "client_secret",
    "certificate_path": "certificate",
    "federated_token_file": "federated",
    "federated_token_variable": "federated",
}


def chosen(params: JsonObject) -> str:
    """The method's name. Without a choice: what is given, then what the platform offers."""
    method = str(params.get("auth_method") or "auto")
    if method != "auto":
        return method
    given = [found for option, found in _GIVEN.items() if params.get(option)]
    if given:
        return given[0]
    if params.get("federated_request_url"):
        return "federated"
    if params.get("managed_identity_client_id") or any(os.environ.get(name) for name in managed_identity.ENDPOINTS):
        return "managed_identity"
    return "client_secret"  # which is missing, and load() says so


def load(params: JsonObject, prompt: Prompt | None = None) -> Credential:
    """The credential that the options mean; InvalidInput names the variable where they mean none, or two."""
    method = chosen(params)
    secret, path, password = (params.get(name) for name in ("client_secret", "certificate_path", "certificate_password"))
    if method == "federated":
        _refuse_two(params, [option for option, found in _GIVEN.items() if found == "federated" or _is_auto(params)])
        return FederatedToken(_source(params))
    if method == "managed_identity":
        return ManagedIdentity(_identity(params))
    if method == "device_code":
        return DeviceCode(_shown(prompt))
    if _is_auto(params):
        if not (secret and path):
            _refuse_two(params, list(_GIVEN))
        return credentials.load(secret, path, password)
    if method == "certificate":
        return credentials.load(None, _companion(path, method, "certificate_path", "AZURE_CLIENT_CERTIFICATE_PATH"), password)
    return credentials.load(_companion(secret, method, "client_secret", "AZURE_CLIENT_SECRET"), None, None)


def _is_auto(params: JsonObject) -> bool:
    return params.get("auth_method") in (None, "auto")


def _companion(value: str | None, method: str, option: str, variable: str) -> str:
    if not value:
        raise InvalidInput(f"m365_auth_method is {method}, but m365_{option} is not set: set it, or the environment variable {variable}.")
    return value


def _refuse_two(params: JsonObject, options: list[str]) -> None:
    given = [option for option in options if params.get(option)]
    if len(given) > 1:
        choose = "" if {_GIVEN[option] for option in given} == {"federated"} else ", or choose with m365_auth_method"
        raise InvalidInput(f"Both m365_{given[0]} and m365_{given[1]} are set: give one of them{choose}.")


def _source(params: JsonObject) -> Source:
    source: Source
    if params.get("federated_token_file"):
        source = TokenFile(str(params["federated_token_file"]))
    elif params.get("federated_token_variable"):
        source = TokenVariable(str(params["federated_token_variable"]))
    elif params.get("federated_request_url"):
        source = TokenRequest(str(params["federated_request_url"]), str(params.get("federated_request_token") or ""))
    elif params.get("managed_identity_client_id"):
        source = IdentityToken(_identity(params))
    else:
        raise InvalidInput(
            "m365_auth_method is federated, but nothing says where the token comes from: set m365_federated_token_file (or the "
            "environment variable AZURE_FEDERATED_TOKEN_FILE), m365_federated_token_variable or m365_managed_identity_client_id; "
            "a job of GitHub Actions needs only the permission id-token: write."
        )
    source.check()
    return source


def _identity(params: JsonObject) -> str:
    value = str(params.get("managed_identity_client_id") or SYSTEM).strip()
    if value != SYSTEM and not credentials.GUID.fullmatch(value):
        raise InvalidInput(f"m365_managed_identity_client_id is {value!r}: give the identity's client id, a GUID, or {SYSTEM}.")
    return value


def _shown(prompt: Prompt | None) -> Prompt:
    if not prompt:
        raise InvalidInput(
            "m365_auth_method is device_code, which shows a code to a person, and this task can show none: run it on the machine "
            "that runs Ansible with m365_in_process true, or choose federated, managed_identity, certificate or client_secret."
        )
    return prompt
