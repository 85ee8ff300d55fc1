"""Applications in an audit: who may send, who signs in, and the consents of printer makers' applications; and spoof intelligence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emulator.well_known import derived_id
from tests.contract import check_contract
from tests.emulator.conftest import STATE as BASE
from tests.emulator.conftest import TENANT, Start
from tests.emulator.test_exchange_message_trace import message

from .test_audit import STATE, reasons, run_audit

SENDING = {
    "display_name": "ERP mailer",
    "secrets": [{"value": "x"}],
    "service_principal": {"app_roles": ["Office 365 Exchange Online/SMTP.SendAsApp"]},
}
END = 4_000_000_000.0  # seconds since 1970
RICOH, OWN = derived_id("app", "ricoh"), derived_id("app", "own")
EXCHANGE = derived_id(TENANT, "service principal", "00000002-0000-0ff1-ce00-000000000000")


def tenant() -> dict[str, Any]:
    """A tenant in which a printer maker's application has consent for all users, and an own application for one user."""
    own = {"app_id": OWN, "display_name": "Mail script", "service_principal": {}}
    maker = {"app_id": RICOH, "display_name": "Ricoh Mail", "id": RICOH}
    grants = [
        {"client_id": RICOH, "resource_id": EXCHANGE, "scope": "offline_access SMTP.Send"},
        {"client_id": derived_id(TENANT, "service principal", OWN), "resource_id": EXCHANGE, "scope": "SMTP.Send", "principal_id": "ada"},
        {"client_id": RICOH, "resource_id": EXCHANGE, "scope": "IMAP.AccessAsUser.All", "principal_id": "ada"},
    ]
    applications = [*BASE["tenants"][0]["applications"], SENDING, own]
    return STATE | {"applications": applications, "enterprise_applications": [maker], "delegated_grants": grants}


def test_consents_and_unused_permissions_are_listed(start: Start, tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    api = start(tenant=tenant(), record=record)
    result = run_audit(api, tmp_path)
    assert set(reasons(result).values()) == {""}
    ricoh, own = sorted(result["audit"]["configuration"]["delegated_applications"], key=lambda one: not one["foreign"])
    assert (ricoh["display_name"], ricoh["foreign"], ricoh["printer_maker"]) == ("Ricoh Mail", True, True)
    assert ricoh["consent"] == {"all_users": True, "users": 0}, "a consent to another scope does not count"
    assert (own["foreign"], own["consent"]) == (False, {"all_users": False, "users": 1})
    by_id = {one["id"]: one["subject"] for one in result["audit"]["findings"]}
    assert (by_id["app_unused"], by_id["delegated_app"]) == ("ERP mailer", "Ricoh Mail")
    [sending] = [one for one in result["audit"]["configuration"]["applications"] if one["display_name"] == "ERP mailer"]
    assert sending["last_sign_in"] == "", "none is known, and that was read"
    check_contract(record)


def test_an_application_that_signs_in_is_in_use(start: Start, tmp_path: Path) -> None:
    application = SENDING | {"display_name": "mailer", "secrets": [{"value": "mailer-secret"}]}
    api = start(tenant=STATE | {"applications": [*BASE["tenants"][0]["applications"], application]})
    api.new_token("mailer", "https://outlook.office365.com/.default")
    result = run_audit(api, tmp_path, date=None)
    assert "app_unused" not in {one["id"] for one in result["audit"]["findings"]}
    [sending] = result["audit"]["configuration"]["applications"]
    assert sending["last_sign_in"]


def test_a_key_that_nothing_uses_is_a_finding(start: Start, tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    secrets = [{"value": name, "key_id": derived_id("key", name), "display_name": name, "end": END} for name in ("first", "second")]
    application = SENDING | {"display_name": "mailer", "secrets": secrets}
    api = start(tenant=STATE | {"applications": [*BASE["tenants"][0]["applications"], application]}, record=record)
    api.new_token("mailer", "https://outlook.office365.com/.default", client_secret="second")
    result = run_audit(api, tmp_path, date=None)
    assert set(reasons(result).values()) == {""}
    [sending] = result["audit"]["configuration"]["applications"]
    assert [one["used"] for one in sending["credentials"]] == [False, True]
    unused = [one for one in result["audit"]["findings"] if one["id"] == "key_unused"]
    assert [one["subject"] for one in unused] == ["mailer: client secret first"]
    check_contract(record)


REGISTERED = {"display_name": "mailer", "app_id": derived_id(TENANT, "app", "mailer")}


def registered(*principals: dict[str, Any]) -> dict[str, Any]:
    """A tenant with the application mailer, which may send by RBAC for Applications only, and what Exchange has of it."""
    own = {"display_name": "mailer", "service_principal": {}}
    return STATE | {"applications": [*BASE["tenants"][0]["applications"], own], "exchange_service_principals": list(principals)}


def test_an_application_that_exchange_has_with_another_object_id_is_a_finding(start: Start, tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    cost, wrong = {}, derived_id("registration", "mailer")
    gone = {"display_name": "gone", "app_id": derived_id("app", "gone"), "object_id": derived_id("object", "gone")}
    for name, principals in {"none": [], "right": [REGISTERED], "wrong": [REGISTERED | {"object_id": wrong}, gone]}.items():
        (tmp_path / name).mkdir()
        api = start(tenant=registered(*principals), record=record)
        result = run_audit(api, tmp_path / name)
        assert set(reasons(result).values()) == {""}
        listed = [one for one in result["audit"]["findings"] if one["id"] == "service_principal_object_id"]
        assert [(one["subject"], one["severity"]) for one in listed] == ([("mailer", "high")] if name == "wrong" else [])
        assert not listed or wrong in listed[0]["problem"]
        cost[name] = result["cost"]["requests"]
        check_contract(record)
    assert len(set(cost.values())) == 1, cost


def test_without_the_service_principals_of_exchange_the_applications_are_read(start: Start, tmp_path: Path) -> None:
    api = start(tenant=registered(REGISTERED | {"object_id": derived_id("registration", "mailer")}) | {"applications": [
        *BASE["tenants"][0]["applications"], SENDING,
    ]})  # fmt: skip
    api.admin.fault("exchange", "forbidden", match={"cmdlet": "Get-ServicePrincipal"}, count=9)
    result = run_audit(api, tmp_path)
    assert "read the service principals in Exchange" in reasons(result)["applications"]
    assert [one["display_name"] for one in result["audit"]["configuration"]["applications"]] == ["ERP mailer"], "the rest counts"
    assert "service_principal_object_id" not in {one["id"] for one in result["audit"]["findings"]}


def test_spoofs_are_findings(start: Start, tmp_path: Path) -> None:
    api = start(tenant=STATE, messages=[message("sales@contoso.com", "ada@contoso.com", via="direct-send", source="198.51.100.7")])
    result = run_audit(api, tmp_path)
    [spoof] = result["audit"]["configuration"]["spoofs"]
    assert (spoof["address"], spoof["infrastructure"], spoof["messages"], spoof["allowed"]) == (
        "sales@contoso.com",
        "198.51.100.0/24",
        1,
        True,
    )
    assert [one["subject"] for one in result["audit"]["findings"] if one["id"] == "spoof_internal"] == ["sales@contoso.com"]


def test_blocked_spoofs_say_so(start: Start, tmp_path: Path) -> None:
    spoof = message("sales@contoso.com", "ada@contoso.com", via="direct-send", source="198.51.100.7")
    result = run_audit(start(tenant=STATE | {"blocked_spoofs": ["sales@contoso.com"]}, messages=[spoof]), tmp_path)
    [problem] = [one["problem"] for one in result["audit"]["findings"] if one["id"] == "spoof_internal"]
    assert problem.endswith("spoof intelligence blocks them.")
    assert result["audit"]["configuration"]["spoofs"][0]["allowed"] is False


def test_what_may_not_be_read_is_named_and_null(start: Start, tmp_path: Path) -> None:
    api = start(tenant=tenant())
    result = run_audit(api, tmp_path, app="reader")
    assert (
        "Could not read the delegated permissions: the automation app lacks a Graph permission" in reasons(result)["delegated_applications"]
    )
    assert result["audit"]["configuration"]["delegated_applications"] is None
    assert "application_sign_ins" not in reasons(result), "it is read beside a readable sign-in log only"
