# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts of Windows hosts by a connection plugin of Ansible's: ansible.builtin.winrm or ansible.builtin.psrp."""

from __future__ import annotations

import contextlib
import importlib
import re
from functools import cache
from typing import Any

from .._windows.host import Answer, Disconnected, Execute
from .._windows.remedies import ANY_TIMEOUTS, CONNECTION, TIMED_OUT, Timeouts, remedy

_LIBRARIES = ("winrm", "pypsrp", "spnego")  # optional: the one of the connection in use is installed
_TIMEOUTS = {
    "winrm": Timeouts("ansible_winrm_operation_timeout_sec", "ansible_winrm_read_timeout_sec"),
    "psrp": Timeouts("ansible_psrp_operation_timeout", "ansible_psrp_read_timeout"),
}


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
            text, timeouts = _text(error, connection.transport), _timeouts(connection)
            if isinstance(error, _ansible_errors().AnsibleConnectionFailure) and not answered:
                # Ansible's errors have the sentences of their causes: with a cause here, each of them would be there twice.
                raise _ansible_errors().AnsibleConnectionFailure(_with_remedy(text, timeouts)) from None
            raise Disconnected(text, timeouts) from error
        answered = True
        return Answer(code, bytes(stdout).decode("utf-8", "replace"), bytes(stderr).decode("utf-8", "replace"))

    return execute


def _timeouts(connection: Any) -> Timeouts:
    """The variables of a connection's timeouts. That of winrm which sets both precedes the others."""
    if connection.transport == "winrm" and connection.get_option("connection_timeout"):
        return Timeouts("ansible_winrm_connection_timeout")
    return _TIMEOUTS.get(connection.transport, ANY_TIMEOUTS)


def _text(error: Exception, transport: str) -> str:
    """The text of an error. pywinrm's WinRMOperationTimeoutError has none, so that ansible.builtin.winrm leaves "basic: " of it."""
    text = str(error)
    if type(error).__name__ == "WinRMOperationTimeoutError":
        return text or TIMED_OUT
    if transport == "winrm" and isinstance(error, _ansible_errors().AnsibleConnectionFailure):
        return re.sub(r"((?:^|, )\w+:)\s*(?=,|$)", rf"\1 {TIMED_OUT}", text)
    return text or type(error).__name__


def _with_remedy(text: str, timeouts: Timeouts) -> str:
    known = remedy(CONNECTION, text, timeouts)
    return f"{text.rstrip('. ')}. {known}" if known else text


@cache
def _ansible_errors() -> Any:
    """The module ansible.errors, on the first use: what is below module_utils may not import it, and this file is the action's alone."""
    return importlib.import_module("ansible.errors")


@cache
def _errors() -> tuple[type[Exception], ...]:
    """What a connection plugin raises: Ansible's errors, those of the system (requests' are), and those of its library."""
    found: list[type[Exception]] = [_ansible_errors().AnsibleError, OSError]
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
