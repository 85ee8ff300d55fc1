# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the context of probes: each part once, and only where a sender needs it."""

from __future__ import annotations

from collections.abc import Sequence

from .._core import mail_addresses
from .._core.errors import InvalidInput, MailopsError
from .._engine.tenant import Tenant
from .._entra.application_lookup import application_id
from .._entra.user_tokens import user_tokens
from .._exchange import addresses, mx_hosts
from .._identity import credentials
from .._identity.tokens import TokenSource
from . import hosted
from .context import ProbeContext, user_key
from .methods import METHODS
from .options import ProbeParams, ProbeSender


def read_context(tenant: Tenant, params: ProbeParams, senders: Sequence[ProbeSender], check_mode: bool) -> ProbeContext:
    """The accepted domains, the MX host and the tokens that these senders need.

    No tokens in check mode, and the MX host only where it is connected to.
    """
    context = ProbeContext(check_mode=check_mode, reachability=params.reachability, client_secret=params.app_client_secret or "")
    if any(METHODS[sender.method].accepted_domain for sender in senders):
        try:
            context.domains = addresses.accepted_domains(tenant.exchange)
        except MailopsError as error:
            context.domains_error = error
    at_mx = [sender for sender in senders if METHODS[sender.method].at_mx and not sender.host]
    if at_mx and (params.reachability or not check_mode):
        try:
            context.mx_host = tenant.cloud.mx_host or mx_host(tenant, sorted(context.domains), at_mx[0].address)
        except MailopsError as error:
            context.mx_error = error
    own = [sender for sender in senders if sender.method == hosted.METHOD]
    if own and (params.reachability or not check_mode):
        try:
            findings = hosted.read_findings(tenant, params, own)
            context.hosted_blocked, context.hosted_notes = findings.blocked, tuple(findings.notes)
            context.hosted_warnings = tuple(findings.warnings)
        except MailopsError as error:
            context.hosted_blocked = {hosted.key_of(sender): error for sender in own}
    if check_mode:
        return context
    if any(METHODS[sender.method].needs_token(sender, params) for sender in senders):
        try:
            context.app_tokens = _app_tokens(tenant, params)
        except MailopsError as error:
            context.app_error = error
    delegated = [sender for sender in senders if sender.method == "delegated"]
    if delegated:
        try:
            context.user_tokens = _user_tokens(tenant, params, delegated)
        except MailopsError as error:
            context.user_error = error
    return context


def mx_host(tenant: Tenant, domains: Sequence[str], address: str) -> str:
    """The tenant's MX host as Graph lists it for the sender's domain; its label cannot be derived from the domain."""
    domain = mail_addresses.domain(address)
    if domain not in domains:
        domain = domains[0] if domains else domain
    host = mx_hosts.known(tenant, domain) or mx_hosts.learn(tenant, domain, tenant.graph.read(mx_hosts.records(domain)))
    if not host:
        raise InvalidInput(f"Graph names no MX host for {domain}: give the sender's host.")
    return host


def _app_tokens(tenant: Tenant, params: ProbeParams) -> TokenSource:
    """Tokens of the sender app, which is not the automation app."""
    credential = credentials.load(params.app_client_secret, params.app_certificate_path, params.app_certificate_password, prefix="app_")
    app_id = application_id(tenant, params.app_id, params.app_unique_name)
    if not app_id:
        raise InvalidInput(f"the Entra application {params.app_unique_name} does not exist; register it (role entra_app).")
    return TokenSource(tenant.cloud, tenant.name, app_id, credential, tenant.token_cache, tenant.transport)


def _user_tokens(tenant: Tenant, params: ProbeParams, senders: Sequence[ProbeSender]) -> dict[tuple[str, str], TokenSource]:
    """Tokens of users; a refresh token is read when a sender first needs it."""
    app_id = application_id(tenant, params.user_app_id, params.user_app_unique_name)
    if not app_id:
        raise InvalidInput(f"the Entra application {params.user_app_unique_name} does not exist; register it (role delegated_sign_in).")
    return {user_key(sender): user_tokens(tenant, app_id, str(sender.user), sender.open_token_store()) for sender in senders}
