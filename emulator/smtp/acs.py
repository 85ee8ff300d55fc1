"""Azure Communication Services Email over SMTP: smtp.azurecomm.net, port 587.

Sources: "How to send emails by using SMTP" and "Create credentials for SMTP authentication" (Azure Communication Services);
"Service limits for Azure Communication Services". The words of what a sender may not do are those of its REST API; the codes
are not published.
"""

from __future__ import annotations

from dataclasses import replace

from emulator.smtp import texts
from emulator.smtp.headers import Header
from emulator.smtp.paths import Transaction
from emulator.smtp.settings import SmtpSettings
from emulator.smtp.submission import Submission
from emulator.smtp.texts import Refused
from emulator.smtp.verdict import Account
from emulator.state import Message, State, Tenant
from emulator.state.azure import SENDING, CommunicationService, SmtpUsername
from emulator.tokens import TokenError

RECIPIENTS, SIZE = 50, 10 * 1024 * 1024
CUSTOM, MANAGED = (30, 100), (5, 10)  # messages a minute and an hour, of a custom and of an Azure managed domain
Match = tuple[Tenant, CommunicationService, SmtpUsername]


def acs_settings(settings: SmtpSettings) -> SmtpSettings:
    return replace(settings, recipients_per_message=RECIPIENTS, size_limit=SIZE, pace=False)


def find(state: State, user: str) -> Match | None:
    """The username resource; the older form names service, application and tenant, with pipes or dots between them."""
    requested = user.lower()
    for tenant in state.tenants.values():
        for service in tenant.azure.services:
            for result in service.smtp_usernames.values():
                if result.username.lower() == requested:
                    return tenant, service, result
            for mark in "|.":
                parts = requested.rsplit(mark, 2)
                if len(parts) == 3 and parts[0] == service.name.lower():
                    return tenant, service, SmtpUsername("", user, parts[1], parts[2])
    return None


class Acs(Submission):
    name = texts.ACS_NAME
    service = "acs"

    def by_password(self, user: str, password: str) -> Account:
        """The password is a client secret of the application."""
        result = find(self.state, user)
        home = self.state.tenants.get(result[2].tenant_id) if result else None
        application = home.application(result[2].app_id) if result and home else None
        now = self.state.now()
        secrets = application.secrets if application else []
        if not any(s.value == password and s.effective_from <= now and not 0 < s.end <= now for s in secrets):
            raise Refused(texts.AUTHENTICATION_REFUSED)
        return self._account(result)

    def by_token(self, user: str, token: str) -> Account:
        result = find(self.state, user)
        try:
            claims = self.state.tokens.verify(token, "acs")
        except TokenError:
            raise Refused(texts.AUTHENTICATION_REFUSED) from None
        if result is None or (result[2].app_id, result[2].tenant_id) != (claims["appid"], claims["tid"]):
            raise Refused(texts.AUTHENTICATION_REFUSED)
        return self._account(result)

    def _account(self, result: Match | None) -> Account:
        """Without a role on the service an application is as good as unknown."""
        if result is None:
            raise Refused(texts.AUTHENTICATION_REFUSED)
        tenant, service, username = result
        principal = tenant.enterprise_application(username.app_id)
        if principal is None or not tenant.azure.held(principal.id, service.id, self.state.now()) & SENDING:
            raise Refused(texts.AUTHENTICATION_REFUSED)
        return Account(tenant.id, username.username, username.app_id, principal.id)

    def _own(self) -> tuple[Tenant, CommunicationService]:
        client = self.client.account
        result = find(self.state, client.address) if client else None
        if result is None:
            raise Refused(texts.not_authenticated(self.client.sign_in_error, self.state.now()))
        return result[0], result[1]

    def _check(self, address: str) -> None:
        tenant, service = self._own()
        if address.lower() in tenant.azure.senders(service):
            return
        local, _, domain = address.rpartition("@")
        linked = [one for name in service.linked_domains if (one := tenant.azure.domain(name)) and one.verified]
        if domain.lower() not in [one.name for one in linked]:
            raise Refused(texts.ACS_DOMAIN)
        raise Refused(texts.ACS_SENDER.format(sender=local))

    async def check_sender(self, transaction: Transaction) -> None:
        self._check(transaction.sender)

    async def check_recipient(self, transaction: Transaction, address: str) -> None:
        if len(transaction.recipients) >= self.settings.recipients_per_message:
            raise Refused(texts.TOO_MANY_RECIPIENTS)

    async def deliver(self, transaction: Transaction, raw: bytes, header: Header) -> str:
        tenant, _service = self._own()
        for author in header.authors or ():
            self._check(author)
        self._pace(tenant, transaction.sender.rpartition("@")[2].lower())
        client = self.client.account
        self.state.receive(
            Message(
                tenant_id=tenant.id,
                via="acs",
                mail_from=transaction.sender,
                recipients=transaction.recipients,
                raw=raw,
                authenticated_as=client.address if client else None,
                app_id=client.app_id if client else None,
                source=self.source,
                received=self.state.now(),
            )
        )
        return texts.queued_by_acs(self.message_id(header))

    def _pace(self, tenant: Tenant, domain: str) -> None:
        managed = any(one.azure_managed for one in tenant.azure.domains if one.name == domain)
        minute, hour = MANAGED if managed else CUSTOM
        times, now = self.limits.sent[domain], self.state.now()
        while times and times[0] <= now - 3600:
            times.popleft()
        if len(times) >= hour or sum(one > now - 60 for one in times) >= minute:
            raise Refused(texts.ACS_RATE)
        times.append(now)
