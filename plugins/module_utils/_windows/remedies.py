# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about errors of Windows: by PowerShell's FullyQualifiedErrorId, by the number of a fault of WS-Management, or by the text.

A connection has remedies of its own: an error of a script may have the same words, as where the host downloads a file.

Sources: "WMI Error Constants" (0x8004...); MS-WSMV and MS-WSMAN (faults, by their numbers); about_Language_Modes;
ansible.builtin.winrm and ansible.builtin.psrp (the timeouts: 20 seconds an operation, 30 an answer by HTTP; the second has to be larger).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

CONNECTION = "connection"  # the code of a failure of the connection
# What stands for the timeout of an operation where a client has no text for it.
TIMED_OUT = "WinRM could not complete the operation within its timeout (fault 2150858793)"

_ADMINISTRATOR = (
    "Sign in with an account that is a local administrator. Outside of a domain, an account other than the built-in Administrator needs "
    "LocalAccountTokenFilterPolicy=1 (winrm quickconfig sets it)."
)
_QUOTA = 'Raise the quota (winrm set winrm/config/winrs @{MaxShellsPerUser="100"}), or lower the number of forks.'
_CREDENTIAL = "Correct ansible_user and ansible_password, or the authentication (ansible_winrm_transport or ansible_psrp_auth)."
_CLOCKS = "Synchronize the clocks of the control node and of the host with the domain's (NTP): Kerberos allows 5 minutes."
_UNREACHED = "Check that the host is on, that ansible_host and ansible_port are correct, and that no firewall blocks the control node."
_OF_CONNECTIONS = (
    (r"clock skew|KRB_AP_ERR_SKEW|KRB5KRB_AP_ERR_SKEW", _CLOCKS),
    (r"credentials were rejected|failed to authenticate|Unauthorized|\b401\b", _CREDENTIAL),
    (r"wsmanfault_code': 5,|\(Code: 5,", _ADMINISTRATOR),
    (r"2150858843", "WinRM has ended the shell, as at a restart of the host or of WinRM: run the task again."),
    (r"2150859173|2150859174", _QUOTA),
    (r"connect timeout|connection attempt timed out", _UNREACHED),
    (r"Connection aborted|RemoteDisconnected|Connection refused|reset by peer", "Check WinRM on the host, and run the task again."),
)  # fmt: skip
_REMEDIES = (
    (r"0x80041003|0x80070005|UnauthorizedAccess|Access (is )?denied", _ADMINISTRATOR),
    (r"0x8004100e|Invalid namespace", "The WMI namespace is missing: install the feature Web-WMI, or repair WMI."),
    (r"0x80041010|Invalid class", "The WMI class is missing: repair WMI (winmgmt /salvagerepository)."),
    (r"0x80041033|Shutting down", "Windows is restarting: run the task again when the host is up."),
    (r"0x80041001|0x80041002|0x80041006", "Restart the service Winmgmt, or the host, and run the task again."),
    (r"language mode", "PowerShell runs in constrained language mode: allow full language mode for the account (AppLocker, WDAC)."),
    (r"CommandNotFoundException", "The host lacks a module of Windows PowerShell 5.1: check its edition and $env:PSModulePath."),
)  # fmt: skip


@dataclass(frozen=True)
class Timeouts:
    """The inventory's variables for the timeouts of a connection: of an operation on the host (`operation`), of an answer by HTTP (`read`).

    Without `read`, the variable `operation` sets both.
    """

    operation: str = "the timeout of the connection"
    read: str = ""

    def remedy(self, text: str) -> str:
        """What to do about a timeout; "" for another text."""
        if self.read and re.search(r"read_timeout_sec must exceed operation_timeout_sec", text):
            return f"Set {self.read} (default: 30 seconds) above {self.operation} (default: 20 seconds)."
        if not re.search(r"2150858793|read timeout|timed out", text, re.IGNORECASE):
            return ""
        if not self.read:
            return f"Raise {self.operation}, and run the task again."
        if "2150858793" in text:
            return f"Raise {self.operation} (default: 20 seconds), with {self.read} (default: 30) above it, and run the task again."
        return f"Raise {self.read} (default: 30 seconds), which has to be above {self.operation} (default: 20), and run the task again."


ANY_TIMEOUTS = Timeouts()  # those of a connection of which nothing is known


def remedy(code: str, text: str, timeouts: Timeouts = ANY_TIMEOUTS) -> str:
    """A sentence or two; "" for an error that is not known. `timeouts`: those of the connection, where the code is CONNECTION."""
    if code == CONNECTION:
        known = _first(_OF_CONNECTIONS, text) or timeouts.remedy(text)
        if known:
            return known
    return _first(_REMEDIES, f"{code} {text}")


def _first(remedies: Sequence[tuple[str, str]], text: str) -> str:
    return next((sentence for pattern, sentence in remedies if re.search(pattern, text, re.IGNORECASE)), "")
