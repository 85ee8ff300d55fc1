# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are on a relay: its settings, and what it signs in with.

Private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

REINJECT_PORT = 2526  # on loopback: where a message with a rewritten sender enters Postfix again


@dataclass(frozen=True)
class Places:
    """`configuration` outlives a restart of the host, `run` does not."""

    configuration: Path = Path("/etc/mailops-relay")
    run: Path = Path("/run/mailops-relay")

    @property
    def settings(self) -> Path:
        return self.configuration / "relay.json"

    @property
    def secret(self) -> Path:
        """What Postfix signs in with at the bridge, on this host alone."""
        return self.configuration / "proxy.secret"

    @property
    def passdb(self) -> Path:
        return self.run / "passdb"

    @property
    def token(self) -> Path:
        """The token itself with its times, for nobody but the writer."""
        return self.run / "token.json"

    @property
    def state(self) -> Path:
        """Its times and the last failure, for whoever watches: expires, got, failure, failing_since (Unix times)."""
        return self.run / "token-status.json"
