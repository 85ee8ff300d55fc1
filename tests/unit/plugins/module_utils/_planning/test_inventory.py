# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.mailops.m365.plugins.module_utils._planning.inventory import (
    NAME_PREFIXES,
    OTHER_VARIABLES,
    RELAY_VARIABLES,
    TENANT_VARIABLES,
    join_secrets,
    misspelt,
    split_secrets,
)
from ansible_collections.mailops.m365.plugins.module_utils._planning.role_inputs import VARIABLES
from ansible_collections.mailops.m365.plugins.module_utils._planning.role_variables import ROLES

from tests.static.tree import REPO

INVENTORY: dict[str, Any] = {
    "hve_account_accounts": [{"address": "a@contoso.com"}, {"address": "b@contoso.com", "password": "geheim-1"}],
    "hve_account_password": "geheim-2",
    "verify_passwords": {"scan@contoso.com": "geheim-3"},
    "delegated_sign_in_users": [{"user": "u@contoso.com", "token_store": {"kind": "file", "path": "/x"}}],
    "spf_tsig_secret": None,
    "spf_ip4": ["203.0.113.1"],
}


def test_secrets_are_split_off_and_joined_again() -> None:
    public, secrets = split_secrets(INVENTORY)
    assert "geheim" not in str(public)
    assert public["hve_account_accounts"] == [{"address": "a@contoso.com"}, {"address": "b@contoso.com"}]
    assert secrets == {
        "hve_account_accounts": {"1": {"password": "geheim-1"}},
        "hve_account_password": "geheim-2",
        "verify_passwords": {"scan@contoso.com": "geheim-3"},
    }
    assert join_secrets(public, secrets) == INVENTORY


@pytest.mark.parametrize("value", [[], "text", {"password": "geheim"}, [["geheim", {"token": 5}]], {"a": [{"b": {"secret": {"c": 1}}}]}])
def test_any_structure_survives(value: Any) -> None:
    public, secrets = split_secrets({"entra_app_certificates": value})
    assert join_secrets(public, secrets) == {"entra_app_certificates": value}


@pytest.mark.parametrize(("name", "near"), [
    ("m365_sender", "m365_senders"),
    ("m365_unlisted_access", "m365_unused_access"),
    ("entra_app_certificats", "entra_app_certificates"),
    ("inbound_connector_connector", "inbound_connector_connectors"),
    ("spf_includs", "spf_includes"),
    ("tenant_settings_dir", "tenant_settings_directory"),
    ("verify_password", "verify_passwords"),
    ("smtp_auth_mailbox", "smtp_auth_mailboxes"),
    ("relay_devces", "relay_devices"),
    ("relay_upstreem", "relay_upstream"),
    ("relay_mailbox", "relay_mailboxes"),
    ("relay_legacy_adress", "relay_legacy_address"),
    ("hosted_relay_allowlist", "hosted_relay_allow_list"),
    ("automation_access_unique_nam", "automation_access_unique_name"),
    ("automation_access_role_group", "automation_access_role_groups"),
])  # fmt: skip
def test_a_misspelt_variable_is_named_with_the_nearest(name: str, near: str) -> None:
    assert list(misspelt([name, "m365_tenant"])) == [f"{name} is no variable of this collection: did you mean {near}?"]


def test_names_of_others_are_no_problem() -> None:
    known = [*TENANT_VARIABLES, *VARIABLES, *RELAY_VARIABLES, *OTHER_VARIABLES]
    assert list(misspelt([*known, "verify_ssl", "spf_window", "tenant_contact", "ansible_host"])) == []
    assert list(misspelt(["__relay_devces", "relay_rack", "relay_contact", "hosted_relay_invoice", "relays_devices", "relay"])) == []
    [sentence] = misspelt(["m365_contract_number"])
    assert sentence.startswith("m365_contract_number is no variable of this collection: correct or remove it")


def test_every_variable_of_the_roles_is_listed() -> None:
    """A new variable of a role is added to a tuple of _planning/inventory.py, or to the role's tasks in role_inputs."""
    paths = sorted((REPO / "roles").glob("*/meta/argument_specs.yml"))
    by_role = {path.parent.parent.name: yaml.safe_load(path.read_text())["argument_specs"] for path in paths}
    options = {name for entries in by_role.values() for entry in entries.values() for name in entry["options"]}
    facts = {"relay_certificates", "relay_retired_certificates"}
    assert options | facts == {*TENANT_VARIABLES, *VARIABLES, *RELAY_VARIABLES, *OTHER_VARIABLES}
    of_tenants = {
        name for role in ("tenant", *(role for role, _variable in ROLES)) for e in by_role[role].values() for name in e["options"]
    }
    assert of_tenants == {*TENANT_VARIABLES, *VARIABLES}
    assert {role for role in by_role if not f"{role}_".startswith(NAME_PREFIXES)} == set()
