"""How the SMTP services behave: Microsoft's published limits, and switches for tests."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from emulator.settings import Settings
from emulator.smtp.texts import SIZE_LIMIT
from emulator.smtp.verdict import StateTokens, TokenVerifier
from emulator.state import State
from emulator.statefile import StateError

TLS_VERSIONS = ("1.0", "1.1", "1.2", "1.3")


@dataclass(frozen=True)
class SmtpSettings:
    """The limits are those of "Exchange Online limits", where nothing else is said.

    In a state file all but `verifier` stand below settings.options.smtp.
    """

    verifier: TokenVerifier
    challenge_334: bool = False  # a refused token is first explained in a 334 challenge, as Gmail does
    pace: bool = True  # delay what goes beyond messages_per_minute
    pace_scale: float = 1.0  # the delays are multiplied by this
    messages_per_minute: int = 30
    connections: int = 3  # of one mailbox at the same time
    recipients_per_day: int = 10_000  # of one mailbox
    external_from_initial_domain: int = 100  # recipients outside a day, of a tenant's mail from *.onmicrosoft.com
    recipients_per_message: int = 500  # of a mailbox whose RecipientLimits nobody set: 1 to 1000
    recipients_per_domain: int = 200  # in one transaction with the MX endpoint
    size_limit: int = SIZE_LIMIT
    minimum_tls: str = "1.2"  # below: 421 4.7.66; "1.0" plays the endpoint for legacy clients
    basic_retired: bool = False  # AUTH LOGIN is answered with 550 5.7.30
    lockout_after: int = 10  # equal errors in a row that shut a mailbox out; 0: never (Microsoft publishes no number)
    lockout_seconds: float = 3600.0  # for how long (nor this one)

    def __post_init__(self) -> None:
        if self.minimum_tls not in TLS_VERSIONS:
            raise StateError(f"settings.options.smtp.minimum_tls: must be one of {', '.join(TLS_VERSIONS)}")
        if not 1 <= self.recipients_per_message <= 1000:
            raise StateError("settings.options.smtp.recipients_per_message: must be 1 to 1000")
        if self.messages_per_minute < 1:
            raise StateError("settings.options.smtp.messages_per_minute: must be at least 1")


def smtp_settings(state: State, settings: Settings | SmtpSettings) -> SmtpSettings:
    """The settings themselves, or those that the options of the emulator's settings say."""
    if isinstance(settings, SmtpSettings):
        return settings
    options = settings.options.get("smtp", {})
    if not isinstance(options, dict):
        raise StateError("settings.options.smtp: must be a mapping")
    return SmtpSettings(verifier=StateTokens(state), **{str(name): _option(str(name), value) for name, value in options.items()})


def _option(name: str, value: object) -> Any:
    known = {field.name: field.default for field in fields(SmtpSettings) if field.name != "verifier"}
    if name not in known:
        raise StateError(f"settings.options.smtp.{name}: is not known; known: {', '.join(known)}")
    wanted = type(known[name])
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not wanted:
        raise StateError(f"settings.options.smtp.{name}: must be like {known[name]!r}, not {value!r}")
    return value
