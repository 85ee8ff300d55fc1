# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: concise
type: stdout
short_description: Ansible's default output without what the summary repeats
version_added: 0.1.0
author:
  - mailops.m365 developers (@mailops)
description:
  - Is the callback P(ansible.builtin.default#callback), except in plays that use content of this collection while the callback
    P(mailops.m365.summary#callback) is enabled.
  - In these plays a failed or unreachable host is one line. The summary at the end has its problems and the remedy. It also has the
    warnings of this collection's tasks.
  - With more than ten hosts, unchanged hosts, included files and the recap are not printed, and only the first ten failures of a task are.
    Instead, a task that takes long prints every ten seconds how many hosts have ended it.
  - With C(-v) or more, everything is printed.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
requirements:
  - set as C(stdout_callback) in configuration
"""

import time
import typing as t

from ansible import constants
from ansible.plugins.callback.default import CallbackModule as DefaultCallback
from ansible_collections.mailops.m365.plugins.module_utils._report.events import hosts_of, is_concerned

_FEW = 10  # hosts
_INTERVAL = 10.0  # seconds
_SUMMARY = "mailops.m365.summary"


class CallbackModule(DefaultCallback):
    """Prints each failure once: in the summary."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "mailops.m365.concise"

    def __init__(self) -> None:
        default: t.Any = super()
        default.__init__()
        self._default = default
        self._summarized = self._many = self._without_recap = False
        self._shows_ok_hosts: bool | None = None  # the user's option
        self._progress = _Progress()

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        settings: t.Any = constants
        self._summarized = not self._display.verbosity and _SUMMARY in settings.CALLBACKS_ENABLED and is_concerned(play)
        hosts = hosts_of(play)
        self._many = self._summarized and len(hosts) > _FEW
        self._progress = _Progress(hosts=len(hosts))
        self._without_recap = self._without_recap or self._many
        options: t.Any = self
        if self._shows_ok_hosts is None:
            self._shows_ok_hosts = bool(options.get_option("display_ok_hosts"))
        options.set_option("display_ok_hosts", self._shows_ok_hosts and not self._many)
        self._default.v2_playbook_on_play_start(play)

    def v2_runner_on_start(self, host: t.Any, task: t.Any) -> None:
        self._progress.start(task)
        self._default.v2_runner_on_start(host, task)

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._default.v2_runner_on_ok(result)
        self._count(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        if self._summarized and not ignore_errors and not result.task.loop:
            self._print_short(result, "FAILED")
        else:
            self._default.v2_runner_on_failed(result, ignore_errors)
        self._count(result)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        if self._summarized and not result.task.ignore_unreachable:
            self._print_short(result, "UNREACHABLE")
        else:
            self._default.v2_runner_on_unreachable(result)
        self._count(result)

    def _count(self, result: t.Any) -> None:
        text = self._progress.count(result.task)
        if self._many and text:
            self._display.display(text)

    def _handle_warnings(self, res: t.Any) -> None:
        """The summary has the warnings of this collection's modules, with their hosts."""
        if not (self._summarized and isinstance(res.get("cost"), dict)):
            self._default._handle_warnings(res)

    def v2_playbook_on_include(self, included_file: t.Any) -> None:
        if not self._many:
            self._default.v2_playbook_on_include(included_file)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        if not self._without_recap:
            self._default.v2_playbook_on_stats(stats)

    def _print_short(self, result: t.Any, state: str) -> None:
        default: t.Any = self
        failures = self._progress.fail(result.task)
        if self._many and failures > _FEW:
            if failures == _FEW + 1:
                self._display.display("Further failures of this task are in the summary at the end.")
            return
        if default._last_task_banner != result.task._uuid:
            default._print_task_banner(result.task)
        default._handle_warnings(result.result)
        settings: t.Any = constants
        color = settings.COLOR_ERROR if state == "FAILED" else settings.COLOR_UNREACHABLE
        self._display.display(f"fatal: [{default.host_label(result)}]: {state}! The summary at the end has the cause.", color=color)


class _Progress:
    """How many hosts have ended a task, how many of them with a failure. `hosts`: of the play."""

    def __init__(self, hosts: int = 0) -> None:
        self._hosts = hosts
        self._task, self._ended, self._failed, self._next = "", 0, 0, 0.0

    def start(self, task: t.Any) -> None:
        """Count from zero where this is another task than before."""
        if task._uuid != self._task:
            self._task, self._ended, self._failed, self._next = task._uuid, 0, 0, time.monotonic() + _INTERVAL

    def count(self, task: t.Any) -> str:
        """Count a host that has ended the task; a text every ten seconds, else none."""
        self.start(task)
        self._ended += 1
        if time.monotonic() < self._next:
            return ""
        self._next = time.monotonic() + _INTERVAL
        return f"{task.get_name().rpartition(' : ')[2]}: {self._ended} of {self._hosts} hosts"

    def fail(self, task: t.Any) -> int:
        """The number of failures of the task, with this one."""
        self.start(task)
        self._failed += 1
        return self._failed
