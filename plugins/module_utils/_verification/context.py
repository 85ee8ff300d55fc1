# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all probes of a tenant need, read once: accepted domains, the MX host, the application's tokens.

Private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .._core import mail_addresses
from .._core.errors import InvalidInput, MailopsError
from .._engine.tenant import Tenant
from .._entra.application_lookup import application_id
from .._entra.user_tokens import user_tokens
from .._exchange import addresses, mx_hosts
from .._identity import credentials, token_stores
from .._identity.tokens import MARGIN, TokenSource
from .methods import METHODS


@dataclass
class Facts:
    """What all probes of a tenant need. A token that cannot be had fails the senders that need it, not the task."""

    domains: set[str] = field(default_factory=set)
    mx_host: str = ""
    tokens: TokenSource | None = None
    no_token: MailopsError | None = None
    users: dict[tuple[str, str], TokenSource] = field(default_factory=dict)  # by user and place of the refresh token
    no_user: MailopsError | None = None
    client_secret: str = field(default="", repr=False)  # of the senders' application
    check_mode: bool = False

    def token(self, service: str, life: float = MARGIN) -> str:
        """A token of the senders' application for a service, else why there is none."""
        if self.no_token or not self.tokens:
            raise self.no_token or InvalidInput("no application to sign in as")
        return self.tokens.token(self.tokens.cloud.scope(service), life)

    def user_token(self, sender: dict[str, Any]) -> str:
        """A token of the sender's user, else why there is none."""
        source = self.users.get(_user(sender))
        if self.no_user or not source:
            raise self.no_user or InvalidInput("no application to sign in to")
        return source.token(source.cloud.smtp_scope())

    def forget(self) -> None:
        """Roles are baked into tokens: the next try takes new ones."""
        if self.tokens:
            self.tokens.forget()


def gather(tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Facts:
    """The accepted domains, the MX host and the application's tokens; each read once, and only where a sender needs it."""
    senders = params["senders"]
    facts = Facts(check_mode=check_mode, client_secret=params["app_client_secret"] or "")
    if any(METHODS[s["method"]].accepted_domain for s in senders):
        facts.domains = addresses.accepted_domains(tenant.exchange)
    at_mx = [s for s in senders if METHODS[s["method"]].at_mx and not s["host"]]
    if at_mx:
        facts.mx_host = tenant.cloud.mx_host or mx_host(tenant, sorted(facts.domains), at_mx[0]["address"])
    if any(METHODS[s["method"]].needs_token(s, params) for s in senders) and not check_mode:
        try:
            facts.tokens = application_tokens(tenant, params)
        except MailopsError as error:
            facts.no_token = error
    delegated = [s for s in senders if s["method"] == "delegated"]
    if delegated and not check_mode:
        try:
            facts.users = users(tenant, params, delegated)
        except MailopsError as error:
            facts.no_user = error
    return facts


def _user(sender: dict[str, Any]) -> tuple[str, str]:
    return str(sender["user"]).lower(), token_stores.make(sender["token_store"]).where


def users(tenant: Tenant, params: dict[str, Any], senders: list[dict[str, Any]]) -> dict[tuple[str, str], TokenSource]:
    """The tokens of users who have signed in; each refresh token is read when a sender first needs it."""
    app_id = application_id(tenant, params["user_app_id"], params["user_app_unique_name"])
    if not app_id:
        name = params["user_app_unique_name"]
        raise InvalidInput(f"the Entra application {name} does not exist; register it (role delegated_sign_in).")
    return {_user(s): user_tokens(tenant, app_id, s["user"], token_stores.make(s["token_store"])) for s in senders}


def mx_host(tenant: Tenant, domains: list[str], address: str) -> str:
    """The tenant's own MX host, as Graph lists it for the sender's domain (its label cannot be derived with certainty)."""
    domain = mail_addresses.domain(address)
    if domain not in domains:
        domain = domains[0] if domains else domain
    found = mx_hosts.known(tenant, domain)
    if not found:
        found = mx_hosts.learn(tenant, domain, tenant.graph.read(mx_hosts.records(domain)))
    if found:
        return found
    raise InvalidInput(f"Graph names no MX host for {domain}: give the sender's host.")


def application_tokens(tenant: Tenant, params: dict[str, Any]) -> TokenSource:
    """The senders' own application, which is not the one that this module signs in as."""
    credential = credentials.load(
        params["app_client_secret"], params["app_certificate_path"], params["app_certificate_password"], prefix="app_"
    )
    app_id = application_id(tenant, params["app_id"], params["app_unique_name"])
    if not app_id:
        raise InvalidInput(f"the Entra application {params['app_unique_name']} does not exist; register it (role entra_app).")
    return TokenSource(tenant.cloud, tenant.name, app_id, credential, tenant.token_cache, tenant.transport)
