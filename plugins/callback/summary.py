# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: summary
type: aggregate
short_description: Print a summary of tenants, senders, SPF records and relay hosts
version_added: 0.1.0
author:
  - mailops.m365 developers (@mailops)
description:
  - >-
    Prints one line of totals (tenants, relay hosts and senders by result, duration, requests), then what needs attention with its
    remedy (failed, unreachable and not executed hosts, senders that cannot send, keys that expire, DNS records to publish), then tables
    of what changed, and the warnings of this collection's tasks. A problem that several hosts have is one entry. With C(-v), the tables
    contain every tenant, sender and record.
  - In check mode, prints the planned sending methods of tenants that would change.
  - Prints nothing for a run without content of this collection.
  - Can write the same as JSON, with every change's before and after, for a pipeline. docs/report.md describes the format.
  - Imports what the tasks need once, before Ansible forks its workers, which makes every task faster.
requirements:
  - enable in configuration
options:
  report:
    description:
      - The path of the JSON report. Without it, none is written.
      - It is also written if every host failed or no host was executed.
      - If it cannot be written, the run is not started, or ends with a failure.
    type: path
    env:
      - name: MAILOPS_REPORT
    ini:
      - section: mailops_summary
        key: report
  audit:
    description:
      - The directory of the report of playbook C(mailops.m365.audit), which docs/audit.md describes. Without it, none is written.
      - The files are written at the end of a run that audited a tenant. If that is impossible, the run is not started, or ends with a
        failure.
    type: path
    env:
      - name: MAILOPS_AUDIT
    ini:
      - section: mailops_summary
        key: audit
  plan:
    description:
      - The path of the plan of a check run as JSON (C(mailops.plan/1)), which docs/plan.md describes. Without it, none is written.
      - A run without check mode writes no plan, and leaves the file as it is.
      - If it cannot be written, the run is not started, or ends with a failure. A plan without any host is a failure, too.
    type: path
    env:
      - name: MAILOPS_PLAN
    ini:
      - section: mailops_summary
        key: plan
  plan_markdown:
    description:
      - The path of the plan of a check run as Markdown, for a comment of at most 60,000 bytes. Without it, none is written.
      - It is written, or not, as O(plan).
    type: path
    env:
      - name: MAILOPS_PLAN_MARKDOWN
    ini:
      - section: mailops_summary
        key: plan_markdown
  plan_junit:
    description:
      - The path of the plan of a check run as JUnit XML. Without it, none is written.
      - It is written, or not, as O(plan).
    type: path
    env:
      - name: MAILOPS_PLAN_JUNIT
    ini:
      - section: mailops_summary
        key: plan_junit
  exit_on_changes:
    description:
      - Whether a check run that would change something ends with exit status 3. With a failed or unreachable host it ends with Ansible's
        exit status, 2 or 4.
    type: bool
    default: false
    env:
      - name: MAILOPS_EXIT_ON_CHANGES
    ini:
      - section: mailops_summary
        key: exit_on_changes
  audit_earlier:
    description:
      - The file C(report.json) of an earlier audit. The report says which senders and findings are new, fixed or still there.
      - If it cannot be read, the run is not started.
    type: path
    env:
      - name: MAILOPS_AUDIT_EARLIER
    ini:
      - section: mailops_summary
        key: audit_earlier
  audit_merge:
    description:
      - The files C(report.json) of other runs, each of which audited a part of the tenants. Their tenants are added to the report.
      - Of a tenant in several reports, the latest counts. If a file cannot be read, the run is not started.
    type: pathlist
    env:
      - name: MAILOPS_AUDIT_MERGE
    ini:
      - section: mailops_summary
        key: audit_merge
"""

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import time
import typing as t
from pathlib import Path

from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import action_loader, filter_loader, test_loader
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._report import artifacts, events, plan_junit, plan_markdown, summary
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files import comparison
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files import directory as audit_directory
from ansible_collections.mailops.m365.plugins.module_utils._report.results import Hosts

_UTILS = f"ansible_collections.{events.COLLECTION}plugins.module_utils"
_LIBRARIES = ("msal", "dns.resolver", "requests", "cryptography.x509", "encodings.idna", "smtplib", "email.message")
# Exit statuses; 2 and 4 are Ansible's: a host failed, a host is unreachable. ansible-doc cannot read an assignment to two names.
_NOT_WRITTEN = 1
_CHANGES = 3
_PLANS = ("plan", "plan_markdown", "plan_junit")  # options with the path of a plan
_WIDTH = (80, 118, 160)  # characters of a line: least, where the output is no terminal, most


class CallbackModule(CallbackBase):
    """Collects the results of this collection's modules, and the failures of all."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "mailops.m365.summary"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._report = summary.Report(started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), width=_line_width(self._display))
        self._began = time.monotonic()
        self._preloaded = False
        # Whether the run has content of this collection; the hosts of its plays.
        self._concerned, self._hosts = False, Hosts()
        self._inventories: dict[str, str] = {}  # the directory of the inventory, by host

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        """Write an empty report and plan: a path that cannot be written ends the run before its first change."""
        self._concerned = self._concerned or "/mailops/m365/" in os.path.realpath(str(playbook._file_name))
        self._report.check_mode = bool(context.CLIARGS.get("check"))
        if not all([self._write(), self._write_plan()]):
            raise SystemExit(_NOT_WRITTEN)
        options: t.Any = self.get_option
        if self._report.check_mode and options("plan"):
            artifacts.publish_plan(options("plan"))

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        """Note the play's hosts. Import modules and load plugins before the first fork: workers inherit them."""
        if events.is_concerned(play):
            if not self._prepare_audit(play):
                raise SystemExit(_NOT_WRITTEN)
            self._concerned = True
            self._hosts.not_run |= set(events.hosts_of(play))
            self._add_groups(play)
        if not self._preloaded:
            self._preloaded = True
            self.preload()

    def preload(self) -> None:
        """Import what the tasks need."""
        # Ansible's loader compiles a collection's files in every process that imports them.
        resources = pkgutil.iter_modules(importlib.import_module(f"{_UTILS}.resources").__path__)
        loaders: t.Any = (action_loader, filter_loader, test_loader)
        actions, filters, tests = loaders
        actions.get("mailops.m365.resource", class_only=True)
        # The first use of a filter or test loads all of Ansible's own, and that of a collection's filter all of the collection's.
        filters.get("default")
        filters.get("mailops.m365.tenant_variables")
        tests.get("defined")
        for name in (*_LIBRARIES, f"{_UTILS}._entry_points.module", *(f"{_UTILS}.resources.{module.name}" for module in resources)):
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        # A worker's garbage collection would touch, and so copy, every inherited page.
        gc.freeze()

    def _add_groups(self, play: t.Any) -> None:
        groups = play.get_variable_manager().get_vars(play=play).get("groups") or {}
        self._hosts.tenants |= set(groups.get("tenants") or [])
        self._hosts.relays |= {host for group in ("relays", "windows_relays") for host in groups.get(group) or []}

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._add(result, failed=False)
        host, task, values = events.parts(result)
        action = str(getattr(task, "resolved_action", None) or task.action)
        if values.get("changed") and not action.startswith(events.COLLECTION):
            self._report.add_change(host, str(task.get_name()), action)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._add(result, failed=not ignore_errors)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._add(result, failed=True)

    def v2_runner_item_on_ok(self, result: t.Any) -> None:
        """The items of a loop have a cost each, the loop has none."""
        self._add(result, failed=False)

    def v2_runner_item_on_failed(self, result: t.Any) -> None:
        _host, task, _values = events.parts(result)
        self._add(result, failed=task.ignore_errors is not True)

    def _add(self, result: t.Any, failed: bool) -> None:
        host, task, values = events.parts(result)
        self._inventories.setdefault(host, events.inventory_directory(result))
        action = str(getattr(task, "resolved_action", None) or task.action)
        entry = (host, str(task.get_name()), action.removeprefix(events.COLLECTION))
        if isinstance(values.get("cost"), dict) or "failure" in values:
            self._concerned = True
            plain = json.loads(json.dumps(values, default=str)) | {"failed": failed, "warnings": events.warnings_of(result)}
            self._report.add(*entry, plain, bool(task.check_mode), events.source_of(result))
        elif failed and not (task.loop and "results" in values):  # the items of a loop are events of their own
            plain = json.loads(json.dumps(values, default=str))
            self._report.add_failure(*entry, plain, bool(task.check_mode), events.source_of(result))

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        self._end(stats)
        if self._concerned and not self._report.empty:
            for text, color in self._report.lines(full=self._display.verbosity > 0):
                self._display.display(text, color=color)
        # The very last act: a failed run keeps Ansible's own exit status, and callbacks after this one are not called any more.
        written = [self._write(), self._write_audit(), self._write_plan()]
        if stats.failures or stats.dark:
            return
        options: t.Any = self.get_option
        is_plan = self._concerned and self._report.check_mode and any(map(options, (*_PLANS, "exit_on_changes")))
        if is_plan and not self._report.plan.hosts:  # a pipeline must not read it as a plan without changes
            self._display.error("The plan has no host, since no play of this run has one. Check the inventory (-i) and --limit.")
            raise SystemExit(_NOT_WRITTEN)
        if not all(written):
            raise SystemExit(_NOT_WRITTEN)
        if options("exit_on_changes") and self._report.check_mode and self._report.plan.changed:
            raise SystemExit(_CHANGES)

    def _end(self, stats: t.Any) -> None:
        self._report.seconds = time.monotonic() - self._began
        hosts = self._hosts
        hosts.failed, hosts.unreachable, hosts.changed = set(stats.failures), set(stats.dark), set(stats.changed)
        hosts.not_run -= set(stats.processed)
        self._report.hosts = hosts

    def _write(self) -> bool:
        """Write the report, if its path is set; False, with an error message, where that is impossible."""
        options: t.Any = self.get_option
        path = options("report")
        return not path or self._write_json("report (MAILOPS_REPORT)", path, self._report.as_json())

    def _prepare_audit(self, play: t.Any) -> bool:
        """Before a play that audits: create the directory and read other reports; False, with an error message, if it fails."""
        options: t.Any = self.get_option
        directory, earlier, others = options("audit"), options("audit_earlier"), options("audit_merge") or []
        if not any(name.endswith("audit_info") for name in events.actions_of(play.tasks)):
            return True
        try:
            if earlier and not self._report.earlier_audit:
                self._report.earlier_audit = comparison.load(Path(earlier))
            self._report.other_audits = self._report.other_audits or [comparison.load(Path(path)) for path in others]
        except InvalidInput as error:
            self._display.error(f"A report that MAILOPS_AUDIT_EARLIER or MAILOPS_AUDIT_MERGE names is not readable: {error}")
            return False
        return not directory or self._write_in(directory, audit_directory.prepare)

    def _write_audit(self) -> bool:
        """Write the files of the audit, if their directory is set and a tenant was to be audited."""
        options: t.Any = self.get_option
        directory, audits = options("audit"), self._report.audits
        if not directory or audits.empty:
            return True
        document = audits.as_json(self._report.started)
        rendering = importlib.import_module(f"{_UTILS}._report.audit_files.rendering")
        if not self._write_in(directory, lambda path: audit_directory.write(path, rendering.files(document, self._inventories))):
            return False
        self._display.display(f"\nReport of the audit: {os.path.join(directory, audit_directory.FIRST)}")
        return True

    def _write_in(self, directory: str, action: t.Callable[[Path], None]) -> bool:
        try:
            action(Path(directory))
        except OSError as error:
            text = f"The audit (MAILOPS_AUDIT) could not be written to {directory}: {error.strerror}. Name a directory that is writable."
            self._display.error(text)
            return False
        return True

    def _write_plan(self) -> bool:
        """Write the plan where a path is set and this is a check run: a run that applies a plan must not write over it."""
        if not self._report.check_mode:
            return True
        options: t.Any = self.get_option
        path, markdown, junit = (options(name) for name in _PLANS)
        if not (path or markdown or junit):
            return True
        plan = self._report.plan
        comment = plan_markdown.markdown(plan, plan_markdown.relative_path(path)) if markdown else ""
        return all(
            [
                not path or self._write_json("plan (MAILOPS_PLAN)", path, plan.as_json()),
                not markdown or self._write_text("plan (MAILOPS_PLAN_MARKDOWN)", markdown, comment),
                not junit or self._write_text("plan (MAILOPS_PLAN_JUNIT)", junit, plan_junit.junit(plan)),
            ]
        )

    def _write_json(self, what: str, path: str, document: dict[str, object]) -> bool:
        return self._write_text(what, path, json.dumps(document, indent=2) + "\n")

    def _write_text(self, what: str, path: str, text: str) -> bool:
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            self._display.error(f"The {what} could not be written to {path}: {error.strerror}. Name a file in a writable directory.")
            return False
        return True


def _line_width(display: t.Any) -> int:
    least, usual, most = _WIDTH
    return min(max(int(display.columns), least), most) if os.isatty(1) else usual
