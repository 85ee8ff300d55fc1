# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of the upstream server against a mail server and a name server on loopback."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import mx_lookup, reasons, upstream_check
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.config import ServerConfig
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.store import MonitorStore
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.paths import Paths
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix.maillog import Delivery
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.upstream_check import Check, NoAnswerError, clock_offset, greeting

from .....mailserver import MailServer
from .....nameserver import NameServer

NOW = 1_795_600_000.0  # 2026-11-25 09:46:40 UTC
DATED = "220 AM0PR02.outlook.office365.com Microsoft ESMTP MAIL Service ready at Wed, 25 Nov 2026 09:46:40 +0000"
CONFIG = {
    "hostname": "relay1.contoso.com",
    "upstream": "oauth",
    "server": {"host": "smtp.office365.com", "port": 587},
    "mailboxes": [{"address": "scanner@contoso.com", "transport": "m365-1", "senders": ["scanner@contoso.com"]}],
}


@dataclass
class Server:
    """What connecting to the upstream server returns, by a table; connections are counted."""

    text: str = DATED
    failure: str = ""
    connections: list[ServerConfig] = field(default_factory=list)

    def __call__(self, server: ServerConfig) -> str:
        self.connections.append(server)
        if self.failure:
            raise NoAnswerError(self.failure)
        return self.text


@pytest.fixture
def store(tmp_path: Path) -> MonitorStore:
    paths = Paths(tmp_path / "etc", tmp_path / "lib", tmp_path / "run", tmp_path / "check")
    for path in (paths.configuration, paths.state):
        path.mkdir()
    paths.config_file.write_text(json.dumps(CONFIG))
    return MonitorStore(paths)


@pytest.fixture
def name_server() -> Iterator[NameServer]:
    server = NameServer()
    yield server
    server.close()


def sent(store: MonitorStore, timestamp: float) -> None:
    state, cursor = store.load()
    state.process(Delivery(timestamp, "m365-1", "smtp", "A", "a@example.net", "x", "2.0.0", "sent", "250 ok", 1.0, (0.0, 0.0, 0.5, 0.5)))
    store.save(state, cursor)


def test_server_is_contacted_only_while_no_mail_is_sent(store: MonitorStore) -> None:
    server = Server()
    Check(store, lambda: NOW, server, log=list).run()
    assert [one.name for one in server.connections] == ["smtp.office365.com:587"]
    sent(store, NOW - 299)
    for seconds in (0, 60, 120):
        sent(store, NOW + seconds)
        Check(store, lambda seconds=seconds: NOW + seconds, server, log=list).run()
    assert len(server.connections) == 1
    Check(store, lambda: NOW + 120, server, log=list).run(immediately=True)
    assert len(server.connections) == 2
    Check(store, lambda: NOW + 421, server, log=list).run()
    assert len(server.connections) == 3, "nothing was sent for five minutes"


def test_clock_is_compared_once_an_hour_while_mail_is_sent(store: MonitorStore) -> None:
    server = Server()
    assert Check(store, lambda: NOW + 40, server, log=list).run().clock_offset == 40
    sent(store, NOW + 3630)
    assert Check(store, lambda: NOW + 3630, server, log=list).run().clock_offset == 40
    assert len(server.connections) == 1
    assert Check(store, lambda: NOW + 3640, server, log=list).run().clock_offset == 3640


def test_clock_is_compared_in_every_run_while_it_is_off(store: MonitorStore) -> None:
    """Otherwise a corrected clock would be reported for up to an hour."""
    server = Server()
    assert Check(store, lambda: NOW + 90, server, log=list).run().clock_offset == 90
    for seconds, offset in ((120, 120), (5, 5), (40, 5)):
        sent(store, NOW + seconds)
        assert Check(store, lambda seconds=seconds: NOW + seconds, server, log=list).run().clock_offset == offset
    assert len(server.connections) == 3, "not in the last run: the clock is right"


def test_clock_that_was_set_is_compared_again(store: MonitorStore) -> None:
    server = Server()
    Check(store, lambda: NOW, server, lambda: 1000.0, log=list).run()
    sent(store, NOW + 50)
    Check(store, lambda: NOW + 50, server, lambda: 1001.0, log=list).run()
    assert len(server.connections) == 1, "NTP corrects a clock by fractions of a second"
    assert Check(store, lambda: NOW + 50, server, lambda: 800.0, log=list).run().clock_offset == 50
    assert len(server.connections) == 2
    down = Server(failure="connect to smtp.office365.com[192.0.2.1]:587: Connection timed out")
    assert Check(store, lambda: NOW + 50, down, lambda: 1800.0, log=list).run().clock_offset is None, "of the clock as it was"


def test_clock_that_was_ahead_does_not_delay_the_next_check(store: MonitorStore) -> None:
    server = Server()
    Check(store, lambda: NOW + 86_400, server, log=list).run()
    sent(store, NOW + 86_400)
    Check(store, lambda: NOW, server, log=list).run()
    assert len(server.connections) == 2, "the times of the check and of the last message lie in the future"


def test_result_that_cannot_be_saved_is_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(self: Check, immediately: bool = False) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Check, "run", refuse)
    assert upstream_check.main() == 2
    assert capsys.readouterr().err == "<3>The upstream server could not be checked: [Errno 28] No space left on device\n"


def test_mail_that_was_sent_before_a_failure_does_not_end_it(store: MonitorStore) -> None:
    down = Server(failure="connect to smtp.office365.com[192.0.2.1]:587: Connection timed out")
    sent(store, NOW - 60)
    for seconds in (0, 60, 120):
        result = Check(store, lambda seconds=seconds: NOW + seconds, down, log=list).run(immediately=seconds == 0)
        assert (result.failure, result.failing_since) == (down.failure, NOW)
    sent(store, NOW + 130)
    assert Check(store, lambda: NOW + 180, down, log=list).run().failure == ""
    assert len(down.connections) == 3
    result = Check(store, lambda: NOW + 900, down, log=list).run(immediately=True)
    assert result.failing_since == NOW + 900, "mail was sent in between"


def test_failure_lasts_until_the_server_answers_or_mail_is_sent(store: MonitorStore) -> None:
    lines: list[str] = []
    down = Server(failure="connect to smtp.office365.com[192.0.2.1]:587: Connection timed out")
    for seconds in (0, 60):
        result = Check(store, lambda seconds=seconds: NOW + seconds, down, log=lines.append).run()
        assert (result.failure, result.failing_since, result.checked) == (down.failure, NOW, NOW + seconds)
    assert upstream_check.read(store.paths) == result
    assert lines == [f"smtp.office365.com:587 does not answer: {down.failure}"], "logged once"
    sent(store, NOW + 90)
    result = Check(store, lambda: NOW + 120, down, log=lines.append).run()
    assert (result.failure, result.failing_since) == ("", None)
    assert lines[1] == "smtp.office365.com:587 answers."


def test_another_server_has_a_result_of_its_own(store: MonitorStore) -> None:
    Check(store, lambda: NOW, Server(failure="x"), log=list).run()
    store.paths.config_file.write_text(json.dumps({**CONFIG, "server": {"host": "other.example", "port": 25}}))
    result = Check(store, lambda: NOW + 60, Server(failure="y"), log=list).run()
    assert (result.server, result.failing_since) == ("other.example:25", NOW + 60)


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        (DATED, 0),
        ("220 x Microsoft ESMTP MAIL Service ready at Wed, 25 Nov 2026 10:46:40 +0100 [x]", 0),
        ("220 x ESMTP Sendmail 8.17.1/8.17.1; Wed, 25 Nov 2026 09:41:40 GMT", 300),
        ("220 x Microsoft ESMTP MAIL Service ready at Thu, 3 Dec 2026 09:46:40 +0000", -8 * 86400),
        ("220 mail.example ESMTP Postfix", None),
        ("220 x at Wed, 99 Nov 2026 09:46:40 +0000", None),
    ],
)
def test_time_of_a_greeting(text: str, offset: float | None) -> None:
    assert clock_offset(text, NOW) == offset


def test_greeting_of_a_server(mail_server: MailServer) -> None:
    mail_server.answers["banner"] = DATED
    assert greeting(ServerConfig("localhost", mail_server.port, ipv4_only=True)).strip() == DATED
    assert mail_server.sessions[0].commands == ["QUIT"]


def test_port_with_tls_from_the_first_byte_is_connected_to_only() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert greeting(ServerConfig("127.0.0.1", listener.getsockname()[1], implicit_tls=True)) == ""


@pytest.mark.parametrize(
    ("banner", "reason"),
    [
        ("421 4.3.2 The maximum number of concurrent server connections has exceeded a per-source limit", ""),
        ("554 5.7.1 Service unavailable", ""),
        ("hang up", "relay-upstream-unreachable"),
    ],
)
def test_server_that_refuses_to_talk_does_not_answer(mail_server: MailServer, banner: str, reason: str) -> None:
    mail_server.answers["banner"] = banner
    with pytest.raises(NoAnswerError) as raised:
        greeting(ServerConfig("127.0.0.1", mail_server.port))
    explained = reasons.explain(str(raised.value))
    assert explained.id == reason if reason else explained.reply.startswith(banner)


def test_server_that_does_not_listen_or_has_no_name() -> None:
    with socket.create_server(("127.0.0.2", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NoAnswerError, match=rf"^connect to 127.0.0.2\[127.0.0.2\]:{port}: Connection refused$") as raised:
        greeting(ServerConfig("127.0.0.2", port))
    assert reasons.explain(str(raised.value)).id == "relay-upstream-unreachable"
    with pytest.raises(NoAnswerError, match=r"^DNS lookup for smtp\.invalid failed: ") as raised:
        greeting(ServerConfig("smtp.invalid", 587))
    assert reasons.explain(str(raised.value)).id == "relay-name-not-found"


def lookup(server: NameServer, domain: str = "contoso.com") -> list[str]:
    host, _colon, port = server.address.rpartition(":")
    return mx_lookup.exchangers(domain, [(host, int(port))])


def test_mail_exchangers_in_their_order(name_server: NameServer) -> None:
    name_server.records = {
        ("contoso.com", "MX"): ["20 backup.contoso.com.", "0 contoso-com.mail.protection.outlook.com."],
        ("bare.example", "A"): ["192.0.2.1"],
    }
    assert lookup(name_server) == ["contoso-com.mail.protection.outlook.com", "backup.contoso.com"]
    assert lookup(name_server, "bare.example") == ["bare.example"]


@pytest.mark.parametrize(
    ("fault", "text"), [("SERVFAIL", "no name server answers"), ("NXDOMAIN", "does not exist"), ("silence", "no name server answers")]
)
def test_failed_lookup_of_a_mail_exchanger(name_server: NameServer, monkeypatch: pytest.MonkeyPatch, fault: str, text: str) -> None:
    monkeypatch.setattr(mx_lookup, "_TIMEOUT", 0.5 if fault == "silence" else 60)
    name_server.faults["contoso.com", "MX"] = fault
    with pytest.raises(mx_lookup.MxLookupError, match=text) as raised:
        lookup(name_server)
    assert reasons.explain(str(raised.value)).id == "relay-name-not-found"
    questions = 1 if fault == "NXDOMAIN" else 2
    deadline = time.monotonic() + 60
    while len(name_server.asked) < questions and time.monotonic() < deadline:
        time.sleep(0.01)  # the server counts a question after it has arrived
    assert len(name_server.asked) == questions


def test_domain_that_accepts_no_mail(name_server: NameServer) -> None:
    name_server.records = {("contoso.com", "MX"): ["0 ."]}
    with pytest.raises(mx_lookup.MxLookupError, match="null MX"):
        lookup(name_server)


def test_name_servers_of_the_host(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    assert mx_lookup.name_servers(file) == [("127.0.0.1", 53)]
    file.write_text("search contoso.com\n# nameserver 192.0.2.9\nnameserver 192.0.2.1\nnameserver 2001:db8::1\noptions timeout:2\n")
    assert mx_lookup.name_servers(file) == [("192.0.2.1", 53), ("2001:db8::1", 53)]
