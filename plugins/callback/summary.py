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
  - Prints a table of tenants (changes, requests to Microsoft, waiting) and a table of senders (verified, or the cause and the remedy).
  - Prints the planned sending methods in check mode, and tables of SPF records and relay hosts where a task returns them.
  - Prints nothing for a run without tasks of this collection.
  - Can write the same as JSON, with every change's before and after, for a pipeline.
  - Imports what the tasks need once, before Ansible forks its workers, which makes every task faster.
requirements:
  - enable in configuration
options:
  report:
    description: The path of the JSON report. Without it, none is written.
    type: path
    env:
      - name: MAILOPS_REPORT
    ini:
      - section: mailops_summary
        key: report
"""

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import typing as t

from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import action_loader, filter_loader, test_loader
from ansible_collections.mailops.m365.plugins.module_utils._report import summary

_UTILS = "ansible_collections.mailops.m365.plugins.module_utils"
_LIBRARIES = ("msal", "dns.resolver", "requests", "cryptography.x509", "encodings.idna", "smtplib", "email.message")


class CallbackModule(CallbackBase):
    """Collects the results with a cost: those of this collection's modules."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "mailops.m365.summary"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._report = summary.Report()
        self._preloaded = False

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        """Import modules and load plugins before the first fork: workers inherit them."""
        if not self._preloaded:
            self._preloaded = True
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

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._add(result, failed=False)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._add(result, failed=not ignore_errors)

    def v2_runner_item_on_ok(self, result: t.Any) -> None:
        """The items of a loop have a cost each, the loop has none."""
        self._add(result, failed=False)

    def v2_runner_item_on_failed(self, result: t.Any) -> None:
        self._add(result, failed=True)

    def _add(self, result: t.Any, failed: bool) -> None:
        host, task, values = _parts(result)
        if isinstance(values.get("cost"), dict) or "failure" in values:
            action = str(getattr(task, "resolved_action", None) or task.action).rpartition(".")[2]
            self._report.add(
                host, str(task.get_name()), action, json.loads(json.dumps(values, default=str)) | {"failed": failed}, bool(task.check_mode)
            )

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        if not self._report.tasks:
            return
        for text, color in self._report.lines():
            self._display.display(text, color=color)
        options: t.Any = self.get_option
        path = options("report")
        if path:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w") as file:
                json.dump(self._report.as_json(), file, indent=2)
                file.write("\n")


def _parts(result: t.Any) -> tuple[str, t.Any, dict[str, t.Any]]:
    """Host, task and result; the attributes are public since ansible-core 2.19."""
    if hasattr(result, "result"):
        return result.host.get_name(), result.task, result.result
    return result._host.get_name(), result._task, result._result
