"""Settings of the SMTP services: Microsoft's published limits, and switches for tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from emulator.settings import Settings
from emulator.smtp.texts import SIZE_LIMIT
from emulator.smtp.verdict import StateTokens, TokenVerifier
from emulator.state import State
from emulator.state.keys import At, key
from emulator.statefile.codec import Record, known
from emulator.statefile.reader import Location, Node

TLS_VERSIONS = ("1.0", "1.1", "1.2", "1.3")


@dataclass(frozen=True)
class SmtpSettings:
    """Settings of the SMTP services (`settings.options.smtp`). The limits are those of "Exchange Online limits"."""

    verifier: TokenVerifier
    challenge_334: bool = field(default=False, metadata=key("whether a refused token is first explained in a 334 challenge, as Gmail does"))
    pace: bool = field(default=True, metadata=key("whether messages beyond messages_per_minute are delayed"))
    pace_scale: float = field(default=1.0, metadata=key("factor of the delays"))
    messages_per_minute: int = field(default=30, metadata=key("messages a minute of a mailbox", least=1))
    connections: int = field(default=3, metadata=key("concurrent connections of a mailbox"))
    recipients_per_day: int = field(default=10_000, metadata=key("recipients a rolling day of a mailbox"))
    external_from_initial_domain: int = field(
        default=100, metadata=key("external recipients a day of a tenant's mail from its initial domain")
    )
    recipients_per_message: int = field(
        default=500, metadata=key("recipients a message of a mailbox without RecipientLimits", least=1, most=1000)
    )
    recipients_per_domain: int = field(default=200, metadata=key("recipients of a domain in one transaction with the MX"))
    size_limit: int = field(default=SIZE_LIMIT, metadata=key("bytes of a message"))
    minimum_tls: str = field(
        default="1.2", metadata=key("minimum TLS version, else 421 4.7.66; 1.0: as the endpoint for legacy clients", choices=TLS_VERSIONS)
    )
    basic_retired: bool = field(default=False, metadata=key("whether AUTH LOGIN is answered with 550 5.7.30"))
    lockout_after: int = field(
        default=10, metadata=key("equal errors in a row that lock a mailbox out; 0: never (Microsoft publishes no number)")
    )
    lockout_seconds: float = field(default=3600.0, metadata=key("seconds of a lockout (Microsoft publishes no number)"))


def smtp_settings(state: State, settings: Settings | SmtpSettings) -> SmtpSettings:
    """The settings themselves, or those of the options in the emulator's settings."""
    if isinstance(settings, SmtpSettings):
        return settings
    location = Location("settings.options.smtp")
    node = Node(settings.options.get("smtp", {}), location)
    result: SmtpSettings = Record(SmtpSettings).take(node, At(Path()), verifier=StateTokens(state))
    node.done(lambda: known(SmtpSettings))
    return result
