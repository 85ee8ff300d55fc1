# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a relay host delivers its mail."""

from __future__ import annotations

from dataclasses import dataclass

from .._hosted.providers import HOSTED_RELAYS, HostedRelay


@dataclass(frozen=True)
class Upstream:
    """An upstream of a relay host.

    `through_exchange`: mail passes Exchange Online, whose limits count its recipients. `signs_in`: the relay host signs in to client
    submission as the sender's mailbox.
    """

    through_exchange: bool = False
    signs_in: bool = False
    hosted_relay: HostedRelay | None = None


UPSTREAMS = {
    "connector": Upstream(through_exchange=True),
    "oauth": Upstream(through_exchange=True, signs_in=True),
    **{name: Upstream(hosted_relay=service) for name, service in HOSTED_RELAYS.items()},
    "acs": Upstream(),
    "smarthost": Upstream(),
}
