# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about errors of Windows: by PowerShell's FullyQualifiedErrorId, by the number of a fault of WS-Management, or by the text.

Sources: "WMI Error Constants" (0x8004...); MS-WSMV and MS-WSMAN (faults, by their numbers); about_Language_Modes.
"""

from __future__ import annotations

import re

_ADMINISTRATOR = (
    "Sign in with an account that is a local administrator. Outside of a domain, an account other than the built-in Administrator needs "
    "LocalAccountTokenFilterPolicy=1 (winrm quickconfig sets it)."
)
_QUOTA = 'Raise the quota (winrm set winrm/config/winrs @{MaxShellsPerUser="100"}), or lower the number of forks.'
_CREDENTIAL = "Correct ansible_user and ansible_password, or the authentication (ansible_winrm_transport or ansible_psrp_auth)."
_CLOCKS = "Synchronize the clocks of the control node and of the host with the domain's (NTP): Kerberos allows 5 minutes."
_REMEDIES = (
    (r"clock skew|KRB_AP_ERR_SKEW|KRB5KRB_AP_ERR_SKEW", _CLOCKS),
    (r"credentials were rejected|failed to authenticate|Unauthorized|\b401\b", _CREDENTIAL),
    (r"0x80041003|0x80070005|wsmanfault_code': 5,|\(Code: 5,|UnauthorizedAccess|Access (is )?denied", _ADMINISTRATOR),
    (r"0x8004100e|Invalid namespace", "The WMI namespace is missing: install the feature Web-WMI, or repair WMI."),
    (r"0x80041010|Invalid class", "The WMI class is missing: repair WMI (winmgmt /salvagerepository)."),
    (r"0x80041033|Shutting down", "Windows is restarting: run the task again when the host is up."),
    (r"0x80041001|0x80041002|0x80041006", "Restart the service Winmgmt, or the host, and run the task again."),
    (r"2150858843", "WinRM has ended the shell, as at a restart of the host or of WinRM: run the task again."),
    (r"2150859173|2150859174", _QUOTA),
    (r"2150858793|timed out", "Raise ansible_winrm_read_timeout_sec or ansible_psrp_read_timeout, and run the task again."),
    (r"language mode", "PowerShell runs in constrained language mode: allow full language mode for the account (AppLocker, WDAC)."),
    (r"Connection aborted|RemoteDisconnected|Connection refused|reset by peer", "Check WinRM on the host, and run the task again."),
    (r"CommandNotFoundException", "The host lacks a module of Windows PowerShell 5.1: check its edition and $env:PSModulePath."),
)  # fmt: skip


def remedy(code: str, text: str) -> str:
    """A sentence or two; "" for an error that is not known."""
    return next((sentence for pattern, sentence in _REMEDIES if re.search(pattern, f"{code} {text}", re.IGNORECASE)), "")
