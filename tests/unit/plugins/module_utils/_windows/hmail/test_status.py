"""What windows_relay_info says of hMailServer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._windows.hmail import queue, status
from ansible_collections.mailops.m365.plugins.module_utils.resources.windows_relay import INFO

from emulator.ca import Authority
from emulator.state import HMailElement, QueuedMail
from emulator.state.windows_files import WindowsFile

from .conftest import Begin
from .hmail_lab import ADMIN, HMailHost

REPLY = '"SMTPC"\t2044\t1\t"2026-11-29 10:00:00.000"\t"40.92.0.1"\t"RECEIVED: 550 5.7.64 TenantAttribution; Relay Access Denied"'
LATER = '"APPLICATION"\t2044\t"2026-11-29 10:01:00.000"\t"SMTPDeliverer - Message 7: Message could not be delivered. Scheduling it for'
LATER += ' later delivery in 60 minutes."'


def read(host: HMailHost, **options: Any) -> dict[str, Any]:
    result = host.run(INFO, options)
    assert not result.get("failed"), result
    return dict(result["windows_relay"]["hmailserver"])


def test_without_the_product(begin: Begin) -> None:
    assert read(begin()) == {
        "installed": False, "version": None, "managed": False, "service": None, "listening": [], "open_relay": None, "queue": None,
        "errors": None, "certificates": None,
    }  # fmt: skip


def test_queue_errors_and_certificates(begin: Begin, tmp_path: Path) -> None:
    host = begin()
    host.task()
    host.state.utc_offset = 60  # the server writes local times
    mail = QueuedMail("7", "a@contoso.com", ["b@example.org", "c@example.org"], b"", host.now - 3600, host.now + 60, 2)
    host.server.queue.append(mail)
    host.server.log += [REPLY, REPLY, '"SMTPD"\t1\t1\t"2026-11-29 10:00:00.000"\t"10.1.2.5"\t"SENT: 550 Unknown user"', LATER]
    for number, (name, days) in enumerate((("soon", 10), ("valid", 3000), ("old", -1), ("missing", 0)), 1):
        path = rf"C:\{name}.pem"
        host.server.certificates.append(HMailElement(number, {"Name": name, "CertificateFile": path}))
        if name != "missing":
            chain, _key = Authority(tmp_path / "authority").issue(["relay.contoso.com"], days=days)
            host.state.files.append(WindowsFile(path, chain))
    result = read(host, hmailserver_admin_password=ADMIN)
    assert (result["installed"], result["version"], result["managed"], result["listening"]) == (True, "5.6.9.2632", True, [25])
    assert (result["service"], result["open_relay"]) == ({"state": "running", "start_mode": "auto"}, False)
    assert (result["queue"]["count"], result["queue"]["oldest"]) == (1, "2027-01-15T07:00:00Z")
    assert result["queue"]["messages"][0] | {"arrived": "", "next_try": ""} == {
        "id": 7, "arrived": "", "sender": "a@contoso.com", "recipients": ["b@example.org", "c@example.org"], "tries": 2, "next_try": ""
    }  # fmt: skip
    silent, refused = result["errors"]
    assert (refused["reply"], refused["count"]) == ("550 5.7.64 TenantAttribution; Relay Access Denied", 2)
    assert "connector" in refused["remedy"]
    assert (refused["last"], silent["last"]) == ("2026-11-29T09:00:00Z", "2026-11-29T09:01:00Z")
    assert (silent["reply"], silent["count"], silent["cause"]) == (
        "", 1, "The upstream server did not answer, or its certificate is not valid."
    )  # fmt: skip
    assert [one["file"] for one in result["certificates"]] == [rf"C:\{name}.pem" for name in ("missing", "old", "soon", "valid")]
    problems = [one["problem"] for one in host.run(INFO, {"hmailserver_admin_password": ADMIN})["attention"]]
    assert problems[0] == "The queue of hMailServer has 1 message; the upstream server gave no reply"
    assert problems[1] == r"The certificate C:\missing.pem of hMailServer cannot be read."
    assert problems[2] == r"The certificate C:\old.pem of hMailServer has expired."
    assert [one for one in problems if "valid.pem" in one] == []


def test_what_needs_attention(begin: Begin) -> None:
    host = begin()
    host.task()
    assert "attention" not in host.run(INFO, {"hmailserver_admin_password": ADMIN})
    everybody = {"Name": "VPN", "LowerIP": "198.51.100.0", "UpperIP": "198.51.100.255", "Priority": 20, "AllowSMTPConnections": True}
    host.server.ranges.append(HMailElement(9, everybody | {"AllowDeliveryFromRemoteToRemote": True}))
    result = host.run(INFO, {"hmailserver_admin_password": ADMIN})
    assert result["windows_relay"]["hmailserver"]["open_relay"]
    assert result["attention"][0]["problem"] == "Addresses that are not private may relay by hMailServer's IP ranges VPN."
    service = next(one for one in host.state.services if one.name == "hMailServer")
    service.state, service.start_mode = "Stopped", "Manual"
    problems = [one["problem"] for one in host.run(INFO, {})["attention"]]
    assert problems == [
        "The service hMailServer is stopped.",
        "The service hMailServer has the start mode manual: it is stopped after a restart.",
    ]


@pytest.mark.parametrize(
    ("options", "stopped"), [({}, False), ({"hmailserver_admin_password": ADMIN}, True)], ids=["without the password", "stopped"]
)
def test_what_cannot_be_read_is_null(begin: Begin, options: dict[str, Any], stopped: bool) -> None:
    host = begin()
    host.task()
    service = next(one for one in host.state.services if one.name == "hMailServer")
    service.state = "Stopped" if stopped else "Running"
    result = read(host, **options)
    assert (result["installed"], result["queue"], result["errors"], result["certificates"]) == (True, None, None, None)


def test_a_wrong_password_is_an_error(begin: Begin) -> None:
    host = begin()
    host.task()
    result = host.run(INFO, {"hmailserver_admin_password": "another-Pa55word"})
    assert "hmailserver_admin_password is not the administrator password of hMailServer on win1: correct it." in result["msg"]


def test_replies_that_are_no_errors_are_left_out() -> None:
    accepted = REPLY.replace("550 5.7.64 TenantAttribution; Relay Access Denied", "250 2.0.0 OK")
    assert queue.failures([accepted, "", "text"]) == []
    assert [one.is_reply for one in queue.failures([REPLY, LATER])] == [True, False]
    deferred = REPLY.replace("550 5.7.64 TenantAttribution; Relay Access Denied", "451 4.7.500 Server busy")
    assert [one["reply"] for one in status.errors(queue.failures([deferred, LATER]))] == ["451 4.7.500 Server busy"]
