# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts of Windows hosts by a connection plugin of Ansible's: ansible.builtin.winrm or ansible.builtin.psrp."""

from __future__ import annotations

from typing import Any

from .._windows.host import Answer, Execute


def executor(connection: Any) -> Execute:
    """Runs a script through a connection plugin. Only the script is in the command line; its input is that of the process."""

    def execute(script: str, lines: str) -> Answer:
        command = connection._shell._encode_script(script, strict_mode=False, preserve_rc=False)
        code, stdout, stderr = connection.exec_command(command, in_data=lines.encode("ascii") or None, sudoable=False)
        return Answer(code, bytes(stdout).decode("utf-8", "replace"), bytes(stderr).decode("utf-8", "replace"))

    return execute
