"""Operation of a relay: reasons of deferred mail, daily quotas, suspended senders, status and metrics.

Every message is counted by its subject: those that devices submitted arrive in the emulator, each once.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shlex
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from testbed import image
from testbed.host import Host
from testbed.lab import Lab

from .health import (
    HEALTHY,
    METRICS,
    assert_crashing_units_are_named,
    assert_masked_units_are_named,
    assert_stopped_units_are_named,
    crashing,
    first_line,
)
from .relay import BUSY, close_connections, wait_until

SCANNER, ERP, ADA = "scanner@contoso.com", "erp@contoso.com", "ada@contoso.com"
QUOTA = 6  # daily quota of ERP in recipients
WINDOW = 80  # seconds of its rolling counter here: a busy machine accepts and sends the messages of a quota in it
SEND = """
import smtplib, sys
server, sender, to, *subjects = sys.argv[1:]
with smtplib.SMTP(server, 25, local_hostname="copier", timeout=20) as session:
    for subject in subjects:
        session.sendmail(sender, [to], f"Subject: {subject}\\r\\nFrom: {sender}\\r\\nTo: {to}\\r\\n\\r\\ntext\\r\\n")
"""


@dataclass
class Relay:
    lab: Lab
    host: Host

    def send(self, sender: str, *subjects: str) -> None:
        """Send the messages; all have to be accepted."""
        done = self.lab.devices["printer"].call([sys.executable, "-c", SEND, self.host.address, sender, ADA, *subjects])
        assert done.returncode == 0, done.stderr

    def arrived(self, prefix: str) -> Counter[str]:
        raw = [self.lab.admin.raw_message(message["number"]).decode() for message in self.lab.admin.messages(recipient=ADA)]
        subjects = [line[9:] for text in raw for line in text.splitlines() if line.startswith("Subject: ")]
        return Counter(subject for subject in subjects if subject.startswith(prefix))

    def status(self) -> dict[str, Any]:
        done = self.host.call("mailops-relay status --json")
        assert done.returncode in (0, 1), done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def reasons(self) -> dict[str, int]:
        rows = self.status()["queue"]["reasons"]
        return {reason: sum(row["messages"] for row in rows if row["id"] == reason) for reason in {row["id"] for row in rows}}

    def mailbox(self, address: str) -> dict[str, Any]:
        return next(settings for settings in self.status()["mailboxes"] if settings["address"] == address)

    def wait_for_arrival(self, prefix: str, count: int, seconds: float = 90) -> None:
        limit = time.monotonic() + BUSY * seconds
        while len(self.arrived(prefix)) < count:
            assert time.monotonic() < limit, (self.arrived(prefix), self.status()["queue"])
            self.host.run("postqueue -f")  # without waiting for Postfix's retry interval
            time.sleep(2)
        assert set(self.arrived(prefix).values()) == {1}

    def fault_count(self) -> int:
        return sum(fault["used"] for fault in self.lab.admin.faults())


def deploy(lab: Lab, names: list[str]) -> None:
    settings = {"messages_per_minute": 0, "connections": 2}
    boxes = [{"address": SCANNER, **settings}, {"address": ERP, "messages_per_minute": 30, "recipients_per_day": QUOTA}]
    variables = {
        "relay_tenant": "contoso",
        "relay_mailboxes": boxes,
        "relay_devices": [{"name": "Printer", "networks": ["198.51.100.96/28"], "senders": [SCANNER, ERP]}],
        "relay_metrics_directory": METRICS,
    }
    senders = [
        {
            "name": "Scanner",
            "kind": "scanner",
            "address": SCANNER,
            "relay_host": names[0],
            "recipients": "internal",
            "verify_recipient": ADA,
        },
        {"name": "ERP", "address": ERP, "oauth": False, "relay_host": names[0], "recipients": "internal", "verify_recipient": ADA},
    ]
    hosts = {name: variables | ({"relay_peer_of": names[0]} if name != names[0] else {}) for name in names}
    children = {"relays": {"hosts": hosts}, "tenants": {"hosts": {"contoso": {"m365_senders": senders}}}}
    overlay = lab.directory / "operations.json"
    overlay.write_text(json.dumps({"all": {"children": children}}), encoding="utf-8")
    ansible(lab, "ansible-playbook", overlay, "playbooks/site.yml", "--limit", ",".join(["contoso", *names]))


def ansible(lab: Lab, program: str, overlay: Path, *arguments: str) -> str:
    programs = Path(sys.executable).parent
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "NO_COLOR": "1"}
    command: list[str | Path] = [programs / program, *arguments, f"--inventory={lab.inventory}", f"--inventory={overlay}"]
    done = lab.network.call(command, timeout=600, environment=environment)
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def hosts(lab: Lab) -> dict[str, Host]:
    """Release -> relay, deployed by one run of playbook site; each is idle while the other is tested."""
    booted = {release: lab.boot(f"two{release}", release, installed=True) for release in image.tested()}
    deploy(lab, [host.name for host in booted.values()])
    return booted


@pytest.fixture(scope="module", params=image.tested())
def relay(request: pytest.FixtureRequest, lab: Lab, hosts: dict[str, Host]) -> Iterator[Relay]:
    """Its delivery monitor has a short quota window."""
    host = hosts[request.param]
    lab.admin.delete_messages()  # those of the other release have the same subjects
    drop_in = "/etc/systemd/system/mailops-relay-monitor.service.d"
    host.run(f"mkdir -p {drop_in}")
    host.write(f"{drop_in}/test.conf", f"[Service]\nEnvironment=MAILOPS_RELAY_QUOTA_WINDOW={WINDOW}\n")
    host.run("systemctl daemon-reload; systemctl restart mailops-relay-monitor.service")
    yield Relay(lab, host)
    lab.remove(host.name)


@pytest.fixture(autouse=True)
def no_faults(lab: Lab) -> Iterator[None]:
    yield
    lab.admin.clear_faults()


def test_relay_is_healthy_after_the_playbook(relay: Relay) -> None:
    status = relay.status()
    assert status["problems"] == []
    assert status["token"]["expires"] > status["read_at"]
    assert {entry["state"] for entry in status["services"] if not entry["oneshot"]} == {"active"}
    assert {entry["state"] for entry in status["services"] if entry["oneshot"]} <= {"inactive", "activating"}
    assert relay.host.run("mailops-relay status").startswith(f"{status['hostname']}: healthy, the queue is empty\n")


PROXY, TOKEN, TOKEN_TIMER = "mailops-relay-proxy.service", "mailops-relay-token.service", "mailops-relay-token.timer"


def test_units_for_oauth_that_do_not_run_are_named(relay: Relay) -> None:
    """test_health has the other units."""
    assert_stopped_units_are_named(relay.host, [PROXY, TOKEN_TIMER])
    assert_masked_units_are_named(relay.host, [PROXY, TOKEN_TIMER, TOKEN])
    assert_crashing_units_are_named(relay.host, [PROXY, TOKEN])
    assert first_line(relay.host) == HEALTHY


def test_crashing_unit_is_started_again_without_end(relay: Relay) -> None:
    """systemd's default is to give up after five starts in ten seconds."""
    with crashing(relay.host, PROXY):
        relay.host.run(f"systemctl restart --no-block {PROXY}")
        restarts = f"systemctl show --property=NRestarts --value {PROXY}"
        wait_until(lambda: int(relay.host.run(restarts)) >= 7, 20, lambda: relay.host.run(f"systemctl status {PROXY}"))
        assert first_line(relay.host).endswith(f" to solve: {PROXY}")
    wait_until(lambda: relay.host.call(f"systemctl is-active {PROXY}").returncode == 0, 20, lambda: first_line(relay.host))
    relay.host.run(f"systemctl restart {PROXY}")


def test_deferred_mail_has_a_reason_and_is_sent_later(relay: Relay) -> None:
    close_connections(relay.host)
    relay.lab.admin.fault("smtp", "off_for_mailbox", match={"mailbox": SCANNER}, count=1000)
    relay.send(SCANNER, "named-1", "named-2")
    wait_until(lambda: relay.reasons().get("smtp-auth-off-mailbox") == 2, 30, relay.status)
    done = relay.host.call("mailops-relay status")
    assert done.returncode == 1
    assert "SMTP AUTH is disabled for this mailbox (535 5.7.139)" in " ".join(done.stdout.split())
    assert re.fullmatch(r"2 messages in the queue \(the oldest for .*\), 1 problem to solve: scanner@contoso.com", first_line(relay.host))
    relay.lab.admin.clear_faults()
    relay.host.run("postqueue -f")
    relay.wait_for_arrival("named", 2)
    wait_until(lambda: relay.mailbox(SCANNER)["last_refusal"] is None, 20, relay.status)


def test_reached_quota_defers_mail_and_loses_none(relay: Relay) -> None:
    subjects = [f"day-{number}" for number in range(QUOTA + 4)]
    relay.send(ERP, *subjects[:QUOTA])
    wait_until(lambda: relay.mailbox(ERP)["quota_resumes"], 60, relay.status)
    relay.send(ERP, *subjects[QUOTA:], "day-later")
    wait_until(lambda: relay.reasons().get("relay-daily-quota-reached"), 30, relay.status)
    assert re.fullmatch(r"\d+ messages? in the queue \(.*\), 1 problem of low severity: erp@contoso.com", first_line(relay.host))
    assert {problem["check"] for problem in relay.status()["problems"]} == {"quota_reached"}
    settings = relay.mailbox(ERP)
    assert settings["recipients_24h"] <= QUOTA
    assert len(relay.arrived("day")) <= QUOTA
    relay.send(SCANNER, "other-1")
    relay.wait_for_arrival("other", 1)
    wait_until(lambda: relay.host.call("test -s /var/lib/mailops-relay/suspended-senders").returncode, WINDOW + 30, relay.status)
    relay.wait_for_arrival("day", len(subjects) + 1, 150)


def test_lockout_suspends_the_sender_without_further_attempts(relay: Relay) -> None:
    # The messages that waited for the quota may have reached it again.
    wait_until(lambda: relay.status()["problems"] == [], WINDOW + 30, relay.status)
    before = sent(relay)
    relay.lab.admin.fault("smtp", "locked_send_as", match={"mailbox": SCANNER}, count=1000)
    relay.send(SCANNER, "locked-1")
    wait_until(lambda: relay.mailbox(SCANNER)["suspensions"], 30, relay.status)
    wait_until(lambda: relay.status()["queue"]["held"] == 1, 30, relay.status)
    relay.send(SCANNER, *(f"locked-{number}" for number in range(2, 7)))
    wait_until(lambda: relay.status()["queue"]["held"] == 6, 30, relay.status)
    attempts = relay.fault_count()
    assert attempts == 1
    relay.host.run("postqueue -f")
    time.sleep(5)
    assert relay.fault_count() == attempts, "there was no further attempt"
    status = relay.status()
    assert {row["id"] for row in status["queue"]["reasons"]} == {"send-as-lockout"}
    assert {problem["check"] for problem in status["problems"]} == {"sender_suspended"}
    assert re.fullmatch(r"6 messages in the queue \(.*\), 1 problem to solve: scanner@contoso.com", first_line(relay.host))
    relay.lab.admin.clear_faults()
    assert "Released: scanner@contoso.com" in relay.host.run("mailops-relay release")
    relay.wait_for_arrival("locked", 6)
    assert relay.mailbox(SCANNER)["suspensions"] == []
    counted(relay, before + 6)


def test_release_starts_a_stopped_monitor(relay: Relay) -> None:
    # The messages that waited for the quota may have reached it again.
    wait_until(lambda: relay.status()["problems"] == [], WINDOW + 30, relay.status)
    before = sent(relay)
    relay.lab.admin.fault("smtp", "locked_send_as", match={"mailbox": SCANNER}, count=1000)
    relay.send(SCANNER, "again-1")
    wait_until(lambda: relay.status()["queue"]["held"] == 1, 30, relay.status)
    relay.host.run("systemctl stop mailops-relay-monitor.service")
    relay.lab.admin.clear_faults()
    assert "Released: scanner@contoso.com" in relay.host.run("mailops-relay release")
    relay.wait_for_arrival("again", 1)
    counted(relay, before + 1)


def test_killed_monitor_stops_no_mail_and_counts_correctly_afterwards(relay: Relay) -> None:
    before = sent(relay)
    relay.send(SCANNER, "dead-1")
    relay.wait_for_arrival("dead", 1)
    relay.host.kill("mailops-relay-monitor.service")
    relay.send(SCANNER, "dead-2")
    relay.host.run("systemctl stop mailops-relay-monitor.service")
    relay.send(SCANNER, "dead-3", "dead-4")
    relay.wait_for_arrival("dead", 4)
    relay.host.run("systemctl start mailops-relay-monitor.service")
    counted(relay, before + 4)
    relay.host.run("systemctl restart mailops-relay-monitor.service")
    time.sleep(3)
    assert sent(relay) == before + 4, "a restart counts no message twice"


def sent(relay: Relay) -> int:
    counts = relay.status()["counters"]
    return int(counts.get("sent", {}).get(f"{SCANNER}/", 0))


def counted(relay: Relay, count: int) -> None:
    """Wait until the monitor has counted all that arrived: the next test begins with that number."""
    wait_until(lambda: sent(relay) == count, 20, lambda: (count, sent(relay)))


FORGED = (
    "0123456789AB: from=<scanner@contoso.com>, size=1, nrcpt=9000 (queue active)",
    "0123456789AB: to=<a@b.example>, relay=x, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 ok)",
    "0123456789AB: to=<a@b.example>, relay=x, delay=1, delays=1/0/0/0, dsn=5.2.252, status=deferred (550 5.2.252 SendAsDenied; locked)",
)


def test_forged_log_lines_are_ignored(relay: Relay) -> None:
    before = sent(relay)
    relay.host.run("id nosy 2>/dev/null || useradd --create-home nosy")
    for line in FORGED:
        relay.host.run(["runuser", "-u", "nosy", "--", "logger", "--tag", "postfix/m365-1/smtp", line])
    assert "status=deferred (550 5.2.252" in relay.host.run("journalctl --no-pager --output=cat -t postfix/m365-1/smtp")
    # The real message is later and is counted: the forged lines were read before and are not counted.
    relay.send(SCANNER, "true-1")
    relay.wait_for_arrival("true", 1)
    wait_until(lambda: sent(relay) > before, 20, relay.status)
    assert sent(relay) == before + 1
    assert relay.mailbox(SCANNER)["suspensions"] == []


def test_refused_token_is_a_problem_with_its_code(relay: Relay) -> None:
    relay.lab.admin.fault(
        "token", count=1000, status=401, body={"error": "invalid_client", "error_codes": [700027], "error_description": "AADSTS700027: key"}
    )
    token = "/run/mailops-relay/token.json"
    document = json.loads(relay.host.read(token))
    document |= {"issued": time.time() - 3000, "expires": time.time() + 600}
    relay.host.run(["sh", "-c", f"cat > {token}"], text=json.dumps(document))
    for remove, check, line in (("", "token_renewal_failing", "that can wait"), (f"rm {token};", "token_missing", "to solve")):
        relay.host.run(f"{remove} systemctl start {TOKEN} || true")
        (problem,) = relay.status()["problems"]
        assert (problem["check"], problem["subject"], problem["code"]) == (check, "token", "AADSTS700027")
        assert first_line(relay.host) == f"the queue is empty, 1 problem {line}: token"
    relay.lab.admin.clear_faults()
    relay.host.run("systemctl start mailops-relay-token.service")
    assert relay.status()["problems"] == []


def test_metrics_are_valid_and_up_to_date(relay: Relay) -> None:
    parser = importlib.import_module("prometheus_client.parser")
    relay.host.run("systemctl start mailops-relay-metrics.service")
    families = list(parser.text_string_to_metric_families(relay.host.read(f"{METRICS}/mailops_relay.prom")))
    samples = {(sample.name, sample.labels.get("mailbox", "")): sample.value for family in families for sample in family.samples}
    assert samples["mailops_relay_sent_recipients_total", SCANNER] == sent(relay) > 0
    assert samples["mailops_relay_mailbox_quota_limit_recipients", ERP] == QUOTA
    assert samples["mailops_relay_queue_readable", ""] == 1, "Postfix's programs run in the unit's sandbox"
    # Without netlink they fail to list the host's addresses.
    assert "getifaddrs" not in relay.host.run("journalctl --no-pager --output=cat --boot")
    assert "systemctl" not in relay.host.run("systemctl is-active mailops-relay-metrics.timer")


def test_module_and_summary_show_the_status(relay: Relay) -> None:
    tasks = [{"name": "Read the status of the relay", "mailops.m365.relay_status": {"required": True}}]
    playbook = relay.lab.directory / "status.yml"
    playbook.write_text(json.dumps([{"hosts": relay.host.name, "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    stdout = ansible(relay.lab, "ansible-playbook", relay.lab.directory / "operations.json", str(playbook))
    table = stdout[stdout.index("RELAY ") :].splitlines()
    assert table[1].split()[:2] == [relay.host.name, "0"]
    assert table[1].endswith("healthy")


def test_no_output_has_a_secret(relay: Relay) -> None:
    secrets = [
        relay.host.read("/etc/mailops-relay/proxy.secret").strip(),
        json.loads(relay.host.read("/run/mailops-relay/token.json"))["access_token"],
    ]
    output = relay.host.run(
        "journalctl --no-pager --output=json --all; mailops-relay status --json; mailops-relay status || true; mailops-relay metrics"
    )
    assert len(output) > 1000
    for secret in secrets:
        assert len(secret) > 20
        assert secret not in output


def test_monitor_has_few_rights(relay: Relay) -> None:
    """It cannot read credentials, and its queue actions are limited to a reload and queue ids."""
    touched = "/var/lib/mailops-relay/x"  # the unit that runs as root may write there
    action = {"reload": False, "hold": [f"$(touch {touched})", "../../etc", "ALL"], "release": "ALL"}
    relay.host.run(f"echo {shlex.quote(json.dumps(action))} > /var/lib/mailops-relay/queue-actions/000000001.json")
    wait_until(lambda: not relay.host.run("ls /var/lib/mailops-relay/queue-actions"), 20, relay.status)
    assert relay.host.call(f"test -e {touched}").returncode == 1
    pid = int(relay.host.run("systemctl show --property=MainPID --value mailops-relay-monitor.service"))
    assert pid != 0
    ids = dict(line.split(":", 1) for line in relay.host.read(f"/proc/{pid}/status").splitlines())
    user, group, groups = ids["Uid"].split()[0], ids["Gid"].split()[0], ",".join(ids["Groups"].split())
    assert "0" not in (user, group, *groups.split(","))
    inside = f"nsenter --target {pid} --mount setpriv --reuid {user} --regid {group} --groups {groups} cat"
    assert relay.host.run(f"{inside} /etc/mailops-relay/relay.json") == relay.host.read("/etc/mailops-relay/relay.json")
    for secret in ("/etc/mailops-relay/proxy.secret", "/etc/mailops-relay/identity/key.pem", "/run/mailops-relay/token.json"):
        assert relay.host.read(secret)
        assert relay.host.call(f"{inside} {secret}").returncode == 1  # cat's own
