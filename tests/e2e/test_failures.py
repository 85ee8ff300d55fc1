"""Failures of every cause: each host that failed is in the summary and in the JSON report, and the other hosts are converged."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from .site_runs import OLD, REPO, Site

OFF = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}


def test_failures_of_every_cause_are_in_summary_and_report(site: Site) -> None:
    senders = [{"name": "ERP", "address": "erp@contoso.com", "kind": "fax"}, {"name": "UPS"}]
    device = {"name": "Device", "method": "direct_send", "address": "x@northwind.example.com", "verify_recipient": "x@customer.example"}
    basic = [{"name": name, "address": f"{name}@contoso.com", "method": "basic"} for name in "ab"]
    run = site.play(
        {
            "fabrikam": site.variables("fabrikam"),
            "arguments": site.variables("contoso", m365_senders=senders),
            "undefined": site.variables("contoso", m365_wait_timeout="{{ no_such_variable }}"),
            "unreachable": site.variables("contoso", **OFF),
            "secret": site.variables("contoso", m365_client_secret="not-the-secret"),
            "plan": site.variables("contoso", m365_senders=basic),
            "sender": site.variables("northwind", verify_senders=[device]),
        }
    )  # fmt: skip
    assert run.code in (2, 4), run.output
    states = {host: row["state"] for host, row in run.report["tenants"].items()}
    failed = {"arguments", "undefined", "secret", "plan", "sender"}
    assert states == {"fabrikam": "changed", "unreachable": "unreachable"} | dict.fromkeys(failed, "failed")
    assert run.report["totals"]["tenants"] == {"unchanged": 0, "changed": 1, "failed": 5, "unreachable": 1, "not_run": 0}
    assert run.report["status"] == "failed"
    assert {host: entry["kind"] for host, entry in run.attention.items()} == {
        host: "sender" if host == "sender" else "tenant" for host in failed | {"unreachable"}
    }
    problems = {host: " ".join(entry["problems"]) for host, entry in run.attention.items()}
    assert "kind is 'fax'" in problems["arguments"]
    assert len(run.attention["arguments"]["problems"]) == 2
    assert "'no_such_variable' is undefined" in problems["undefined"]
    assert problems["unreachable"] == "Unreachable: ssh: connect to host 127.0.0.1 port 1: Connection refused."
    assert "the client secret is wrong (AADSTS7000215)" in problems["secret"]
    assert len(run.attention["plan"]["problems"]) == 4
    assert run.summary[0].startswith("tenants: 1 changed, 6 failed; senders: 3 verified, 1 failed; ")
    start = run.summary.index("NEEDS ATTENTION")
    block = run.summary[start : run.summary.index("", start)]
    for host in failed | {"unreachable"}:
        entries = [line for line in block if re.match(rf"{host} ", line)]
        assert len(entries) == 1, entries
    text = "\n".join(run.summary)
    assert text.count("AADSTS7000215") == 1
    assert run.output.count("AADSTS7000215") == run.output.count("kind is 'fax'") == run.output.count("Connection refused") == 1
    assert "fatal: [arguments]: FAILED! The summary at the end has the cause." in run.output
    assert len(run.output.splitlines()) < 200, "no dump of a role's specification"
    assert [line for line in run.summary if len(line) > 118 and "v=spf1" not in line] == []


def test_the_same_mistake_of_many_tenants_is_printed_once(site: Site) -> None:
    """Fourteen tenants with the same two mistakes, one with another beside; four applications are not registered: a screen in all."""
    wrong = {f"same{number:02}": site.variables("fabrikam", m365_unused_acces="disable", m365_licences=-1) for number in range(14)}
    wrong["more"] = site.variables("fabrikam", m365_unused_acces="disable", m365_trials=True)
    secrets = {
        f"secret{number}": site.variables("contoso", m365_client_secret=f"not-the-secret-{number}", m365_client_id=f"{'0' * 8}-{identity}")
        for number, identity in enumerate(f"0000-0000-0000-{number:012}" for number in range(4))
    }
    run = site.play({"fabrikam": site.variables("fabrikam"), **wrong, **secrets})
    assert run.code == 2, run.output
    mistake = "m365_unused_acces is no variable of this collection: did you mean m365_unused_access?"
    words = " ".join(run.output.split())
    assert words.count(mistake) == words.count("m365_licences is -1") == words.count("m365_trials") == 1, run.output
    start = run.summary.index("NEEDS ATTENTION")
    block = run.summary[start : run.summary.index("", start)]
    text = " ".join(" ".join(block).split())
    assert f"15 hosts Plan and configure the tenant: {mistake} more, same00, same01" in text
    assert "and 3 more" in text
    assert "4 hosts Plan and configure the tenant: Could not sign in to contoso.com as application …: the application is not" in text
    assert len(block) < 20, run.output
    assert run.output.count("fatal: [") == 10
    assert run.output.count("Further failures of this task are in the summary at the end.") == 1
    assert "PLAY RECAP" not in run.output
    assert len(run.output.splitlines()) < 60, run.output
    assert {host for entry in run.report["attention"] for host in entry["hosts"]} == {*wrong, *secrets}
    assert sum(mistake in problem for entry in run.report["attention"] for problem in entry["problems"]) == 2, "JSON has each host's list"


def test_a_warning_names_its_tenant_and_is_printed_once(site: Site) -> None:
    run = site.play({"fabrikam": site.variables("fabrikam")})
    warning = "Without public_addresses in the SPF record its mail may be taken for spam"
    assert "[WARNING]: UPS" not in run.output
    assert " ".join(run.output.split()).count(warning) == 1, run.output
    [entry] = [entry for entry in run.report["warnings"] if warning in entry["warning"]]
    assert (entry["hosts"], entry["subject"]) == (["fabrikam"], "UPS alarms")


def test_a_report_is_written_where_every_tenant_failed_or_none_was_executed(site: Site) -> None:
    site.report.write_text(OLD)
    run = site.play(
        {"arguments": site.variables("contoso", m365_senders=5), "secret": site.variables("contoso", m365_tenant="{{ nowhere }}")}
    )
    assert (run.code, run.report["status"]) == (2, "failed")
    assert set(run.attention) == {"arguments", "secret"}
    assert run.report["format"] == "mailops.report/1"
    site.report.write_text(OLD)
    nobody = site.play({"fabrikam": site.variables("fabrikam")}, None, "--limit", "other")
    assert (nobody.code, nobody.report["status"], nobody.report["tenants"]) == (0, "ok", {})
    assert nobody.summary == []


def test_a_report_that_cannot_be_written_ends_the_run_before_it_starts(site: Site) -> None:
    before = site.requests()
    path = site.directory / "missing" / "report.json"
    run = site.play({"fabrikam": site.variables("fabrikam")}, MAILOPS_REPORT=str(path))
    assert run.code == 1
    assert f"could not be written to {path}: No such file or directory" in run.output
    assert site.requests() == before


def test_a_report_that_cannot_be_written_at_the_end_fails_the_run(site: Site) -> None:
    """The folder is removed while the run is under way."""
    folder = site.directory / "folder"
    folder.mkdir(exist_ok=True)
    tasks = [{"name": "Remove the folder", "ansible.builtin.file": {"path": str(folder), "state": "absent"}}]
    roles = [{"name": "Read", "mailops.m365.smtp_auth_info": {}}]
    playbook = site.directory / "remove.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "tenants", "gather_facts": False, "tasks": [*roles, *tasks]}]))
    run = site.play({"fabrikam": site.variables("fabrikam")}, None, str(playbook), MAILOPS_REPORT=str(folder / "report.json"))
    assert run.code == 1, run.output
    assert "tenants: 1 unchanged" in run.output


def test_tenants_are_converged_where_the_only_relay_host_is_off(site: Site) -> None:
    relay = OFF | {"relay_tenant": "fabrikam", "relay_postmaster": "it@fabrikam.com"}
    run = site.play({"fabrikam": site.variables("fabrikam")}, {"relay": relay})
    assert run.code != 0
    row = run.report["tenants"]["fabrikam"]
    assert row["verified"] == row["senders"] > 0, run.output
    assert row["state"] in ("unchanged", "changed")
    assert run.report["relays"]["relay"]["state"] == "unreachable"
    assert run.attention["relay"]["kind"] == "relay"


@pytest.mark.parametrize(("playbook", "state"), [("site.yml", "absent"), ("verify.yml", "present")])
def test_plays_of_relay_hosts_run_where_the_only_tenant_failed(site: Site, playbook: str, state: str) -> None:
    """The relay host's variables are wrong, which its own play reports after the play in which the only tenant failed."""
    relay = {
        "ansible_connection": "local",
        "relay_tenant": "broken",
        "relay_state": state,
        "relay_verify_wait": "x",
        "relay_drain_timeout": "x",
    }
    run = site.play({"broken": site.variables("fabrikam", m365_senders=5)}, {"relay": relay}, str(REPO / "playbooks" / playbook))
    assert run.code == 2, run.output
    assert run.report["tenants"]["broken"]["state"] == run.report["relays"]["relay"]["state"] == "failed", run.output
    assert "to convert to int" in " ".join(run.attention["relay"]["problems"])
    failed = [task["tenant"] for task in run.report["tasks"] if task["failed"]]
    assert failed == ["broken", "relay"]


def test_the_environment_of_a_play_reaches_the_in_process_action(site: Site) -> None:
    """A proxy that refuses connections: nothing answers. Without it the same play succeeds."""
    play: dict[str, Any] = {"hosts": "tenants", "gather_facts": False, "tasks": [{"name": "Read", "mailops.m365.smtp_auth_info": {}}]}
    playbook = site.directory / "environment.yml"
    tenants = {"fabrikam": site.variables("fabrikam")}
    playbook.write_text(yaml.safe_dump([play]))
    assert site.play(tenants, None, str(playbook)).code == 0
    proxy = "http://127.0.0.1:1"
    playbook.write_text(
        yaml.safe_dump([play | {"environment": {"HTTPS_PROXY": proxy, "https_proxy": proxy, "no_proxy": "", "NO_PROXY": ""}}])
    )
    run = site.play(tenants, None, str(playbook))
    assert run.code == 2, run.output
    assert "no answer from" in " ".join(run.attention["fabrikam"]["problems"])
