# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Senders of a hosted relay: their credentials from the store, and what the account says before a test message is sent.

An accepted message is no delivery where the provider suppresses the recipient, or the SMTP user is in the sandbox. The suppression lists
are read first. Sources: SMTP2GO, "Suppressions"; SendGrid, "Suppressions"; Mailgun, "Suppressions".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .._core import mail_addresses
from .._core.errors import InvalidInput, MailopsError
from .._engine.tenant import Tenant
from .._hosted.account import Account, account_client, account_problems, region_of, relay_of
from .._hosted.account_state import AccountClient
from .._hosted.credential_store import DirectoryStore, Secret
from .._hosted.credentials import CredentialClient
from .._hosted.mailgun import MailgunAccount, MailgunCredentials
from .._hosted.providers import region_problems
from .._hosted.sendgrid import SendGridAccount, SendGridCredentials
from .._hosted.smtp2go import Smtp2GoAccount, Smtp2GoCredentials
from .._http.transport import Transport
from .options import ProbeParams, ProbeSender
from .result import NotVerifiable

ACCOUNTS: Mapping[str, Callable[[Transport, str, str, str], AccountClient]] = {
    "sendgrid": SendGridAccount,
    "smtp2go": Smtp2GoAccount,
    "mailgun": MailgunAccount,
}
CREDENTIALS: Mapping[str, Callable[[Transport, str, str, str], CredentialClient]] = {
    "sendgrid": SendGridCredentials,
    "smtp2go": Smtp2GoCredentials,
    "mailgun": MailgunCredentials,
}
METHOD = "hosted"


@dataclass
class HostedFindings:
    """What the account says. `blocked`: (credential, recipient) -> why a message would not verify delivery. `notes`: sentences."""

    blocked: dict[tuple[str, str], MailopsError] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def key_of(sender: ProbeSender) -> tuple[str, str]:
    return sender.credential or "", (sender.verify_recipient or "").lower()


def account_of(params: ProbeParams) -> Account:
    return Account(params.hosted_relay, params.hosted_relay_region, params.hosted_relay_api_key, params.hosted_relay_api_url)


def with_credential(tenant: Tenant, params: ProbeParams, sender: ProbeSender) -> ProbeSender:
    """The sender with host, port, user name and password; other methods as they are. InvalidInput where the store has no credential."""
    if sender.method != METHOD:
        return sender
    account = account_of(params)
    if account.provider:
        problems = region_problems("m365_hosted_relay_region", account.provider, account.region)
        if problems:
            raise InvalidInput(*problems)
        relay = relay_of(account)
        host = sender.host or params.hosted_relay_smtp_host or relay.region(region_of(account)).smtp_host
        sender = replace(sender, host=host, port=sender.port or params.hosted_relay_smtp_port or relay.port)
    if not sender.credential:
        return sender
    secret = _secret(tenant, params, sender.credential)
    return replace(sender, username=secret.username, password=secret.password)


def _secret(tenant: Tenant, params: ProbeParams, name: str) -> Secret:
    store = DirectoryStore(params.hosted_credential_store, tenant.name, params.hosted_relay or "")
    stored = store.read(name)
    if stored is None or stored.current is None:
        raise InvalidInput(f"credential is {name!r}, and {store.location(name)} does not exist: create it with module hosted_credential.")
    return stored.current


def read_findings(tenant: Tenant, params: ProbeParams, senders: Sequence[ProbeSender]) -> HostedFindings:
    """The state of the account for these senders, all of method hosted."""
    findings, account = HostedFindings(), account_of(params)
    if not account.api_key:
        findings.notes.append("without m365_hosted_relay_api_key the suppression lists of the provider were not read")
        return findings
    problems = account_problems(account)
    if problems:
        raise InvalidInput(*problems)
    try:
        findings.notes += _quota_notes(tenant, account)
    except MailopsError as error:
        findings.notes.append(f"the provider's quota was not read: {str(error).rstrip('.')}")
    for key in dict.fromkeys(map(key_of, senders)):
        try:
            reason = next(_reasons(tenant, params, account, senders, key), None)
        except MailopsError as error:
            findings.blocked[key] = error
        else:
            findings.blocked |= {key: NotVerifiable(*reason)} if reason else {}
    return findings


def _quota_notes(tenant: Tenant, account: Account) -> Iterator[str]:
    client = account_client(ACCOUNTS, tenant.transport, account)
    quota = None if client.missing_rights("quota") else client.quota()
    if quota:
        yield f"{quota.used} of {quota.limit} {quota.unit} of the provider's quota are used"


def _reasons(
    tenant: Tenant, params: ProbeParams, account: Account, senders: Sequence[ProbeSender], key: tuple[str, str]
) -> Iterator[tuple[str, str]]:
    """Reason and remedy of what keeps accepted mail from its recipient."""
    name, recipient = key
    label = relay_of(account).label
    domains = sorted({mail_addresses.domain(sender.address) for sender in senders if key_of(sender) == key})
    if name:
        secret = _secret(tenant, params, name)
        domains = [secret.domain] if secret.domain else domains
        listing = account_client(CREDENTIALS, tenant.transport, account).read(domains)
        listed = next((one for one in listing.credentials if one.id == secret.id), None)
        if listed is None:
            raise InvalidInput(f"{label} does not have {secret.label} any more: replace the credential with module hosted_credential.")
        if listed.problem:
            yield listed.problem.rstrip("."), "Correct the SMTP user at the provider."
    client = account_client(ACCOUNTS, tenant.transport, account)
    missing = client.missing_rights("suppressions")
    if missing:
        raise InvalidInput(f"m365_hosted_relay_api_key lacks the permissions {', '.join(missing)}: give them to the key.")
    for one in client.suppressed(recipient, domains):
        place = f"its list {one.list}" + (f" of {one.domain}" if one.domain else "")
        yield (
            f"{label} accepts mail to {recipient} and does not deliver it, because the address is in {place}",
            "Remove the address from that list if its mailbox exists, or set another verify_recipient.",
        )
