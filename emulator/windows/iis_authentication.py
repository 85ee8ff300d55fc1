"""How clients of IIS SMTP authenticate: AUTH LOGIN and AUTH NTLM with accounts of the host (AuthFlags; MS-SMTPNTLM for NTLM)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable

from emulator.state import WindowsHost
from emulator.windows.ntlm import Negotiation

BASIC, NTLM = 2, 4  # AuthFlags
SUCCEEDED, FAILED = "235 2.7.0 Authentication successful", "535 5.7.3 Authentication unsuccessful"
MALFORMED = "501 5.5.4 Invalid arguments"


def mechanisms(flags: int) -> list[str]:
    return (["NTLM"] if flags & NTLM else []) + (["LOGIN"] if flags & BASIC else [])


def extensions(flags: int) -> list[str]:
    """The lines of EHLO's answer."""
    found = mechanisms(flags)
    login = ["AUTH=LOGIN"] if flags & BASIC else []
    return [*login, f"AUTH {' '.join(found)}"] if found else []


class Dialogue:
    """An AUTH command. `ask` sends a challenge (334) and returns the client's answer, both in base64."""

    def __init__(self, host: WindowsHost, flags: int, ask: Callable[[str], Awaitable[str]]) -> None:
        self._host, self._flags, self._ask = host, flags, ask

    async def run(self, rest: str) -> str:
        """The final reply; SUCCEEDED where the client is an account of the host."""
        method, _, first = rest.partition(" ")
        if method.upper() not in mechanisms(self._flags):
            return "504 5.7.4 Unrecognized authentication type"
        try:
            return await (self._login(first) if method.upper() == "LOGIN" else self._ntlm(first))
        except (binascii.Error, UnicodeDecodeError):
            return MALFORMED

    async def _login(self, first: str) -> str:
        answers = [first] if first else []
        for challenge in ("VXNlcm5hbWU6", "UGFzc3dvcmQ6")[len(answers) :]:
            answers.append(await self._ask(challenge))
        name, password = (base64.b64decode(one, validate=True).decode() for one in answers)
        user = self._host.user(name)
        return SUCCEEDED if user is not None and user.password == password else FAILED

    async def _ntlm(self, first: str) -> str:
        """Messages of NTLM without SPNEGO, one a line."""
        token = base64.b64decode(first or await self._ask("NTLM supported"), validate=True)
        negotiation = Negotiation(self._host, None, strict=False)
        while not negotiation.complete:
            answer = negotiation.step(token)
            if negotiation.complete or answer is None:
                break
            reply = await self._ask(base64.b64encode(answer).decode())
            if reply == "*":
                return MALFORMED
            token = base64.b64decode(reply, validate=True)
        return SUCCEEDED if negotiation.complete else FAILED
