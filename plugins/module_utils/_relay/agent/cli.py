# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's command line, /usr/local/sbin/mailops-relay, with a sub-command a task.

A sub-command's module is imported when it runs, so that a timer that runs every minute loads little; and by name, so that Ansible ships it
(resources/relay_agent.py).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from .console import print_error

# sysexits(3): Postfix keeps the message and tries again.
TEMPORARY = 75


def _backup(arguments: argparse.Namespace) -> int:
    from . import backup

    return backup.backup_main(arguments.directory)


def _restore(arguments: argparse.Namespace) -> int:
    from . import backup

    return backup.restore_main(arguments.file)


def _delete(arguments: argparse.Namespace) -> int:
    from . import deletion

    return deletion.main(arguments.names)


def _drain(arguments: argparse.Namespace) -> int:
    from . import drain

    return drain.main(arguments.seconds)


def _export(arguments: argparse.Namespace) -> int:
    from . import transfer

    return transfer.export_main(arguments.directory, arguments.stop)


def _import(arguments: argparse.Namespace) -> int:
    from . import transfer

    return transfer.import_main(arguments.directory)


def _check_config(arguments: argparse.Namespace) -> int:
    from .postfix import config_check

    return config_check.main(arguments.name, arguments.file)


def _trace(arguments: argparse.Namespace) -> int:
    from . import trace

    return trace.main(arguments.message, arguments.json)


def _metrics(arguments: argparse.Namespace) -> int:
    from . import metrics

    return metrics.main(arguments.directory)


def _queue_actions(_arguments: argparse.Namespace) -> int:
    from .monitor import queue_actions

    return queue_actions.main()


def _release(arguments: argparse.Namespace) -> int:
    from .monitor import release

    return release.main(arguments.names)


def _rewrite(arguments: argparse.Namespace) -> int:
    from .postfix import rewriting

    return rewriting.main(arguments.sender, arguments.hostname, arguments.recipients)


def _status(arguments: argparse.Namespace) -> int:
    from . import status_text

    return status_text.main(arguments.json)


def _token(arguments: argparse.Namespace) -> int:
    from .oauth import tokens

    return tokens.main(arguments.use_next_key)


def _check_upstream(arguments: argparse.Namespace) -> int:
    from . import upstream_check

    return upstream_check.main(arguments.now)


def _monitor(_arguments: argparse.Namespace) -> int:
    from .monitor import service

    return service.main()


def _seconds(text: str) -> float:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return float(text)


def _path(text: str) -> Path:
    """An absolute path. One that begins with a dash is a misplaced option."""
    if not text or text.startswith("-"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a path; write ./{text} for a path that begins with a dash")
    return Path(text).absolute()


def parser() -> argparse.ArgumentParser:
    """The parser of all sub-commands; `run` in its result executes the sub-command and returns the exit status."""
    main_parser = argparse.ArgumentParser(
        prog="mailops-relay", description="Operate this relay host (Ansible collection mailops.m365).", allow_abbrev=False
    )
    commands = main_parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        added.set_defaults(run=run)
        return added

    _add_administration(command)
    _add_service_commands(command)
    return main_parser


_Command = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def _add_administration(command: _Command) -> None:
    status = command("status", _status, "Show the queue with its reasons, mailboxes, token, certificates, services and problems.")
    status.add_argument("--json", action="store_true", help="print JSON")
    trace = command("trace", _trace, "Show the hops of a message of the last day.")
    trace.add_argument("message", metavar="QUEUE-ID|MESSAGE-ID", help="the queue id, or the Message-ID with or without <>")
    trace.add_argument("--json", action="store_true", help="print JSON")
    release = command("release", _release, "Release suspended senders: their held messages are sent now.")
    release.add_argument("names", nargs="*", metavar="MAILBOX|SENDER|QUEUE-ID", help="what to release; all suspended senders by default")
    delete = command("delete", _delete, "Delete messages from the queue.")
    delete.add_argument(
        "names", nargs="+", metavar="QUEUE-ID|SENDER|MAILBOX", help="which messages; a mailbox stands for all of its senders"
    )
    drain = command("drain", _drain, "Disable the listeners, send the whole queue, then stop Postfix.")
    drain.add_argument("seconds", type=_seconds, metavar="SECONDS", help="how long to try")
    export = command("export", _export, "Write the queue to files and empty it.")
    export.add_argument("directory", type=_path, metavar="DIRECTORY", help="where to write the files")
    export.add_argument("--stop", action="store_true", help="leave Postfix stopped afterwards")
    load = command("import", _import, "Submit exported messages to Postfix again.")
    load.add_argument("directory", type=_path, metavar="DIRECTORY", help="the directory of an export")
    backup = command("backup", _backup, "Back up the relay's key, configuration and state; the newest 14 backups are kept.")
    backup.add_argument("directory", type=_path, metavar="DIRECTORY", help="where to write the backup")
    restore = command("restore", _restore, "Restore a backup on a host on which the role relay_host has run.")
    restore.add_argument("file", type=_path, metavar="FILE", help="the backup, relay-DATE.tar.gz")


def _add_service_commands(command: _Command) -> None:
    """What units, Postfix and the role run."""
    token = command("token", _token, "Renew the access token where that is due (mailops-relay-token.service).")
    token.add_argument("--use-next-key", action="store_true", help="sign in with the next key and activate it")
    upstream = command(
        "check-upstream", _check_upstream, "Check DNS, the upstream server and the clock (mailops-relay-upstream-check.service)."
    )
    upstream.add_argument(
        "--now", action="store_true", help="also while mail is being sent; exit status 1 where the server does not answer"
    )
    command("monitor", _monitor, "Follow the journal, enforce daily quotas, suspend senders (mailops-relay-monitor.service).")
    command("queue-actions", _queue_actions, "Execute the monitor's queue actions as root (mailops-relay-queue-actions.service).")
    metrics = command("metrics", _metrics, "Write Prometheus metrics (mailops-relay-metrics.service).")
    metrics.add_argument("directory", nargs="?", type=_path, metavar="DIRECTORY", help="of node_exporter; standard output by default")
    check = command("check-config", _check_config, "Check a new main.cf or master.cf with Postfix's own tools.")
    check.add_argument("name", choices=["main.cf", "master.cf"], help="which file it replaces")
    check.add_argument("file", type=_path, metavar="FILE", help="the new file")
    rewrite = command("rewrite", _rewrite, "Replace the sender of the message on standard input and submit it again (pipe(8)).")
    rewrite.add_argument("sender", metavar="SENDER", help="the new sender")
    rewrite.add_argument("hostname", metavar="HOSTNAME", help="of the relay")
    rewrite.add_argument("recipients", nargs="+", metavar="RECIPIENT")


def main(arguments: Sequence[str]) -> int:
    """Run a sub-command; its exit status. Raises SystemExit (2) for wrong arguments.

    An error of the operating system, as of a full disk, is one line.
    """
    words = list(arguments)
    if words[:1] == ["rewrite"] and len(words) > 3:
        words.insert(1, "--")  # a recipient may begin with a dash
    parsed = parser().parse_args(words)
    run: Callable[[argparse.Namespace], int] = parsed.run
    try:
        return run(parsed)
    except BrokenPipeError:  # the reader of the output has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        file = f" {error.filename}" if error.filename else ""
        print_error(f"<3>mailops-relay {words[0]} failed:{file} {error.strerror or error}.")
        return TEMPORARY if words[0] == "rewrite" else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
