# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""relay_smarthost.credential: a relay host takes user name and password from the store of role hosted_relay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._hosted.credential_store import DirectoryStore, Secret, StoredCredential
from ansible_collections.mailops.m365.plugins.module_utils._relay.config import postfix

from .role_variables import problems, relay_config

TENANT = "contoso.com"
PASSWORD = "k3yThatNobodyMaySee0123456789abc"


def variables(directory: Path, upstream: str = "smtp2go", **smarthost: Any) -> dict[str, Any]:
    return {
        "relay_upstream": upstream,
        "m365_tenant": TENANT,
        "m365_hosted_credential_store": str(directory),
        "relay_smarthost": {"credential": "erp", **smarthost},
        "relay_mailboxes": [],
    }


def stored(directory: Path, provider: str, username: str) -> None:
    store = DirectoryStore(str(directory), TENANT, provider)
    with store.lock():
        store.write("erp", StoredCredential(Secret("mailops-erp-20261128", "1", username, PASSWORD)))


@pytest.mark.parametrize(("upstream", "username", "hop"), [
    ("smtp2go", "mailops-erp-20261128", "[mail-eu.smtp2go.com]:587"),
    ("sendgrid", "apikey", "[smtp.eu.sendgrid.net]:587"),
    ("mailgun", "mailops-erp-20261128@mg.contoso.com", "[smtp.eu.mailgun.org]:587"),
])  # fmt: skip
def test_stored_credential_is_that_of_the_upstream(tmp_path: Path, upstream: str, username: str, hop: str) -> None:
    stored(tmp_path, upstream, username)
    config = relay_config(**variables(tmp_path, upstream, region="eu"))
    assert postfix.passwords(config) == {"m365.passwd": [f"{hop} {username}:{PASSWORD}"]}


@pytest.mark.parametrize(("region", "own", "hop"), [
    ("eu", "", "[smtp.eu.mailgun.org]:587"), ("eu", "us", "[smtp.mailgun.org]:587"), ("", "", "[smtp.mailgun.org]:587"),
])  # fmt: skip
def test_region_of_the_tenants_account_is_the_default(tmp_path: Path, region: str, own: str, hop: str) -> None:
    """A credential is unknown in another region."""
    stored(tmp_path, "mailgun", "erp@mg.contoso.com")
    options = variables(tmp_path, "mailgun", region=own) | {"m365_hosted_relay_region": region}
    [line] = postfix.passwords(relay_config(**options))["m365.passwd"]
    assert line.startswith(f"{hop} ")


def test_region_of_the_tenants_account_that_the_provider_does_not_have(tmp_path: Path) -> None:
    stored(tmp_path, "mailgun", "erp@mg.contoso.com")
    [problem] = problems(**variables(tmp_path, "mailgun") | {"m365_hosted_relay_region": "au"})
    assert problem.startswith("m365_hosted_relay_region is 'au', which Mailgun does not have: use us, eu")


def test_renewed_credential_replaces_the_former(tmp_path: Path) -> None:
    stored(tmp_path, "smtp2go", "mailops-erp-20261128")
    stored(tmp_path, "smtp2go", "mailops-erp-20270601")
    [line] = postfix.passwords(relay_config(**variables(tmp_path)))["m365.passwd"]
    assert line.endswith(f"mailops-erp-20270601:{PASSWORD}")


@pytest.mark.parametrize(("changed", "sentence"), [
    ({}, "run role hosted_relay for the tenant on this controller first"),
    ({"relay_upstream": "smarthost", "relay_smarthost": {"credential": "erp", "host": "m"}}, "and relay_upstream is smarthost"),
    ({"relay_smarthost": {"credential": "erp", "password": "p"}}, "has a username or a password as well: leave these out"),
    ({"relay_smarthost": {"credential": "../erp"}}, "relay_smarthost.credential is '../erp', and m365_tenant is 'contoso.com'"),
])  # fmt: skip
def test_credential_that_cannot_be_used_is_one_problem(tmp_path: Path, changed: dict[str, Any], sentence: str) -> None:
    result = problems(**variables(tmp_path) | changed)
    assert len(result) == 1, result
    assert sentence in result[0]
    assert list(tmp_path.iterdir()) == [], "reading creates nothing"


def test_check_run_expects_the_credential_that_the_tenants_part_creates(tmp_path: Path) -> None:
    """The options of the transport are those of the real run."""
    expected = relay_config(**variables(tmp_path), credential_expected=True)
    stored(tmp_path, "smtp2go", "mailops-erp-20261128")
    created = relay_config(**variables(tmp_path))
    assert [one.options for one in postfix.plan(expected).transports] == [one.options for one in postfix.plan(created).transports]
    assert relay_config(**variables(tmp_path), credential_expected=True) == created, "one in the store is used"


def test_damaged_file_is_named_without_its_content(tmp_path: Path) -> None:
    stored(tmp_path, "smtp2go", "erp")
    path = tmp_path / TENANT / "smtp2go" / "erp.json"
    path.write_text(f'{{"current": "{PASSWORD}"')
    [problem] = problems(**variables(tmp_path))
    assert str(path) in problem
    assert PASSWORD not in problem
