# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths of the agent's files on a relay host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Paths:
    """`configuration` and `state` persist over a reboot, `run` and `check` do not."""

    configuration: Path = Path("/etc/mailops-relay")
    state: Path = Path("/var/lib/mailops-relay")
    run: Path = Path("/run/mailops-relay")
    check: Path = Path("/run/mailops-relay-upstream-check")

    @property
    def config_file(self) -> Path:
        """The agent's configuration (JSON), written by the role."""
        return self.configuration / "relay.json"

    @property
    def identity(self) -> Path:
        """The directory of the relay's private key and certificate."""
        return self.configuration / "identity"

    @property
    def proxy_secret(self) -> Path:
        """The password that Postfix authenticates with at the submission proxy, valid on this host only."""
        return self.configuration / "proxy.secret"

    @property
    def passdb(self) -> Path:
        """Dovecot's passwd-file with the access token."""
        return self.run / "passdb"

    @property
    def token(self) -> Path:
        """The access token with its times, readable by its owner only."""
        return self.run / "token.json"

    @property
    def token_status(self) -> Path:
        """The times of the access token and the last failure, without the token."""
        return self.run / "token-status.json"

    @property
    def upstream_check(self) -> Path:
        """The result of the last check of the upstream server."""
        return self.check / "result.json"

    @property
    def monitor_state(self) -> Path:
        """The delivery monitor's state with the journal's cursor."""
        return self.state / "state.json"

    @property
    def suspended_senders(self) -> Path:
        """Postfix's table (texthash) of the senders whose mail is deferred."""
        return self.state / "suspended-senders"

    @property
    def queue_actions(self) -> Path:
        """The spool directory of queue actions, one JSON file an action."""
        return self.state / "queue-actions"

    @property
    def release_request(self) -> Path:
        """The request of `mailops-relay release` to the delivery monitor."""
        return self.state / "release-request"
