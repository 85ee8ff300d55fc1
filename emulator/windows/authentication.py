"""HTTP authentication of WinRM, one connection at a time: Basic, Negotiate and NTLM, client certificates."""

from __future__ import annotations

import base64
import binascii
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from spnego.channel_bindings import GssChannelBindings

from emulator.state import WindowsHost, WindowsUser
from emulator.windows import certificates
from emulator.windows.ntlm import Negotiation

# MS-WSMV, section 3.1.4.1.30: the value of Authorization where the client authenticates by its certificate.
MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"


@dataclass
class Answer:
    """The user of a request; without one, the challenges of the 401. `token`: what the handshake's last answer carries."""

    user: WindowsUser | None = None
    challenges: list[str] = field(default_factory=list)
    token: str = ""


@dataclass
class Channel:
    """The TLS of a connection: its state, and the binding that clients name. Without TLS both are empty."""

    connection: ssl.SSLObject | None = None
    binding: bytes = b""


class Authenticator:
    """Decides who a request of one connection comes from."""

    def __init__(self, host: WindowsHost, channel: Channel) -> None:
        self._host, self._channel = host, channel
        self.negotiation: Negotiation | None = None

    def check(self, headers: Mapping[str, str], now: float) -> Answer:
        """`headers`: names in lower case."""
        written = headers.get("authorization", "")
        scheme, _, value = written.partition(" ")
        if scheme.lower() == "basic" and self._basic_allowed:
            return Answer(self._basic(value), self.challenges())
        if scheme.lower() in ("negotiate", "ntlm") and self._host.winrm.negotiate:
            return self._negotiate(scheme, value)
        if written == MUTUAL and self._host.winrm.certificate:
            return Answer(certificates.user_of(self._channel.connection, self._host, now), self.challenges())
        if not written and self.negotiation and self.negotiation.complete:
            return Answer(self._host.user(self.negotiation.principal), self.challenges())
        return Answer(None, self.challenges())

    def refuse(self) -> None:
        """End what the connection has negotiated: its next request has to authenticate again."""
        self.negotiation = None

    def challenges(self) -> list[str]:
        offered = ["Negotiate"] if self._host.winrm.negotiate else []
        return offered + (['Basic realm="WSMAN"'] if self._basic_allowed else [])

    @property
    def encrypts(self) -> bool:
        """Whether bodies need not be encrypted: the channel is, or AllowUnencrypted is set (winrm/config/service)."""
        return self._channel.connection is not None or self._host.winrm.allow_unencrypted

    @property
    def _basic_allowed(self) -> bool:
        return self._host.winrm.basic and self.encrypts

    def _negotiate(self, scheme: str, value: str) -> Answer:
        """A step of the handshake; its last answer carries the user, those before a challenge with a token."""
        if self.negotiation is None or self.negotiation.complete:
            binding, level = self._channel.binding, self._host.winrm.cbt_hardening_level
            bindings = GssChannelBindings(application_data=binding) if binding and level != "None" else None
            self.negotiation = Negotiation(self._host, bindings, strict=level == "Strict")
        try:
            token = self.negotiation.step(base64.b64decode(value, validate=True))
        except binascii.Error:
            token = None
        written = f"{scheme} {base64.b64encode(token).decode('ascii')}" if token else ""
        if self.negotiation.complete:
            return Answer(self._host.user(self.negotiation.principal), self.challenges(), written)
        if written:
            return Answer(None, [written])
        self.negotiation = None
        return Answer(None, self.challenges())

    def _basic(self, value: str) -> WindowsUser | None:
        """UTF-8 as pypsrp sends it, else ISO 8859-1 as requests does (RFC 7617 leaves it open; what WinRM takes is not published)."""
        try:
            written = base64.b64decode(value, validate=True)
        except binascii.Error:
            return None
        try:
            text = written.decode()
        except UnicodeDecodeError:
            text = written.decode("latin-1")
        name, _, password = text.partition(":")
        user = self._host.user(name)
        return user if user and user.password == password else None
