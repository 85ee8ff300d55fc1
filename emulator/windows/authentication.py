"""HTTP authentication of WinRM, one connection at a time."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field

from emulator.state import WindowsHost, WindowsUser


@dataclass
class Answer:
    """The user of a request; without one, the challenges of the 401."""

    user: WindowsUser | None = None
    challenges: list[str] = field(default_factory=list)


class Authenticator:
    """Decides who a request of one connection comes from."""

    def __init__(self, host: WindowsHost, *, encrypted: bool) -> None:
        self._host, self._encrypted = host, encrypted

    def check(self, headers: Mapping[str, str]) -> Answer:
        """`headers`: names in lower case."""
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic" and self._basic_allowed:
            return Answer(self._basic(value), self.challenges())
        return Answer(None, self.challenges())

    def challenges(self) -> list[str]:
        return ['Basic realm="WSMAN"'] if self._basic_allowed else []

    @property
    def _basic_allowed(self) -> bool:
        """Basic authentication is offered where the connection is encrypted, or AllowUnencrypted is set (winrm/config/service)."""
        return self._host.winrm.basic and (self._encrypted or self._host.winrm.allow_unencrypted)

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
