"""Behaviours of new tenants against the emulator: customization of the organization, and roles that take effect later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources import (
    authentication_policy,
    automation_access,
    direct_send,
    entra_app,
    security_defaults,
    smtp_auth,
)

from tests.emulator.conftest import ALL_GRAPH_ROLES, MANAGE, Start

from .emulated import EmulatedClock, Run, follow_clock
from .tenant_play import Play

PRINTER = {"name": "Printer", "kind": "printer", "address": "ops@contoso.com", "method": "basic"}
ERP = {"name": "ERP", "kind": "erp", "address": "noreply@contoso.com"}
HOUR = 3600
POLICY: dict[str, Any] = {"policies": [{"name": "Printers", "allow_basic_smtp": True}], "basic_reenabled": True}


def customizations(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    changes = [change for change in result["changes"] if change["kind"] == "organization_customization"]
    return [(change["before"], change["after"], change["reason"]) for change in changes]


@pytest.mark.parametrize("lag", [0, HOUR])
def test_a_new_organization_is_customized_by_the_plan(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lag: int) -> None:
    api = start(settings={"lag": {"organization_customization": lag, "delegating_role": lag}})
    clock = follow_clock(monkeypatch, api)
    play = Play(api, tmp_path)
    inventory = {"entra_app_authorization": "rbac"}
    options: dict[str, Any] = {"basic_reenabled": True, "wait_timeout": 3 * HOUR, "inventory": inventory}
    planned = play(PRINTER, ERP, check_mode=True, **options)
    assert "failed" not in planned, planned
    assert len(customizations(planned)) == 1, "two components need it, and it is one change"
    assert api.rows("Get-OrganizationConfig")[0]["IsDehydrated"] is True
    done = play(PRINTER, ERP, **options)
    assert "failed" not in done, done
    assert done["changes"] == planned["changes"]
    api.forget_tokens()
    assert api.rows("Get-OrganizationConfig")[0]["IsDehydrated"] is False
    assert (clock.waited >= 2 * lag, clock.waited == 0) == (True, lag == 0)
    assert customizations(play(PRINTER, ERP, **options)) == []


def test_a_tenant_without_policies_is_not_customized(start: Start, tmp_path: Path) -> None:
    play = Play(start(), tmp_path)
    done = play(ERP)
    assert ("failed" in done, customizations(done)) == (False, [])
    assert play.api.rows("Get-OrganizationConfig")[0]["IsDehydrated"] is True


def test_a_run_that_ends_while_the_customization_is_not_effective_is_continued(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = start(settings={"lag": {"organization_customization": HOUR}})
    clock = follow_clock(monkeypatch, api)
    failed = Run(api, tmp_path / "one")(authentication_policy.RESOURCE, **POLICY)
    assert failed["failed"]
    assert "Run the task again after an hour" in failed["msg"]
    assert clock.waited <= 20, "m365_wait_timeout of these runs"
    api.admin.advance(HOUR)
    done = Run(api, tmp_path / "two")(authentication_policy.RESOURCE, **POLICY)
    assert (done.get("msg"), done["changed"]) == (None, True)


# -- roles that take effect later -------------------------------------------------------------------------------------

MINUTE = 60
GRANTING = [f"Microsoft Graph/{name}" for name in ("Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All")]
GRANTING += ["Microsoft Graph/RoleManagement.ReadWrite.Directory", MANAGE]


def automation(start: Start, monkeypatch: pytest.MonkeyPatch, directory: Path, *app_roles: str, **lags: float) -> tuple[Run, EmulatedClock]:
    """A run as an application that may grant itself roles, in an emulator where they take effect after ten minutes, or after `lags`.

    `app_roles`: further ones that it has.
    """
    principal = {"app_roles": sorted({*GRANTING, *app_roles}), "directory_roles": []}
    application = {"display_name": "manager", "unique_name": "automation", "secrets": [{"value": "manager-secret"}]}
    lag = {"role_assignment": 10 * MINUTE, "app_role_assignment": 10 * MINUTE, **lags}
    api = start(settings={"lag": lag}, tenant={"applications": [{**application, "service_principal": principal}]})
    return Run(api, directory / "run"), follow_clock(monkeypatch, api)


def test_a_directory_role_of_this_run_is_waited_for(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, clock = automation(start, monkeypatch, tmp_path)
    granted = run(automation_access.RESOURCE, app_id=run.connection["client_id"], directory_roles=["Exchange Administrator"])
    assert (granted.get("msg"), clock.waited) == (None, 0)
    result = run(direct_send.INFO, wait_timeout=15 * MINUTE)
    assert result.get("msg") is None, result
    assert 10 * MINUTE <= clock.waited <= 15 * MINUTE
    assert result["cost"]["retries"] > 1


def test_a_permission_of_this_run_is_waited_for_alone_and_in_a_batch(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, clock = automation(start, monkeypatch, tmp_path)
    permissions = [{"name": name, "api": "graph", "type": "application"} for name in ("Policy.Read.All", "Domain.Read.All")]
    granted = run(entra_app.RESOURCE, unique_name="automation", display_name="manager", permissions=permissions)
    assert (granted.get("msg"), granted["changed"], clock.waited) == (None, True, 0)
    assert run(security_defaults.INFO, wait_timeout=15 * MINUTE)["security_defaults"] == {"enabled": False}
    assert 10 * MINUTE <= clock.waited <= 15 * MINUTE


def test_the_wait_for_a_role_is_bounded(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, clock = automation(start, monkeypatch, tmp_path)
    run(automation_access.RESOURCE, app_id=run.connection["client_id"], directory_roles=["Exchange Administrator"])
    refused = run(direct_send.INFO, wait_timeout=2 * MINUTE)
    assert "the automation app has no Exchange role for this command" in refused["msg"]
    assert MINUTE < clock.waited <= 2 * MINUTE


def test_a_role_that_this_run_did_not_grant_is_reported_at_once(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, clock = automation(start, monkeypatch, tmp_path)
    refused = run(direct_send.INFO, wait_timeout=15 * MINUTE)
    assert "Let a Privileged Role Administrator assign the role to the enterprise application" in refused["msg"]
    lacking = run(security_defaults.INFO, wait_timeout=15 * MINUTE)
    assert "lacks a Graph permission for this: Policy.Read.All" in lacking["msg"]
    run(automation_access.RESOURCE, app_id=run.connection["client_id"], directory_roles=["Exchange Administrator"])
    assert "Policy.Read.All" in run(security_defaults.INFO, wait_timeout=15 * MINUTE)["msg"], "another role was granted"
    assert clock.waited == 0


# -- roles that another run granted, in the token before Exchange uses them --------------------------------------------

MAILBOXES = [{"address": f"user{number:03d}@contoso.com"} for number in range(1, 16)]
NOT_EFFECTIVE = "a role that was assigned minutes ago may not be effective yet"


def bootstrapped(start: Start, monkeypatch: pytest.MonkeyPatch, directory: Path, **lags: float) -> tuple[Run, EmulatedClock]:
    """A run that starts when tokens contain the role that an earlier run has granted; Exchange uses it ten minutes later."""
    lags = {"role_assignment": MINUTE, "exchange_directory_role": 10 * MINUTE, **lags}
    earlier, clock = automation(start, monkeypatch, directory, *ALL_GRAPH_ROLES, **lags)
    granted = earlier(automation_access.RESOURCE, app_id=earlier.connection["client_id"], directory_roles=["Exchange Administrator"])
    assert (granted.get("msg"), granted["changed"]) == (None, True)
    clock.sleep(MINUTE)
    clock.waited = 0.0
    return Run(earlier.api, directory / "later"), clock


def test_a_directory_role_of_an_earlier_run_is_waited_for(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alone and in batches; after the first answer nothing waits."""
    run, clock = bootstrapped(start, monkeypatch, tmp_path)
    result = run(smtp_auth.RESOURCE, mailboxes=MAILBOXES, organization="enabled", wait_timeout=15 * MINUTE)
    assert (result.get("msg"), result["changed"]) == (None, True), result
    assert 10 * MINUTE <= clock.waited <= 11 * MINUTE
    waited = clock.waited
    again = run(smtp_auth.RESOURCE, mailboxes=MAILBOXES, organization="enabled", wait_timeout=15 * MINUTE)
    assert (again.get("msg"), again["changed"], clock.waited) == (None, False, waited)


def test_site_runs_minutes_after_bootstrap(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan of a whole tenant, whose first request to Exchange is refused; check mode waits, too."""
    run, clock = bootstrapped(start, monkeypatch, tmp_path)
    play = Play(run.api, tmp_path / "site")
    planned = play(ERP, check_mode=True, wait_timeout=15 * MINUTE)
    assert "failed" not in planned, planned
    assert 10 * MINUTE <= clock.waited <= 11 * MINUTE
    waited = clock.waited
    done = play(ERP, wait_timeout=15 * MINUTE)
    assert "failed" not in done, done
    assert (done["changes"], clock.waited) == (planned["changes"], waited)


@pytest.mark.parametrize("resource", [direct_send.INFO, smtp_auth.INFO])
def test_a_role_that_stays_without_effect_is_reported_after_the_wait_timeout(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resource: Any
) -> None:
    run, clock = bootstrapped(start, monkeypatch, tmp_path, exchange_directory_role=24 * HOUR)
    refused = run(resource, wait_timeout=5 * MINUTE)
    assert "the automation app has no Exchange role for this command" in refused["msg"]
    assert NOT_EFFECTIVE in refused["msg"]
    assert 4 * MINUTE < clock.waited <= 5 * MINUTE


def test_a_cmdlet_that_the_role_group_has_lost_is_reported_at_once(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, clock = bootstrapped(start, monkeypatch, tmp_path, exchange_directory_role=0)
    run.api.admin.fault("exchange", "forbidden", match={"cmdlet": "Set-OrganizationConfig"}, count=9)
    refused = run(direct_send.RESOURCE, rejected=True, wait_timeout=15 * MINUTE)
    assert "may have lost management roles" in refused["msg"]
    assert (NOT_EFFECTIVE in refused["msg"], clock.waited) == (False, 0)
