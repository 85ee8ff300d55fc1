# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way of signing in the options mean: one option chooses, and left alone it follows from what is given."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

from .._core.errors import InvalidInput
from . import azure_pipelines, credentials, managed_identity
from .device_code import DeviceCode, Prompt
from .federated import FederatedToken, IdentityToken, Source, TokenFile, TokenRequest, TokenVariable
from .managed_identity import SYSTEM, ManagedIdentity
from .sign_in import Credential


@dataclass(frozen=True)
class CredentialOptions:
    """The options of a tenant's module that select and hold the credential; None: not set."""

    auth_method: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    certificate_path: str | None = None
    certificate_password: str | None = field(default=None, repr=False)
    federated_token_file: str | None = None
    federated_token_variable: str | None = None
    federated_request_url: str | None = None
    federated_request_token: str | None = field(default=None, repr=False)
    managed_identity_client_id: str | None = None

    @classmethod
    def of(cls, options: Mapping[str, object]) -> CredentialOptions:
        """From the validated options of a module."""
        names = [one.name for one in fields(cls)]
        return cls(**{name: str(options[name]) for name in names if options.get(name)})

    @property
    def is_auto(self) -> bool:
        return self.auth_method in (None, "auto")

    def is_set(self, option: str) -> bool:
        return bool(getattr(self, option))


# What stands for a method where m365_auth_method is auto. The request URL is not among them: GitHub gives it to every
# job that may have a token, whether it means this or not.
_METHODS = {
    "client_secret": "client_secret",
    "certificate_path": "certificate",
    "federated_token_file": "federated",
    "federated_token_variable": "federated",
}


def chosen(options: CredentialOptions) -> str:
    """The method's name. Without a choice: what is given, then what the platform offers."""
    if options.auth_method and not options.is_auto:
        return options.auth_method
    methods = [method for option, method in _METHODS.items() if options.is_set(option)]
    if methods:
        return methods[0]
    if options.federated_request_url:
        return "federated"
    if options.managed_identity_client_id:
        return "managed_identity"
    if azure_pipelines.of_this_job():
        return "federated"
    if any(os.environ.get(name) for name in managed_identity.ENDPOINTS):
        return "managed_identity"
    return "client_secret"  # which is missing, and load() says so


def load(options: CredentialOptions, prompt: Prompt | None = None) -> Credential:
    """The credential that the options mean; InvalidInput names the variable where they mean none, or two."""
    method = chosen(options)
    secret, path, password = options.client_secret, options.certificate_path, options.certificate_password
    if method == "federated":
        _refuse_two(options, [option for option, its_method in _METHODS.items() if its_method == "federated" or options.is_auto])
        return FederatedToken(_source(options))
    if method == "managed_identity":
        return ManagedIdentity(_identity(options))
    if method == "device_code":
        return DeviceCode(_required_prompt(prompt))
    if options.is_auto:
        if not (secret and path):
            _refuse_two(options, list(_METHODS))
        return credentials.load(secret, path, password)
    if method == "certificate":
        return credentials.load(None, _companion(path, method, "certificate_path", "AZURE_CLIENT_CERTIFICATE_PATH"), password)
    return credentials.load(_companion(secret, method, "client_secret", "AZURE_CLIENT_SECRET"), None, None)


def _companion(value: str | None, method: str, option: str, variable: str) -> str:
    if not value:
        raise InvalidInput(f"m365_auth_method is {method}, but m365_{option} is not set: set it, or the environment variable {variable}.")
    return value


def _refuse_two(options: CredentialOptions, names: Sequence[str]) -> None:
    both = [name for name in names if options.is_set(name)]
    if len(both) > 1:
        choose = "" if {_METHODS[name] for name in both} == {"federated"} else ", or choose with m365_auth_method"
        raise InvalidInput(f"Both m365_{both[0]} and m365_{both[1]} are set: give one of them{choose}.")


def _source(options: CredentialOptions) -> Source:
    source: Source
    if options.federated_token_file:
        source = TokenFile(options.federated_token_file)
    elif options.federated_token_variable:
        source = TokenVariable(options.federated_token_variable)
    elif options.federated_request_url:
        source = TokenRequest(options.federated_request_url, options.federated_request_token or "")
    elif options.managed_identity_client_id:
        source = IdentityToken(_identity(options))
    elif job := azure_pipelines.of_this_job():
        source = job
    else:
        raise InvalidInput(
            "m365_auth_method is federated, but nothing says where the token comes from: set m365_federated_token_file (or the "
            "environment variable AZURE_FEDERATED_TOKEN_FILE), m365_federated_token_variable or m365_managed_identity_client_id; "
            "a job of GitHub Actions needs only the permission id-token: write, a step of Azure Pipelines the variable SYSTEM_ACCESSTOKEN."
        )
    source.check()
    return source


def _identity(options: CredentialOptions) -> str:
    value = (options.managed_identity_client_id or SYSTEM).strip()
    if value != SYSTEM and not credentials.GUID.fullmatch(value):
        raise InvalidInput(f"m365_managed_identity_client_id is {value!r}: give the identity's client id, a GUID, or {SYSTEM}.")
    return value


def _required_prompt(prompt: Prompt | None) -> Prompt:
    if not prompt:
        raise InvalidInput(
            "m365_auth_method is device_code, which shows a code to a person, and this task can show none: run it on the machine "
            "that runs Ansible with m365_in_process true, or choose federated, managed_identity, certificate or client_secret."
        )
    return prompt
