# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._exchange.lookup import BY_NAME
from ansible_collections.mailops.m365.plugins.module_utils.resources import smtp_auth
from ansible_collections.mailops.m365.plugins.module_utils.resources.smtp_auth import INFO, RESOURCE
from hypothesis import given
from hypothesis import strategies as st

from ....conftest import Play, problems_of
from ....script import Script
from ....services import Exchange, Refused, missing

POLICY = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"
OFF = {"enabled": False, "disabled": True, "inherit": None}


class Organization(Exchange):
    """Mailboxes with their switch (None: inherit), aliases, and the organization's own switch; booleans as words on order."""

    def __init__(
        self,
        mailboxes: dict[str, Any],
        *,
        organization: Any = True,
        aliases: dict[str, str] | None = None,
        words: bool = False,
        others: Any = None,
    ) -> None:
        super().__init__(others)
        self.switches, self.organization = dict(mailboxes), organization
        self.aliases, self.words = aliases or {}, words
        self.cmdlets = {
            "Get-TransportConfig": lambda p: [{"SmtpClientAuthenticationDisabled": self.word(self.organization)}],
            "Set-TransportConfig": self.set_organization,
            "Get-CASMailbox": self.get,
            "Set-CASMailbox": self.set,
            "Get-AcceptedDomain": lambda p: [{"DomainName": "contoso.com"}],
        }

    def word(self, value: Any) -> Any:
        return str(value) if self.words and value is not None else value

    def as_read(self, address: str) -> dict[str, Any]:
        return {
            "Guid": f"guid-{address}",
            "PrimarySmtpAddress": address.title(),
            "SmtpClientAuthenticationDisabled": self.word(self.switches[address]),
        }

    def get(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        if parameters.get("ResultSize") == "Unlimited":
            return [self.as_read(address) for address in self.switches]
        address = self.aliases.get(parameters["Identity"], parameters["Identity"])
        if address not in self.switches:
            raise missing(address)
        return [self.as_read(address)]

    def set(self, parameters: dict[str, Any]) -> None:
        assert set(parameters) == {"Identity", "SmtpClientAuthenticationDisabled"}
        assert parameters["Identity"].startswith("guid-")
        self.switches[parameters["Identity"].removeprefix("guid-")] = parameters["SmtpClientAuthenticationDisabled"]

    def set_organization(self, parameters: dict[str, Any]) -> None:
        assert parameters["Confirm"] is False
        self.organization = parameters["SmtpClientAuthenticationDisabled"]


def switch_options(*addresses: str, smtp_auth: str = "enabled", **more: Any) -> list[dict[str, Any]]:
    return [{"address": address, "smtp_auth": smtp_auth, **more} for address in addresses]


# -- input ------------------------------------------------------------------------------------------------------------


def test_all_invalid_addresses_are_reported_at_once() -> None:
    problems = problems_of(RESOURCE, mailboxes=switch_options("", "nonsense", "a@contoso.com", "A@CONTOSO.com"))
    assert len(problems) == 3
    assert "holds an empty address" in problems[0]
    assert problems_of(INFO, mailboxes=["nonsense"]) == ["mailboxes holds 'nonsense', which is no mail address (name@domain)."]


def test_exclusive_needs_a_list() -> None:
    [problem] = problems_of(RESOURCE, organization="enabled", exclusive=True)
    assert problem.startswith("exclusive is true without mailboxes: give the list of mailboxes, or [] to return all to inherit.")
    assert problems_of(RESOURCE, mailboxes=[], exclusive=True) == []


# -- mailboxes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("have", ["enabled", "disabled", "inherit"])
@pytest.mark.parametrize("want", ["enabled", "disabled", "inherit"])
def test_a_switch_is_brought_from_each_state_to_each(play: Play, have: str, want: str, words: bool) -> None:
    service = Organization({"a@contoso.com": OFF[have]}, words=words)
    result = play(RESOURCE, service, mailboxes=switch_options("a@contoso.com", smtp_auth=want))
    assert service.switches == {"a@contoso.com": OFF[want]}
    assert result["changed"] == (have != want)
    assert result["smtp_auth"]["changed_mailboxes"] == ({} if have == want else {"a@contoso.com": want})
    if have != want:
        assert result["diff"]["before"] == {"mailboxes": {"a@contoso.com": have}}
        assert result["diff"]["after"] == {"mailboxes": {"a@contoso.com": want}}
    assert play(RESOURCE, service, mailboxes=switch_options("a@contoso.com", smtp_auth=want))["changed"] is False


def test_inherit_is_written_as_null(play: Play) -> None:
    service = Organization({"a@contoso.com": False})
    play(RESOURCE, service, mailboxes=switch_options("a@contoso.com", smtp_auth="inherit"))
    assert service.ran("Set-") == [{"Identity": "guid-a@contoso.com", "SmtpClientAuthenticationDisabled": None}]


def test_check_mode_writes_nothing(play: Play, journal_dir: Any) -> None:
    service = Organization({"a@contoso.com": None})
    result = play(RESOURCE, service, check_mode=True, organization="enabled", mailboxes=switch_options("a@contoso.com"))
    assert (result["changed"], service.writes) == (True, [])
    assert result["diff"]["after"] == {"organization": "enabled", "mailboxes": {"a@contoso.com": "enabled"}}
    assert not journal_dir.exists()


def test_the_organizations_switch_is_read_and_set_first(play: Play) -> None:
    service = Organization({"a@contoso.com": None}, organization=False)
    result = play(RESOURCE, service, organization="disabled", mailboxes=switch_options("a@contoso.com"))
    assert service.writes == ["Set-TransportConfig", "Set-CASMailbox"]
    assert service.ran("Set-TransportConfig") == [{"SmtpClientAuthenticationDisabled": True, "Confirm": False}]
    assert result["smtp_auth"]["organization"] == "disabled"
    assert result["diff"]["before"]["organization"] == "enabled"
    assert play(RESOURCE, service, organization="disabled", mailboxes=switch_options("a@contoso.com"))["changed"] is False


def test_the_organizations_switch_alone_needs_no_mailbox(play: Play) -> None:
    service = Organization({}, organization="True")
    assert play(RESOURCE, service, organization="disabled")["changed"] is False
    assert service.requests == 1


def test_an_alias_names_its_mailbox(play: Play) -> None:
    service = Organization({"a@contoso.com": None}, aliases={"alias@contoso.com": "a@contoso.com"})
    play(RESOURCE, service, mailboxes=switch_options("Alias@contoso.com"))
    assert service.switches == {"a@contoso.com": False}


def test_an_alias_keeps_its_mailbox_out_of_exclusive(play: Play) -> None:
    have = {"a@contoso.com": False, "b@contoso.com": True, "c@contoso.com": None}
    service = Organization(have, aliases={"alias@contoso.com": "a@contoso.com"})
    result = play(RESOURCE, service, mailboxes=switch_options("alias@contoso.com"), exclusive=True)
    assert service.switches == {"a@contoso.com": False, "b@contoso.com": None, "c@contoso.com": None}
    assert result["smtp_auth"]["changed_mailboxes"] == {"b@contoso.com": "inherit"}


def test_exclusive_with_an_empty_list_returns_all_to_inherit(play: Play) -> None:
    service = Organization({"a@contoso.com": False, "b@contoso.com": True})
    play(RESOURCE, service, mailboxes=[], exclusive=True)
    assert service.switches == {"a@contoso.com": None, "b@contoso.com": None}


def test_without_exclusive_others_are_left_alone(play: Play) -> None:
    service = Organization({"a@contoso.com": None, "b@contoso.com": False})
    play(RESOURCE, service, mailboxes=switch_options("a@contoso.com"))
    assert service.switches == {"a@contoso.com": False, "b@contoso.com": False}


def test_two_addresses_of_one_mailbox_may_not_disagree(play: Play) -> None:
    service = Organization({"a@contoso.com": None}, aliases={"alias@contoso.com": "a@contoso.com"})
    both = switch_options("a@contoso.com") + switch_options("alias@contoso.com", smtp_auth="disabled")
    result = play(RESOURCE, service, mailboxes=both)
    assert (
        "mailboxes: a@contoso.com and alias@contoso.com are one mailbox, with different values of smtp_auth: keep one of them."
        in result["msg"]
    )
    assert service.writes == []
    assert play(RESOURCE, service, mailboxes=switch_options("a@contoso.com", "alias@contoso.com"))["changed"] is True
    assert service.switches == {"a@contoso.com": False}


def test_all_missing_mailboxes_are_named_before_anything_is_written(play: Play) -> None:
    service = Organization({"a@contoso.com": None})
    desired = switch_options("a@contoso.com", "b@contoso.com", "c@fabrikam.com")
    for exclusive in (False, True):
        result = play(RESOURCE, service, organization="enabled", mailboxes=desired, exclusive=exclusive)
        assert "Exchange has no mailbox b@contoso.com" in result["msg"]
        assert "c@fabrikam.com: not in an accepted domain of this tenant (contoso.com)" in result["msg"]
    assert service.writes == []


# -- signing in by password -------------------------------------------------------------------------------------------


def test_basic_under_security_defaults_is_refused_before_any_write(play: Play, script: Script) -> None:
    script.expect("GET", POLICY).answers(200, {"isEnabled": True})
    service = Organization({"a@contoso.com": None, "b@contoso.com": None}, others=script)
    desired = switch_options("a@contoso.com", sign_in="basic") + switch_options("b@contoso.com")
    result = play(RESOURCE, service, mailboxes=desired)
    assert result["failure"]["problems"][0].startswith(
        "a@contoso.com: sign_in is basic, but this tenant's Entra Security Defaults are enabled"
    )
    assert (service.writes, service.requests) == ([], 0)


def test_basic_without_security_defaults_is_allowed(play: Play, script: Script) -> None:
    script.expect("GET", POLICY).answers(200, {"isEnabled": False})
    service = Organization({"a@contoso.com": None}, others=script)
    assert play(RESOURCE, service, mailboxes=switch_options("a@contoso.com", sign_in="basic"))["changed"] is True


@pytest.mark.parametrize(("switch", "sign_in"), [("disabled", "basic"), ("enabled", "oauth")])
def test_security_defaults_are_read_only_where_they_matter(play: Play, switch: str, sign_in: str) -> None:
    service = Organization({"a@contoso.com": None})
    assert play(RESOURCE, service, mailboxes=switch_options("a@contoso.com", smtp_auth=switch, sign_in=sign_in))["changed"] is True


# -- numbers ----------------------------------------------------------------------------------------------------------


def many(count: int, switch: Any = None) -> dict[str, Any]:
    return {f"m{n}@contoso.com": switch for n in range(count)}


def test_ten_thousand_mailboxes_are_read_with_ten_requests(play: Play) -> None:
    service = Organization(many(10_000, False), organization=True)
    result = play(RESOURCE, service, organization="disabled", mailboxes=switch_options(*many(10_000)))
    assert (result["changed"], service.requests, result["cost"]["requests"]) == (False, 10, 10)


def test_a_thousand_changes_are_a_hundred_batches_and_reading_is_not_repeated(play: Play) -> None:
    service = Organization(many(10_000))
    result = play(RESOURCE, service, mailboxes=switch_options(*many(1000)))
    assert service.requests == 10 + 100
    assert len(service.ran("Set-CASMailbox")) == 1000
    assert len(service.ran("Get-CASMailbox")) == 1
    assert len(result["smtp_auth"]["changed_mailboxes"]) == 1000


@pytest.mark.parametrize(("count", "requests"), [(1, 1), (9, 1), (10, 2), (BY_NAME, 6), (BY_NAME + 1, 1)])
def test_few_mailboxes_are_read_by_name(play: Play, count: int, requests: int) -> None:
    service = Organization(many(200, False), organization=True)
    assert play(RESOURCE, service, organization="disabled", mailboxes=switch_options(*many(count)))["changed"] is False
    assert service.requests == requests


# -- failures ---------------------------------------------------------------------------------------------------------


def test_a_failed_write_does_not_stop_the_others(play: Play) -> None:
    service = Organization(many(25))

    def refuse_two(parameters: dict[str, Any]) -> None:
        if parameters["Identity"] in ("guid-m3@contoso.com", "guid-m17@contoso.com"):
            raise Refused("SomeException", "No.")
        service.set(parameters)

    service.cmdlets["Set-CASMailbox"] = refuse_two
    result = play(RESOURCE, service, mailboxes=switch_options(*many(25)))
    assert (
        "Could not set SMTP AUTH of m3@contoso.com (and 1 more of 25; the others were set): the service answered SomeException"
        in result["msg"]
    )
    assert sum(switch is False for switch in service.switches.values()) == 23


def test_refused_read_is_reported(play: Play) -> None:
    service = Organization(many(2))
    service.cmdlets["Get-CASMailbox"] = lambda parameters: _refuse()
    result = play(RESOURCE, service, mailboxes=switch_options(*many(2)))
    assert "Could not read SMTP AUTH of m0@contoso.com: the service answered SomeException: No." in result["msg"]


def _refuse() -> None:
    raise Refused("SomeException", "No.")


# -- the info module --------------------------------------------------------------------------------------------------


def test_the_info_module_shows_all_or_the_named(play: Play) -> None:
    service = Organization(
        {"b@contoso.com": None, "a@contoso.com": False}, organization=False, aliases={"alias@contoso.com": "a@contoso.com"}
    )
    everything = play(INFO, service)
    assert everything["smtp_auth"] == {"organization": "enabled", "mailboxes": {"a@contoso.com": "enabled", "b@contoso.com": "inherit"}}
    named = play(INFO, service, mailboxes=["Alias@contoso.com"])
    assert named["smtp_auth"]["mailboxes"] == {"alias@contoso.com": "enabled"}
    assert service.requests == 2
    assert "Exchange has no mailbox x@contoso.com" in play(INFO, service, mailboxes=["x@contoso.com"])["msg"]


# -- the plan, for any current and any desired state ------------------------------------------------------------------

ADDRESSES = st.sampled_from([f"m{n}@contoso.com" for n in range(6)])
SWITCHES = st.sampled_from(["enabled", "disabled", "inherit"])


@given(
    have=st.dictionaries(ADDRESSES, SWITCHES, min_size=6, max_size=6), want=st.dictionaries(ADDRESSES, SWITCHES), exclusive=st.booleans()
)
def test_a_plan_leads_to_the_desired_state_and_then_to_no_change(have: dict[str, str], want: dict[str, str], exclusive: bool) -> None:
    state = dict(have)

    def read(tenant: Any, listed: Any, **options: Any) -> smtp_auth.Settings:
        return smtp_auth.Settings(None, {address: smtp_auth.Mailbox(f"guid-{address}", value) for address, value in state.items()})

    mailboxes = tuple(smtp_auth.MailboxParams(address.upper(), value, "oauth") for address, value in want.items())
    params = smtp_auth.Params(organization=None, exclusive=exclusive, expected_mailboxes=(), mailboxes=mailboxes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(smtp_auth, "read", read)
        plan = RESOURCE.plan(None, params, False)  # type: ignore[arg-type]
        for change in plan.changes.mailboxes if plan.changes else ():
            assert change.guid == f"guid-{change.address}"
            assert state[change.address] != change.smtp_auth  # nothing is written that is current already
            state[change.address] = change.smtp_auth
        rest = {address: "inherit" if exclusive else switch for address, switch in have.items() if address not in want}
        assert state == want | rest
        again = RESOURCE.plan(None, params, False)  # type: ignore[arg-type]
        assert (again.changes, again.before, again.after) == (None, {}, {})
    touched = {address: switch for address, switch in have.items() if state[address] != switch}
    assert plan.before == ({"mailboxes": touched} if touched else {})
    assert plan.after == ({"mailboxes": {address: state[address] for address in touched}} if touched else {})
