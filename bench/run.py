#!/usr/bin/env python3
"""`make bench`: what a run costs, in seconds and in requests, against the emulator on this host.

Cases: `entry_points` (fifty tenants of four senders each, a first run and one without changes, in process and in subprocesses, and the
same tenants with a task for each kind of object in subprocesses), `fleet` (five hundred tenants in one run), `distant` (a hundred tenants
with Microsoft's distance added), `large` (one tenant of ten thousand mailboxes), `hosted` (requests to the providers of hosted relays),
`relay` (a relay host). `repeated` counts the requests
that a tenant was asked twice in a run. Writes bench/latest.json, which keeps the figures of other cases, and prints a table.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import hosted, relay, usage  # noqa: E402 - found through the line above
from bench.repeats import repeated  # noqa: E402 - found through the line above
from emulator.launcher import Emulator  # noqa: E402
from emulator.sandbox import Sandbox  # noqa: E402

LATENCY = 0.15  # seconds a request
SUBPROCESS = ("-e", "m365_in_process=false")
RESULTS = ROOT / "bench" / "latest.json"
AUTOMATION = {
    "app_roles": [
        "Microsoft Graph/Application.ReadWrite.All",
        "Microsoft Graph/AppRoleAssignment.ReadWrite.All",
        "Microsoft Graph/Policy.Read.All",
        "Microsoft Graph/Domain.Read.All",
        "Microsoft Graph/Organization.Read.All",
        "Office 365 Exchange Online/Exchange.ManageAsApp",
    ],
    "directory_roles": ["Exchange Administrator"],
}
RUNS = ("entry_points", "fleet", "distant", "large")  # which have a row of the table for each run
CASES = (*RUNS, "hosted", "relay")
# The same objects with the roles of single modules, as role tenant derives them from the senders; a task each.
ROLES = ("entra_app", "smtp_auth", "inbound_connector", "direct_send", "spf")
Row = dict[str, Any]


def tenant_id(number: int) -> str:
    return f"0f2b6d5a-0000-4f7e-8f2e-{number:012d}"


def tenant_document(number: int, mailboxes: list[dict[str, Any]]) -> dict[str, Any]:
    application = {"app_id": tenant_id(10_000 + number), "display_name": "Automation", "secrets": [{"value": f"secret-{number}"}]}
    return {
        "id": tenant_id(number),
        "display_name": f"Tenant {number}",
        "initial_domain": f"tenant{number}.onmicrosoft.com",
        "domains": [f"tenant{number}.example"],
        "smtp_client_authentication_disabled": False,
        "applications": [application | {"service_principal": AUTOMATION}],
        "mailboxes": mailboxes,
    }


def tenant_vars(number: int, certificate: Path) -> dict[str, Any]:
    """A tenant as in an inventory: one list of senders with the methods of small companies."""
    domain = f"tenant{number}.example"
    return {
        "m365_tenant": tenant_id(number),
        "m365_client_id": tenant_id(10_000 + number),
        "m365_client_secret": f"secret-{number}",
        "entra_app_unique_name": "mailops-smtp-sender",
        "entra_app_certificates": [str(certificate)],
        "smtp_auth_organization": "disabled",
        "m365_senders": [
            {"name": "ERP", "kind": "erp", "address": f"erp@{domain}"},
            {"name": "Web shop", "kind": "website", "address": f"shop@{domain}"},
            {"name": "Scanner", "kind": "scanner", "address": f"scanner@{domain}", "public_addresses": ["203.0.113.10"]},
            {"name": "UPS", "kind": "ups", "address": f"ups@{domain}", "recipients": "internal"},
        ],
    }


def role_vars(number: int, certificate: Path) -> dict[str, Any]:
    """The same tenant without senders: the variables of roles, as somebody writes them who configures objects and not senders."""
    domain = f"tenant{number}.example"
    mailboxes = [f"erp@{domain}", f"shop@{domain}"]
    connector = {"name": "mailops Scanner", "comment": "mailops.m365 [mailops] Scanner", "sender_ip_addresses": ["203.0.113.10"]}
    variables = {name: value for name, value in tenant_vars(number, certificate).items() if name != "m365_senders"}
    return variables | {
        "entra_app_permissions": [{"name": "SMTP.SendAsApp"}],
        "entra_app_full_access": mailboxes,
        "smtp_auth_mailboxes": [{"address": address} for address in mailboxes],
        "inbound_connector_connectors": [connector | {"tls_sender_certificate_name": "", "require_tls": False}],
        "direct_send_senders": [f"ups@{domain}"],
        "direct_send_rejected": False,
        "spf_ip4": ["203.0.113.10"],
    }


class Bench:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.report_file = directory / "report.json"
        self.record = directory / "record.jsonl"

    def play(self, inventory: Path, emulator: Emulator, *options: str, playbook: str = "playbooks/site.yml") -> Row:
        """One run of a playbook: what it takes, requests as the emulator counted them, changes from the report."""
        emulator.admin.reset_requests()
        self.record.write_text("")
        variables = self.directory / "vars.json"
        journal = str(self.directory / "journal")
        settings = {"m365_cloud": emulator.cloud, "m365_dns_servers": emulator.dns_servers, "m365_journal_dir": journal}
        variables.write_text(json.dumps(settings))
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), playbook]
        command += ["-e", f"@{variables}", *options]
        environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "MAILOPS_REPORT": str(self.report_file)}
        done, used = usage.run(command, ROOT, environment)
        if done.returncode:
            raise SystemExit(done.stdout[-3000:] + done.stderr[-3000:])
        report = json.loads(self.report_file.read_text())
        counted = emulator.admin.requests()
        requests = sum(
            count for services in counted.values() for name, count in services.items() if name != "dns" and not name.endswith("batched")
        )
        tenants = len(report["tenants"])
        return {
            "tenants": tenants,
            "seconds": round(used.seconds, 1),
            "seconds_a_tenant": round(used.seconds / tenants, 2),
            "cpu_a_tenant": round(used.cpu / tenants, 2),
            "memory_mb": round(used.memory),
            "parent_mb": round(used.parent),
            "requests": requests,
            "requests_a_tenant": round(requests / tenants, 1),
            "repeated": len(repeated(self.record)),
            "changed": sum(row["changed"] for row in report["tenants"].values()),
            "output_lines": len(done.stdout.splitlines()),
            "report_mb": round(self.report_file.stat().st_size / 1e6, 1),
            "tasks": len(report["tasks"]),
        }

    def inventory(self, name: str, hosts: dict[str, Any]) -> Path:
        path = self.directory / f"{name}.yml"
        path.write_text(yaml.safe_dump({"tenants": {"hosts": hosts, "vars": {"ansible_python_interpreter": sys.executable}}}))
        return path

    def fleet(self, tenants: int, certificate: Path) -> tuple[Path, list[dict[str, Any]]]:
        """The inventory and the state of many tenants alike."""
        names = ("erp", "scanner", "shop", "ada")
        documents = [tenant_document(n, [{"address": f"{name}@tenant{n}.example"} for name in names]) for n in range(tenants)]
        return self.inventory("fleet", {f"tenant{n}": tenant_vars(n, certificate) for n in range(tenants)}), documents

    def entry_points(self, tenants: int, certificate: Path) -> list[Row]:
        """A first run and a no-op run through both entry points, each with an emulator of its own, without state; then the roles' no-op."""
        inventory, documents = self.fleet(tenants, certificate)
        rows = []
        for entry_point, options in (("in process", ()), ("subprocess", SUBPROCESS)):
            with Emulator({"tenants": documents}, record=self.record) as emulator:
                for what in ("first run", "no-op"):
                    row = self.play(inventory, emulator, *options)
                    rows.append({"case": f"{tenants} tenants, {what}", "entry_point": entry_point} | row)
                if options:
                    rows.append(self._roles(tenants, certificate, emulator))
        return rows

    def _roles(self, tenants: int, certificate: Path, emulator: Emulator) -> Row:
        """The no-op run of the same tenants with a role for each kind of object, each task in a subprocess."""
        playbook = self.directory / "playbook.yml"
        roles = [f"mailops.m365.{role}" for role in ROLES]
        playbook.write_text(yaml.safe_dump([{"hosts": "tenants", "connection": "local", "gather_facts": False, "roles": roles}]))
        inventory = self.inventory("roles", {f"tenant{n}": role_vars(n, certificate) for n in range(tenants)})
        row = self.play(inventory, emulator, *SUBPROCESS, playbook=str(playbook))
        if row["changed"]:
            raise SystemExit("the roles do not describe what role tenant has configured")
        return {"case": f"{tenants} tenants, no-op", "entry_point": "subprocess, a task per object"} | row

    def many(self, tenants: int, certificate: Path) -> list[Row]:
        """A first run and a no-op run of many tenants."""
        inventory, documents = self.fleet(tenants, certificate)
        with Emulator({"tenants": documents}, record=self.record, patience=120) as emulator:
            return [
                {"case": f"{tenants} tenants, {what}", "entry_point": "in process"} | self.play(inventory, emulator)
                for what in ("first run", "no-op")
            ]

    def distant(self, tenants: int, certificate: Path) -> list[Row]:
        """Nothing to do, with every service as far away as Microsoft's are."""
        inventory, documents = self.fleet(tenants, certificate)
        with Emulator({"tenants": documents}, record=self.record) as emulator:
            self.play(inventory, emulator)
            emulator.admin.latency(**dict.fromkeys(("token", "graph", "exchange", "smtp", "mx"), LATENCY))
            row = self.play(inventory, emulator)
        return [{"case": f"{tenants} tenants, no-op, {LATENCY * 1000:.0f} ms a request", "entry_point": "in process"} | row]

    def large(self, mailboxes: int, changes: int) -> list[Row]:
        """One tenant: a first run that changes some of many mailboxes, then one that finds nothing to do."""
        document = tenant_document(0, [{"generate": mailboxes, "address": "user{n:05d}@tenant0.example"}])
        variables = {
            "m365_tenant": tenant_id(0),
            "m365_client_id": tenant_id(10_000),
            "m365_client_secret": "secret-0",
            "smtp_auth_organization": "disabled",
            "smtp_auth_exclusive": True,
        }
        rows = []
        with Emulator({"tenants": [document]}, record=self.record) as emulator:
            for name, requested in (("no-op", 0), (f"{changes} changes", changes), ("no-op again", changes)):
                if name == "no-op":
                    emulator.admin.change(tenant_id(0), smtp_client_authentication_disabled=True)
                boxes = [{"address": f"user{n:05d}@tenant0.example"} for n in range(1, requested + 1)]
                inventory = self.inventory("large", {"large": variables | {"smtp_auth_mailboxes": boxes}})
                rows.append({"case": f"{mailboxes} mailboxes, {name}", "entry_point": "in process"} | self.play(inventory, emulator))
        return rows


def table(rows: list[Row]) -> str:
    columns = ("case", "entry_point", "seconds", "seconds_a_tenant", "cpu_a_tenant", "memory_mb", "parent_mb", "requests_a_tenant",
               "repeated", "changed")  # fmt: skip
    cells = [tuple(name.replace("_a_", " a ") for name in columns), *(tuple(str(row.get(name, "")) for name in columns) for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    lines = ["  ".join(text.ljust(width) if i < 2 else text.rjust(width) for i, (text, width) in enumerate(zip(line, widths, strict=True)))
             for line in cells]  # fmt: skip
    return "\n".join(lines)


def ratios(rows: list[Row]) -> dict[str, float]:
    """How many times longer subprocesses take, by case and entry point."""
    fast = {row["case"]: row["seconds"] for row in rows if row["entry_point"] == "in process"}
    slow = [row for row in rows if row["entry_point"] != "in process"]
    return {f"{row['case']}, {row['entry_point']}": round(row["seconds"] / fast[row["case"]], 1) for row in slow}


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """The figures of each case."""
    directory = Path(tempfile.mkdtemp(prefix="mailops-bench-"))
    try:
        sandbox = Sandbox(directory / "keys")
        sandbox.make()
        bench = Bench(directory)
        certificate = sandbox.keys / "contoso-sender.crt"
        measures: dict[str, Callable[[], list[Row]]] = {
            "entry_points": lambda: bench.entry_points(arguments.tenants, certificate),
            "fleet": lambda: bench.many(arguments.fleet, certificate),
            "distant": lambda: bench.distant(arguments.distant, certificate),
            "large": lambda: bench.large(arguments.mailboxes, arguments.changes),
        }
        figures: dict[str, Any] = {name: run() for name, run in measures.items() if name in arguments.cases}
    finally:
        shutil.rmtree(directory)
    if "hosted" in arguments.cases:
        figures["hosted"] = hosted.measure()
    if "relay" in arguments.cases:
        figures["relay"] = relay.measure()
    return figures


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; all without")
    parser.add_argument("--tenants", type=int, default=50)
    parser.add_argument("--fleet", type=int, default=500, help="tenants of the run of many")
    parser.add_argument("--distant", type=int, default=100, help="tenants of the run with latency")
    parser.add_argument("--mailboxes", type=int, default=10_000)
    parser.add_argument("--changes", type=int, default=1_000)
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    if unknown := [case for case in arguments.cases if case not in CASES]:
        parser.error(f"unknown cases: {', '.join(unknown)}")
    arguments.cases = arguments.cases or list(CASES)
    return arguments


def main() -> int:
    arguments = parse()
    loads = os.getloadavg()
    result = json.loads(arguments.output.read_text()) if arguments.output.exists() else {}
    stamp = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "load": round(loads[0], 1),  # of other work, at the start
    }
    cases = result.get("cases", {}) | {name: stamp | {"figures": figures} for name, figures in measure(arguments).items()}
    rows = [row for name in RUNS if name in cases for row in cases[name]["figures"]]
    result = {"cases": cases, "times_slower": ratios(rows)}
    arguments.output.write_text(json.dumps(result, indent=2) + "\n")
    print(table(rows))
    for case, ratio in ratios(rows).items():
        print(f"{ratio} times as long as in process: {case}")
    if "hosted" in cases:
        print("\n" + hosted.table(cases["hosted"]["figures"]))
    if "relay" in cases:
        print("\n" + relay.table(cases["relay"]["figures"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
