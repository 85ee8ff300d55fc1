#!/usr/bin/env python3
"""`make bench`: what a run costs, in seconds and in requests, against the emulator on this host.

Fifty tenants of four senders each, a first run and one that finds nothing to do, in process and with a subprocess a task,
side by side; a hundred tenants with Microsoft's distance added; and one tenant of ten thousand mailboxes. `repeated` counts
the requests that a tenant was asked twice in a run. Writes bench/latest.json and prints the same as a table.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import relay  # noqa: E402 - found through the line above
from bench.repeats import repeated  # noqa: E402 - found through the line above
from emulator.launcher import Emulator  # noqa: E402
from emulator.sandbox import Sandbox  # noqa: E402

LATENCY = 0.15  # seconds a request
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


class Bench:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.report_file = directory / "report.json"
        self.record = directory / "record.jsonl"

    def play(self, inventory: Path, emulator: Emulator, *options: str) -> Row:
        """One run of site.yml: seconds, requests as the emulator counted them, changes from the report."""
        emulator.admin.reset_requests()
        self.record.write_text("")
        variables = self.directory / "vars.json"
        variables.write_text(json.dumps({"m365_cloud": emulator.cloud, "m365_journal_dir": str(self.directory / "journal")}))
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), "playbooks/site.yml"]
        command += ["-e", f"@{variables}", *options]
        environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "MAILOPS_REPORT": str(self.report_file)}
        started = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
        seconds = time.monotonic() - started
        if done.returncode:
            raise SystemExit(done.stdout[-3000:] + done.stderr[-3000:])
        report = json.loads(self.report_file.read_text())
        counted = emulator.admin.requests()
        requests = sum(count for services in counted.values() for name, count in services.items() if not name.endswith("batched"))
        tenants = len(report["tenants"])
        return {
            "seconds": round(seconds, 1),
            "seconds_a_tenant": round(seconds / tenants, 2),
            "requests": requests,
            "requests_a_tenant": round(requests / tenants, 1),
            "repeated": len(repeated(self.record)),
            "changed": sum(row["changed"] for row in report["tenants"].values()),
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
        """A first run and a no-op run through both entry points; each entry point has an emulator of its own, without state."""
        inventory, documents = self.fleet(tenants, certificate)
        rows = []
        for entry_point, options in (("in process", ()), ("subprocess", ("-e", "m365_in_process=false"))):
            with Emulator({"tenants": documents}, record=self.record) as emulator:
                for what in ("first run", "no-op"):
                    row = self.play(inventory, emulator, *options)
                    rows.append({"case": f"{tenants} tenants, {what}", "entry_point": entry_point} | row)
        return rows

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
    columns = ("case", "entry_point", "seconds", "seconds_a_tenant", "requests", "requests_a_tenant", "repeated", "changed")
    cells = [tuple(name.replace("_a_", " a ") for name in columns), *(tuple(str(row[name]) for name in columns) for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    lines = ["  ".join(text.ljust(width) if i < 2 else text.rjust(width) for i, (text, width) in enumerate(zip(line, widths, strict=True)))
             for line in cells]  # fmt: skip
    return "\n".join(lines)


def ratios(rows: list[Row]) -> dict[str, float]:
    """How many times longer the subprocess takes, a case."""
    fast = {row["case"]: row["seconds"] for row in rows if row["entry_point"] == "in process"}
    return {row["case"]: round(row["seconds"] / fast[row["case"]], 1) for row in rows if row["entry_point"] == "subprocess"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=50)
    parser.add_argument("--distant", type=int, default=100, help="tenants of the run with latency")
    parser.add_argument("--mailboxes", type=int, default=10_000)
    parser.add_argument("--changes", type=int, default=1_000)
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="mailops-bench-"))
    try:
        sandbox = Sandbox(directory / "keys")
        sandbox.make()
        bench = Bench(directory)
        certificate = sandbox.keys / "contoso-sender.crt"
        rows = bench.entry_points(arguments.tenants, certificate)
        rows += bench.distant(arguments.distant, certificate)
        rows += bench.large(arguments.mailboxes, arguments.changes)
    finally:
        shutil.rmtree(directory)
    through_relay = relay.measure()
    result = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "rows": rows,
        "subprocess_times_slower": ratios(rows),
        "relay": through_relay,
    }
    arguments.output.write_text(json.dumps(result, indent=2) + "\n")
    print(table(rows))
    print("\nA subprocess a task takes " + ", ".join(f"{ratio} times as long ({case})" for case, ratio in ratios(rows).items()))
    print("\n" + relay.table(through_relay))
    return 0


if __name__ == "__main__":
    sys.exit(main())
