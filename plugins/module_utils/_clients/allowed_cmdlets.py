# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cmdlets that the directory roles and role groups of a sign-in allow in Exchange. Tokens do not show role groups.

Source: observed. The ExchangeOnlineManagement module downloads the file when it connects; its `exportedCmdlets` are those that Exchange's
management roles allow. Microsoft does not document the file, so that an answer which does not fit says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from .._http.transport import Response

MODULE_FILE = "EXOModuleFile?Version=3.9.2"
_CMDLET = re.compile(r"[A-Za-z]+-[A-Za-z]+")


@dataclass(frozen=True)
class AllowedCmdlets:
    """`names`: in lower case; None where it is not known."""

    names: frozenset[str] | None = None

    @classmethod
    def of(cls, answer: Response, answered: Collection[str]) -> AllowedCmdlets:
        """From the module file. `answered`: cmdlets that this sign-in has run. A list without one of them is not what its roles allow."""
        body = answer.json() if answer.status == 200 else None
        items = body.get("value") if isinstance(body, dict) else None
        exported = [item["exportedCmdlets"] for item in items if isinstance(item, dict) and item.get("exportedCmdlets")] if items else []
        names = frozenset(name.lower() for name in _CMDLET.findall(" ".join(map(str, exported))))
        return cls(names if names and names >= {name.lower() for name in answered} else None)

    def without(self, cmdlets: Iterable[str]) -> list[str]:
        """Those of the cmdlets that are not allowed, sorted; empty where it is not known."""
        return [] if self.names is None else sorted(name for name in set(cmdlets) if name.lower() not in self.names)
