# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosted relays accept a password without TLS: only the client enforces it."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import SmtpError
from ansible_collections.mailops.m365.plugins.module_utils._hosted.credential_store import Secret
from ansible_collections.mailops.m365.plugins.module_utils._hosted.smtp_check import authenticate

from ....mailserver import MailServer

SECRET = Secret("mailops-erp-20261128", "1", "mailops-erp-20261128", "k3yThatNobodyMaySee0123456789abc")


def test_password_is_never_sent_without_tls(mail_server: MailServer) -> None:
    """A server, or somebody between, that offers AUTH and no STARTTLS."""
    mail_server.offers.remove("STARTTLS")
    mail_server.offers.append("AUTH PLAIN LOGIN")
    with pytest.raises(SmtpError, match="does not offer STARTTLS"):
        authenticate(mail_server.route(), SECRET)
    [session] = mail_server.sessions
    assert (session.sign_ins, [command for command in session.commands if command.startswith("AUTH")]) == ([], [])
