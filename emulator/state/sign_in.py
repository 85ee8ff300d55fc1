"""Users who sign in themselves, and what they were given: device codes and refresh tokens.

Of a device code and of a refresh token only a digest is kept, so that no state file, admin answer or log holds one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field


def digest(secret: str) -> str:
    """What is kept of a secret that nobody needs to read back."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass
class User:
    """The account behind a mailbox. `licensed` None: as its kind of mailbox is by default."""

    enabled: bool = True
    licensed: bool | None = None
    mfa: bool = False  # whether a sign-in needs a second factor
    directory_roles: list[str] = field(default_factory=list)  # role template ids
    tokens_valid_from: float = 0.0  # refresh tokens issued before are revoked (revokeSignInSessions)


@dataclass
class RefreshToken:
    digest: str
    app_id: str
    user_id: str
    scope: str  # as it was asked for
    issued: float
    mfa: bool = False  # whether the sign-in had a second factor


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
