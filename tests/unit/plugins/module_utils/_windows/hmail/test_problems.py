"""Refusals of windows_hmailserver: what is wrong with its options and with the host, before anything is written."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.state import HMailElement, RegistryValue, WindowsService
from emulator.state.windows_files import WindowsFile, WindowsProcess

from .conftest import Begin
from .hmail_lab import ADMIN, CONTENT, DIGEST, SETUP

TLS = {
    "listeners": [{"port": 587, "tls": "required"}],
    "certificate": {"certificate_file": r"C:\a.pem", "private_key_file": r"C:\a.key"},
}
ACCOUNT = {"address": "scanner@relay.internal", "password": "geheim-geheim"}
EXCHANGE = RegistryValue(r"HKLM:\SOFTWARE\Microsoft\ExchangeServer\v15\Setup", "MsiProductMajor", "DWord", number=15)


def of_range(*networks: str) -> dict[str, Any]:
    return {"ranges": [{"name": "printers", "networks": list(networks)}]}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"hostname": "relay"}, "hostname is 'relay': servers refuse an EHLO name without a domain."),
        ({"admin_password": "short"}, "admin_password has fewer than 8 characters: use a longer one."),
        ({"ranges": []}, "ranges is empty: name the devices' networks"),
        (of_range(), "ranges, printers, is empty"),
        (of_range("0.0.0.0/0"), "ranges, printers, has 0.0.0.0/0, which is every address: the relay would be open."),
        (of_range("203.0.113.0/24"), "ranges, printers, has 203.0.113.0/24, which is not private: strangers could relay."),
        (of_range("fd00::/64"), "ranges, printers, has fd00::/64, an IPv6 network"),
        (of_range("10.1.2.0/255.0.255.0"), "ranges, printers, has 10.1.2.0/255.0.255.0, which is no network"),
        (of_range("10.1.2.0/24", "10.1.2.7"), "ranges, printers, has 10.1.2.0/24 and 10.1.2.7, which overlap"),
        (
            {"ranges": [{"name": "a", "networks": ["10.1.0.0/16"]}, {"name": "b", "networks": ["10.1.2.0/24"]}]},
            "ranges has 10.1.0.0/16 and 10.1.2.0/24, which overlap",
        ),
        (
            {"ranges": [{"name": "a", "networks": ["10.1.2.0/24"]}, {"name": "A", "networks": ["10.2.2.0/24"]}]},
            "ranges has the name 'a' twice",
        ),
        ({"ranges": [{"name": " ", "networks": ["10.1.2.0/24"]}]}, "ranges has an entry whose name is empty"),
        ({"ranges": [{"name": "a", "networks": ["10.1.2.0/24"], "authenticate": True}]}, "but accounts is empty"),
        ({"accounts": [ACCOUNT]}, "accounts is set, but no listener has TLS"),
        (TLS | {"accounts": [ACCOUNT | {"address": "scanner@contoso.com"}]}, "mail to a domain of hMailServer stays on the host"),
        (TLS | {"accounts": [ACCOUNT | {"password": "short"}]}, "has a password with fewer than 8 characters"),
        (TLS | {"accounts": [ACCOUNT, ACCOUNT]}, "accounts has scanner@relay.internal twice: remove one."),
        ({"listeners": []}, "listeners is empty"),
        ({"listeners": [{"port": 70000}]}, "listeners has port 70000: a port is a number from 1 to 65535."),
        ({"listeners": [{"port": 25}, {"port": 25}]}, "listeners has port 25 twice: remove one."),
        ({"listeners": [{"address": "::1"}]}, "listeners has address '::1': use an IPv4 address of the host"),
        ({"listeners": [{"port": 465, "tls": "implicit"}]}, "listeners has port 465 with tls: implicit, but certificate is not set"),
        ({"installer": {"path": SETUP}}, "installer.sha256 is missing or no SHA-256 of 64 hexadecimal digits"),
        ({"installer": {"path": SETUP, "sha256": "abc"}}, "installer.sha256 is missing or no SHA-256 of 64 hexadecimal digits"),
        ({"installer": {"sha256": DIGEST}}, "installer needs one of path (a file on the host) and url"),
        ({"installer": {"url": "http://files.contoso.com/h.exe", "sha256": DIGEST}}, "use a URL that begins with https://"),
        ({"installer": {"path": SETUP, "sha256": DIGEST, "timeout": 1}}, "installer.timeout is 1"),
        ({"tries": 1001}, "tries is 1001: use a number from 0 to 1000."),
        ({"minutes_between_tries": 0}, "minutes_between_tries is 0: use a number from 1 to 10000."),
        ({"max_message_size": 100}, "max_message_size is 100: use a number from 1024"),
        ({"max_message_size": 157286401}, "max_message_size is 157286401: Microsoft 365 accepts at most 157286400 bytes."),
        (
            {"upstream": {"host": "smtp.eu.mailgun.org"}, "max_message_size": 26214401},
            "max_message_size is 26214401: Mailgun accepts at most 26214400 bytes. Set it to 26214400 or less.",
        ),
        ({"auto_ban": {"attempts": 0}}, "auto_ban.attempts is 0: use a number from 1 to 1000."),
        ({"upstream": {"host": "relay"}}, "upstream.host is 'relay': use a fully qualified name or an IPv4 address."),
        ({"upstream": {"host": "10.1.1.1"}}, "upstream.host is 10.1.1.1, which no certificate names"),
        ({"upstream": {"host": "relay1.contoso.com", "port": 0}}, "upstream.port is 0"),
        ({"upstream": {"host": "relay1.contoso.com", "username": "branch1"}}, "upstream has only one of username and password"),
        (
            {"upstream": {"host": "relay1.contoso.com", "username": "branch1", "password": "geheim", "tls": "none"}},
            "upstream has a password and tls: none, which sends it in plain text",
        ),
        ({"upstream": {"host": "smtp.office365.com", "port": 587}}, "which accepts only authenticated clients"),
        (
            {"upstream": {"host": "contoso-com.mail.protection.outlook.com", "port": 587}},
            "a connector's server: use port 25 and tls: required, without a user name.",
        ),
        (
            {"upstream": {"host": "smtp.office365.com", "port": 587, "username": "a@contoso.com", "password": "geheim"}},
            "Microsoft 365 refuses Basic authentication after 2026-12-31",
        ),
        ({"basic_auth_end_date": "soon"}, "m365_basic_auth_end_date is 'soon': give a date"),
    ],
)
def test_options(begin: Begin, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], sentence: str) -> None:
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0)  # 2027-01-15
    host = begin()
    result = host.task(**options)
    assert result["failed"]
    assert sentence in result["msg"]
    assert (host.state.hmailserver, host.journal.exists()) == (None, False)


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    ("keys", "options", "sentence"),
    [
        ({"registry": [EXCHANGE]}, {}, "Exchange Server is installed and uses port 25"),
        ({}, {"installer": None}, "hMailServer is not installed on WIN1: set installer.path or installer.url, and installer.sha256."),
        ({"files": []}, {}, f"installer.path is {SETUP}, which does not exist on win1"),
        ({"files": [WindowsFile(SETUP, b"other", "5.6.9-B2632")]}, {}, "not installer.sha256: verify the file"),
        ({"reboot_pending": True}, {}, "WIN1 waits for a restart, so that hMailServer cannot be installed"),
        ({"dotnet_release": 378000}, {}, "The setup program needs .NET Framework 4.5 or newer"),
        (
            {"processes": [WindowsProcess("othermail", ports=[25])]},
            {},
            "Port 25 is in use by the process othermail: stop it, or choose another",
        ),
        ({"processes": [WindowsProcess("imapd", ports=[143])]}, {}, "Port 143 is in use by the process imapd, for which the setup program"),
        ({"processes": [WindowsProcess("hMailAdmin")]}, {}, "hMailAdmin runs, for which the setup program would wait: close it."),
        (
            {"services": [WindowsService("SMTPSVC", state="Running")]},
            {},
            "IIS SMTP Server (SMTPSVC) runs and uses port 25",
        ),
        (
            {
                "files": [
                    WindowsFile(SETUP, CONTENT, "5.6.9-B2632"),
                    WindowsFile(r"C:\Program Files (x86)\hMailServer\Bin\hMailServer.INI", b"AdministratorPassword=0123456789abcdef\r\n"),
                ]
            },
            {},
            "hMailServer.INI of an earlier installation has an administrator password",
        ),
    ],
)
def test_the_host(begin: Begin, keys: dict[str, Any], options: dict[str, Any], sentence: str, check_mode: bool) -> None:
    host = begin(**keys)
    result = host.task(check_mode=check_mode, **options)
    assert result["failed"], result
    assert sentence in result["msg"]
    assert host.state.hmailserver is None
    assert [one.name for one in host.state.processes] == [one.name for one in keys.get("processes", [])]
    assert not host.journal.exists()


def test_the_administrator_password_is_tried_once(begin: Begin) -> None:
    host = begin().installed()
    host.server.administrator_password = "another-Pa55word"
    result = host.task()
    assert "admin_password is not the administrator password of hMailServer on win1" in result["msg"]
    reads = [one.message for one in host.state.events if one.id == 4104 and "$answer.collections" in one.message]
    assert len(reads) == 1
    assert host.server.properties == {}
    changed = host.task(previous_admin_password="another-Pa55word")
    assert changed["changed"]
    assert host.server.administrator_password == ADMIN


def test_a_range_of_others_by_which_unknown_clients_could_relay(begin: Begin) -> None:
    host = begin().installed()
    open_to_all = {"Name": "VPN", "LowerIP": "198.51.100.0", "UpperIP": "198.51.100.255", "Priority": 70, "AllowSMTPConnections": True}
    host.server.ranges.append(HMailElement(9, open_to_all | {"AllowDeliveryFromRemoteToRemote": True}))
    sentence = (
        "hMailServer's IP range VPN (198.51.100.0 to 198.51.100.255) lets addresses that are not private relay without authentication"
    )
    assert sentence in host.task()["msg"]
    assert host.server.properties == {}
    assert host.task(purge_ranges=True)["changed"]
    assert "VPN" not in host.ranges()


def test_the_password_of_client_submission_is_a_warning_until_the_end(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_790_000_000.0)  # 2026-09-21
    upstream = {"host": "smtp.office365.com", "port": 587, "username": "a@contoso.com", "password": "geheim-geheim"}
    result = begin().task(upstream=upstream)
    assert result["changed"]
    assert "Microsoft 365 refuses Basic authentication after 2026-12-31" in result["notes"][0]
