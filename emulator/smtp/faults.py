"""Named faults: published replies of the services, and faults of the network.

An order without a stage is played at the stage where the service says such a thing. The texts are those of "Email
non-delivery reports and SMTP errors in Exchange Online" and of published transcripts.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from emulator.faults import Fault
from emulator.smtp import texts
from emulator.smtp.texts import Refused

STAGES = ("connect", "ehlo", "auth", "mail", "rcpt", "data")
_AUTH = {
    "authentication_refused": texts.AUTHENTICATION_REFUSED,
    "off_for_tenant": texts.OFF_FOR_TENANT,
    "off_for_mailbox": texts.OFF_FOR_MAILBOX,
    "basic_disabled": texts.BASIC_DISABLED,
    "security_defaults": texts.SECURITY_DEFAULTS,
    "conditional_access": texts.CONDITIONAL_ACCESS,
    "wrong_password": texts.WRONG_PASSWORD,
    "basic_retired": texts.BASIC_RETIRED,
    "unknown_mechanism": texts.UNKNOWN_MECHANISM,
    "token_expires_soon": texts.TOKEN_EXPIRES_SOON,
    "token_expired": texts.TOKEN_EXPIRED,
    "no_api_permission": texts.NO_API_PERMISSION,
}
_MAIL = {
    "not_authenticated": texts.NOT_AUTHENTICATED,
    "not_authenticated_old": "530 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM",
    "account_blocked": "550 5.1.8 Access denied, bad outbound sender",
    "spam_abuse": "550 5.7.501 Access denied, spam abuse detected",
    "banned_sender": "550 5.7.502 Access denied, banned sender",
    "banned_sender_503": "550 5.7.503 Access denied, banned sender",
    "banned_sender_511": "550 5.7.511 Access denied, banned sender",
    "tenant_blocked": "550 5.7.705 Access denied, tenant has exceeded threshold",
    "low_reputation": "550 5.7.708 Access denied, traffic not accepted from this IP",
    "bad_helo": texts.BAD_HELO,
    "app_not_allowed": texts.APP_NOT_ALLOWED,
    "not_hve": texts.NOT_HVE,
    "server_busy": "451 4.7.500 Server busy. Please try again later from [{source}]. (AS761)",
    "try_again": "451 4.7.500 Access denied, please try again later",
    "try_again_850": "451 4.7.850 Access denied, please try again later",
    "banned_address": "550 5.7.606 Access denied, banned sending IP [{source}]",
    "connector_blocked": "550 5.7.711 Access denied, bad inbound connector. AS(2204)",
    "unregistered_domains": "550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains",
    "ipv6_unauthenticated": "450 4.7.26 Access denied, a message sent over IPv6 must pass either SPF or DKIM validation",
    "ipv6_no_reverse_dns": "550 5.7.25 Access denied, the sending IPv6 address must have a reverse DNS record",
}
_RCPT = {
    "wrong_region": "450 4.4.62 Mail sent to the wrong Office 365 region",
    "relay_denied": texts.RELAY_DENIED,
    "relay_domain": texts.RELAY_DOMAIN,
    "direct_send_rejected": texts.DIRECT_SEND_REJECTED,
    "partner_restricted": texts.PARTNER_RESTRICTED,
    "relay_refused_later": "550 5.7.367 Remote server returned not permitted to relay",
    "no_such_recipient": texts.NO_SUCH_RECIPIENT,
    "unable_to_relay": "550 5.7.1 Unable to relay",
    "too_many_recipients": texts.TOO_MANY_RECIPIENTS,
    "recipient_hourly": "450 5.2.121 The recipient's mailbox is receiving mail at a rate that prevents more from being delivered",
    "recipient_hourly_from_sender": "450 5.2.122 The recipient's mailbox is receiving too much mail from this sender",
    "authenticated_senders_only": "550 5.7.12 Sender was not authenticated by organization",
    "group_authenticated_senders_only": "550 5.7.133 Sender not authenticated for group",
    "mailbox_authenticated_senders_only": "550 5.7.134 Sender was not authenticated for mailbox",
    "mail_user_authenticated_senders_only": "550 5.7.136 Sender was not authenticated for mail user",
}
_DATA = {
    "no_right_on_mailbox": texts.NO_RIGHT_ON_MAILBOX,
    "send_as_denied": texts.SEND_AS_DENIED,
    "send_as_denied_old": "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied",
    "send_as_denied_on_premises": "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
    "locked_mailbox_full": texts.LOCKED_OUT["5.2.251"],
    "locked_send_as": texts.LOCKED_OUT["5.2.252"],
    "locked_license": texts.LOCKED_OUT["5.2.253"],
    "locked_too_many_recipients": texts.LOCKED_OUT["5.2.254"],
    "locked_invalid_recipients": texts.LOCKED_OUT["5.2.255"],
    "bad_from": texts.BAD_FROM,
    "two_froms": texts.TWO_FROMS,
    "bare_line_feed": texts.BARE_LINE_FEED,
    "too_many_connections": texts.TOO_MANY_CONNECTIONS,
    "too_many_connections_old": (f"432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded [Hostname={texts.BACKEND_NAME}]"),
    "recipient_busy": "432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded",
    "recipient_quota": texts.RECIPIENT_QUOTA,
    "recipient_quota_notice": "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
    "submission_quota": "554 5.2.2 Submission quota exceeded",
    "trial_external_quota": texts.TRIAL_EXTERNAL_QUOTA,
    "tenant_external_quota": texts.TENANT_EXTERNAL_QUOTA,
    "initial_domain_quota": texts.INITIAL_DOMAIN_QUOTA,
    "mailbox_full": "554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded",
    "too_large": texts.TOO_LARGE,
    "dmarc": "550 5.7.509 Access denied, sending domain [{domain}] does not pass DMARC verification and has a DMARC policy of reject.",
    "spf": texts.SPF_REJECTED,
}
_CONNECT = {
    "unavailable": "421 4.7.0 Service not available, try again later",
    "old_tls": texts.OLD_TLS,
}
NAMES: dict[str, tuple[str, str]] = {
    name: (stage, reply)
    for stage, replies in (("connect", _CONNECT), ("auth", _AUTH), ("mail", _MAIL), ("rcpt", _RCPT), ("data", _DATA))
    for name, reply in replies.items()
}
DROP, STALL, LOSE_REPLY = "drop", "stall", "lose_reply"
NETWORK = (DROP, STALL, LOSE_REPLY)  # at any stage; lose_reply: the message is accepted, and the connection ends before the reply


class FaultSource(Protocol):
    """What the services need of emulator.faults.Faults."""

    def take(self, service: str, **facts: object) -> Fault | None: ...

    def latency(self, service: str) -> float: ...


class DroppedError(ConnectionError):
    """The connection ends because of a fault."""


class Script:
    """The faults of one service."""

    def __init__(self, orders: FaultSource, service: str) -> None:
        self._orders = orders
        self._service = service

    async def play(self, stage: str, facts: dict[str, str]) -> None:
        """Wait for the service's latency, then apply the fault of this stage: Refused, DroppedError, or a delay."""
        latency = self._orders.latency(self._service)
        if latency:
            await asyncio.sleep(latency)
        fault = self._take(stage, facts)
        if fault is not None:
            await self._play(fault, facts)

    def lost_reply(self, facts: dict[str, str]) -> bool:
        """Whether a fault drops the reply to an accepted message."""
        fault = self._orders.take(self._service, **facts | {"stage": LOSE_REPLY})
        if fault is not None and fault.name != LOSE_REPLY:
            fault.used -= 1  # one that waits for the next stage
        return fault is not None and fault.name == LOSE_REPLY

    def _take(self, stage: str, facts: dict[str, str]) -> Fault | None:
        """The next fault of this stage. A fault without a stage is assigned its own first."""
        while (fault := self._orders.take(self._service, **facts | {"stage": stage})) is not None:
            home = LOSE_REPLY if fault.name == LOSE_REPLY else NAMES.get(fault.name or "", (stage, ""))[0]
            if home == stage or ("stage" in fault.match and home != LOSE_REPLY):
                return fault
            fault.match["stage"] = home
            fault.used -= 1
        return None

    async def _play(self, fault: Fault, facts: dict[str, str]) -> None:
        seconds = fault.options.get("seconds", 10.0 if fault.name == STALL else 0.0)
        if seconds:
            await asyncio.sleep(float(seconds))
        if fault.name == DROP:
            raise DroppedError
        reply = reply_of(fault, facts)
        if reply:
            raise Refused(reply)


def reply_of(fault: Fault, facts: dict[str, str]) -> str:
    """The line that a fault answers with; none where it only stalls."""
    if fault.name in NAMES:
        known = {"source": "", "domain": "", "mailbox": "", "sender": ""} | facts
        return NAMES[fault.name][1].format(**known)
    if fault.status is not None:
        return f"{fault.status} {fault.body or ''}".strip()
    return "" if fault.name in NETWORK else f"451 4.3.0 The emulator knows no fault {fault.name!r}"
