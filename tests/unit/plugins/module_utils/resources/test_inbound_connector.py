# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import ipaddress
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._clients.exchange import Command
from ansible_collections.mailops.m365.plugins.module_utils._exchange import inbound_connectors
from ansible_collections.mailops.m365.plugins.module_utils._exchange.inbound_connectors import PROPERTIES
from ansible_collections.mailops.m365.plugins.module_utils.resources import inbound_connector
from ansible_collections.mailops.m365.plugins.module_utils.resources.inbound_connector import INFO, RESOURCE
from hypothesis import given
from hypothesis import strategies as st

from ....conftest import Play, problems_of
from ....services import Exchange, Refused

WARNING = "Inbound connector for this service offering is created in a disabled state. Contact Support to enable it."
SWITCHES = ("Enabled", "RequireTls", "RestrictDomainsToIPAddresses", "RestrictDomainsToCertificate", "TreatMessagesAsInternal")
LISTS = ("SenderIPAddresses", "SenderDomains", "AssociatedAcceptedDomains")


class Organization(Exchange):
    """Keeps connectors and reads them back in Exchange's dress: smtp:*;1, null for empty, words for booleans, other case.

    `may_enable` false is a trial tenant, where a new connector is made disabled with a warning.
    """

    def __init__(self, *connectors: dict[str, Any], may_enable: bool = True, dress: int = 0) -> None:
        super().__init__(
            **{
                "Get_InboundConnector": lambda p: [self.as_read(item) for item in self.connectors],
                "New_InboundConnector": self.new,
                "Set_InboundConnector": self.set,
                "Remove_InboundConnector": self.remove,
            }
        )
        self.connectors = [self.complete(item) for item in connectors]
        self.may_enable, self.dress = may_enable, dress

    @staticmethod
    def complete(item: dict[str, Any]) -> dict[str, Any]:
        blank = {"ConnectorType": "Partner", "Comment": "", "TlsSenderCertificateName": None, "Enabled": True}
        return {**dict.fromkeys(SWITCHES, False), **{name: [] for name in LISTS}, **blank, "Guid": f"guid-{item['Name']}", **item}

    def as_read(self, item: dict[str, Any]) -> dict[str, Any]:
        seen = copy.deepcopy(item)
        seen["SenderDomains"] = [f"smtp:{domain};1" for domain in seen["SenderDomains"]]
        if self.dress & 1:
            for name in SWITCHES:
                seen[name] = str(seen[name])
            seen["TlsSenderCertificateName"] = (seen["TlsSenderCertificateName"] or "").upper() or None
            seen["Comment"] = seen["Comment"] or None
        if self.dress & 2:
            seen["SenderIPAddresses"] = [text if "/" in text else f"{text}/32" for text in reversed(seen["SenderIPAddresses"])]
            seen["AssociatedAcceptedDomains"] = [", ".join(seen["AssociatedAcceptedDomains"])]
        if self.dress & 4:
            for name in LISTS:
                seen[name] = seen[name] or None
            seen |= {f"{name}@odata.type": "#Collection(String)" for name in LISTS}
        return seen

    def new(self, parameters: dict[str, Any]) -> Any:
        assert "Name" in parameters
        assert "SenderDomains" in parameters
        if any(item["Name"].lower() == parameters["Name"].lower() for item in self.connectors):
            raise Refused("ADObjectAlreadyExistsException", "There is one already.")
        made = self.complete(parameters)
        warnings = []
        if made["Enabled"] and not self.may_enable:
            made["Enabled"], warnings = False, [WARNING]
        self.connectors.append(made)
        return [self.as_read(made)], warnings

    def set(self, parameters: dict[str, Any]) -> None:
        item = next(item for item in self.connectors if item["Guid"] == parameters["Identity"])
        for name, value in parameters.items():
            if name != "Identity":
                assert name in {*PROPERTIES.values(), "Name"}
                item[name] = value

    def remove(self, parameters: dict[str, Any]) -> None:
        assert parameters["Confirm"] is False
        self.connectors = [item for item in self.connectors if item["Guid"] != parameters["Identity"]]


RELAY = {"name": "Relay", "sender_ip_addresses": ["203.0.113.5"]}


# -- input ------------------------------------------------------------------------------------------------------------


def problems(*connectors: dict[str, Any]) -> list[str]:
    return problems_of(RESOURCE, connectors=list(connectors))


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("relay.contoso.com", "which is no IPv4 address or network (/24 to /32)"),
        ("203.0.113.256", "which is no IPv4 address or network (/24 to /32)"),
        ("203.0.113.0/33", "which is no IPv4 address or network (/24 to /32)"),
        ("203.0.113.1-203.0.113.9", "which is no IPv4 address or network (/24 to /32)"),
        ("", "which is no IPv4 address or network (/24 to /32)"),
        ("2001:db8::1", "which is an IPv6 address: give an IPv4 address or network"),
        ("203.0.0.0/23", "wider than /24"),
        ("0.0.0.0/0", "wider than /24"),
        ("10.1.2.3", "which is not a public address"),
        ("172.16.0.0/24", "which is not a public address"),
        ("172.31.255.255", "which is not a public address"),
        ("192.168.1.0/24", "which is not a public address"),
        ("100.64.0.1", "which is not a public address"),
        ("127.0.0.1", "which is not a public address"),
        ("169.254.1.1", "which is not a public address"),
        ("224.0.0.1", "which is not a public address"),
        ("0.0.0.1", "which is not a public address"),
        ("203.0.113.5/24", "which is an address inside a network: write 203.0.113.0/24 or the address alone"),
    ],
)
def test_invalid_address_is_reported(address: str, words: str) -> None:
    [problem] = problems({"name": "Relay", "sender_ip_addresses": ["203.0.113.5", address]})
    assert problem.startswith("connectors: Relay: sender_ip_addresses holds ")
    assert words in problem


@pytest.mark.parametrize(
    "address", ["203.0.113.5", "203.0.113.0/24", "203.0.113.128/25", "203.0.113.5/32", " 203.0.113.5 ", "172.32.0.1", "100.128.0.1"]
)
def test_a_public_address_is_taken(address: str) -> None:
    assert problems({"name": "Relay", "sender_ip_addresses": [address]}) == []


@pytest.mark.parametrize(
    "name", ["relay", "*.*.contoso.com", "relay.*.com", "relay contoso.com", "CN=relay.contoso.com", "*", "-x.contoso.com"]
)
def test_invalid_certificate_name_is_reported(name: str) -> None:
    [problem] = problems({"name": "Relay", "tls_sender_certificate_name": name})
    assert f"tls_sender_certificate_name is {name!r}: give the certificate's name, such as relay.contoso.com or *.contoso.com." in problem


@pytest.mark.parametrize("name", ["relay.contoso.com", "*.contoso.com", "<I>CN=CA, O=X<S>CN=relay.contoso.com"])
def test_a_certificate_name_is_taken(name: str) -> None:
    assert problems({"name": "Relay", "tls_sender_certificate_name": name}) == []


@pytest.mark.parametrize(
    ("option", "text", "remedy"),
    [
        ("sender_domains", "not a domain", "give one such as contoso.com or *.contoso.com, or '*' for all"),
        ("sender_domains", "contoso", "give one such as"),
        ("sender_domains", "*.*.contoso.com", "give one such as"),
        ("sender_domains", "user@contoso.com", "give one such as"),
        ("associated_accepted_domains", "*", "give an accepted domain such as contoso.com"),
        ("associated_accepted_domains", "*.contoso.com", "give an accepted domain"),
    ],
)
def test_what_is_no_domain_is_reported(option: str, text: str, remedy: str) -> None:
    [problem] = problems({"name": "Relay", "sender_ip_addresses": ["203.0.113.5"], option: ["contoso.com", text]})
    assert problem.startswith(f"connectors: Relay: {option} holds {text!r}, which is no domain: {remedy}")


@pytest.mark.parametrize(
    "domains", [["*"], ["smtp:*;1"], ["contoso.com", "*.Contoso.com"], ["smtp:contoso.com;5"], ["contoso.com, fabrikam.com"]]
)
def test_domains_of_senders_are_taken(domains: list[str]) -> None:
    assert problems({"name": "Relay", "sender_ip_addresses": ["203.0.113.5"], "sender_domains": domains}) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "it has neither sender_ip_addresses nor tls_sender_certificate_name: give one, or the connector matches no host."),
        ({"sender_ip_addresses": [], "tls_sender_certificate_name": ""}, "it has neither"),
        (
            {"sender_ip_addresses": ["203.0.113.5"], "restrict_domains_to_ip_addresses": True},
            "to_ip_addresses works with type Partner only",
        ),
        (
            {"tls_sender_certificate_name": "a.contoso.com", "restrict_domains_to_certificate": True},
            "to_certificate works with type Partner only",
        ),
        ({"type": "Partner", "restrict_domains_to_ip_addresses": True}, "restrict_domains_to_ip_addresses needs sender_ip_addresses."),
        (
            {"type": "Partner", "restrict_domains_to_certificate": True},
            "restrict_domains_to_certificate needs tls_sender_certificate_name.",
        ),
        ({"type": "Partner", "treat_messages_as_internal": True}, "treat_messages_as_internal works with type OnPremises only."),
    ],
)
def test_contradicting_options_are_refused(play: Play, options: dict[str, Any], words: str) -> None:
    service = Organization()
    result = play(RESOURCE, service, connectors=[{"name": "Relay", **options}])
    assert words in result["msg"]
    assert service.writes == []


@pytest.mark.parametrize("domains", [[], [""]])
def test_empty_sender_domains_are_reported(domains: list[str]) -> None:
    [problem] = problems({"name": "Relay", "sender_ip_addresses": ["203.0.113.5"], "sender_domains": domains})
    assert "sender_domains is empty: name domains, or '*' for all." in problem


def test_options_are_judged_together_with_what_is_there(play: Play) -> None:
    service = Organization({"Name": "Relay", "SenderIPAddresses": ["203.0.113.5"], "SenderDomains": ["contoso.com"]})
    assert play(RESOURCE, service, connectors=[{"name": "Relay", "comment": "of the office"}])["changed"] is True
    assert play(RESOURCE, service, connectors=[{"name": "Relay", "restrict_domains_to_ip_addresses": True}])["changed"] is True
    result = play(RESOURCE, service, connectors=[{"name": "Relay", "sender_ip_addresses": []}])
    assert "restrict_domains_to_ip_addresses needs sender_ip_addresses." in result["msg"]


def test_names_are_needed_once() -> None:
    messages = problems(RELAY, {**RELAY, "name": " relay "}, {**RELAY, "name": " "})
    assert messages == [
        "connectors holds 'relay' twice: keep one.",
        "connectors holds one with an empty name: give it the name by which later runs look it up.",
    ]


def test_an_absent_connector_needs_its_name_only() -> None:
    assert problems({"name": "Relay", "state": "absent", "sender_ip_addresses": ["nonsense"]}) == []


@given(
    st.ip_addresses(v=4).map(str)
    | st.text(max_size=20)
    | st.tuples(st.ip_addresses(v=4), st.integers(0, 33)).map(lambda p: f"{p[0]}/{p[1]}")
)
def test_an_accepted_address_is_one_that_exchange_takes(text: str) -> None:
    if inbound_connector._problems(inbound_connector.ConnectorParams("Relay", "present", sender_ip_addresses=(text,))):
        return
    network = ipaddress.IPv4Network(text.strip())
    assert 24 <= network.prefixlen <= 32
    assert not (network.is_loopback)
    assert not (network.is_link_local)
    assert not (network.is_multicast)
    assert not any(network.overlaps(ipaddress.IPv4Network(private)) for private in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


# -- creating, changing, removing -------------------------------------------------------------------------------------


def test_connector_is_created_with_the_options_and_the_defaults(play: Play) -> None:
    service = Organization()
    result = play(RESOURCE, service, connectors=[RELAY])
    assert service.ran("New-") == [
        {"Name": "Relay", "ConnectorType": "OnPremises", "Enabled": True, "SenderDomains": ["*"], "SenderIPAddresses": ["203.0.113.5"]}
    ]
    assert result["connectors"] == {
        "Relay": {"type": "OnPremises", "enabled": True, "sender_ip_addresses": ["203.0.113.5"], "sender_domains": ["*"]}
    }
    assert result["diff"]["after"] == result["connectors"]
    assert service.requests == 3  # read, made, read back


@pytest.mark.parametrize("dress", range(8))
def test_a_second_run_changes_nothing_however_exchange_reads_back(play: Play, dress: int) -> None:
    service = Organization(dress=dress)
    full = {
        "name": "Relay", "comment": "By Ansible", "sender_ip_addresses": ["203.0.113.5/32", " 198.51.100.0/24"], "enabled": True,
        "tls_sender_certificate_name": "relay.Contoso.com", "sender_domains": ["contoso.com", "*"], "require_tls": True,
        "associated_accepted_domains": ["Contoso.com", "fabrikam.com"], "treat_messages_as_internal": False,
    }  # fmt: skip
    assert play(RESOURCE, service, connectors=[full])["changed"] is True
    again = play(RESOURCE, service, connectors=[full])
    assert (again["changed"], again["cost"]["requests"]) == (False, 1)
    assert again["connectors"]["Relay"]["sender_ip_addresses"] == ["198.51.100.0/24", "203.0.113.5"]


def test_only_what_differs_is_set_and_what_is_left_out_stays(play: Play) -> None:
    service = Organization({"Name": "relay", "ConnectorType": "OnPremises", "SenderIPAddresses": ["203.0.113.5"], "Comment": "Theirs",
                            "SenderDomains": ["contoso.com"], "RequireTls": True})  # fmt: skip
    result = play(RESOURCE, service, connectors=[{"name": "Relay", "sender_ip_addresses": ["203.0.113.6"]}])
    assert service.ran("Set-") == [{"Identity": "guid-relay", "SenderIPAddresses": ["203.0.113.6"]}]
    assert result["diff"]["before"]["relay"]["sender_ip_addresses"] == ["203.0.113.5"]
    assert result["connectors"]["Relay"] == {
        "type": "OnPremises",
        "enabled": True,
        "comment": "Theirs",
        "sender_ip_addresses": ["203.0.113.6"],
        "sender_domains": ["contoso.com"],
        "require_tls": True,
    }


def test_option_set_to_empty_is_cleared(play: Play) -> None:
    service = Organization({"Name": "Relay", "ConnectorType": "OnPremises", "SenderIPAddresses": ["203.0.113.5"], "Comment": "Old",
                            "TlsSenderCertificateName": "relay.contoso.com", "AssociatedAcceptedDomains": ["contoso.com"]})  # fmt: skip
    desired = {
        "name": "Relay",
        "sender_ip_addresses": ["203.0.113.5"],
        "tls_sender_certificate_name": "",
        "comment": "",
        "associated_accepted_domains": [],
    }
    play(RESOURCE, service, connectors=[desired])
    assert service.ran("Set-") == [
        {"Identity": "guid-Relay", "TlsSenderCertificateName": None, "Comment": "", "AssociatedAcceptedDomains": []}
    ]
    assert play(RESOURCE, service, connectors=[desired])["changed"] is False
    addresses_gone = {"name": "Relay", "sender_ip_addresses": [], "tls_sender_certificate_name": "relay.contoso.com"}
    play(RESOURCE, service, connectors=[addresses_gone])
    assert service.connectors[0]["SenderIPAddresses"] == []


def test_connectors_are_made_changed_and_removed_in_one_batch(play: Play) -> None:
    service = Organization(
        {"Name": "Old", "SenderIPAddresses": ["203.0.113.9"], "SenderDomains": ["*"]},
        {"Name": "Relay", "ConnectorType": "OnPremises", "SenderIPAddresses": ["203.0.113.5"], "Enabled": False},
        {"Name": "Theirs"},
    )
    desired = [
        {"name": "old", "state": "absent"},
        {**RELAY, "enabled": True},
        {"name": "New", "sender_ip_addresses": ["203.0.113.6"]},
        {"name": "Never", "state": "absent"},
    ]
    result = play(RESOURCE, service, connectors=desired)
    assert sorted(item["Name"] for item in service.connectors) == ["New", "Relay", "Theirs"]
    assert service.ran("Remove-") == [{"Identity": "guid-Old", "Confirm": False}]
    assert service.requests == 3
    assert (set(result["diff"]["before"]), set(result["diff"]["after"])) == ({"Old", "Relay"}, {"Relay", "New"})
    assert result["connectors"]["old"] is None
    assert play(RESOURCE, service, connectors=desired)["changed"] is False


def test_check_mode_writes_nothing(play: Play, journal_dir: Any) -> None:
    service = Organization({"Name": "Old"})
    result = play(RESOURCE, service, check_mode=True, connectors=[RELAY, {"name": "Old", "state": "absent"}])
    assert (result["changed"], service.writes, service.requests) == (True, [], 1)
    assert not journal_dir.exists()


# -- failures ---------------------------------------------------------------------------------------------------------


def test_a_connector_that_is_made_disabled_is_a_failure(play: Play) -> None:
    service = Organization(may_enable=False)
    result = play(RESOURCE, service, connectors=[RELAY])
    assert result["failed"] is True
    assert "Could not enable the connector Relay: Exchange created the connector disabled" in result["msg"]
    assert "Ask Microsoft support to enable it" in result["msg"]
    assert result["failure"]["service_message"] == WARNING


def test_a_connector_that_may_not_be_enabled_is_a_failure(play: Play) -> None:
    service = Organization(
        {"Name": "Relay", "ConnectorType": "OnPremises", "SenderIPAddresses": ["203.0.113.5"], "Enabled": False, "SenderDomains": ["*"]}
    )
    warning = "For this service offering, you can't enable an inbound connector. Contact Support to enable it."
    service.cmdlets["Set-InboundConnector"] = lambda parameters: ([], [warning])
    result = play(RESOURCE, service, connectors=[{**RELAY, "enabled": True}])
    assert result["failure"]["service_message"] == warning
    service = Organization(may_enable=False)
    assert play(RESOURCE, service, connectors=[{**RELAY, "enabled": False}])["changed"] is True


def test_connector_missing_after_its_creation_is_a_failure(play: Play) -> None:
    service = Organization()
    service.cmdlets["New-InboundConnector"] = lambda parameters: []
    assert "Could not create the connector Relay" in play(RESOURCE, service, connectors=[RELAY])["msg"]


def test_a_refusal_names_the_connector(play: Play) -> None:
    service = Organization({"Name": "Relay", "SenderIPAddresses": ["203.0.113.5"]})

    def refuse(parameters: dict[str, Any]) -> None:
        raise Refused("ParameterTransformationException", "Cannot convert value")

    service.cmdlets["Set-InboundConnector"] = refuse
    result = play(RESOURCE, service, connectors=[{**RELAY, "comment": "x"}])
    assert "Could not change the connector Relay: Exchange does not accept this value" in result["msg"]


# -- the info module --------------------------------------------------------------------------------------------------


def test_the_info_module_shows_the_same_form(play: Play) -> None:
    service = Organization(
        {"Name": "Relay", "ConnectorType": "OnPremises", "SenderIPAddresses": ["203.0.113.5"], "SenderDomains": ["*"]}, {"Name": "B"}
    )
    as_read = play(INFO, service)
    assert as_read["connectors"]["Relay"] == play(RESOURCE, service, connectors=[RELAY])["connectors"]["Relay"]
    assert as_read["connectors"]["B"] == {"type": "Partner", "enabled": True}


# -- normalisation: what is written reads back without a difference ---------------------------------------------------

DOMAINS = st.sampled_from(["*", "contoso.com", "Contoso.com", "*.fabrikam.com", "a.b.example", "a.com, b.com", ""])
ADDRESSES = st.sampled_from(["203.0.113.5", "203.0.113.5/32", "198.51.100.0/24", " 203.0.113.7", "203.0.113.128/25"])
OPTIONAL = {
    "type": st.sampled_from(["OnPremises", "Partner"]),
    "enabled": st.booleans(),
    "comment": st.sampled_from(["", "By Ansible", "Größe, Komma; 1"]),
    "sender_ip_addresses": st.lists(ADDRESSES, max_size=4),
    "tls_sender_certificate_name": st.sampled_from(["", "relay.contoso.com", "*.Contoso.com"]),
    "sender_domains": st.lists(DOMAINS, min_size=1, max_size=4).filter(any),
    "associated_accepted_domains": st.lists(st.sampled_from(["contoso.com", "FABRIKAM.com"]), max_size=3),
    **dict.fromkeys(
        ("require_tls", "restrict_domains_to_ip_addresses", "restrict_domains_to_certificate", "treat_messages_as_internal"), st.booleans()
    ),
}
DESIRED = st.fixed_dictionaries({}, optional=OPTIONAL)


def _command(service: Organization, desired: dict[str, Any]) -> Command | None:
    current = {str(item["Name"]).lower(): inbound_connectors.normalised(service.as_read(item)) for item in service.connectors}
    lists = {option: tuple(value) if isinstance(value, list) else value for option, value in desired.items()}
    change = inbound_connector.change_of(inbound_connector.ConnectorParams("Relay", "present", **lists), current.get("relay"))
    return change.command() if change else None


@given(first=DESIRED, second=DESIRED, dress=st.integers(0, 7))
def test_written_connectors_read_back_equal(first: dict[str, Any], second: dict[str, Any], dress: int) -> None:
    service = Organization(dress=dress)
    for number, desired in enumerate((first, second)):
        command = _command(service, desired)
        assert (command is not None) or number
        if command:
            cmdlet, written = command.cmdlet, command.parameters
            assert cmdlet == ("Set-InboundConnector" if number else "New-InboundConnector")
            written = {"SenderDomains": ["*"], **written} if cmdlet.startswith("New-") else written
            service.cmdlets[cmdlet](written)
        assert _command(service, desired) is None
    [left] = service.connectors
    for option, value in second.items():
        if option in inbound_connectors.SWITCHES:
            assert left[PROPERTIES[option]] == value


# -- owners -----------------------------------------------------------------------------------------------------------


def marked(name: str, owner: str = "mailops", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Comment": f"mailops.m365 [{owner}] x", "SenderIPAddresses": ["203.0.113.5"], "SenderDomains": ["*"], **more}


def names_after(play: Play, service: Organization, *listed: dict[str, Any], owner: str = "mailops") -> list[str]:
    result = play(RESOURCE, service, connectors=list(listed), owner=owner)
    assert "failed" not in result, result
    return sorted(item["Name"] for item in service.connectors)


def test_only_the_owners_connectors_are_removed(play: Play) -> None:
    service = Organization(marked("a"), marked("b", "branch"), {"Name": "Theirs", "SenderIPAddresses": ["203.0.113.9"]})
    assert names_after(play, service) == ["Theirs", "b"]
    assert names_after(play, service, owner="branch") == ["Theirs"]


def test_a_connector_of_the_same_hosts_is_renamed(play: Play) -> None:
    service = Organization(marked("mailops Old", SenderIPAddresses=["203.0.113.0/28"]))
    listed = {"name": "mailops New", "sender_ip_addresses": ["203.0.113.5"], "comment": "mailops.m365 [mailops] New"}
    result = play(RESOURCE, service, connectors=[listed], owner="mailops")
    assert service.writes == ["Set-InboundConnector"]
    assert [item["Name"] for item in service.connectors] == ["mailops New"]
    diff = result["diff"]
    assert [diff[side]["mailops New"]["name"] for side in ("before", "after")] == ["mailops Old", "mailops New"]
    assert not play(RESOURCE, service, connectors=[listed], owner="mailops")["changed"]


def test_without_an_owner_nothing_is_removed_or_renamed(play: Play) -> None:
    service = Organization(marked("a"))
    listed = {"name": "b", "sender_ip_addresses": ["203.0.113.5"]}
    assert not play(RESOURCE, service, connectors=[])["changed"]
    play(RESOURCE, service, connectors=[listed])
    assert sorted(item["Name"] for item in service.connectors) == ["a", "b"]


def test_an_unmarked_connector_under_an_owners_name_is_refused(play: Play) -> None:
    service = Organization(marked("mailops Gate", Comment="by hand"))
    listed = {"name": "mailops Gate", "sender_ip_addresses": ["203.0.113.6"]}
    result = play(RESOURCE, service, connectors=[listed], owner="mailops")
    assert "mailops Gate exists, and its comment does not have the mark of m365_owner mailops" in result["msg"]
    assert service.writes == []
