"""The virtual server of IIS SMTP: what is refused before a write, and what a write leaves."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput, MailopsError
from ansible_collections.mailops.m365.plugins.module_utils._engine.run import params_of
from ansible_collections.mailops.m365.plugins.module_utils._entry_points.arguments import argument_spec, plain
from ansible_collections.mailops.m365.plugins.module_utils._windows.iis.options import Params
from ansible_collections.mailops.m365.plugins.module_utils.resources.windows_smtp_server import RESOURCE

from .._windows.iis_lab import IisHost

MX = {"host": "contoso-com.mail.protection.outlook.com"}
SMART_HOST = {"host": "relay1.contoso.com", "port": 587, "username": "branch1", "password": "a password of a test"}
GOOD: dict[str, Any] = {"fqdn": "relay.contoso.com", "relay_networks": ["10.1.2.0/24"], "upstream": MX}


def options(**changed: Any) -> dict[str, Any]:
    """Options as the action hands them in."""
    expected = argument_spec(RESOURCE.spec)
    result = ArgumentSpecValidator(expected["argument_spec"], required_if=expected["required_if"]).validate(GOOD | changed)
    assert not result.error_messages, result.error_messages
    validated: dict[str, Any] = plain(result.validated_parameters)
    return validated


def problems_of(**changed: Any) -> list[str]:
    made: Params = params_of(RESOURCE, options(**changed))
    return RESOURCE.validate(made)


@pytest.mark.parametrize("changed", [{}, {"upstream": SMART_HOST}, {"upstream": {"host": "10.1.1.1"}}, {"state": "absent", "fqdn": None}])
def test_good_options(changed: dict[str, Any]) -> None:
    assert problems_of(**changed) == []


@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        ({"fqdn": "relay"}, ["fqdn is 'relay': servers refuse an EHLO name without a domain"]),
        ({"fqdn": "relay_1.contoso.com"}, ["fqdn is"]),
        ({"masquerade_domain": "contoso"}, ["masquerade_domain is 'contoso'"]),
        ({"relay_networks": []}, ["relay_networks is empty", "connection_networks is empty"]),
        ({"relay_networks": ["0.0.0.0/0"]}, ["which is every address"]),
        ({"relay_networks": ["198.51.100.0/24"]}, ["which is not private"]),
        ({"relay_networks": ["fd00::/64"]}, ["an IPv6 network"]),
        ({"relay_networks": ["10.0.0.0/255.0.255.0"]}, ["is no network"]),
        ({"relay_networks": ["10.1.0.0/16", "10.1.2.0/24"]}, ["which overlap"]),
        ({"connection_networks": ["8.8.8.0/24"]}, ["connection_networks has 8.8.8.0/24, which is not private"]),
        ({"authentication": []}, ["authentication is empty"]),
        ({"authentication": ["basic"]}, ["basic without require_tls"]),
        ({"relay_authenticated": True}, ["no client can authenticate"]),
        ({"listeners": []}, ["listeners is empty"]),
        ({"listeners": [{"port": 465}]}, ["no implicit TLS"]),
        ({"listeners": [{"port": 0}]}, ["listeners has port 0"]),
        ({"listeners": [{"address": "fd00::1"}]}, ["use an IPv4 address of the host"]),
        ({"listeners": [{}, {"port": 25}]}, ["an entry twice"]),
        ({"upstream": MX | {"port": 465, "host": "relay1.contoso.com"}}, ["upstream.port is 465"]),
        ({"upstream": {"host": "relay"}}, ["upstream.host is 'relay'"]),
        ({"upstream": SMART_HOST | {"password": None}}, ["only one of username and password"]),
        ({"upstream": SMART_HOST | {"username": None}}, ["only one of username and password"]),
        ({"upstream": SMART_HOST | {"tls": "none"}}, ["sends it in plain text"]),
        ({"upstream": MX | {"port": 587}}, ["a connector's server"]),
        ({"upstream": MX | {"tls": "none"}}, ["a connector's server"]),
        ({"upstream": SMART_HOST | MX | {"port": 25}}, ["a connector's server"]),
        ({"upstream": {"host": "SMTP.office365.com", "port": 587}}, ["accepts only authenticated clients"]),
        ({"max_message_size": 157286401}, ["Microsoft 365 accepts at most 157286400"]),
        (
            {"upstream": {"host": "SMTP.sendgrid.net", "port": 587}},
            ["SendGrid accepts at most 31457280 bytes. Set it to 31457280 or less."],
        ),
        ({"upstream": {"host": "mail.smtp2go.com", "port": 587}, "max_message_size": 52428801}, ["SMTP2GO accepts at most 52428800 bytes"]),
        ({"max_message_size": 5, "max_session_size": 2**31}, ["max_message_size is 5", "max_session_size is 2147483648"]),
        ({"max_session_size": 20000000}, ["less than max_message_size"]),
        ({"retry_minutes": [15, 30, 60]}, ["four numbers"]),
        ({"retry_minutes": [15, 30, 60, 0]}, ["four numbers"]),
        ({"give_up_minutes": 720}, ["is not greater than delay_notice_minutes"]),
        ({"delay_notice_minutes": 0}, ["delay_notice_minutes is 0"]),
        ({"basic_auth_end_date": "soon"}, ["m365_basic_auth_end_date is 'soon'"]),
    ],
)
def test_options_that_are_refused(changed: dict[str, Any], parts: list[str]) -> None:
    problems = problems_of(**changed)
    assert len(problems) == len(parts), problems
    for problem, part in zip(problems, parts, strict=True):
        assert part in problem
        assert problem.endswith(".")


@pytest.fixture
def directory(tmp_path: Path) -> str:
    return str(tmp_path / "journal")


def params(directory: str, **changed: Any) -> Params:
    made: Params = params_of(RESOURCE, options(journal_dir=directory, **changed))
    return made


def converge(iis: IisHost, options_: Params) -> bool:
    """Plan and apply; whether something changed."""
    plan = RESOURCE.plan(iis.host, options_, False)
    if plan.changes:
        RESOURCE.apply(iis.host, options_, plan)
    return plan.changed


@pytest.mark.parametrize(
    ("facts", "part"),
    [
        ({"build": "26100", "caption": "Microsoft Windows Server 2025 Standard"}, "use hMailServer on this host, or a relay host on Linux"),
        ({"installation": "Server Core"}, "Server Core"),
        ({"installation": "Client", "caption": "Windows 11"}, "client edition"),
        ({"exchange": True}, "Exchange Server is installed"),
        ({"build": "9600"}, "is older than"),
    ],
)
def test_hosts_that_are_refused(directory: str, facts: dict[str, Any], part: str) -> None:
    iis = IisHost(**facts)
    with pytest.raises(InvalidInput, match=part):
        RESOURCE.plan(iis.host, params(directory), True)
    assert iis.calls == ["host_facts"]


def test_a_pending_restart(directory: str) -> None:
    """It stops an installation; settings can be written all the same."""
    iis = IisHost(restarts=[True, False])
    assert RESOURCE.plan(iis.host, params(directory), True).warnings == ["win1 waits for a restart."]
    iis.installed["Web-WMI"] = False
    with pytest.raises(InvalidInput, match="win1 waits for a restart, so that Web-WMI cannot be installed: restart it first"):
        RESOURCE.plan(iis.host, params(directory), True)


def test_another_product_that_runs(directory: str) -> None:
    iis = IisHost()
    iis.services.append({"name": "hMailServer", "state": "Stopped", "start_mode": "Auto"})
    assert RESOURCE.plan(iis.host, params(directory), True).changed
    iis.services[1]["state"] = "Running"
    with pytest.raises(InvalidInput, match="hMailServer runs on win1 and uses port 25"):
        RESOURCE.plan(iis.host, params(directory), True)


@pytest.mark.parametrize("process", ["MSExchangeTransport", "master", None])
def test_a_port_that_another_program_uses(directory: str, process: str | None) -> None:
    iis = IisHost()
    iis.ports = [{"port": 587, "process": process}, {"port": 25, "process": "Inetinfo"}]
    assert RESOURCE.plan(iis.host, params(directory), True).changed
    with pytest.raises(InvalidInput, match=f"listeners has port 587, which {process or 'a process of another user'} uses on win1"):
        RESOURCE.plan(iis.host, params(directory, listeners=[{}, {"port": 587}]), True)


def test_client_submission_by_a_password_ends(directory: str) -> None:
    iis, options_ = IisHost(), params(directory, upstream=SMART_HOST | {"host": "smtp.office365.com"}, basic_auth_end_date="2027-06-30")
    iis.clock.time = datetime.datetime(2027, 6, 30, 12, tzinfo=datetime.UTC).timestamp()
    [warning] = RESOURCE.plan(iis.host, options_, True).warnings
    assert "Microsoft 365 refuses Basic authentication after 2027-06-30" in warning
    iis.clock.time += 86400
    with pytest.raises(InvalidInput, match="use the tenant's MX host with an inbound connector"):
        RESOURCE.plan(iis.host, options_, True)


def test_the_relay_is_closed_before_anything_else_is_written(directory: str) -> None:
    iis = IisHost()
    assert converge(iis, params(directory))
    writes = [name for name in iis.calls if name not in ("host_facts", "iis_host", "iis_read")]
    assert writes == ["memory", "iis_seed", "iis_lists", "iis_write", "service"]
    assert not converge(iis, params(directory))


def test_domains_of_an_adopted_server_are_warned_of(directory: str) -> None:
    """Mail to an alias domain stays on the host, and a remote domain can have a route of its own."""
    iis = IisHost()
    iis.domains = [{"name": "SmtpSvc/1/Domain/contoso.com", "action": 16}, {"name": "SmtpSvc/1/Domain/erp.example", "action": 2}]
    assert RESOURCE.plan(iis.host, params(directory), True).warnings == [
        "The virtual SMTP server keeps mail to its domains contoso.com on the host: remove those that are Microsoft 365's.",
        "Remote domains of the virtual SMTP server have settings of their own: erp.example. Remove those that are not needed.",
    ]


def test_bindings_are_written_only_where_listeners_differ(directory: str) -> None:
    """Not for port 25 on all addresses, as installed: whether WMI takes ServerBindings is not documented."""
    iis, submission = IisHost(), [{"port": 25}, {"port": 587}]
    converge(iis, params(directory))
    converge(iis, params(directory, listeners=submission))
    converge(iis, params(directory, listeners=submission, max_recipients=50))
    converge(iis, params(directory, state="absent"))
    assert [[one["port"] for one in each] for each in iis.written_bindings] == [[], ["25", "587"], [], ["25"]]


@pytest.mark.parametrize(
    ("ignored", "names"),
    [("iis_lists", "RelayIpList, IPSecurity|IPSecurity, RelayIpList"), ("iis_write", "FullyQualifiedDomainName, SmartHost")],
)
def test_a_write_that_windows_ignores_is_a_failure(directory: str, ignored: str, names: str) -> None:
    iis = IisHost()
    iis.ignores = (ignored,)
    with pytest.raises(MailopsError, match=f"win1 does not have ({names}).* as it was written"):
        converge(iis, params(directory))


def test_a_service_that_does_not_start_is_a_failure(directory: str) -> None:
    iis = IisHost()
    iis.services[0]["state"] = "Stopped"
    with pytest.raises(MailopsError, match="does not have the service as it was written"):
        converge(iis, params(directory))


@pytest.mark.parametrize("memory", ["{", "[]", '{"features": null}', '{"features": [], "service": {}}'])
def test_a_damaged_memory(directory: str, memory: str) -> None:
    iis = IisHost()
    iis.memory = memory
    with pytest.raises(MailopsError, match="is damaged: remove it"):
        RESOURCE.plan(iis.host, params(directory, state="absent"), False)


class TestRemoval:
    def test_the_queue_is_awaited(self, directory: str) -> None:
        iis = IisHost()
        converge(iis, params(directory))
        iis.queue = [3, 2, 0]
        iis.calls.clear()
        assert converge(iis, params(directory, state="absent"))
        assert (iis.clock.slept, iis.host.cost.as_result()["waited"]) == ([5, 5], 10.0)
        assert iis.calls.index("iis_lists") < iis.calls.index("iis_write")
        assert iis.memory is None
        assert iis.servers[0]["lists"]["IPSecurity"]["GrantByDefault"] is True
        assert iis.servers[0]["lists"]["RelayIpList"]["IPGrant"] == ["127.0.0.1, 255.255.255.255"]
        assert not converge(iis, params(directory, state="absent"))

    def test_messages_that_stay_keep_the_relay(self, directory: str) -> None:
        iis = IisHost()
        converge(iis, params(directory))
        iis.queue = [4]
        with pytest.raises(MailopsError, match=r"win1 has 4 messages in .*Queue after 60 seconds. Devices cannot connect any more"):
            converge(iis, params(directory, state="absent", drain_timeout=60))
        assert iis.memory
        assert iis.servers[0]["values"]["SmartHost"] == MX["host"]

    def test_messages_of_a_stopped_service_are_named(self, directory: str) -> None:
        iis = IisHost()
        converge(iis, params(directory))
        iis.queue, iis.services[0]["state"] = [4], "Stopped"
        with pytest.raises(MailopsError, match=r"has 4 messages in .* its SMTP service is stopped: start it, or move the messages"):
            converge(iis, params(directory, state="absent"))

    def test_an_open_relay_and_a_credential_are_not_restored(self, directory: str) -> None:
        iis = IisHost()
        iis.servers[0]["lists"]["RelayIpList"] = {"GrantByDefault": True, "IPGrant": [], "IPDeny": [], "DomainGrant": [], "DomainDeny": []}
        iis.servers[0]["values"] |= {"RouteUserName": "old", "RouteAction": 268}
        converge(iis, params(directory))
        options_ = params(directory, state="absent")
        plan = RESOURCE.plan(iis.host, options_, False)
        RESOURCE.apply(iis.host, options_, plan)
        assert len(plan.warnings) == 2
        assert iis.servers[0]["values"]["RouteUserName"] == ""
        assert iis.servers[0]["lists"]["RelayIpList"]["GrantByDefault"] is False

    def test_a_client_edition_has_nothing_to_remove(self, directory: str) -> None:
        iis = IisHost(installation="Client")
        assert not converge(iis, params(directory, state="absent"))
        assert iis.calls == ["host_facts"]

    def test_settings_that_only_a_new_feature_could_read_are_restored(self, directory: str) -> None:
        iis = IisHost()
        iis.installed["Web-WMI"] = False
        iis.servers[0]["values"] |= {"SmartHost": "old.contoso.com", "SmartHostType": 2}
        assert converge(iis, params(directory))
        assert iis.servers[0]["values"]["SmartHost"] == MX["host"]
        assert converge(iis, params(directory, max_recipients=7))
        assert converge(iis, params(directory, state="absent"))
        assert (iis.servers[0]["values"]["SmartHost"], iis.installed["Web-WMI"]) == ("old.contoso.com", False)
        assert iis.installed["SMTP-Server"]
