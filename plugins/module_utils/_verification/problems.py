# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the options of one sender. It fails that sender, and the others are verified."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from .._core import mail_addresses
from .._core.option_values import range_problems
from .methods import METHODS
from .options import ProbeParams, ProbeSender


def problems(sender: ProbeSender, params: ProbeParams) -> list[str]:
    """Every problem, one sentence each. A sender without recipient sends nothing, so that only its addresses are checked."""
    sentences = [*_address_problems(sender), *range_problems("port", sender.port, 1, 65_535)]
    if sender.verify_recipient is None:
        return sentences
    method = METHODS[sender.method]
    sentences += method.problems(sender, params)
    if method.needs_token(sender, params):
        subject = f"method {sender.method} needs"
        if not params.app_unique_name and not params.app_id:
            sentences.append(f"{subject} app_unique_name or app_id, the application that it signs in as.")
        if not params.app_client_secret and not params.app_certificate_path:
            sentences.append(f"{subject} verify_app_certificate_path or verify_app_client_secret, that application's credential.")
    return sentences


def _address_problems(sender: ProbeSender) -> Iterator[str]:
    for option in ("address", "verify_recipient", "mailbox", "user"):
        address = getattr(sender, option)
        yield from mail_addresses.problems(f"the sender's {option}", [] if address is None else [address])
    for network in sender.public_addresses or ():
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError:
            yield f"public_addresses holds {network!r}, which is neither an IP address nor a network such as 203.0.113.0/28."
