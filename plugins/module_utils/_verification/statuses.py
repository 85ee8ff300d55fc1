# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The statuses of a sender's verification. It imports nothing: module relay_probe on a relay host uses it, too."""

from __future__ import annotations

VERIFIED = "verified"  # the test message was accepted in the way that the method names
FAILED = "failed"  # it was refused; the only status that fails a task
NOT_VERIFIABLE = "not_verifiable"  # this host cannot see it; another host may
NOT_VERIFIED = "not_verified"  # no test message was to be sent: a check run, or no recipient

# What accepted a test message.
CONNECTOR, DIRECT_SEND, SUBMISSION, RELAY_HOST = "connector", "direct_send", "submission", "relay_host"
HOSTED_RELAY = "hosted_relay"

# The reason of every sender in a check run, with the stage `check_mode`.
CHECK_MODE = "check_mode"
CHECK_MODE_REASON = "check mode sends no test message"
# The reason of a sender without verify_recipient.
NO_RECIPIENT_REASON = "there is no recipient of a test message"
NO_RECIPIENT_REMEDY = "Set verify_recipient of this sender, or m365_verify_recipient for all senders of the tenant."
