"""Mail transactions: MAIL, RCPT, DATA and BDAT (RFC 5321 and RFC 3030)."""

from __future__ import annotations

import asyncio
import uuid

from emulator.smtp import texts
from emulator.smtp.faults import DroppedError
from emulator.smtp.headers import Header, check_message
from emulator.smtp.paths import Transaction, read_mail, read_recipient
from emulator.smtp.protocol import Conversation
from emulator.smtp.texts import Refused

CHUNK = 1 << 16


class Transfer(Conversation):
    """The transaction that submission and MX share; subclasses check the sender and the recipients and deliver the message."""

    async def check_sender(self, transaction: Transaction) -> None:
        raise NotImplementedError

    async def check_recipient(self, transaction: Transaction, address: str) -> None:
        raise NotImplementedError

    async def deliver(self, transaction: Transaction, raw: bytes, header: Header) -> str:
        """Receive the message; the reply."""
        raise NotImplementedError

    # -- the envelope ---------------------------------------------------------------------------------------------

    async def smtp_MAIL(self, arg: str | None) -> None:
        if not self.client.hello:
            raise Refused(texts.HELLO_FIRST)
        if self.transaction:
            raise Refused(texts.SECOND_MAIL)
        transaction = read_mail(arg or "", self.settings.size_limit)
        await self.stage("mail", sender=transaction.sender, domain=transaction.sender_domain)
        await self.check_sender(transaction)
        self.transaction = transaction
        await self.push(texts.SENDER_OK)

    async def smtp_RCPT(self, arg: str | None) -> None:
        transaction = self._begun()
        address = read_recipient(arg or "", transaction)
        await self.stage("rcpt", recipient=address)
        await self.check_recipient(transaction, address)
        transaction.recipients.append(address)
        await self.push(texts.RECIPIENT_OK)

    def _begun(self) -> Transaction:
        if not self.client.hello:
            raise Refused(texts.HELLO_FIRST)
        if not self.transaction:
            raise Refused(texts.MAIL_FIRST)
        if self.transaction.chunking:
            raise Refused(texts.BAD_SEQUENCE)
        return self.transaction

    # -- the message ----------------------------------------------------------------------------------------------

    async def smtp_DATA(self, arg: str) -> None:
        transaction = self._begun()
        if not transaction.recipients:
            raise Refused(texts.RECIPIENT_FIRST)
        if arg:
            raise Refused(texts.INVALID_ARGUMENTS)
        if transaction.binary:  # RFC 3030: goes with BDAT only
            raise Refused(texts.BAD_SEQUENCE)
        await self.push(texts.GO_AHEAD)
        await self._read_data(transaction)
        await self._finish(transaction)

    async def _read_data(self, transaction: Transaction) -> None:
        """The message up to the line with the dot; what is too long is read and forgotten."""
        at_start = True
        while True:
            try:
                piece = await self._reader.readuntil(b"\r\n")
                ended = True
            except asyncio.LimitOverrunError as error:
                piece, ended = await self._reader.readexactly(error.consumed), False
            if at_start and piece == b".\r\n":
                return
            self._keep(transaction, piece[1:] if at_start and piece.startswith(b".") else piece)
            at_start = ended

    def _keep(self, transaction: Transaction, piece: bytes) -> None:
        transaction.too_large = transaction.too_large or len(transaction.chunks) + len(piece) > self.settings.size_limit
        if transaction.too_large:
            transaction.chunks.clear()
        else:
            transaction.chunks += piece

    async def smtp_BDAT(self, arg: str) -> None:
        words = arg.upper().split()
        if not words or not (words[0].isascii() and words[0].isdigit()) or len(words[0]) > 18 or words[1:] not in ([], ["LAST"]):
            raise Refused(texts.INVALID_ARGUMENTS)
        transaction = self.transaction
        requested = transaction if transaction and transaction.recipients else None
        await self._read_chunk(requested, int(words[0]))  # comes in any case
        if transaction is None:
            raise Refused(texts.MAIL_FIRST if self.client.hello else texts.HELLO_FIRST)
        if requested is None:
            raise Refused(texts.RECIPIENT_FIRST)
        requested.chunking = True
        if words[1:]:
            await self._finish(requested)
        else:
            await self.push(texts.TOO_LARGE if requested.too_large else f"250 2.6.0 CHUNK received OK, {words[0]} octets")

    async def _read_chunk(self, transaction: Transaction | None, size: int) -> None:
        left = size
        while left:
            piece = await self._reader.readexactly(min(CHUNK, left))
            left -= len(piece)
            self._reset_timeout()
            if transaction:
                self._keep(transaction, piece)

    async def _finish(self, transaction: Transaction) -> None:
        """The reply to the whole message, after which the transaction is over whatever it was."""
        try:
            await self.stage("data", recipient=transaction.recipients[0])
            if transaction.too_large:
                raise Refused(texts.TOO_LARGE)
            raw = bytes(transaction.chunks)
            reply = await self.deliver(transaction, raw, check_message(raw, binary=transaction.binary))
            if self.script.lost_reply(self.facts(recipient=transaction.recipients[0])):
                raise DroppedError
        finally:
            self._set_rset_state()
        await self.push(reply)

    @staticmethod
    def message_id(header: Header) -> str:
        return header.message_id or f"<{uuid.uuid4().hex}@{texts.BACKEND_NAME}>"
