# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mail settings of devices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._http.clouds import CLOUDS
from ansible_collections.mailops.m365.plugins.module_utils._planning.device_settings import (
    SETTINGS,
    SenderApp,
    credential_place,
    device_settings,
    entry,
    settings_page,
)
from ansible_collections.mailops.m365.plugins.module_utils._planning.methods import PLANNED
from ansible_collections.mailops.m365.plugins.module_utils._planning.sending_plan import plan_sender

from .samples import OAUTH_RELAY, planned, sender, tenant

OFFICE = ["203.0.113.10"]
APP = SenderApp("mailops-smtp-sender", "11111111-2222-4333-8444-555555555555", "certificate in /keys/sender.pem")


@pytest.mark.parametrize(("what", "state", "expected"), [
    ({"kind": "erp"}, {}, {"server": "smtp.office365.com", "port": 587, "user": "device@contoso.com"}),
    ({"public_addresses": OFFICE}, {"mx_host": "mx.example.net"}, {"server": "mx.example.net", "port": 25, "sign_in": "none"}),
    ({"relay_host": "gateway"}, {"relay_hosts": [OAUTH_RELAY]}, {"server": "relay.contoso.com", "port": 25, "sign_in": "none"}),
    ({"method": "hosted"}, {"hosted_relay": "mailgun"}, {"server": "smtp.mailgun.org", "port": 587, "sign_in": "password"}),
    (
        {"method": "hosted"},
        {"hosted_relay": "mailgun", "hosted_relay_region": "eu"},
        {"server": "smtp.eu.mailgun.org", "port": 587, "user": "an SMTP credential of the domain"},
    ),
    ({"method": "hosted"}, {"hosted_relay": "smtp2go", "hosted_relay_region": "au"}, {"server": "mail-au.smtp2go.com"}),
    ({"method": "hosted"}, {"hosted_relay": "sendgrid"}, {"server": "smtp.sendgrid.net"}),
    ({"method": "hve", "recipients": "internal"}, {}, {"port": 587, "sign_in": "the account's password"}),
    ({"method": "acs"}, {"acs": True}, {"server": "smtp.azurecomm.net", "port": 587}),
    ({"method": "direct_send", "recipients": "internal"}, {}, {"server": "the tenant's MX host"}),
])  # fmt: skip
def test_the_settings_of_a_method(what: dict[str, Any], state: dict[str, Any], expected: dict[str, Any]) -> None:
    known = tenant(**state)
    [plan] = planned(known, what)
    settings = device_settings(plan, known, CLOUDS["global"], APP).as_result()
    assert {name: settings[name] for name in expected} == expected
    assert settings["from"] == "device@contoso.com"


@pytest.mark.parametrize(("what", "users", "expected"), [
    ({"tls12": False}, (), ("10.9.9.1", 2526, "STARTTLS where supported, TLS 1.0 or newer", "")),
    ({"tls12": False}, (("device@contoso.com", "copier"),), ("10.9.9.1", 2526, "STARTTLS where supported, TLS 1.0 or newer", "copier")),
    ({}, (), ("relay.contoso.com", 25, "STARTTLS where supported", "")),
    ({}, (("device@contoso.com", "copier"),), ("relay.contoso.com", 587, "STARTTLS", "copier")),
])  # fmt: skip
def test_device_without_tls12_uses_the_listener_for_old_devices(
    what: dict[str, Any], users: tuple[tuple[str, str], ...], expected: tuple[str, int, str, str]
) -> None:
    relay = replace(OAUTH_RELAY, users=users, legacy_address="10.9.9.1", legacy_port=2526)
    known = tenant(relay_hosts=[relay])
    [plan] = planned(known, {"kind": "printer", **what})
    settings = device_settings(plan, known, CLOUDS["global"], APP)
    assert (settings.server, settings.port, settings.encryption, settings.user) == expected


def test_the_page_is_a_table_with_one_row_per_sender() -> None:
    known = tenant()
    plan = plan_sender(sender(name="A | B", kind="erp"), known)
    entry = {
        "name": "A | B",
        "method": "oauth",
        "reason": plan.reason,
        "settings": device_settings(plan, known, CLOUDS["global"], APP).as_result(),
    }
    lines = settings_page("contoso.com", [entry]).splitlines()
    assert lines[0] == "# Mail settings: contoso.com"
    assert lines[4].startswith("| A \\| B | smtp.office365.com | 587 | STARTTLS, TLS 1.2 | OAuth 2.0 (XOAUTH2)")


@pytest.mark.parametrize(("cloud", "authority", "scope", "delegated", "server"), [
    ("global", "https://login.microsoftonline.com", "https://outlook.office365.com/.default", "https://outlook.office.com/SMTP.Send",
     "smtp.office365.com"),
    ("gcc-high", "https://login.microsoftonline.us", "https://outlook.office365.us/.default", "https://outlook.office365.us/SMTP.Send",
     "smtp.office365.us"),
    ("dod", "https://login.microsoftonline.us", "https://outlook-dod.office365.us/.default", "https://outlook-dod.office365.us/SMTP.Send",
     "outlook-dod.office365.us"),
    ("china", "https://login.chinacloudapi.cn", "https://partner.outlook.cn/.default", "https://partner.outlook.cn/SMTP.Send",
     "smtp.partner.outlook.cn"),
])  # fmt: skip
def test_program_with_oauth_has_all_that_it_needs_in_each_cloud(
    cloud: str, authority: str, scope: str, delegated: str, server: str
) -> None:
    known = tenant()
    [plan] = planned(known, {"kind": "erp"})
    settings = device_settings(plan, known, CLOUDS[cloud], APP).as_result()
    assert (settings["server"], settings["port"], settings["encryption"]) == (server, 587, "STARTTLS, TLS 1.2")
    assert settings["user"] == "device@contoso.com"
    assert settings["oauth"] == {
        "app": "mailops-smtp-sender",
        "authority": f"{authority}/{APP.tenant_id}",
        "client_id": "",
        "credential": "certificate in /keys/sender.pem",
        "delegated_scope": delegated,
        "grant_type": "client_credentials",
        "scope": scope,
        "tenant_id": APP.tenant_id,
        "token_url": f"{authority}/{APP.tenant_id}/oauth2/v2.0/token",
    }


def test_scope_of_high_volume_email_is_its_own() -> None:
    known = tenant()
    [plan] = planned(known, {"method": "hve", "recipients": "internal", "oauth": True})
    oauth = device_settings(plan, known, CLOUDS["global"], APP).oauth
    assert oauth is not None
    assert (oauth.scope, oauth.delegated_scope) == ("https://outlook.office.com/.default", "")


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"verify_app_certificate_path": "/keys/sender.pem"}, "in /keys/sender.pem on the control node"),
        ({"verify_app_client_secret": "s3cret-s3cret"}, "variable verify_app_client_secret"),
        ({"entra_app_certificates": ["/keys/sender.crt"]}, "entra_app_certificates lists"),
        ({}, "none in the inventory"),
    ],
)
def test_place_of_the_credential_is_named_and_never_its_value(variables: dict[str, Any], words: str) -> None:
    place = credential_place(variables)
    assert words in place
    assert "s3cret" not in place


def test_page_has_a_section_for_each_sender_with_oauth() -> None:
    known = tenant()
    entries = [
        entry(plan, known, CLOUDS["global"], APP) | {"name": name}
        for name, plan in zip(("ERP", "Scanner"), planned(known, {"kind": "erp"}, {"public_addresses": OFFICE}), strict=True)
    ]
    page = settings_page("contoso.com", entries)
    assert page.count("## OAuth of ") == 1
    assert f"| Token URL | https://login.microsoftonline.com/{APP.tenant_id}/oauth2/v2.0/token |" in page
    assert "| Client ID | that of the application mailops-smtp-sender, which the first run creates |" in page


def test_every_method_has_device_settings() -> None:
    assert tuple(SETTINGS) == PLANNED
