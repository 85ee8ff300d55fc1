"""DKIM signing of a domain by Exchange Online."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.state.keys import At, Lower, UnfitError, key

KEY_SIZES = (1024, 2048)


def _accepted(name: str, at: At) -> str:
    if name not in at.tenant.accepted_domains:
        raise UnfitError(f"{name!r} is no accepted domain of {at.tenant.initial_domain}")
    return name


def _size(size: int, _: At) -> int:
    if size not in KEY_SIZES:
        raise UnfitError(f"must be one of {', '.join(map(str, KEY_SIZES))}, not {size}")
    return size


@dataclass
class DkimSigning:
    """A DKIM signing configuration (New-DkimSigningConfig)."""

    domain: Lower = field(metadata=key("an accepted domain", convert=_accepted))
    enabled: bool = field(default=True, metadata=key("whether messages are signed"))
    key_size: int = field(default=2048, metadata=key("bits of both keys: 1024 or 2048", convert=_size))
    partition: str = field(default="y", metadata=key("the label in the targets of its CNAME records, which nobody can derive"))

    def target(self, selector: str, initial_domain: str) -> str:
        """Where the CNAME record of a selector has to point."""
        organization = initial_domain.partition(".")[0]
        return f"{selector}-{self.domain.replace('.', '-')}._domainkey.{organization}.{self.partition}-v1.dkim.mail.microsoft"
