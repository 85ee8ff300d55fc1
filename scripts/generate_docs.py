#!/usr/bin/env python3
"""Writes docs/errors.md from the error catalog, docs/emulator_state.md from the emulator's dataclasses, docs/hosted-relays.md from the
table of hosted relays, docs/makers-and-programs.md from the products, docs/modules.md from the modules' documentation, and into every
role's argument_specs.yml the connection's variables from the modules' spec and its documentation.

`--check` writes nothing and fails where a page is not as it would be written.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import yaml

REPO = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPO / ".ansible" / "collections"), str(REPO)]

from ansible_collections.mailops.m365.plugins.doc_fragments import journal, tenant  # noqa: E402
from ansible_collections.mailops.m365.plugins.module_utils._core.spec import JOURNAL, TENANT, Option  # noqa: E402
from ansible_collections.mailops.m365.plugins.module_utils.error_catalog import ENTRIES, MAIL_SERVICES, ErrorEntry  # noqa: E402

from emulator.statefile import describe  # noqa: E402
from scripts.hosted_relays_page import hosted_relays_page  # noqa: E402
from scripts.products_page import products_page  # noqa: E402

COLLECTION = "mailops.m365."
SERVICES = {
    "entra": "Signing in: the token endpoint",
    "graph": "Microsoft Graph",
    "exchange": "Exchange Online",
    "smtp": "Mail servers: smtp.office365.com and the tenant's MX",
    "network": "The network between a host and a mail server",
    "relay": "The relay host: Postfix, the submission proxy and the network",
    "dns": "DNS servers that take updates",
    "hve": "High Volume Email: smtp.hve.mx.microsoft",
    "acs": "Azure Communication Services Email: smtp.azurecomm.net",
    "arm": "Azure Resource Manager",
    "hosted": "APIs of hosted relays",
    "hosted_smtp": "SMTP endpoints of hosted relays",
}
KEEP = {"defer": "retried", "hold": "held", "bounce": "bounced to relay_postmaster", "": ""}
# The one variable of the connection that is no module's option: the action itself reads it.
IN_PROCESS = {
    "type": "bool",
    "default": True,
    "description": "Whether tasks on a local connection run inside Ansible's own process, which is several times faster, "
    "or as subprocesses.",
}
# Roles that configure a host: they do not sign in to a tenant.
HOST_ROLES = ("diagnose", "relay_host")
GENERATED = "<!-- Written by `make docs`; changes belong into {source}. -->\n"


def cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def table(titles: list[str], rows: list[list[str]]) -> list[str]:
    lines = [titles, ["---"] * len(titles), *([cell(value) for value in row] for row in rows)]
    return ["| " + " | ".join(line) + " |" for line in lines]


def error_row(entry: ErrorEntry) -> list[str]:
    code = entry.code.replace("\\d+", "n").replace("\\d", "n").replace("\\.", ".")
    code = f"`{'AADSTS' if entry.service == 'entra' and code.isdigit() else ''}{code}`" if code else ""
    variables = ", ".join(f"`{variable}`" for variable in entry.variables)
    keep = [KEEP[entry.queue_policy]] if entry.service in MAIL_SERVICES else []
    return [code, f"`{entry.sample}`", entry.cause, entry.remedy, variables, "yes" if entry.transient else "", *keep, entry.source]


def errors_page() -> str:
    lines = [
        "# Error catalog",
        "",
        GENERATED.format(source="`plugins/module_utils/error_catalog/`"),
        "Cause and remedy of the errors of Microsoft 365, mail servers and DNS servers. Modules, test messages and relay hosts use the",
        "same catalog: the error message of a failed task contains both. If several entries match, the first one applies.",
        "",
        "[`mailops-explain`](explain.md) explains a pasted reply, code, delivery report or log. In the tables, *Text* is what the service",
        "writes, *Variables* are the inventory's whose value is the cause or the remedy, and *Transient* means that waiting helps.",
        "[What can go wrong on a relay host](what-can-go-wrong.md) lists the failures of a relay that are not a reply.",
    ]
    for service, title in SERVICES.items():
        titles = ["Code", "Text", "Cause", "Remedy", "Variables", "Transient", "Source"]
        if service in MAIL_SERVICES:
            titles.insert(6, "On a relay host")
        rows = [error_row(entry) for entry in ENTRIES if entry.service == service]
        lines += ["", f"## {title}", "", *table(titles, rows)]
    return "\n".join(lines) + "\n"


def emulator_page() -> str:
    """The keys of the emulator's state file."""
    lines = [
        "# The emulator's state file",
        "",
        GENERATED.format(source="the dataclasses in `emulator/state/`, `emulator/settings.py` and `emulator/smtp/settings.py`"),
        "The [emulator](emulator.md) reads its tenants from a state file, YAML or JSON. Every key but those marked as required may be left",
        "out; unknown keys are refused. Derived ids are the same in every run. `emulator/tenants/demo.yml` is an example.",
    ]
    for name, about, rows in describe.tables():
        cells = [[key, kind, default if " " in default or default == "required" else default and f"`{default}`", text]
                 for key, kind, default, text in rows]  # fmt: skip
        lines += ["", f"## {name}", "", about, "", *table(["Key", "Type", "Default", "Meaning"], cells)]
    kinds = [[f"`{kind}`", *text.split("; ")] for kind, text in describe.lag_kinds()]
    lines += ["", "## Kinds of replication delay", "", "Keys of `settings.lag`: seconds from a change to its effect.", ""]
    return "\n".join([*lines, *table(["Kind", "Change", "Effect"], kinds)]) + "\n"


def ansible_doc(*arguments: str) -> dict[str, Any]:
    tool = Path(sys.executable).parent / "ansible-doc"
    done = subprocess.run([tool, "--json", *arguments], cwd=REPO, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout or "{}")
    return found


def markup(value: str | list[str]) -> str:
    """Ansible's markup as Markdown."""
    text = " ".join([value] if isinstance(value, str) else value)
    text = re.sub(r"M\(mailops\.m365\.(\w+)\)", r"[\1](#\1)", text)
    text = re.sub(r"B\(([^()]*)\)", r"**\1**", text)
    return re.sub(r"(?:RV|[CEOVI])\((?:ignore:)?((?:[^()\\]|\\.)*)\)", lambda match: "`" + match[1].replace("\\", "") + "`", text)


def kind(option: dict[str, Any]) -> str:
    name = option.get("type", "str")
    return f"list of {option['elements']}" if name == "list" and "elements" in option else str(name)


def option_rows(options: dict[str, Any], path: str = "") -> list[list[str]]:
    rows = []
    for name, option in options.items():
        about = markup(option["description"])
        if option.get("choices"):
            about += " One of " + ", ".join(f"`{choice}`" for choice in option["choices"]) + "."
        default = (
            "required" if option.get("required") else f"`{json.dumps(option['default'])}`" if option.get("default") is not None else ""
        )
        rows.append([f"`{path}{name}`", kind(option), default, about])
        rows += option_rows(option.get("suboptions") or {}, f"{path}{name}.")
    return rows


def module_section(name: str, page: dict[str, Any], shared: set[str]) -> list[str]:
    doc = page["doc"]
    own = {option: value for option, value in doc["options"].items() if option not in shared}
    ordered = dict(sorted(own.items(), key=lambda item: not item[1].get("required")))
    lines = ["", f"## {name}", "", f"{doc['short_description']}. {markup(doc['description'])}", ""]
    if ordered:
        lines += [*table(["Option", "Type", "Default", "Description"], option_rows(ordered)), ""]
    return [*lines, "```yaml", page["examples"].strip().removeprefix("---").strip(), "```"]


def modules_page() -> str:
    names = sorted(path.stem for path in (REPO / "plugins" / "modules").glob("*.py"))
    pages = {full.removeprefix(COLLECTION): page for full, page in ansible_doc(*(COLLECTION + name for name in names)).items()}
    everywhere = set.intersection(*(set(page["doc"]["options"]) for page in pages.values()))
    journal = {"journal_dir"}
    writing = next(page["doc"]["options"] for page in pages.values() if journal <= set(page["doc"]["options"]))
    common = {name: option for name, option in writing.items() if name in everywhere | journal}
    index = [
        [f"[{name}](#{name})", page["doc"]["short_description"], page["doc"]["attributes"]["diff_mode"]["support"]]
        for name, page in sorted(pages.items())
    ]
    lines = [
        "# Modules",
        "",
        GENERATED.format(source="the modules' own documentation"),
        "All modules support check mode. `ansible-doc mailops.m365.<module>` prints the same options, examples and the return values.",
        "",
        *table(["Module", "Description", "Diff"], index),
        *other_plugins(),
        "",
        "## Options of every module",
        "",
        "`journal_dir` belongs to those that write.",
        "",
        *table(["Option", "Type", "Default", "Description"], option_rows(common)),
    ]
    for name, page in sorted(pages.items()):
        lines += module_section(name, page, everywhere | journal)
    return "\n".join(lines) + "\n"


def other_plugins() -> list[str]:
    """Filters, callbacks and the like, as far as there are any."""
    rows = []
    for plugin in ("callback", "filter", "inventory", "lookup", "test"):
        if any((REPO / "plugins" / plugin).glob("*.py")):
            listed = ansible_doc("-t", plugin, "--list", COLLECTION.rstrip("."))
            rows += [[f"`{full}`", plugin, about] for full, about in sorted(listed.items())]
    return ["", *table(["Plugin", "Kind", "Description"], rows)] if rows else []


def role_variables() -> dict[str, dict[str, Any]]:
    """The connection's variables as a role declares them."""
    pages = {**yaml.safe_load(tenant.ModuleDocFragment.DOCUMENTATION)["options"], "in_process": {}}
    pages |= yaml.safe_load(journal.ModuleDocFragment.DOCUMENTATION)["options"]
    found: dict[str, dict[str, Any]] = {}
    for name, page in pages.items():
        option = (TENANT | JOURNAL).options.get(name)
        found[option["variable"] if option else f"m365_{name}"] = role_variable(option, page) if option else IN_PROCESS
    return found


def role_variable(option: Option, page: dict[str, Any]) -> dict[str, Any]:
    paragraphs = [text for text in page["description"] if not text.startswith("If omitted, the value of the host variable")]
    paragraphs += [f"Falls back to the environment variable {' or '.join(option['env'])}."] if option.get("env") else []
    text = re.sub(r"O\((\w+)\)", r"m365_\1", " ".join(paragraphs))
    text = re.sub(r"M\(mailops\.m365\.(\w+)\)", r"\1", text)
    text = re.sub(r"(?:RV|[CEV])\((?:ignore:)?((?:[^()\\]|\\.)*)\)", lambda match: match[1].replace("\\", ""), text)
    hidden = {"no_log": True} if option.get("no_log") else {}
    kept: dict[str, Any] = {key: option[key] for key in ("default", "choices") if key in option}
    return {"type": option["type"], **kept, **hidden, "description": text}


def role_block() -> str:
    lines = []
    for variable, content in role_variables().items():
        lines.append(f"      {variable}:")
        lines += [f"        {key}: {json.dumps(content[key]).strip(chr(34))}" for key in ("type", "default", "no_log") if key in content]
        lines += [f"        choices: [{', '.join(content['choices'])}]"] if "choices" in content else []
        lines.append("        description: >-")
        lines += textwrap.wrap(content["description"], 124, initial_indent=" " * 10, subsequent_indent=" " * 10, break_on_hyphens=False)
    return "\n".join(lines) + "\n"


def role_specs() -> dict[str, str]:
    """Every role's argument_specs.yml as it is to be: what is the role's own, then the connection's variables."""
    block, pages = role_block(), {}
    shared = re.compile(rf"^ {{6}}(?:{'|'.join(role_variables())}):\n(?:^ {{8}}.*\n)+", re.MULTILINE)
    for path in sorted((REPO / "roles").glob("*/meta/argument_specs.yml")):
        if path.parts[-3] in HOST_ROLES:
            continue
        own = shared.sub("", path.read_text("utf-8"))
        pages[path.relative_to(REPO).as_posix()] = own + block
    return pages


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only compare")
    check = parser.parse_args().check
    outdated = []
    pages = {"docs/emulator_state.md": emulator_page(), "docs/errors.md": errors_page()}
    pages |= {"docs/hosted-relays.md": hosted_relays_page(table, GENERATED), "docs/modules.md": modules_page(), **role_specs()}
    pages["docs/makers-and-programs.md"] = products_page(table, GENERATED)
    for name, content in pages.items():
        path = REPO / name
        if path.exists() and path.read_text("utf-8") == content:
            continue
        outdated.append(name)
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(content, "utf-8")
    if outdated:
        print(f"{'Not up to date (run make docs)' if check else 'Written'}: {', '.join(outdated)}")
    return 1 if check and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
