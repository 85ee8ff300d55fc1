# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The customization of a new organization, as the resources that need it plan and apply it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources.authentication_policy import RESOURCE as POLICY
from ansible_collections.mailops.m365.plugins.module_utils.resources.rbac_for_applications import RESOURCE as RBAC

from ....conftest import FakeClock, Play
from ....services import Refused
from ..resources import rbac_tenant, test_authentication_policy

ENABLE = "Enable-OrganizationCustomization"
REFUSED = ("InvalidOperationInDehydratedContextException", "First run the command: Enable-OrganizationCustomization.")
POLICIES: dict[str, Any] = {"policies": [{"name": "Printers", "allow_basic_smtp": True}], "basic_reenabled": True}
MAILBOXES: dict[str, Any] = {"unique_name": "sender", "mailboxes": [rbac_tenant.A], "replace": True}


class Dehydrated(test_authentication_policy.Organization):
    """An organization that refuses `late` new policies after Enable-OrganizationCustomization; `enabled`: it has run before."""

    def __init__(self, *, enabled: bool = False, late: int = 0, reported: bool = True, forbidden: bool = False) -> None:
        super().__init__()
        self.enabled, self.refusals, self.reported, self.forbidden = enabled, late, reported, forbidden
        organization = self.cmdlets["Get-OrganizationConfig"]
        self.cmdlets["Get-OrganizationConfig"] = lambda p: [
            {**organization(p)[0], **({"IsDehydrated": str(not self.enabled)} if reported else {})}
        ]
        self.cmdlets |= {ENABLE: self.enable, "New-AuthenticationPolicy": self.new_policy}

    def enable(self, parameters: dict[str, Any]) -> None:
        if self.forbidden:
            raise Refused("Forbidden", "no", status=403)
        if self.enabled:
            raise Refused("InvalidOperationException", "This operation is not required.", status=400)
        self.enabled = True

    def new_policy(self, parameters: dict[str, Any]) -> Any:
        if not self.enabled or self.refusals:
            self.refusals -= self.enabled
            raise Refused(*REFUSED)
        return self.new(parameters)


def test_the_customization_is_a_change_of_the_plan(play: Play, clock: FakeClock) -> None:
    service = Dehydrated()
    planned = play(POLICY, service, check_mode=True, **POLICIES)
    assert planned["diff"]["before"]["organization_customization"] == "not enabled"
    assert planned["diff"]["after"]["organization_customization"] == "enabled"
    assert service.writes == []
    done = play(POLICY, service, **POLICIES)
    assert (done["diff"], service.writes, clock.slept) == (planned["diff"], [ENABLE, "New-AuthenticationPolicy"], [])
    again = play(POLICY, service, **POLICIES)
    assert (again["changed"], again["diff"]["after"]) == (False, "")


def test_without_a_new_policy_the_organization_stays_as_it_is(play: Play) -> None:
    service = Dehydrated()
    assert not play(POLICY, service, policies=[], basic_reenabled=True)["changed"]
    assert service.writes == []


def test_the_write_is_repeated_until_the_customization_is_effective(play: Play, clock: FakeClock) -> None:
    service = Dehydrated(late=3)
    done = play(POLICY, service, wait_timeout=60, **POLICIES)
    assert "msg" not in done
    assert (clock.slept, service.writes.count(ENABLE), list(service.policies)) == ([2, 4, 8], 1, ["Printers"])


def test_the_wait_is_bounded_and_the_next_run_continues(play: Play, clock: FakeClock) -> None:
    service = Dehydrated(late=99)
    failed = play(POLICY, service, wait_timeout=30, **POLICIES)
    assert "the organization still has Microsoft's default configuration" in failed["msg"]
    assert "Run the task again after an hour" in failed["msg"]
    assert failed["failure"]["transient"] is True
    assert sum(clock.slept) <= 30
    service.refusals = 1
    again = play(POLICY, service, **POLICIES)
    assert "msg" not in again
    assert "organization_customization" not in again["diff"]["after"], "IsDehydrated is false since the first run"


def test_a_refusal_enables_the_customization_where_the_plan_could_not_see_it(play: Play) -> None:
    service = Dehydrated(reported=False)
    done = play(POLICY, service, **POLICIES)
    assert "msg" not in done
    assert service.writes == ["New-AuthenticationPolicy", ENABLE, "New-AuthenticationPolicy"]


def test_a_refused_customization_is_the_failure(play: Play) -> None:
    failed = play(POLICY, Dehydrated(forbidden=True), **POLICIES)
    assert "Could not enable the customization of the organization: the automation app has no Exchange role" in failed["msg"]


@pytest.mark.parametrize("undelegated", [0, 2])
def test_role_assignments_wait_for_both_phases(play: Play, clock: FakeClock, undelegated: int) -> None:
    service = rbac_tenant.Organization()
    service.dehydrated, service.undelegated = True, undelegated
    planned = play(RBAC, service, check_mode=True, **MAILBOXES)
    assert planned["diff"]["after"]["organization_customization"] == "enabled"
    done = play(RBAC, service, **MAILBOXES)
    assert (done["diff"], service.log[:3], clock.slept[:2]) == (planned["diff"], ["customize", "scope", "assign"], [2, 4][:undelegated])
    assert "organization_customization" not in done["rbac"]
    assert not play(RBAC, service, **MAILBOXES)["changed"]


def test_a_missing_delegating_role_says_that_waiting_helps(play: Play) -> None:
    service = rbac_tenant.Organization()
    service.undelegated = 99
    failed = play(RBAC, service, wait_timeout=10, **MAILBOXES)
    assert "was enabled minutes ago and is not effective for management roles yet" in failed["msg"]
    assert failed["failure"]["transient"] is True
