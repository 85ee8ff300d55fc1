# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of hosted relays: hosts by region, ports, TLS, user name, limits, SPF.

Sources: the SMTP pages of SMTP2GO ("SMTP ports", "Regional endpoints"), SendGrid ("Integrating with the SMTP API", "Rate limits") and
Mailgun ("Sending via SMTP", and its maximum message size, which is less than its EHLO announces); the EHLO answers of SMTP2GO and
SendGrid (SIZE); the providers' OpenAPI documents (API hosts, size of a list).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .._spf import included_domains


@dataclass(frozen=True)
class Region:
    """The endpoints of a provider in one region.

    `spf_include`: what the SPF record of a domain includes that is registered with the provider; empty where the envelope sender is
    always a name that is a CNAME to the provider, so that no SPF record of the customer counts.
    """

    smtp_host: str
    api: str
    spf_include: str = ""


@dataclass(frozen=True)
class HostedRelay:
    """An SMTP relay service outside of the tenant.

    The first region is the default. `user` describes the user name; `username` is the one of every account, where there is one.
    `recipients`: the maximum in one SMTP transaction; `message_size`: the maximum of a message, in bytes. `regional_domains`: an account
    has its keys in all regions, and a domain in one. `domain_credentials`: a credential and the lists of suppressed addresses are of a
    domain. `domain_label`: the label of a subdomain of the sender's domain that is registered, where the envelope sender is in the domain
    itself. `records`: type, name and value of the DNS records of a registered domain, {domain}, with what only the account knows in angle
    brackets. `obsolete_spf_includes`: what SPF records included in the past. `smtputf8`: whether the server offers SMTPUTF8 (RFC 6531).
    """

    label: str
    regions: Mapping[str, Region]
    starttls_ports: tuple[int, ...]
    tls_ports: tuple[int, ...]
    user: str
    recipients: int
    message_size: int
    records: tuple[tuple[str, str, str], ...]
    username: str = ""
    port: int = 587
    obsolete_spf_includes: tuple[str, ...] = ()
    regional_domains: bool = False
    domain_credentials: bool = False
    smtputf8: bool = False
    domain_label: str = ""

    def region(self, name: str | None = None) -> Region:
        """The region with this name, or the default."""
        return self.regions[name or next(iter(self.regions))]

    def smtp_endpoint(self, region: str | None, host: str | None = None, port: int | None = None) -> tuple[str, int]:
        """Host and STARTTLS port in a region, or in the default one; `host` and `port` take precedence."""
        return host or self.region(region).smtp_host, port or self.port

    def size_problems(self, option: str, size: int) -> list[str]:
        """The sentence about a maximum size of a message, in bytes, that is above the provider's."""
        return too_large(option, size, self.label, self.message_size)

    @property
    def spf_includes(self) -> Iterator[str]:
        """Every name that an SPF record may include for this provider, current and obsolete."""
        yield from (region.spf_include for region in self.regions.values() if region.spf_include)
        yield from self.obsolete_spf_includes


HOSTED_RELAYS = {
    "smtp2go": HostedRelay(
        "SMTP2GO",
        {
            "global": Region("mail.smtp2go.com", "https://api.smtp2go.com/v3"),
            "us": Region("mail-us.smtp2go.com", "https://us-api.smtp2go.com/v3"),
            "eu": Region("mail-eu.smtp2go.com", "https://eu-api.smtp2go.com/v3"),
            "au": Region("mail-au.smtp2go.com", "https://au-api.smtp2go.com/v3"),
        },
        starttls_ports=(25, 80, 587, 2525, 8025),
        tls_ports=(443, 465, 8465),
        user="the SMTP user created in its panel",
        recipients=100,
        message_size=50 * 1024 * 1024,
        records=(
            ("CNAME", "em<number>.{domain}", "return.smtp2go.net"),
            ("CNAME", "s<number>._domainkey.{domain}", "dkim.smtp2go.net"),
        ),
        obsolete_spf_includes=("spf.smtp2go.com",),
    ),
    "sendgrid": HostedRelay(
        "SendGrid",
        {
            "global": Region("smtp.sendgrid.net", "https://api.sendgrid.com"),
            "eu": Region("smtp.eu.sendgrid.net", "https://api.eu.sendgrid.com"),
        },
        starttls_ports=(25, 587, 2525),
        tls_ports=(465,),
        user="apikey, and an API key as the password",
        username="apikey",
        recipients=1000,
        message_size=30 * 1024 * 1024,
        records=(
            ("CNAME", "em<number>.{domain}", "u<account>.wl<number>.sendgrid.net"),
            ("CNAME", "s1._domainkey.{domain}", "s1.domainkey.u<account>.wl<number>.sendgrid.net"),
            ("CNAME", "s2._domainkey.{domain}", "s2.domainkey.u<account>.wl<number>.sendgrid.net"),
        ),
        obsolete_spf_includes=("sendgrid.net",),
    ),
    "mailgun": HostedRelay(
        "Mailgun",
        {
            "us": Region("smtp.mailgun.org", "https://api.mailgun.net", "mailgun.org"),
            "eu": Region("smtp.eu.mailgun.org", "https://api.eu.mailgun.net", "eu.mailgun.org"),
        },
        starttls_ports=(25, 587, 2525),
        tls_ports=(465,),
        user="an SMTP credential of the domain",
        recipients=1000,
        message_size=25 * 1024 * 1024,
        records=(
            ("TXT", "{domain}", "v=spf1 include:mailgun.org ~all"),
            ("CNAME", "pdk1._domainkey.{domain}", "pdk1._domainkey.<id>.dkim1.mailgun.com"),
            ("CNAME", "pdk2._domainkey.{domain}", "pdk2._domainkey.<id>.dkim1.mailgun.com"),
        ),
        regional_domains=True,
        domain_credentials=True,
        smtputf8=True,
        domain_label="mg",
    ),
}
# Every region of a provider, once.
REGIONS = tuple(dict.fromkeys(name for relay in HOSTED_RELAYS.values() for name in relay.regions))


def too_large(option: str, size: int, label: str, largest: int) -> list[str]:
    """A message that a relay host accepts and its upstream server refuses would be returned, to devices that read no mail."""
    return [] if size <= largest else [f"{option} is {size}: {label} accepts at most {largest} bytes. Set it to {largest} or less."]


def relay_with(smtp_host: str) -> HostedRelay | None:
    """The hosted relay that has this SMTP host."""
    name = smtp_host.lower().rstrip(".")
    return next((relay for relay in HOSTED_RELAYS.values() if name in {one.smtp_host for one in relay.regions.values()}), None)


def obsolete_include_notes(domain: str, records: Iterable[str]) -> Iterator[str]:
    """One sentence for each include of the SPF records that its provider has made obsolete."""
    included = {name for text in records for name in included_domains(text)}
    for relay in HOSTED_RELAYS.values():
        for name in relay.obsolete_spf_includes:
            if name in included:
                yield (
                    f"{domain}: {relay.label} does not need include:{name} any more, because its envelope sender is a subdomain with a "
                    f"CNAME record. Remove it once {relay.label} shows the domain as verified."
                )


def region_problems(option: str, relay_name: str | None, region: str | None) -> list[str]:
    """One sentence where a region is set that the provider does not have, or where there is no provider."""
    if not region:
        return []
    relay = HOSTED_RELAYS.get(relay_name or "")
    if not relay:
        return [f"{option} is {region!r}, and no hosted relay is set: set one of {', '.join(HOSTED_RELAYS)}, or leave out the region."]
    if region in relay.regions:
        return []
    return [f"{option} is {region!r}, which {relay.label} does not have: use {', '.join(relay.regions)}."]
