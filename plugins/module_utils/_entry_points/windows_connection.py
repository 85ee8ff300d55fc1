# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts of Windows hosts by a connection plugin of Ansible's: ansible.builtin.winrm or ansible.builtin.psrp."""

from __future__ import annotations

import contextlib
import importlib
from functools import cache
from typing import Any

from .._windows.host import CONNECTION, Answer, Disconnected, Execute
from .._windows.remedies import remedy

# By name: what is below module_utils may not import Ansible's other modules, and this file is the action's alone.
_ANSIBLE: Any = importlib.import_module("ansible.errors")
_LIBRARIES = ("winrm", "pypsrp", "spnego")  # optional: the one of the connection in use is installed


def executor(connection: Any) -> Execute:
    """Runs a script through a connection plugin. Only the script is in the command line; its input is that of the process.

    The plugins raise errors of their libraries, too, as they are. Where the first script cannot be delivered, AnsibleConnectionFailure
    makes the host unreachable; later on the run has to end as every failed one, with the end of its entry in the journal.
    """
    answered = False

    def execute(script: str, lines: str) -> Answer:
        nonlocal answered
        command = connection._shell._encode_script(script, strict_mode=False, preserve_rc=False)
        try:
            code, stdout, stderr = connection.exec_command(command, in_data=lines.encode("ascii") or None, sudoable=False)
        except _errors() as error:
            if isinstance(error, _ANSIBLE.AnsibleConnectionFailure) and not answered:
                raise _ANSIBLE.AnsibleConnectionFailure(_with_remedy(str(error))) from error
            raise Disconnected(str(error) or type(error).__name__) from error
        answered = True
        return Answer(code, bytes(stdout).decode("utf-8", "replace"), bytes(stderr).decode("utf-8", "replace"))

    return execute


def _with_remedy(text: str) -> str:
    known = remedy(CONNECTION, text)
    return f"{text.rstrip('. ')}. {known}" if known else text


@cache
def _errors() -> tuple[type[Exception], ...]:
    """What a connection plugin raises: Ansible's errors, those of the system (requests' are), and those of its library."""
    found: list[type[Exception]] = [_ANSIBLE.AnsibleError, OSError]
    for library in _LIBRARIES:
        with contextlib.suppress(ImportError):
            members = vars(importlib.import_module(f"{library}.exceptions")).values()
            found += [one for one in members if isinstance(one, type) and issubclass(one, Exception) and one is not Exception]
    return tuple(found)


def problem(connection: Any, name: str) -> str:
    """Why a connection cannot be used, as a sentence; "" where it can."""
    if not getattr(connection._shell, "_IS_WINDOWS", False):
        return f"The connection of {name} is {connection.transport}, which has no PowerShell: set ansible_connection to winrm or psrp."
    if connection.become is not None:
        return f"become is set for {name}: set ansible_become: false, and sign in as an administrator."
    return _plain_text(connection, name)


def _plain_text(connection: Any, name: str) -> str:
    """Basic authentication by HTTP sends the administrator's password, and every secret, in plain text."""
    options = {"winrm": ("scheme", "transport", "ansible_winrm_transport"), "psrp": ("protocol", "auth", "ansible_psrp_auth")}
    if connection.transport not in options:
        return ""
    protocol, authentication, variable = options[connection.transport]
    scheme = connection.get_option(protocol) or ("http" if str(connection.get_option("port")) == "5985" else "https")
    methods = connection.get_option(authentication) or "plaintext"  # what ansible.builtin.winrm chooses for HTTP
    basic = {"basic", "plaintext"} & ({methods} if isinstance(methods, str) else set(methods))
    if scheme == "https" or not basic:
        return ""
    return (
        f"The connection of {name} sends passwords in plain text (http and {sorted(basic)[0]}): use https, or set {variable} to ntlm or "
        "kerberos, which encrypt messages."
    )
