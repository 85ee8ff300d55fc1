# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of role relay_windows that the options of modules windows_smtp_server and windows_hmailserver are made of.

An option `tries` has the variable relay_windows_tries, unless relay hosts on Linux have the variable, too.
"""

from __future__ import annotations

import re

# Options that a variable of the same meaning gives as it is.
OF_SMTP_SERVER = (
    "relay_authenticated", "authentication", "require_tls", "masquerade_domain", "max_session_size", "max_recipients", "retry_minutes",
    "delay_notice_minutes", "give_up_minutes", "log", "update_password",
)  # fmt: skip
OF_HMAILSERVER = ("purge_ranges", "tries", "minutes_between_tries", "auto_ban", "log", "update_password")
_SHARED = {
    "state": "relay_state",
    "fqdn": "relay_hostname",
    "hostname": "relay_hostname",
    "relay_networks": "relay_devices",
    "ranges": "relay_devices",
    "accounts": "relay_devices",
    "max_message_size": "relay_message_size_limit",
    "postmaster": "relay_postmaster",
    "drain_timeout": "relay_drain_timeout",
}
_OWN = ("admin_password", "previous_admin_password", "installer", "certificate", "listeners", "connection_networks")


def variable(option: str, upstream: str = "") -> str:
    """The variable of an option. `upstream`: relay_upstream, which decides what upstream.host is made of."""
    if option == "upstream.host" and upstream == "connector":
        return "relay_connector_host"
    if option.partition(".")[0] == "upstream":
        return option.replace("upstream", "relay_upstream" if upstream == "connector" else "relay_smarthost", 1)
    return _SHARED.get(option, f"relay_windows_{option}")


_OPTIONS = sorted({*OF_SMTP_SERVER, *OF_HMAILSERVER, *_SHARED, *_OWN})
# A name with an underscore is no word of a sentence; another one is an option where a sentence begins with it.
_NAMES = re.compile(
    rf"(?<![\w.])(?:{'|'.join(one for one in _OPTIONS if '_' in one)})\b|^(?:upstream(?:\.\w+)?|{'|'.join(_OPTIONS)})(?=[ .,])"
)


def sentence(text: str, upstream: str) -> str:
    """A sentence about options of a module as one about variables."""
    return _NAMES.sub(lambda match: variable(match[0], upstream), text)
