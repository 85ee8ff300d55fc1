# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay's own program, /usr/local/sbin/mailops-relay: one sub-command a job.

Private to the collection. A sub-command is a module of this package with `main(arguments) -> exit status`. It is imported when it is
asked for, so that a timer that runs every minute loads little; and by name, so that Ansible ships it (resources/relay_agent.py).
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from .console import complain


def _backup(arguments: list[str]) -> int:
    from . import backup

    return backup.main(arguments)


def _restore(arguments: list[str]) -> int:
    from . import backup

    return backup.restore_main(arguments)


def _drain(arguments: list[str]) -> int:
    from . import transfer

    return transfer.drain_main(arguments)


def _export(arguments: list[str]) -> int:
    from . import transfer

    return transfer.export_main(arguments)


def _import(arguments: list[str]) -> int:
    from . import transfer

    return transfer.import_main(arguments)


def _check(arguments: list[str]) -> int:
    from .postfix import config_check

    return config_check.main(arguments)


def _journey(arguments: list[str]) -> int:
    from . import trace

    return trace.main(arguments)


def _metrics(arguments: list[str]) -> int:
    from . import metrics

    return metrics.main(arguments)


def _orders(arguments: list[str]) -> int:
    from .monitor import queue_actions

    return queue_actions.main(arguments)


def _release(arguments: list[str]) -> int:
    from .monitor import release

    return release.main(arguments)


def _rewrite(arguments: list[str]) -> int:
    from .postfix import rewriting

    return rewriting.main(arguments)


def _status(arguments: list[str]) -> int:
    from . import status_text

    return status_text.main(arguments)


def _token(arguments: list[str]) -> int:
    from .oauth import tokens

    return tokens.main(arguments)


def _watch(arguments: list[str]) -> int:
    from .monitor import service

    return service.main(arguments)


# The words stand in the units and in the role's README.
COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "backup": _backup,
    "check-config": _check,
    "drain": _drain,
    "export": _export,
    "import": _import,
    "trace": _journey,
    "metrics": _metrics,
    "queue-actions": _orders,
    "release": _release,
    "restore": _restore,
    "rewrite": _rewrite,
    "status": _status,
    "token": _token,
    "monitor": _watch,
}


def main(arguments: list[str]) -> int:
    """Runs a sub-command; 2 for one that there is not."""
    if not arguments or arguments[0] not in COMMANDS:
        complain(f"usage: mailops-relay {'|'.join(COMMANDS)}")
        return 2
    return COMMANDS[arguments[0]](arguments[1:])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
