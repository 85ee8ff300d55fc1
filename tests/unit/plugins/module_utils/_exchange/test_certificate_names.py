# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._exchange.certificate_names import in_accepted_domain, issuer_and_subject

DOMAINS = {"contoso.com", "eu.fabrikam.com"}


@pytest.mark.parametrize(("name", "accepted"), [
    ("contoso.com", True),
    ("Relay.Contoso.COM", True),
    ("*.contoso.com", True),
    ("relay.sub.contoso.com", False),
    ("*.sub.contoso.com", False),
    ("relay.eu.fabrikam.com", True),
    ("fabrikam.com", False),
    ("relay.notcontoso.com", False),
    ("<I>CN=CA, O=X<S>CN=relay.contoso.com", True),
    ("<I>CN=contoso.com<S>CN=relay.adatum.com", False),
])  # fmt: skip
def test_a_name_needs_its_own_or_its_immediate_parent_domain(name: str, accepted: bool) -> None:
    assert in_accepted_domain(name, DOMAINS) is accepted


def test_a_name_with_its_issuer() -> None:
    assert issuer_and_subject("<I>CN=CA<S>CN=Relay.contoso.com") == ("cn=ca", "relay.contoso.com")
    assert issuer_and_subject("*.contoso.com") == ("", "*.contoso.com")
