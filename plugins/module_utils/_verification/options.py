# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of module smtp_probe as dataclasses. None: not set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .._core.params import nested
from .._identity import token_stores
from .._identity.token_stores import TokenStoreOptions


@dataclass(frozen=True)
class ProbeSender:
    """A sender to verify.

    `public_addresses`, `certificate_name`: what its connector is matched by; `verify_from`: the host to send from.
    """

    name: str | None
    address: str
    method: str
    verify_recipient: str | None
    mailbox: str | None
    username: str | None
    user: str | None
    on_behalf: bool
    password: str | None = field(repr=False)
    certificate_path: str | None
    certificate_password: str | None = field(repr=False)
    public_addresses: tuple[str, ...] | None
    certificate_name: str | None
    source_address: str | None
    host: str | None
    port: int | None
    verify_from: str | None
    credential: str | None
    token_store: TokenStoreOptions | None = nested(TokenStoreOptions)

    @property
    def label(self) -> str:
        """The name in one line: YAML's `name: >` ends with a line break, which no header may have."""
        return " ".join((self.name or "").split()) or self.address

    def token_store_problems(self) -> list[str]:
        return self.token_store.problems() if self.token_store else [token_stores.MISSING]

    def open_token_store(self) -> token_stores.TokenStore:
        """The store of the user's refresh token. The options have no problems."""
        if self.token_store is None:
            raise ValueError(f"{self.label} has no token store")
        return self.token_store.open()


@dataclass(frozen=True)
class ProbeParams:
    """The module's options."""

    app_unique_name: str | None
    app_id: str | None
    app_client_secret: str | None = field(repr=False)
    app_certificate_path: str | None
    app_certificate_password: str | None = field(repr=False)
    passwords: Mapping[str, str] = field(repr=False)
    user_app_unique_name: str | None
    user_app_id: str | None
    wait: int
    required: bool
    reachability: bool
    verify_from: str | None
    inventory_hosts: tuple[str, ...]
    hosted_relay: str | None
    hosted_relay_region: str | None
    hosted_relay_api_key: str | None = field(repr=False)
    hosted_relay_api_url: str | None
    hosted_relay_smtp_host: str | None
    hosted_relay_smtp_port: int | None
    hosted_credential_store: str | None
    hosted_credential_vault_password_file: str | None
    senders: tuple[ProbeSender, ...] = nested(ProbeSender)

    def with_passwords(self) -> tuple[ProbeSender, ...]:
        """The senders to verify from the host that the task names, each with the password of its mailbox or address in `passwords`."""
        passwords = {address.lower(): str(password) for address, password in self.passwords.items()}
        return tuple(
            replace(sender, password=sender.password or passwords.get((sender.mailbox or sender.address).lower()))
            for sender in self.senders
            if (sender.verify_from or "") == (self.verify_from or "")
        )
