# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known errors of the APIs of hosted relays. The code is the HTTP status."""

from __future__ import annotations

from .entry import ErrorEntry

_SENDGRID = "SendGrid API v3, OpenAPI document"
_SMTP2GO = "SMTP2GO API 3.0.4, OpenAPI document"

# fmt: off
ENTRIES: tuple[ErrorEntry, ...] = (
    ErrorEntry(
        "hosted-key", "hosted", "401", "the provider does not accept the API key in this region",
        "Set m365_hosted_relay_api_key to a key that has not been revoked, and m365_hosted_relay_region to the region of its account.",
        source=_SENDGRID,
        variables=("m365_hosted_relay_api_key", "m365_hosted_relay_region"),
        sample="HTTP 401 from api.sendgrid.com: authorization required"),
    ErrorEntry(
        "hosted-forbidden", "hosted", "403|ENDPOINT_PERMISSION_DENIED",
        "the API key lacks the permission, or the account's IP allow list does not hold this address",
        "Give the key the permissions that the documentation of module hosted_domain lists, and check the allow list of the account.",
        source=f"{_SENDGRID}; {_SMTP2GO}",
        variables=("m365_hosted_relay_api_key",),
        sample="HTTP 403 from api.sendgrid.com: access forbidden"),
    ErrorEntry(
        "hosted-domain-exists", "hosted", "400", "the account has an authentication of this domain with the same return path",
        "Run the task again, which uses it, or set another return_path.", text="already exists for this URL",
        source=_SENDGRID,
        sample="HTTP 400 from api.sendgrid.com: An authenticated domain already exists for this URL. Please use a unique subdomain."),
    ErrorEntry(
        "hosted-domain-taken", "hosted", "400", "another region or another account of Mailgun has this domain",
        "Set m365_hosted_relay_region to the region that the domain exists in, or remove it in the other account.", text="already taken",
        source="published answers of Mailgun's API",
        variables=("m365_hosted_relay_region",),
        sample="HTTP 400 from api.mailgun.net: This domain name is already taken"),
    ErrorEntry(
        "hosted-busy", "hosted", "429", "the provider throttles this account", "Try again later.", transient=True, source=_SENDGRID,
        sample="HTTP 429 from api.sendgrid.com: too many requests"),
    ErrorEntry(
        "hosted-failed", "hosted", "5\\d\\d", "the provider failed, or could not read the DNS records", "Try again later.",
        transient=True, source=_SENDGRID,
        sample="HTTP 500 from api.sendgrid.com: internal error getting TXT"),
)
# fmt: on
