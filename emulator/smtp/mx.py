"""The MX endpoint: <tenant>.mail.protection.outlook.com, port 25: connectors, direct send, the internet's mail.

Sources: "How to set up a multifunction device or application to send email"; "Configure a connector to apply security
restrictions"; what is refused and how is in emulator/smtp/attribution.py.
"""

from __future__ import annotations

import ssl

from cryptography import x509

from emulator.smtp import spf, texts, tls
from emulator.smtp.attribution import Acceptance, Peer, check_recipient, domain_of
from emulator.smtp.faults import Script
from emulator.smtp.headers import Header
from emulator.smtp.limits import ExternalRecipients
from emulator.smtp.paths import Transaction
from emulator.smtp.settings import SmtpSettings
from emulator.smtp.texts import Refused
from emulator.smtp.transfer import Transfer
from emulator.state import Message, State


class Mx(Transfer):
    name = texts.MX_NAME
    service = "mx"

    def __init__(self, state: State, script: Script, settings: SmtpSettings, context: ssl.SSLContext, root: x509.Certificate) -> None:
        self._root = root
        self.outside = ExternalRecipients(settings, lambda: state.now())
        self._acceptances: list[tuple[str, Acceptance]] = []
        super().__init__(state, script, settings, context)

    def _set_rset_state(self) -> None:
        super()._set_rset_state()
        self._acceptances = []

    def facts(self, **more: str) -> dict[str, str]:
        """There is no sign-in: the mailbox is the recipient, the tenant the recipient's or else the sender's."""
        result = super().facts(**more)
        known = self.named(result.get("sender", ""))
        known.pop("mailbox")
        return known | (self.named(result["recipient"]) if "recipient" in result else {}) | result

    def peer(self) -> Peer:
        connection = self.encrypted
        names = tls.certificate_names(connection, self._root) if connection else ()
        return Peer(self.source, names, tls=connection is not None)

    async def check_sender(self, transaction: Transaction) -> None:
        if self.is_own_name():
            raise Refused(texts.BAD_HELO)

    async def check_recipient(self, transaction: Transaction, address: str) -> None:
        domain = domain_of(address)
        if sum(domain_of(one) == domain for one in transaction.recipients) >= self.settings.recipients_per_domain:
            raise Refused(texts.TOO_MANY_RECIPIENTS)
        self._acceptances.append((address, check_recipient(self.state, self.peer(), transaction.sender, address)))

    async def deliver(self, transaction: Transaction, raw: bytes, header: Header) -> str:
        groups: dict[Acceptance, list[str]] = {}
        for address, acceptance in self._acceptances:
            groups.setdefault(acceptance, []).append(address)
        verdict = spf.judge(self.state, self.source, transaction.sender) if any(one.via != "connector" for one in groups) else None
        if verdict and verdict.result == "fail" and any(self._rejects(one) for one in groups):
            raise Refused(texts.SPF_REJECTED)
        relayed = [(self.state.tenants[one.tenant_id], result) for one, result in groups.items() if one.via == "connector"]
        for tenant, recipients in relayed:
            self.outside.check(tenant, transaction.sender, recipients)
        for tenant, recipients in relayed:
            self.outside.spend(tenant, transaction.sender, recipients)
        for acceptance, recipients in groups.items():
            judged = verdict.header(self.client.hello) if verdict and acceptance.via != "connector" else b""
            self.state.receive(
                Message(
                    tenant_id=acceptance.tenant_id,
                    via=acceptance.via,
                    mail_from=transaction.sender,
                    recipients=recipients,
                    raw=judged + raw,
                    connector=acceptance.connector,
                    source=self.source,
                    received=self.state.now(),
                )
            )
        return texts.queued_by_mx(self.message_id(header), len(raw))

    def _rejects(self, acceptance: Acceptance) -> bool:
        """Whether the recipient's tenant refuses mail whose SPF fails; mail through a connector is not checked."""
        return acceptance.via != "connector" and self.state.tenants[acceptance.tenant_id].reject_spf_hard_fail
