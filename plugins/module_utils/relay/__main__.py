# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay's own program, /usr/local/sbin/mailops-relay: one sub-command a job.

Private to the collection. A sub-command is a module of this package with `main(arguments) -> exit status`; it is imported when it is
asked for, so that a timer that runs every minute loads little.
"""

from __future__ import annotations

import importlib
import sys

# Sub-command -> module. The words stand in the units and in the role's README.
COMMANDS: dict[str, str] = {
    "rewrite": "rewriting",
}


def main(arguments: list[str]) -> int:
    """Runs a sub-command; 2 for one that there is not."""
    if not arguments or arguments[0] not in COMMANDS:
        print(f"usage: mailops-relay {'|'.join(COMMANDS)}", file=sys.stderr)
        return 2
    status: int = importlib.import_module(f".{COMMANDS[arguments[0]]}", __package__).main(arguments[1:])
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
