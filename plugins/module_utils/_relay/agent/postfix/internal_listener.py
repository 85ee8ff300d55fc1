# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listener for the relay's own messages: test messages of `mailops-relay`, and messages with a rewritten sender.

It is a Unix socket in Postfix's directory `public`, which only root, the group postdrop and the user that rewrites senders may enter: any
local user can connect to a port on loopback, and would send as any mailbox. Source: master(5); smtpd(8) treats its clients as localhost.
"""

from __future__ import annotations

import smtplib
import socket

SERVICE = "m365-internal"
SOCKET = f"/var/spool/postfix/public/{SERVICE}"


class InternalSMTP(smtplib.SMTP):
    """An SMTP session with that listener. Its constructor raises OSError or smtplib.SMTPException."""

    def __init__(self, timeout: float) -> None:
        # With a name of its own: smtplib would ask DNS for the host's.
        super().__init__(SOCKET, local_hostname="localhost", timeout=timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """smtplib's own connects to a port."""
        result = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        result.settimeout(timeout)
        try:
            result.connect(host)
        except OSError:
            result.close()
            raise
        return result
