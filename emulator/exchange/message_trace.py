"""Get-MessageTraceV2: the messages that the mail services accepted, one row a recipient, the newest first.

Source: the cmdlet's reference (90 days, 10 days a query, ResultSize up to 5,000, 100 requests in 5 minutes, no paging: the next query has
the last row's Received as EndDate and its RecipientAddress as StartingRecipientAddress). The texts of the refusals are the emulator's own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from fnmatch import fnmatchcase

from emulator.exchange.command import Command, Document, Result, cmdlet
from emulator.exchange.errors import INVOCATION, ExchangeError, invalid, transformation_error
from emulator.platform import Platform
from emulator.state import DAY, Message, Rolling
from emulator.well_known import derived_id

KEPT, LONGEST, DEFAULT = 90 * DAY, 10 * DAY, 2 * DAY
LARGEST, USUAL = 5000, 1000
REQUESTS, WINDOW = 100, 300.0
OUTSIDE_EXCHANGE = ("acs",)  # Azure Communication Services


@dataclass(frozen=True)
class _Row:
    message: Message
    recipient: str
    position: int  # of the message among all

    @property
    def moment(self) -> float:
        """When it was received, with the precision that the answer has."""
        return datetime.fromtimestamp(self.message.received, UTC).timestamp()

    @property
    def key(self) -> tuple[float, str]:
        """The order of the answer: the newest first, then by recipient."""
        return (-self.moment, self.recipient)


@cmdlet("Get-MessageTraceV2")
def get_message_trace(command: Command) -> Result:
    _throttle(command.platform, command.tenant.id)
    start, end = _period(command)
    size = int(command.parameters.get("ResultSize", USUAL))
    if not 1 <= size <= LARGEST:
        raise invalid(f"The ResultSize must be between 1 and {LARGEST}.")
    rows = [
        _Row(message, recipient.lower(), position)
        for position, message in enumerate(command.platform.state.messages)
        if message.tenant_id == command.tenant.id and message.via not in OUTSIDE_EXCHANGE
        for recipient in message.recipients
    ]
    rows = [row for row in rows if start <= row.moment <= end]
    first = (command.text("StartingRecipientAddress") or "").lower()
    after = (-end, first) if first else None
    rows = sorted((row for row in rows if _fits(command, row) and (after is None or row.key > after)), key=lambda row: row.key)
    return Result(rows[:size], lambda row: _show(command, row))


def _throttle(platform: Platform, tenant: str) -> None:
    requests = platform.report_requests.setdefault((tenant, "message trace"), Rolling(WINDOW))
    if requests.count(platform.now) >= REQUESTS:
        text = "The number of message trace requests exceeds the limit of 100 in 5 minutes. Please try again later."
        headers = {"Retry-After": str(max(1, math.ceil(requests.room_in(platform.now))))}
        raise ExchangeError(429, f"{INVOCATION}.TooManyRequestsException", text, headers=headers)
    requests.add(platform.now)


def _period(command: Command) -> tuple[float, float]:
    now = command.platform.now
    end = _moment(command, "EndDate", now)
    start = _moment(command, "StartDate", end - DEFAULT)
    if start > end:
        raise invalid("The StartDate must be earlier than the EndDate.")
    if start < now - KEPT - DAY:
        raise invalid("The StartDate must not be older than 90 days.")
    if end - start > LONGEST:
        raise invalid("The period between StartDate and EndDate must not be longer than 10 days.")
    return start, end


def _moment(command: Command, name: str, default: float) -> float:
    text = command.text(name)
    if text is None:
        return default
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise transformation_error(name, text, "System.DateTime", "String was not recognized as a valid DateTime.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _fits(command: Command, row: _Row) -> bool:
    """SenderAddress and RecipientAddress take several values, each an address or *@domain."""
    values = {"SenderAddress": row.message.mail_from.lower(), "RecipientAddress": row.recipient}
    for name, value in values.items():
        requested = [one.lower() for one in command.multi_value(name).apply([])]
        if name in command.parameters and not any(fnmatchcase(value, one) for one in requested):
            return False
    source = command.text("FromIP")
    return source is None or source == row.message.source


def _show(command: Command, row: _Row) -> Document:
    message, received = row.message, datetime.fromtimestamp(row.message.received, UTC)
    headers = message_from_bytes(message.raw)
    return {
        "MessageTraceId": derived_id(message.tenant_id, "message", str(row.position)),
        "MessageId": str(headers.get("Message-ID", "")),
        "Received": received.strftime("%Y-%m-%dT%H:%M:%S.%f0"),
        "SenderAddress": message.mail_from,
        "RecipientAddress": row.recipient,
        "FromIP": message.source or None,
        "ToIP": None,
        "Subject": str(headers.get("Subject", "")),
        "Status": "Delivered",
        "Size": len(message.raw),
        "StartDate": command.text("StartDate"),
        "EndDate": command.text("EndDate"),
    }
