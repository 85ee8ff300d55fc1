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
  - In these plays a failed or unreachable host is one line. The summary at the end has its problems and the remedy.
  - With more than ten hosts, unchanged hosts, included files and the recap are not printed.
  - With C(-v) or more, everything is printed.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
requirements:
  - set as C(stdout_callback) in configuration
"""

import typing as t

from ansible import constants
from ansible.plugins.callback.default import CallbackModule as DefaultCallback
from ansible_collections.mailops.m365.plugins.callback.summary import hosts_of, is_concerned

_FEW = 10  # hosts
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
        self._summarized = self._many = False

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        settings: t.Any = constants
        self._summarized = not self._display.verbosity and _SUMMARY in settings.CALLBACKS_ENABLED and is_concerned(play)
        self._many = self._summarized and len(hosts_of(play)) > _FEW
        if self._many:
            options: t.Any = self
            options.set_option("display_ok_hosts", False)
        self._default.v2_playbook_on_play_start(play)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        if self._summarized and not ignore_errors and not result.task.loop:
            self._print_short(result, "FAILED")
        else:
            self._default.v2_runner_on_failed(result, ignore_errors)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        if self._summarized and not result.task.ignore_unreachable:
            self._print_short(result, "UNREACHABLE")
        else:
            self._default.v2_runner_on_unreachable(result)

    def v2_playbook_on_include(self, included_file: t.Any) -> None:
        if not self._many:
            self._default.v2_playbook_on_include(included_file)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        if not self._many:
            self._default.v2_playbook_on_stats(stats)

    def _print_short(self, result: t.Any, state: str) -> None:
        default: t.Any = self
        if default._last_task_banner != result.task._uuid:
            default._print_task_banner(result.task)
        default._handle_warnings(result.result)
        settings: t.Any = constants
        color = settings.COLOR_ERROR if state == "FAILED" else settings.COLOR_UNREACHABLE
        self._display.display(f"fatal: [{default.host_label(result)}]: {state}! The summary at the end has the cause.", color=color)
