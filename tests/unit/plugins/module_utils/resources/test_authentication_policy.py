# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._engine.resource import Plan
from ansible_collections.mailops.m365.plugins.module_utils._engine.run import params_of
from ansible_collections.mailops.m365.plugins.module_utils._engine.tenant import Tenant
from ansible_collections.mailops.m365.plugins.module_utils._exchange.lookup import BY_NAME
from ansible_collections.mailops.m365.plugins.module_utils.resources.authentication_policy import INFO, NOTE, RESOURCE, Changes
from hypothesis import given
from hypothesis import strategies as st

from ....conftest import FakeClock, Play, StubTokens, parameters, problems_of
from ....script import Script
from ....services import Exchange, Refused, missing

DEFAULTS = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"
READ_BACK = {
    "name": lambda name: name,
    "dn": lambda name: f"CN={name},CN=Auth Policies,CN=Configuration,DC=EURPR01A001,DC=PROD",
    "guid": lambda name: f"guid-of-{name.lower()}",
}


class Organization(Exchange):
    """Policies (name -> AllowBasicAuthSmtp), users (address -> policy), aliases of mailboxes, and the default policy."""

    def __init__(
        self, policies: dict[str, bool] | None = None, users: dict[str, str | None] | None = None, *, default: str | None = None,
        aliases: dict[str, str] | None = None, read_back: str = "dn", words: bool = False, secure: bool = False, late: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(self.graph)
        self.policies, self.users = dict(policies or {}), dict(users or {"a@contoso.com": None, "b@contoso.com": None})
        self.default, self.aliases, self.read_back = default, aliases or {}, read_back
        self.words, self.secure, self.late = words, secure, late
        self.security_reads = 0
        self.cmdlets = {
            "Get-AuthenticationPolicy": lambda p: [self.as_read(name) for name in self.policies],
            "Get-OrganizationConfig": lambda p: [{"DefaultAuthenticationPolicy": self.default}],
            "Get-User": self.get_user,
            "Get-Mailbox": self.get_mailbox,
            "Get-AcceptedDomain": lambda p: [{"DomainName": "contoso.com"}],
            "New-AuthenticationPolicy": self.new,
            "Set-AuthenticationPolicy": self.set,
            "Set-User": self.set_user,
            "Set-OrganizationConfig": self.set_default,
            "Remove-AuthenticationPolicy": self.remove,
        }

    def graph(self, request: Any) -> Any:
        script = Script()
        script.expect("GET", DEFAULTS).answers(200, {"isEnabled": self.secure})
        self.security_reads += 1
        return script(request)

    def as_read(self, name: str) -> dict[str, Any]:
        allow = str(self.policies[name]) if self.words else self.policies[name]
        dn, guid = READ_BACK["dn"](name), READ_BACK["guid"](name)
        return {"Name": name, "Identity": name, "Guid": guid, "DistinguishedName": dn, "AllowBasicAuthSmtp": allow}

    def user(self, address: str) -> dict[str, Any]:
        policy = self.users[address]
        as_read = READ_BACK[self.read_back](policy) if policy else None
        names = {"Guid": f"guid-{address}", "UserPrincipalName": address, "WindowsEmailAddress": address.title()}
        return names | {"AuthenticationPolicy": as_read}

    def get_user(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        if parameters == {"ResultSize": "Unlimited"}:
            return [self.user(address) for address in self.users]
        address = parameters["Identity"].removeprefix("guid-")
        if address not in self.users:
            raise missing(address)
        return [self.user(address)]

    def get_mailbox(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        if parameters["Identity"] not in self.aliases:
            raise missing(parameters["Identity"])
        return [{"Guid": f"guid-{self.aliases[parameters['Identity']]}"}]

    def new(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        assert parameters.keys() <= {"Name", "AllowBasicAuthSmtp"}
        assert parameters.get("AllowBasicAuthSmtp") in (None, True)
        self.policies[parameters["Name"]] = parameters.get("AllowBasicAuthSmtp", False)
        return [self.as_read(parameters["Name"])]

    def named(self, guid: str) -> str:
        return next(name for name in self.policies if READ_BACK["guid"](name) == guid)

    def set(self, parameters: dict[str, Any]) -> None:
        assert parameters.keys() == {"Identity", "AllowBasicAuthSmtp", "Confirm"}
        self.policies[self.named(parameters["Identity"])] = parameters["AllowBasicAuthSmtp"]

    def set_user(self, parameters: dict[str, Any]) -> None:
        assert parameters.keys() == {"Identity", "AuthenticationPolicy", "Confirm"}
        assert parameters["Identity"].startswith("guid-")
        if self.late:
            self.late -= 1
            raise missing(parameters["AuthenticationPolicy"])
        assert parameters["AuthenticationPolicy"] in (None, *self.policies)
        self.users[parameters["Identity"].removeprefix("guid-")] = parameters["AuthenticationPolicy"]

    def set_default(self, parameters: dict[str, Any]) -> None:
        assert parameters.keys() == {"DefaultAuthenticationPolicy", "Confirm"}
        assert parameters["DefaultAuthenticationPolicy"] in (None, *self.policies)
        self.default = parameters["DefaultAuthenticationPolicy"]

    def remove(self, parameters: dict[str, Any]) -> None:
        name = self.named(parameters["Identity"])
        assert name != self.default
        assert name not in self.users.values()
        del self.policies[name]


def policy(name: str, *mailboxes: str, allow: bool = False, **more: Any) -> dict[str, Any]:
    return {"name": name, "allow_basic_smtp": allow, "mailboxes": list(mailboxes)} | more


FAR = "2028-12-31"  # the clock of these tests stands in January 2027
OPEN, CLOSED = policy("Printers", "a@contoso.com", allow=True), {"name": "No passwords", "allow_basic_smtp": False}


def run(play: Play, service: Organization, **options: Any) -> dict[str, Any]:
    """Where nothing else is said, passwords have no end."""
    return play(RESOURCE, service, **{"basic_reenabled": True} | options)


# -- input ------------------------------------------------------------------------------------------------------------


def test_all_input_problems_are_reported_at_once() -> None:
    desired = {
        "policies": [
            policy("Printers", "nonsense", "a@contoso.com"),
            policy("printers"),
            policy("Others", "A@contoso.com"),
            policy("Gone", "b@contoso.com", state="absent"),
            policy(" "),
        ],
        "organization": "gone",
        "basic_auth_end_date": "soon",
    }
    assert problems_of(RESOURCE, **desired) == [
        "policies: Printers: mailboxes holds 'nonsense', which is no mail address (name@domain).",
        "policies holds printers twice: keep one.",
        "policies: a@contoso.com is in Printers and in Others: a mailbox has one policy, keep one.",
        "policies: Gone is absent: remove its mailboxes and allow_basic_smtp.",
        "policies: ' ' is no policy's name: give 1 to 64 characters.",
        "organization is gone, which policies makes absent: name another, or an empty text for none.",
        "m365_basic_auth_end_date is 'soon': give a date such as 2026-12-31.",
    ]
    [problem] = problems_of(RESOURCE, organization="x", exclusive=True)
    assert problem.startswith("exclusive is true without policies")
    assert problems_of(RESOURCE, policies=[OPEN, CLOSED], organization="No passwords", exclusive=True) == []


# -- from nothing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("read_back", READ_BACK)
def test_an_empty_tenant_is_predicted_made_and_left_alone(play: Play, journal_dir: Path, read_back: str) -> None:
    service = Organization(read_back=read_back)
    desired = {"policies": [OPEN, CLOSED], "organization": "no passwords"}
    planned = run(play, service, check_mode=True, **desired)
    assert (service.writes, journal_dir.exists()) == ([], False)
    done = run(play, service, **desired)
    for result in (planned, done):
        assert result["changed"] is True
        assert result["diff"]["before"] == {
            "policies": {"Printers": None, "No passwords": None}, "mailboxes": {"a@contoso.com": None}, "organization": None,
        }  # fmt: skip
        assert result["diff"]["after"] == {
            "policies": {"Printers": {"allow_basic_smtp": True}, "No passwords": {"allow_basic_smtp": False}},
            "mailboxes": {"a@contoso.com": "Printers"},
            "organization": "No passwords",
        }
        assert result["authentication_policy"] == {
            "organization": "No passwords",
            "policies": {"Printers": {"allow_basic_smtp": True}, "No passwords": {"allow_basic_smtp": False}},
            "changed_mailboxes": {"a@contoso.com": "Printers"},
        }
        assert result["notes"] == [NOTE]
    assert service.writes[-2:] == ["Set-User", "Set-OrganizationConfig"]
    [file] = journal_dir.glob("*.jsonl")
    assert json.loads(file.read_text().splitlines()[0])["after"] == done["diff"]["after"]
    again = run(play, service, **desired)
    assert (again["changed"], again["diff"]["before"], "notes" in again) == (False, "", False)
    assert again["authentication_policy"]["organization"] == "No passwords"


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("have", [False, True])
@pytest.mark.parametrize("want", [False, True])
def test_a_policy_is_brought_from_each_state_to_each(play: Play, have: bool, want: bool, words: bool) -> None:
    service = Organization({"Printers": have}, words=words)
    result = run(play, service, policies=[{"name": "PRINTERS", "allow_basic_smtp": want}])
    assert (result["changed"], service.policies) == (have != want, {"Printers": want})
    assert service.security_reads == int(want)
    if have != want:
        assert result["diff"]["before"] == {"policies": {"Printers": {"allow_basic_smtp": have}}}


# -- who has which ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("read_back", READ_BACK)
def test_others_keep_their_policies_unless_the_list_is_exclusive(play: Play, read_back: str) -> None:
    users = {"a@contoso.com": "Old", "b@contoso.com": "Printers", "c@contoso.com": None, "d@contoso.com": "Old"}
    service = Organization({"Old": False, "Printers": True}, users, read_back=read_back)
    run(play, service, policies=[OPEN])
    assert service.users == users | {"a@contoso.com": "Printers"}
    result = run(play, service, policies=[OPEN], exclusive=True)
    assert result["authentication_policy"]["changed_mailboxes"] == {"b@contoso.com": None, "d@contoso.com": None}
    assert service.users == dict.fromkeys(users) | {"a@contoso.com": "Printers"}
    assert run(play, service, policies=[OPEN], exclusive=True)["changed"] is False


def test_what_is_left_out_of_a_policy_stays_as_it_is(play: Play) -> None:
    service = Organization({"Printers": True})
    assert run(play, service, policies=[{"name": "Printers"}])["changed"] is False
    result = run(play, service, policies=[{"name": "New"}])
    assert (result["authentication_policy"]["policies"]["New"], service.policies) == (
        {"allow_basic_smtp": False},
        {"Printers": True, "New": False},
    )


def test_a_policy_without_mailboxes_leaves_everybody_alone(play: Play) -> None:
    service = Organization({"Printers": True}, {"a@contoso.com": "Printers"})
    assert run(play, service, policies=[{"name": "Printers", "allow_basic_smtp": True}])["changed"] is False


def test_a_mailbox_may_be_named_by_another_of_its_addresses(play: Play) -> None:
    for exclusive in (False, True):
        service = Organization(aliases={"alias@contoso.com": "a@contoso.com"})
        desired = {"policies": [policy("Printers", "Alias@contoso.com")], "exclusive": exclusive}
        assert run(play, service, **desired)["authentication_policy"]["changed_mailboxes"] == {"alias@contoso.com": "Printers"}
        assert service.users["a@contoso.com"] == "Printers"
        assert run(play, service, **desired)["changed"] is False


@pytest.mark.parametrize(("count", "requests"), [(3, 1), (BY_NAME, 6), (BY_NAME + 1, 1)])
def test_many_mailboxes_are_read_at_once(play: Play, count: int, requests: int) -> None:
    users = {f"u{number}@contoso.com": "Printers" for number in range(count)}
    service = Organization({"Printers": False}, users)
    result = run(play, service, policies=[policy("Printers", *users)])
    assert (result["changed"], service.requests) == (False, requests)


def test_new_objects_are_waited_for(play: Play, clock: Any) -> None:
    service = Organization(late=2)
    assert run(play, service, policies=[OPEN])["changed"] is True
    assert (service.users["a@contoso.com"], len(clock.slept)) == ("Printers", 2)


def test_no_mailbox_loses_access_during_the_change(play: Play) -> None:
    users = {"a@contoso.com": "Old", "b@contoso.com": None}
    service = Organization({"Old": True, "Printers": False}, users)
    run(play, service, policies=[OPEN, {"name": "Old", "allow_basic_smtp": False}, policy("New", "b@contoso.com")], organization="Old")
    written = [(name, p) for name, p in service.commands if not name.startswith("Get-")]
    steps = [(name, p.get("AllowBasicAuthSmtp", p.get("AuthenticationPolicy"))) for name, p in written]
    assert steps[:2] == [("New-AuthenticationPolicy", None), ("Set-AuthenticationPolicy", True)]
    assert sorted(steps[2:4]) == [("Set-User", "New"), ("Set-User", "Printers")]
    assert steps[4:] == [("Set-OrganizationConfig", None), ("Set-AuthenticationPolicy", False)]


# -- absent -----------------------------------------------------------------------------------------------------------


def test_a_policy_goes_after_its_users_have_left_it(play: Play) -> None:
    service = Organization({"Old": True, "Printers": True}, {"a@contoso.com": "Old", "b@contoso.com": "Old", "c@contoso.com": "Printers"})
    desired = {"policies": [OPEN, {"name": "old", "state": "absent"}]}
    planned = run(play, service, check_mode=True, **desired)
    done = run(play, service, **desired)
    assert planned["diff"] == done["diff"]
    assert done["diff"]["before"]["policies"] == {"Old": {"allow_basic_smtp": True}}
    assert done["diff"]["after"] == {"policies": {"Old": None}, "mailboxes": {"a@contoso.com": "Printers", "b@contoso.com": None}}
    assert (service.policies, service.users["b@contoso.com"], service.users["c@contoso.com"]) == ({"Printers": True}, None, "Printers")
    again = run(play, service, **desired)
    assert again["changed"] is False
    assert {"ResultSize": "Unlimited"} not in service.ran("Get-User")[-1:]


def test_the_default_goes_only_when_another_is_named(play: Play) -> None:
    service = Organization({"Old": False}, default="Old")
    gone = {"policies": [{"name": "Old", "state": "absent"}]}
    refused = run(play, service, **gone)
    assert refused["failure"]["problems"] == [
        "organization: Old is the organization's default, and policies removes it: name another default, or an empty text for none."
    ]
    done = run(play, service, organization="", **gone)
    assert (done["diff"]["after"]["organization"], service.default, service.policies) == (None, None, {})
    assert run(play, service, organization="", **gone)["changed"] is False


# -- conflicts --------------------------------------------------------------------------------------------------------


def test_all_conflicts_are_reported_at_once_and_nothing_is_written(play: Play, journal_dir: Path) -> None:
    service = Organization(aliases={"alias@contoso.com": "a@contoso.com"}, secure=True)
    policies = [
        policy("Printers", "a@contoso.com", "ghost@contoso.com", allow=True),
        policy("Others", "alias@contoso.com", "x@else.example"),
    ]
    for check_mode in (True, False):
        result = run(play, service, check_mode=check_mode, policies=policies, organization="None such", basic_reenabled=False)
        problems = result["failure"]["problems"]
        assert [text.partition(":")[0] for text in problems] == [
            "policies",
            "policies",
            "policies",
            "organization is None such, but there is no such authentication policy",
            "policies",
            "policies",
        ]
        assert problems[0].startswith("policies: Exchange has no mailbox ghost@contoso.com: ")
        assert problems[1].startswith("policies: x@else.example: not in an accepted domain")
        assert "a@contoso.com and alias@contoso.com are one mailbox, in two policies" in problems[2]
        assert "policies: Printers: allow_basic_smtp is true, but Basic authentication for SMTP is off by default after" in problems[4]
        assert "Entra Security Defaults are enabled" in problems[5]
    assert (service.writes, journal_dir.exists()) == ([], False)


def test_basic_auth_end_date_is_noted_until_an_administrator_enables_basic_auth(play: Play) -> None:
    same = {"policies": [{"name": "Printers", "allow_basic_smtp": True}], "basic_auth_end_date": FAR, "basic_reenabled": False}
    [note] = run(play, Organization({"Printers": True}), **same)["notes"]
    assert note.startswith(f"Printers: Basic authentication for SMTP is off by default after {FAR}, and an administrator can turn it ")
    for end in ("2026-12-31", "2027-01-14"):
        assert (
            "is off by default after" in run(play, Organization(), policies=[OPEN], basic_auth_end_date=end, basic_reenabled=False)["msg"]
        )
    assert run(play, Organization(), policies=[OPEN], basic_auth_end_date="2027-01-15", basic_reenabled=False)["changed"]  # the clock's day
    done = run(play, Organization(), policies=[OPEN])
    assert (done["changed"], done["notes"]) == (True, [NOTE])
    assert run(play, Organization(), policies=[CLOSED], basic_reenabled=False)["notes"] == [NOTE]


def test_a_check_run_does_not_miss_mailboxes_that_are_yet_to_be_made(play: Play) -> None:
    desired = {"policies": [policy("Closed", "new@contoso.com", "a@contoso.com")], "expected_mailboxes": ["New@contoso.com"]}
    planned = run(play, Organization(), check_mode=True, **desired)
    assert planned["authentication_policy"]["changed_mailboxes"] == {"a@contoso.com": "Closed", "new@contoso.com": "Closed"}
    assert planned["diff"]["before"]["mailboxes"] == {"a@contoso.com": None, "new@contoso.com": None}
    assert "Exchange has no mailbox new@contoso.com" in run(play, Organization(), **desired)["msg"]


def test_refused_write_is_reported(play: Play) -> None:
    def refuse(parameters: dict[str, Any]) -> None:
        raise Refused("SomeException", "No.")

    for cmdlet, attempted in (
        ("New-AuthenticationPolicy", "create the authentication policy Printers"),
        ("Set-User", "set the authentication policy of a@contoso.com"),
        ("Set-OrganizationConfig", "set the organization's authentication policy"),
        ("Get-AuthenticationPolicy", "read the authentication policies"),
    ):
        service = Organization()
        service.cmdlets[cmdlet] = refuse
        result = run(play, service, policies=[OPEN], organization="Printers")
        assert f"Could not {attempted}: the service answered SomeException: No." in result["msg"]


# -- the info module --------------------------------------------------------------------------------------------------


def test_the_info_module_shows_who_has_which(play: Play) -> None:
    users = {"a@contoso.com": "Printers", "b@contoso.com": None}
    service = Organization({"Printers": True, "Closed": False}, users, default="Closed")
    result = play(INFO, service)
    policies = {"Printers": {"allow_basic_smtp": True}, "Closed": {"allow_basic_smtp": False}}
    printers = {"policy": "Printers", "allow_basic_smtp": True}
    assert result["authentication_policy"] == {"organization": "Closed", "policies": policies, "mailboxes": {"a@contoso.com": printers}}
    assert result["cost"]["requests"] == 1
    named = play(INFO, service, mailboxes=["B@contoso.com"])["authentication_policy"]["mailboxes"]
    assert named == {"b@contoso.com": {"policy": None, "allow_basic_smtp": False}}
    free = play(INFO, Organization(), mailboxes=["a@contoso.com"])["authentication_policy"]["mailboxes"]
    assert free == {"a@contoso.com": {"policy": None, "allow_basic_smtp": True}}
    assert "ghost@contoso.com" in play(INFO, service, mailboxes=["ghost@contoso.com"])["msg"]


# -- properties -------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["p", "q", "r"])
ADDRESSES = st.sampled_from([f"{letter}@contoso.com" for letter in "abcd"])
USERS = st.dictionaries(ADDRESSES, st.none() | NAMES, min_size=4)


@given(USERS, st.lists(NAMES, unique=True), st.dictionaries(ADDRESSES, NAMES), st.booleans())
def test_any_desired_state_is_reached_and_stays(
    users: dict[str, str | None], existing: list[str], assignments: dict[str, str], exclusive: bool
) -> None:
    had = {user: name if name in existing else None for user, name in users.items()}
    service = Organization(dict.fromkeys(existing, False), had)
    names = sorted(set(assignments.values()))
    params = parameters(
        RESOURCE.spec,
        policies=[policy(name, *(u for u, want in assignments.items() if want == name)) for name in names],
        exclusive=exclusive,
    )
    plans: list[Plan[Changes]] = []
    typed = params_of(RESOURCE, params)
    for _run in range(2):
        tenant = Tenant(params, None, service, FakeClock())
        vars(tenant)["tokens"] = StubTokens(tenant.cloud)
        plans.append(RESOURCE.plan(tenant, typed, False))
        if plans[-1].changed:
            RESOURCE.apply(tenant, typed, plans[-1])
    expected = {user: assignments.get(user, None if exclusive else name) for user, name in had.items()}
    assert service.users == expected
    assert not plans[1].changed
