"""The arguments of MAIL and RCPT: a path and its parameters.

RFC 5321, with RFC 1870 (SIZE), 6152 (8BITMIME), 3030 (BINARYMIME), 3461 (DSN), 4954 (AUTH) and 6531 (SMTPUTF8).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from emulator.smtp import texts
from emulator.smtp.headers import ADDRESS
from emulator.smtp.texts import Refused

# Devices leave out the angle brackets or put a blank before them.
_PATH = re.compile(r"(?:<(?P<inner>(?:\"(?:[^\"\\]|\\.)*+\"|[^\"<>])*+)>|(?P<bare>[^\s<>]+))(?:\s+(?P<rest>.*))?", re.DOTALL)
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^\s=][^\s]*))?")
_BODIES = ("7BIT", "8BITMIME", "BINARYMIME")
_NOTIFY = re.compile(r"NEVER|(?:(?:SUCCESS|FAILURE|DELAY)(?:,(?!$)|$))+")
LONGEST_ADDRESS = 571  # MS-OXOABK: the longest address Exchange stores


@dataclass
class Transaction:
    """A mail transaction, from MAIL to the end of its message."""

    sender: str  # "" for the empty reverse-path
    utf8: bool = False
    binary: bool = False
    recipients: list[str] = field(default_factory=list)
    chunks: bytearray = field(default_factory=bytearray)
    chunking: bool = False  # BDAT has begun
    too_large: bool = False

    @property
    def sender_domain(self) -> str:
        return self.sender.rpartition("@")[2].lower()


def _parse(argument: str, keyword: str) -> tuple[str, dict[str, str | None]]:
    head, colon, tail = argument.partition(":")
    match = _PATH.fullmatch(tail.strip())
    if not colon or head.strip().upper() != keyword or match is None:
        raise Refused(texts.INVALID_ARGUMENTS)
    parameters: dict[str, str | None] = {}
    for item in (match["rest"] or "").split():
        existing = _PARAMETER.fullmatch(item)
        if existing is None or existing[1].upper() in parameters:
            raise Refused(texts.INVALID_ARGUMENTS)
        parameters[existing[1].upper()] = existing[2]
    address = match["bare"] if match["inner"] is None else match["inner"]
    return re.sub(r"^@[^:]*:", "", address.strip()), parameters  # a source route is ignored (RFC 5321, appendix C)


def _check_address(address: str, utf8: bool, refusal: str) -> None:
    if len(address) > LONGEST_ADDRESS or not address.isprintable() or not ADDRESS.fullmatch(address):
        raise Refused(refusal)
    if not address.isascii() and not utf8:
        raise Refused(texts.NOT_ASCII)


def read_mail(argument: str, size_limit: int) -> Transaction:
    """The argument of MAIL."""
    address, parameters = _parse(argument, "FROM")
    transaction = Transaction(address)
    for name, value in parameters.items():
        match name:
            case "SIZE" if value and value.isascii() and value.isdigit() and len(value) <= 20:
                if int(value) > size_limit:
                    raise Refused(texts.TOO_LARGE)
            case "BODY" if value and value.upper() in _BODIES:
                transaction.binary = value.upper() == "BINARYMIME"
            case "SMTPUTF8" if value is None:
                transaction.utf8 = True
            case "RET" if value and value.upper() in ("FULL", "HDRS"):
                pass
            case "ENVID" | "AUTH" if value:
                pass
            case "SIZE" | "BODY" | "SMTPUTF8" | "RET" | "ENVID" | "AUTH":
                raise Refused(texts.INVALID_ARGUMENTS)
            case _:
                raise Refused(texts.UNKNOWN_PARAMETER)
    if address:
        _check_address(address, transaction.utf8, texts.INVALID_SENDER)
    return transaction


def read_recipient(argument: str, transaction: Transaction) -> str:
    """The argument of RCPT; the address."""
    address, parameters = _parse(argument, "TO")
    for name, value in parameters.items():
        if name not in ("NOTIFY", "ORCPT"):
            raise Refused(texts.UNKNOWN_PARAMETER)
        if not value or (name == "NOTIFY" and not _NOTIFY.fullmatch(value.upper())) or (name == "ORCPT" and ";" not in value):
            raise Refused(texts.INVALID_ARGUMENTS)
    _check_address(address, transaction.utf8, texts.INVALID_RECIPIENT)
    return address
