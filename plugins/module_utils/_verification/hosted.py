# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Senders of a hosted relay: their credentials from the store, and the state of the account before a test message is sent.

An accepted message is no delivery where the provider suppresses the recipient, or the SMTP user is in the sandbox. The suppression lists
are read first. Sources: SMTP2GO, "Suppressions"; SendGrid, "Suppressions"; Mailgun, "Suppressions".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .._core import mail_addresses
from .._core.errors import InvalidInput, MailopsError
from .._engine.tenant import Tenant
from .._hosted.account import Account, account_problems, relay_of, smtp_endpoint
from .._hosted.account_state import DOMAIN_REMEDY, USER_REMEDY, AccountClient, Suppressed, limit_clause, quota_warnings, undelivered
from .._hosted.clients import credential_client, missing_rights_sentence, state_client
from .._hosted.credential_store import Secret, open_store
from .._hosted.credentials import ListedCredential
from .._hosted.providers import region_problems
from .options import ProbeParams, ProbeSender
from .result import NotVerifiable

METHOD = "hosted"


@dataclass
class HostedFindings:
    """The state of the account. `blocked`: (credential, recipient) -> why a message would not verify delivery.

    `notes`: clauses about a verified sender; `warnings`: sentences about the account.
    """

    blocked: dict[tuple[str, str], MailopsError] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def key_of(sender: ProbeSender) -> tuple[str, str]:
    return sender.credential or "", (sender.verify_recipient or "").lower()


def account_of(params: ProbeParams) -> Account:
    return Account(params.hosted_relay, params.hosted_relay_region, params.hosted_relay_api_key, params.hosted_relay_api_url)


def with_credential(tenant: Tenant, params: ProbeParams, sender: ProbeSender, *, check_mode: bool) -> ProbeSender:
    """The sender with host, port, user name and password; others, and those without a recipient, as they are.

    A check run does not authenticate, and the credential may not exist yet. InvalidInput where the store has no credential, NotVerifiable
    where none can be created without an API key. A password in the options takes precedence over the store.
    """
    if sender.method != METHOD or not sender.verify_recipient:
        return sender
    account = account_of(params)
    if account.provider:
        problems = region_problems("m365_hosted_relay_region", account.provider, account.region)
        if problems:
            raise InvalidInput(*problems)
        host, port = smtp_endpoint(account, params.hosted_relay_smtp_host, params.hosted_relay_smtp_port)
        sender = replace(sender, host=sender.host or host, port=sender.port or port)
        if sender.password:
            return replace(sender, credential=None, username=sender.username or relay_of(account).username or None)
    if check_mode or not sender.credential:
        return sender
    secret = _secret(tenant, params, sender.credential)
    return replace(sender, username=secret.username, password=secret.password)


def _secret(tenant: Tenant, params: ProbeParams, name: str) -> Secret:
    vault = params.hosted_credential_vault_password_file
    store = open_store(params.hosted_credential_store, vault, tenant.name, params.hosted_relay or "")
    stored = store.read(name)
    if stored and stored.current:
        return stored.current
    missing = f"the SMTP credential {name} does not exist in the store ({store.location(name)})"
    if not params.hosted_relay_api_key:
        raise NotVerifiable(
            f"m365_hosted_relay_api_key is not set, and {missing}",
            "Set m365_hosted_relay_api_key from a vault, so that role hosted_relay creates the credential, or list the password of the "
            "SMTP user in verify_passwords.",
        )
    raise InvalidInput(f"{missing}: create it with role hosted_relay, or name another one in verify_connection.credential of the sender.")


def read_findings(tenant: Tenant, params: ProbeParams, senders: Sequence[ProbeSender]) -> HostedFindings:
    """The state of the account for these senders, all of method hosted. MailopsError where it cannot be read."""
    findings, account = HostedFindings(), account_of(params)
    if not account.api_key:
        findings.notes.append("without m365_hosted_relay_api_key the suppression lists of the provider were not read")
        return findings
    problems = account_problems(account)
    if problems:
        raise InvalidInput(*problems)
    client = state_client(tenant.transport, account)
    try:
        quota = None if client.missing_rights("quota") else client.quota()
    except MailopsError as error:
        findings.notes.append(f"the provider's quota was not read: {str(error).rstrip('.')}")
    else:
        findings.notes += [quota.clause] if quota else []
        findings.warnings += quota_warnings(relay_of(account).label, quota)
    missing = client.missing_rights("suppressions")
    if missing:
        raise InvalidInput(missing_rights_sentence(missing))
    secrets = {name: _secret(tenant, params, name) for sender in senders if (name := sender.credential)}
    state = _State(relay_of(account).label, client, secrets, _listed(tenant, account, secrets.values()))
    findings.notes += dict.fromkeys(limit_clause(one.label, one.limit) for one in state.used if one.limit)
    for key in dict.fromkeys(map(key_of, senders)):
        domains = sorted({mail_addresses.domain(sender.address) for sender in senders if key_of(sender) == key})
        try:
            reason = next(state.reasons(key, domains), None)
        except MailopsError as error:
            findings.blocked[key] = error
        else:
            findings.blocked |= {key: NotVerifiable(*reason)} if reason else {}
    return findings


def _listed(tenant: Tenant, account: Account, secrets: Iterable[Secret]) -> dict[str, ListedCredential]:
    """The credentials that the provider has, by id."""
    secrets = list(secrets)
    if not secrets:
        return {}
    listing = credential_client(tenant.transport, account).read(sorted({secret.domain for secret in secrets if secret.domain}))
    return {one.id: one for one in listing.credentials}


@dataclass
class _State:
    """What keeps accepted mail from its recipients. `secrets`: by name of the credential; `listed`: what the provider has, by id."""

    label: str
    client: AccountClient
    secrets: Mapping[str, Secret]
    listed: Mapping[str, ListedCredential]
    _suppressed: dict[tuple[str, tuple[str, ...]], Sequence[Suppressed]] = field(default_factory=dict)

    @property
    def used(self) -> list[ListedCredential]:
        """What the provider has of the credentials."""
        return [self.listed[secret.id] for secret in self.secrets.values() if secret.id in self.listed]

    def reasons(self, key: tuple[str, str], domains: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Reason and remedy of each; InvalidInput where the provider does not have the credential. `domains`: of the senders."""
        name, recipient = key
        secret = self.secrets.get(name)
        if secret:
            listed = self.listed.get(secret.id)
            if listed is None:
                raise InvalidInput(f"{self.label} does not have {secret.label} any more: replace the credential with role hosted_relay.")
            if listed.problem:
                yield listed.problem.rstrip("."), USER_REMEDY
            for problem in self.client.problems([secret.domain]) if secret.domain else ():
                yield problem.rstrip("."), DOMAIN_REMEDY
        for one in self._read(recipient, [secret.domain] if secret and secret.domain else domains):
            yield undelivered(self.label, one)

    def _read(self, recipient: str, domains: Sequence[str]) -> Sequence[Suppressed]:
        """The lists that the recipient is in, read once."""
        key = (recipient, tuple(domains))
        if key not in self._suppressed:
            self._suppressed[key] = self.client.suppressed(recipient, domains)
        return self._suppressed[key]
