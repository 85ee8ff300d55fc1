"""Users who sign in, their refresh tokens and device codes.

Of a device code and of a refresh token only a digest is kept, so that no state file, admin answer or log holds one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from emulator.state.directory import directory_role
from emulator.state.keys import At, Moment, key


def digest(secret: str) -> str:
    """SHA-256 of a secret, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _roles(names: list[str], _: At) -> list[str]:
    return [directory_role(name) for name in names]


@dataclass
class User:
    """The user account behind a mailbox."""

    enabled: bool = field(default=True, metadata=key("whether sign-in is enabled"))
    licensed: bool | None = field(default=None, metadata=key("whether it has a licence; null: as its kind of mailbox by default"))
    mfa: bool = field(default=False, metadata=key("whether a sign-in needs a second factor"))
    directory_roles: list[str] = field(
        default_factory=list, metadata=key("directory roles by name or template id", convert=_roles)
    )  # template ids
    tokens_valid_from: Moment = field(default=0.0, metadata=key("refresh tokens issued before are revoked (revokeSignInSessions)"))


@dataclass
class RefreshToken:
    """A refresh token."""

    digest: str = field(metadata=key("SHA-256 of the token, in hexadecimal"))
    app_id: str = field(metadata=key("client id of the application"))
    user_id: str = field(metadata=key("object id of the user"))
    scope: str = field(metadata=key("the scopes that were requested"))
    issued: Moment = field(metadata=key("when it was issued", derive=lambda at: 0.0, default="0"))
    mfa: bool = field(default=False, metadata=key("whether the sign-in had a second factor"))


@dataclass
class DeviceCode:
    """A device authorization under way (RFC 8628); `failure` is the AADSTS number of a sign-in that cannot succeed."""

    digest: str
    user_code: str
    app_id: str
    scope: str
    expires: float
    interval: int
    polled: float = 0.0
    declined: bool = False
    failure: int = 0
    user_id: str = ""  # who signed in
    mfa: bool = False
