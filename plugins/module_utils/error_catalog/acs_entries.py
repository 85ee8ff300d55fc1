# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known replies of Azure Communication Services Email (smtp.azurecomm.net)."""

from __future__ import annotations

from .entry import ErrorEntry

_SMTP = "Create credentials for SMTP authentication (Azure Communication Services)"
_LIMITS = "Service limits for Azure Communication Services"
_SENDERS = "How to add and remove multiple sender addresses in Azure Communication Services"

# fmt: off
ENTRIES: tuple[ErrorEntry, ...] = (
    ErrorEntry(
        "acs-refused", "acs", "5.7.3",
        "authentication failed: the SMTP username, the client secret or the sender app's role on the resource is wrong",
        "Check all three (role acs_smtp_username). The password is a client secret of the sender app; a role assignment takes effect after minutes.",
        transient=True, queue_policy="defer", source=_SMTP,
        variables=("acs_smtp_username_usernames", "acs_smtp_username_app", "acs_smtp_username_assign_role"),
        sample="535 5.7.3 Authentication unsuccessful"),
    ErrorEntry(
        "acs-sender", "acs", "", "the address is not a sender username of its domain",
        "Add it to the domain's MailFrom addresses (Email Communication Service, senderUsernames).", text=r"[Ii]nvalid email sender username",
        queue_policy="hold", source=_SENDERS,
        sample="550 5.7.60 Invalid email sender username: '<sender>'. Please use a username from the list of valid usernames configured by your admin."),
    ErrorEntry(
        "acs-domain", "acs", "", "the sender's domain is not linked to the Communication Services resource, or not verified",
        "Publish the domain's DNS records, verify the domain, and link it to the resource.", text=r"domain has not been linked", queue_policy="hold",
        source="How to connect a verified email domain",
        sample="550 5.7.60 The specified sender domain has not been linked."),
    ErrorEntry(
        "acs-rate", "acs", "4.5.127", "the sender's domain has reached its limit of messages per minute or hour",
        "Send more slowly, or request a higher limit from Microsoft support.", transient=True, queue_policy="defer", source=_LIMITS,
        sample="450 4.5.127 Message rejected. Excessive message rate from sender."),
    ErrorEntry(
        "acs-too-large", "acs", "5.3.4", "the message is larger than Azure Communication Services allows", "Send less than 10 MB.",
        queue_policy="bounce", source=_LIMITS,
        sample="552 5.3.4 Message size exceeds fixed maximum message size"),
    ErrorEntry(
        "acs-too-many-recipients", "acs", "4.5.3", "the message has more than 50 recipients", "Split the message.", queue_policy="defer",
        source=_LIMITS,
        sample="452 4.5.3 Too many recipients"),
)
# fmt: on
