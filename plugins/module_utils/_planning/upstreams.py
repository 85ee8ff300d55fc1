# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a relay host delivers its mail, and the hosted relay services. Sources: each provider's SMTP documentation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HostedRelay:
    """An SMTP relay service outside of the tenant."""

    label: str
    host: str
    port: int
    user: str
    spf_include: str


@dataclass(frozen=True)
class Upstream:
    """An upstream of a relay host.

    `through_exchange`: mail passes Exchange Online, whose limits count its recipients. `signs_in`: the relay host signs in to client
    submission as the sender's mailbox.
    """

    through_exchange: bool = False
    signs_in: bool = False
    hosted_relay: HostedRelay | None = None


HOSTED_RELAYS = {
    "smtp2go": HostedRelay("SMTP2GO", "mail.smtp2go.com", 587, "the SMTP user created in its panel", "spf.smtp2go.com"),
    "sendgrid": HostedRelay("SendGrid", "smtp.sendgrid.net", 587, "apikey, and an API key as the password", "sendgrid.net"),
    "mailgun": HostedRelay("Mailgun", "smtp.mailgun.org", 587, "an SMTP credential of the domain", "mailgun.org"),
}
UPSTREAMS = {
    "connector": Upstream(through_exchange=True),
    "oauth": Upstream(through_exchange=True, signs_in=True),
    **{name: Upstream(hosted_relay=service) for name, service in HOSTED_RELAYS.items()},
    "acs": Upstream(),
    "smarthost": Upstream(),
}
