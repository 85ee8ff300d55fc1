"""The state file against the dataclasses: what is written reads back equal, and what is wrong is named."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator import statefile
from emulator.state import Tenant
from emulator.statefile.codec import slots_of
from emulator.tokens import GRAPH_APP
from emulator.well_known import EXCHANGE_NAME, derived_id
from tests.emulator.conftest import TENANT, KeyPair, app_id

MANAGER = app_id("manager")
PRINCIPAL, GRAPH = (derived_id(TENANT, "service principal", app) for app in (MANAGER, GRAPH_APP))
DELETED = {"display_name": "Gone", "secrets": [{"value": "x", "end": "2026-01-01T00:00:00+00:00"}]}


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    """A document with every key of a tenant."""
    group = "44444444-0000-4000-8000-000000000001"
    policies = {
        "authentication": [{"name": "Closed", "allowed": ["AllowBasicAuthPop"], "replicating": {"allow_basic_auth_smtp": {"value": True}}}],
        "default_authentication": "CLOSED",
        "conditional_access": [{"displayName": "Legacy", "state": "enabled"}],
        "named_locations": [{"displayName": "Office", "ipRanges": []}, {"displayName": "Nowhere", "countriesAndRegions": ["DE"]}],
        "groups": [{"id": group, "display_name": "Devices", "members": ["ops@contoso.com"]}],
        "role_members": {"Global Reader": [group]},
        "basic_retired_from": 7,
    }
    azure_place = {"subscription": "4A5B6C7D-0000-4000-8000-000000000001", "resource_group": "mail"}
    tenant = {
        "initial_domain": "Contoso.onmicrosoft.com",
        "domains": ["contoso.com"],
        "trial": True,
        "transport_config": {"MaxSendSize": "10 MB"},
        "created": "2026-01-01T00:00:00Z",
        "replicating": {"reject_direct_send": {"until": 5, "value": True}},
        "dns": {"contoso.com": ['@ 3600 TXT "v=spf1 -all"', "www A 192.0.2.1"]},
        "policies": policies,
        "resources": ["Microsoft Graph", "Office 365 Exchange Online"],
        "applications": [
            {
                "display_name": "manager",
                "unique_name": "manager",
                "secrets": [{"value": "hush", "effective_from": 3}],
                "certificates": [{"pem": KeyPair().pem}],
                "federated": [{"name": "ci", "issuer": "https://ci.example", "subject": "repo", "audiences": ["a"]}],
                "properties": {"tags": ["x"]},
                "service_principal": {
                    "app_roles": [
                        "Microsoft Graph/User.Read.All",
                        {"role": f"{EXCHANGE_NAME}/SMTP.SendAsApp", "effective_from": 9},
                    ],
                    "directory_roles": ["Global Reader", {"role": "Exchange Administrator", "effective_from": 4}],
                },
            }
        ],
        "enterprise_applications": [{"app_id": "11111111-2222-4333-8444-555555555555", "offers_app_roles": [{"id": "1", "value": "Do"}]}],
        "delegated_grants": [{"client_id": PRINCIPAL, "resource_id": GRAPH, "scope": "User.Read"}],
        "deleted_items": [{"deleted": 5, "application": DELETED}, {"service_principal": {"app_id": group}, "with_application": "x"}],
        "exchange_service_principals": [{"app_id": MANAGER, "display_name": "manager"}],
        "mailboxes": [
            {
                "address": "Ops@contoso.com",
                "aliases": ["OPS2@contoso.com"],
                "user": {"mfa": True, "directory_roles": ["Global Reader"]},
                "authentication_policy": "Closed",
                "grants": [{"right": "SendAs", "trustee": "noreply@contoso.com"}, {"right": "FullAccess", "trustee": MANAGER}],
                "cas_properties": {"PopEnabled": False},
            },
            {"address": "noreply@contoso.com", "kind": "SharedMailbox", "smtp_client_authentication_disabled": False},
            {"generate": 3, "address": "user{n:02d}@contoso.com", "display_name": "User {n}"},
        ],
        "licences": [{"sku": "SPB", "purchased": 3}],
        "sign_ins": [{"user": "ops@contoso.com", "created": 5, "error_code": 50126}],
        "azure": {
            "email_domains": [azure_place | {"service": "email", "name": "contoso.com", "senders": ["orders"]}],
            "communication_services": [
                azure_place
                | {"name": "mail", "linked_domains": ["contoso.com"], "smtp_usernames": [{"name": "S", "username": "s", "app": MANAGER}]}
            ],
            "role_assignments": [{"role": "Owner", "scope": "/subscriptions/x", "principal": MANAGER}],
        },
        "billing_policies": [{"name": "Pay as you go"}],
        "hve_accounts": [{"address": "hve@contoso.com", "apps": [MANAGER], "billing_policy": "Pay as you go", "reply_to": "a@contoso.com"}],
        "inbound_connectors": [{"name": "Relay", "SenderDomains": ["*"], "effective_from": 8}],
        "refresh_tokens": [{"digest": "d", "app_id": MANAGER, "user_id": "u", "scope": "s", "issued": 1}],
        "management_scopes": [{"name": "Senders", "recipient_filter": "Name -eq 'ops'"}],
        "management_role_assignments": [{"name": "a", "assignee": "X", "scope": "senders", "ends": 9}, {"name": "b", "assignee": "X"}],
        "role_groups": {"View-Only Organization Management": {MANAGER: 3}},
    }
    keys = [{"name": "Mailops.", "secret": "c2VjcmV0"}]
    messages = [{"tenant_id": "t", "via": "submission", "mail_from": "a", "recipients": ["b"], "raw": "U3ViamVjdDogeA==", "received": 4}]
    options = {"cloud": "gcc-high", "lag": {"rbac": 5}, "latency": {"graph": 0.1}, "conditional_access_pace": 1, "options": {"x": [1]}}
    dns = {"zones": {"sendgrid.net": ["@ A 192.0.2.9"]}, "keys": keys, "serial": 7}
    return {"tenants": [tenant], "network": {"127.0.0.7": "203.0.113.10"}, "dns": dns, "settings": options, "messages": messages}


def test_the_whole_document_has_every_key(whole: dict[str, Any]) -> None:
    """Else the test of the round trip would miss one."""
    written = statefile.state_document(*statefile.parse(whole, Path()))
    with_defaults = {"id", "display_name", "security_defaults", "smtp_client_authentication_disabled", "reject_direct_send"}
    with_defaults |= {"connectors_disabled_by_offer", "reject_spf_hard_fail", "organization_config"}
    assert set(written["tenants"][0]) - with_defaults == set(whole["tenants"][0])
    assert {slot.field.name for slot in slots_of(Tenant)} - {"rbac"} <= set(written["tenants"][0])


def optional_places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every key and item of a document."""
    pairs = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    for name, value in pairs:
        yield (*path, name)
        yield from optional_places(value, (*path, name))


def without(document: dict[str, Any], places: list[tuple[Any, ...]]) -> dict[str, Any]:
    """The document without these keys and items."""
    found = copy.deepcopy(document)
    for *path, last in sorted(places, key=lambda one: [str(part).zfill(4) for part in one], reverse=True):
        holder: Any = found
        try:
            for part in path:
                holder = holder[part]
            del holder[last]
        except (KeyError, IndexError, TypeError):
            continue  # gone with something around it
    return found


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_what_is_written_reads_back_equal(whole: dict[str, Any], data: st.DataObject) -> None:
    """For any part of the document that can be read at all; as YAML and as JSON."""
    places = data.draw(st.lists(st.sampled_from(sorted(optional_places(whole), key=str)), max_size=6, unique=True))
    try:
        first = statefile.parse(without(whole, places), Path())
    except statefile.StateError:
        return
    written = statefile.state_document(*first)
    for again in (json.loads(json.dumps(written)), yaml.safe_load(yaml.safe_dump(written))):
        assert statefile.parse(again, Path()) == first
    assert statefile.state_document(*statefile.parse(written, Path())) == written


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_wrong_value_is_named_by_its_path(whole: dict[str, Any], data: st.DataObject) -> None:
    """A value of a type that nothing takes is refused with one sentence that begins with a path to it."""
    place = data.draw(st.sampled_from(sorted(optional_places(whole), key=str)))
    document = copy.deepcopy(whole)
    holder: Any = document
    for part in place[:-1]:
        holder = holder[part]
    holder[place[-1]] = object()
    free = ("properties", "cas_properties", "transport_config", "organization_config", "options", "offers_app_roles", "replicating")
    if any(part in free for part in place):
        return
    with pytest.raises(statefile.StateError) as caught:
        statefile.parse(document, Path())
    named = str(caught.value).partition(": ")[0]
    assert named.startswith(str(place[0])), (place, str(caught.value))
    assert "\n" not in str(caught.value)


def test_an_unknown_key_is_refused_with_the_known_ones(whole: dict[str, Any]) -> None:
    document = copy.deepcopy(whole)
    document["tenants"][0]["mailboxes"][0]["colour"] = "red"
    with pytest.raises(statefile.StateError, match=r"^tenants\[0\]\.mailboxes\[0\]\.colour: is not known here; known: address, aliases, "):
        statefile.parse(document, Path())


@pytest.mark.parametrize(
    ("part", "value", "sentence"),
    [
        ("grants", [{"right": "SendAs"}], r"grants\[0\]: needs exactly one of sid, trustee"),
        ("grants", [{"right": "Own", "sid": "S-1"}], r"grants\[0\]\.right: must be one of FullAccess, "),
        ("grants", [{"right": "SendAs", "trustee": "x"}], r"grants\[0\]\.trustee: 'x' is no mailbox and no Exchange service principal"),
        ("authentication_policy", "Open", "authentication_policy: 'open' is no authentication policy"),
        ("user", {"directory_roles": ["King"]}, r"user\.directory_roles: 'King' is no directory role; known: Exchange Administrator"),
        ("replicating", {"kind": {"until": "soon"}}, r"replicating\.kind\.until: 'soon' is no date"),
        ("aliases", [1], r"aliases\[0\]: must be text, not a whole number"),
    ],
)
def test_a_wrong_mailbox_says_what_to_write(whole: dict[str, Any], part: str, value: Any, sentence: str) -> None:
    document = copy.deepcopy(whole)
    document["tenants"][0]["mailboxes"][0][part] = value
    with pytest.raises(statefile.StateError, match=rf"^tenants\[0\]\.mailboxes\[0\]\.{sentence}"):
        statefile.parse(document, Path())
