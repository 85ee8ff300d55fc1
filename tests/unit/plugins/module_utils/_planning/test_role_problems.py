# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role would refuse is a problem of the plan, in the words of the inventory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._planning.context import PlanSettings
from ansible_collections.mailops.m365.plugins.module_utils._planning.role_inputs import RoleInput
from ansible_collections.mailops.m365.plugins.module_utils._planning.role_problems import plan_problems, problems_of
from ansible_collections.mailops.m365.plugins.module_utils._planning.senders import VerifyConnection
from ansible_collections.mailops.m365.plugins.module_utils.resources.composed.role_resources import ROLE_RESOURCES
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ....conftest import certificate, pem
from .samples import planned, tenant

GUID = "99999999-8888-4777-8666-555555555555"
ACS = {
    "acs_smtp_username_subscription_id": GUID,
    "acs_smtp_username_resource_group": "mail",
    "acs_smtp_username_communication_service": "acs",
    "acs_smtp_username_app": "shop",
}
SIGN_IN = {"delegated_sign_in_app_unique_name": "mailops-users"}


def problems(*senders: dict[str, Any], **inventory: Any) -> list[str]:
    context = tenant(acs=True, hve=True, mailboxes={"user@contoso.com": "UserMailbox"})
    return plan_problems(planned(context, *senders), context, PlanSettings("mailops-smtp-sender"), inventory, ROLE_RESOURCES)


def test_a_whole_tenant_without_problems() -> None:
    senders = [
        {"kind": "erp", "verify_recipient": "ada@example.net"},
        {"public_addresses": ["203.0.113.10"], "verify_recipient": "ada@example.net"},
        {"method": "basic", "address": "user@contoso.com", "verify_recipient": "ada@example.net"},
        {"method": "acs", "verify_recipient": "ada@example.net"},
        {"method": "hve", "recipients": "internal", "kind": "erp", "address": "news@contoso.com"},
        {"method": "direct_send", "recipients": "internal"},
    ]
    inventory = ACS | {"hve_account_password": "long enough", "spf_domains": ["contoso.com"], "entra_app_exclusive": "false"}
    assert problems(*senders, **inventory) == []
    assert problems() == []


@pytest.mark.parametrize(("inventory", "sentence"), [
    ({"hve_account_accounts": [{"address": "a@contoso.com"}], "hve_account_password": "short"}, "shorter than 8 characters"),
    ({"entra_app_unique_name": "app", "entra_app_exclusive": "perhaps"}, "entra_app_exclusive is 'perhaps': give true or false."),
    ({"entra_app_unique_name": "my app"}, "entra_app_unique_name is 'my app': use 1 to 64 letters"),
    ({"entra_app_unique_name": "app", "entra_app_certificates": ["/nowhere/sender.crt"]},
     "entra_app_certificates: '/nowhere/sender.crt' cannot be read (No such file or directory)"),
    ({"smtp_auth_mailboxes": [{"address": "a@contoso.com", "sign_in": "oatuh"}]},
     "smtp_auth_mailboxes: a@contoso.com: sign_in is 'oatuh': did you mean oauth?"),
    ({"smtp_auth_mailboxes": [{"address": "nobody"}]}, "smtp_auth_mailboxes holds 'nobody', which is no mail address"),
    ({"spf_ip4": ["10.1.2.3"]}, "spf_ip4 holds '10.1.2.3', which is not a public address"),
    ({"spf_domains": ["contoso.com"], "spf_ttl": "soon"}, "spf_ttl is 'soon': give a whole number."),
    ({"acs_smtp_username_usernames": []}, "acs_smtp_username_subscription_id is missing: set it."),
    ({"inbound_connector_connectors": [{"name": "Plant", "sender_ip": []}]}, "inbound_connector_connectors: Plant: sender_ip is no"),
    ({"direct_send_rejected": "maybe"}, "direct_send_rejected is 'maybe': give true or false."),
    (SIGN_IN | {"delegated_sign_in_users": [{"user": "nobody", "token_store": {"path": "/x"}}]}, "'nobody'"),
    (SIGN_IN | {"delegated_sign_in_users": [{"user": "u@contoso.com", "tokens": {}}]}, "tokens is no option"),
    ({"authentication_policy_policies": [{"name": "P", "allow_basic": True}]}, "allow_basic is no option: did you mean allow_basic_smtp?"),
    ({"shared_mailbox_mailboxes": [{"adress": "x@contoso.com"}]}, "adress is no option: did you mean address?"),
    ({"verify_senders": [{"name": "ERP"}]}, "verify_senders: ERP: address is missing: set it."),
    ({"entra_app_unique_name": "a", "entra_app_authorization": "rbac", "entra_app_settle_time": -1}, "entra_app_settle_time is -1"),
])  # fmt: skip
def test_the_inventorys_own_variables_are_validated(inventory: dict[str, Any], sentence: str) -> None:
    assert sentence in "\n".join(problems(**inventory))


USERS = {"delegated_sign_in_users": [{"user": "u@contoso.com", "token_store": {"path": "/x"}}]}
ONE_LINE = "which holds a line break or another control character: write it as one line of text."


@pytest.mark.parametrize(("inventory", "beginning"), [
    ({"inbound_connector_connectors": [{"name": "Plant\nhall 2"}]}, "connectors: the name is 'Plant\\nhall 2', "),
    ({"inbound_connector_connectors": [{"name": "Plant", "tls_sender_certificate_name": "<I>CN=CA\n<S>CN=x"}]},
     "tls_sender_certificate_name is '<I>CN=CA\\n<S>CN=x', "),
    ({"shared_mailbox_mailboxes": [{"address": "a@contoso.com", "display_name": "Reports\n"}]},
     "shared_mailbox_mailboxes: the display_name of a@contoso.com is 'Reports\\n', "),
    ({"hve_account_accounts": [{"address": "a@contoso.com", "display_name": "News\x07"}]}, "the display_name is 'News\\x07', "),
    ({"entra_app_unique_name": "app", "entra_app_display_name": "Mail\tsender"}, "entra_app_display_name is 'Mail\\tsender', "),
    (SIGN_IN | USERS | {"delegated_sign_in_app_display_name": "Mail\u2028sender"}, "app_display_name is 'Mail\\u2028sender', "),
    ({"authentication_policy_policies": [{"name": "Corporate\x00"}]}, "authentication_policy_policies: the name is 'Corporate\\x00', "),
    ({"entra_app_unique_name": "app", "entra_app_authorization": "rbac", "entra_app_scope": "Senders\r"}, "scope is 'Senders\\r', "),
    (ACS | {"acs_smtp_username_usernames": [{"name": "shop", "username": "the\nshop"}]}, "username is 'the\\nshop', "),
])  # fmt: skip
def test_a_name_is_one_line_of_text(inventory: dict[str, Any], beginning: str) -> None:
    assert any(beginning + ONE_LINE in problem for problem in problems(**inventory)), problems(**inventory)


BLANK = "which begins or ends with a blank: remove the blank."


@pytest.mark.parametrize(("inventory", "beginning"), [
    ({"shared_mailbox_mailboxes": [{"address": "a@contoso.com", "display_name": "Reports "}]},
     "shared_mailbox_mailboxes: the display_name of a@contoso.com is 'Reports ', "),
    ({"hve_account_accounts": [{"address": "a@contoso.com", "display_name": " News"}]},
     "hve_account_accounts: a@contoso.com: the display_name is ' News', "),
    ({"entra_app_unique_name": "app", "entra_app_display_name": "Mail sender\u00a0"}, "entra_app_display_name is 'Mail sender\\xa0', "),
    (SIGN_IN | USERS | {"delegated_sign_in_app_display_name": " Mail"}, "delegated_sign_in_app_display_name is ' Mail', "),
    ({"authentication_policy_policies": [{"name": "Corporate "}]}, "authentication_policy_policies: the name is 'Corporate ', "),
    ({"entra_app_unique_name": "app", "entra_app_authorization": "rbac", "entra_app_scope": " Senders"}, "entra_app_scope is ' Senders', "),
])  # fmt: skip
def test_a_name_neither_begins_nor_ends_with_a_blank(inventory: dict[str, Any], beginning: str) -> None:
    assert any(problem == beginning + BLANK for problem in problems(**inventory)), problems(**inventory)


def test_display_names_of_senders_neither_begin_nor_end_with_a_blank() -> None:
    bulk = {"name": "Bulk", "method": "hve", "recipients": "internal", "address": "bulk@contoso.com", "display_name": "News "}
    erp = {"name": "ERP", "kind": "erp", "address": "erp@contoso.com", "display_name": " ERP"}
    assert problems(bulk, erp, hve_account_password="x" * 9) == [
        f"m365_senders: ERP: mailbox: the display_name of erp@contoso.com is ' ERP', {BLANK}",
        f"m365_senders: Bulk: address: bulk@contoso.com: the display_name is 'News ', {BLANK}",
    ]


def test_an_empty_display_name_is_one_problem() -> None:
    empty = {"shared_mailbox_mailboxes": [{"address": "a@contoso.com", "display_name": " "}]}
    assert problems(**empty) == ["shared_mailbox_mailboxes: the display_name of a@contoso.com is empty: give one or leave it out."]


def test_a_connector_and_a_display_name_of_a_sender_are_one_line_of_text() -> None:
    bulk = {"name": "Bulk", "method": "hve", "recipients": "internal", "address": "bulk@contoso.com", "display_name": "Our\nnews"}
    result = problems(
        {"name": "Gate", "public_addresses": ["203.0.113.10"], "connector": "Gate\x1b[2J"}, bulk, hve_account_password="x" * 9
    )
    assert [problem.partition(": ")[2].partition(" is ")[0] for problem in result] == [
        "Bulk: address: bulk@contoso.com: the display_name",
        "Gate: connector: the name",
    ]


@pytest.mark.parametrize("variable", ["entra_app_unique_name", "delegated_sign_in_app_unique_name"])
def test_the_application_of_the_record_is_nobodys_sender_app(variable: str) -> None:
    [problem] = problems(**{variable: "Mailops-Record"} | (USERS if variable.startswith("delegated") else {}))
    assert problem == f"{variable} is 'Mailops-Record', the application with this collection's own record: choose another name."


def test_problems_that_a_sender_causes_name_the_sender() -> None:
    result = problems(
        {"name": "Gate", "public_addresses": ["203.0.113.10"], "certificate_name": "relay contoso com"},
        {"name": "Shop", "method": "acs"},
    )
    assert result[0].startswith("m365_senders: Shop: acs_smtp_username_subscription_id is missing")
    assert result[-1].startswith("m365_senders: Gate: connector: mailops Gate: certificate_name is 'relay contoso com'")


def test_a_connectors_name_is_limited() -> None:
    long = "a" * 30 + "." + "b" * 25 + ".example"
    [problem] = problems({"name": "Gate", "certificate_name": long, "connector": "c" * 72})
    assert problem.startswith("m365_senders: Gate: connector: ccc")
    assert "its name has 72 characters, more than the 64" in problem
    assert problems({"name": "Gate", "certificate_name": long}) == []


BULK = {"name": "Bulk", "method": "hve", "recipients": "internal", "address": "Bulk@contoso.com"}
CONFLICT = "bulk@contoso.com would be a shared mailbox and a High Volume Email account"


@pytest.mark.parametrize("sender", [
    {"address": "bulk@contoso.com"},
    {"address": "BULK@contoso.com", "mailbox": "user@contoso.com"},
    {"address": "erp@contoso.com", "mailbox": "bulk@contoso.com"},
    {"address": "bulk@contoso.com", "was": "old@contoso.com"},
])  # fmt: skip
def test_an_address_is_no_mailbox_and_high_volume_email_account_at_once(sender: dict[str, Any]) -> None:
    erp = {"name": "ERP", "kind": "erp"} | sender
    [problem] = problems(BULK, erp, hve_account_password="long enough")
    assert problem.startswith(f"m365_senders: Bulk, ERP: {CONFLICT}")


def test_an_address_of_the_inventorys_own_mailboxes_or_accounts_is_compared_too() -> None:
    password = {"hve_account_password": "long enough"}
    [problem] = problems(BULK, **password, shared_mailbox_mailboxes=[{"address": "bulk@contoso.com"}])
    assert problem.startswith(f"m365_senders: Bulk: {CONFLICT}")
    own = [{"address": "bulk@contoso.com"}]
    [problem] = problems(**password, shared_mailbox_mailboxes=own, hve_account_accounts=own)
    assert problem.startswith(f"shared_mailbox_mailboxes, hve_account_accounts: {CONFLICT}")
    gone = [own[0] | {"state": "absent"}]
    assert problems(**password, shared_mailbox_mailboxes=gone, hve_account_accounts=own) == []
    connector = {"name": "Gate", "method": "connector", "address": "bulk@contoso.com", "public_addresses": ["203.0.113.10"]}
    assert problems(BULK, connector, **password) == []


def test_missing_files_of_verifications() -> None:
    sender = {"name": "Gate", "certificate_name": "gate.contoso.com", "verify_recipient": "ada@example.net"}
    result = problems(
        sender | {"verify_connection": VerifyConnection(certificate_path="/no/gate.pem")}, verify_app_certificate_path="~/no.pem"
    )
    home = Path("~").expanduser()
    assert result[0] == f"verify_app_certificate_path is {home}/no.pem, which cannot be read: No such file or directory."
    assert result[1].startswith("m365_senders: Gate: verify_connection: Gate: certificate_path is /no/gate.pem, which cannot be read")


def test_files_of_verifications_hold_a_valid_pair(tmp_path: Path, rsa_key: rsa.RSAPrivateKey, other_key: rsa.RSAPrivateKey) -> None:
    gate, app = tmp_path / "gate.pem", tmp_path / "app.pem"
    sender: dict[str, Any] = {"name": "Gate", "certificate_name": "gate.contoso.com", "verify_recipient": "ada@example.net"}
    sender |= {"verify_connection": VerifyConnection(certificate_path=str(gate))}

    def texts() -> list[str]:
        return problems(sender, verify_app_certificate_path=str(app))

    curve = ec.generate_private_key(ec.SECP256R1())
    gate.write_bytes(pem(curve) + pem(certificate(curve, "gate.contoso.com")))
    app.write_bytes(pem(rsa_key) + pem(certificate(rsa_key)))
    assert texts() == []
    gate.write_bytes(pem(rsa_key) + pem(certificate(rsa_key, "gate.contoso.com", days=-1)))
    app.write_bytes(pem(rsa_key) + pem(certificate(other_key)))
    first, second = texts()
    assert first.startswith(f"verify_app_certificate_path is {app}, which holds a certificate that does not belong to its private key")
    assert second.startswith(f"m365_senders: Gate: verify_connection: Gate: certificate_path is {gate}, whose certificate (CN=gate.contoso")
    assert "expired on" in second
    app.write_bytes(pem(rsa_key, "s3cret") + pem(certificate(rsa_key)))
    assert texts()[0] == f"verify_app_certificate_path is {app}, which holds an encrypted private key: set verify_app_certificate_password."


def test_all_problems_of_all_roles_at_once() -> None:
    result = problems(
        {"kind": "erp", "certificate_name": "x y"},
        hve_account_accounts=[{"address": "a@contoso.com", "pasword": 1}],
        spf_domains=["contoso"],
        entra_app_certificates=["/nowhere.crt"],
    )
    assert [text.split(" ")[0].rstrip(":") for text in result] == ["entra_app_certificates", "hve_account_accounts", "spf_domains"]


def test_a_variable_that_is_null_is_unset() -> None:
    assert problems({"kind": "erp"}, entra_app_certificates=None, smtp_auth_mailboxes=None, spf_ip4=None) == []


def test_a_problem_is_reported_once() -> None:
    task = RoleInput("smtp_auth", "smtp_auth", {"mailboxes": [{"address": "x"}]}, {"mailboxes": "smtp_auth_mailboxes"})
    assert len(problems_of([task, task], ROLE_RESOURCES)) == 1
