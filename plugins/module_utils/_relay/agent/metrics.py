# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay's state as a Prometheus text file, for node_exporter's textfile collector.

Private to the collection. Sources: Prometheus, "Exposition formats" (text format 0.0.4) and "Metric and label naming". Times are Unix
times in seconds. Counters go on over a restart of the watcher, whose state holds them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..._core.errors import MailopsError
from . import status
from .console import complain
from .files import write

PREFIX = "mailops_relay_"
FILE = "mailops_relay.prom"


def main(arguments: list[str]) -> int:
    """`mailops-relay metrics [DIRECTORY]`: into a file there, else to standard output. 2 where this is no relay."""
    try:
        text = render(status.collect())
    except MailopsError as error:
        complain(error)
        return 2
    if not arguments:
        sys.stdout.write(text)
        return 0
    try:
        write(Path(arguments[0]) / FILE, text, 0o644)
    except OSError as error:
        complain(f"<3>The metrics cannot be written: {error}. relay_metrics_directory names a directory that is there.")
        return 1
    return 0


def render(found: dict[str, Any]) -> str:
    """The whole file."""
    families = [*_queue(found), *_mailboxes(found), *_counters(found), *_machine(found)]
    return "".join(line for name, kind, words, samples in families for line in _family(name, kind, words, samples))


def _family(name: str, kind: str, words: str, samples: Iterable[tuple[dict[str, str], float]]) -> Iterator[str]:
    yield f"# HELP {PREFIX}{name} {words}\n# TYPE {PREFIX}{name} {kind}\n"
    for labels, value in samples:
        inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"{PREFIX}{name}{'{' + inner + '}' if inner else ''} {value:.15g}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _queue(found: dict[str, Any]) -> Iterator[tuple[str, str, str, list[tuple[dict[str, str], float]]]]:
    """Rows of one reason but of several codes are added up: a label holds no text of a server."""
    waiting: dict[tuple[str, str], list[float]] = {}
    for row in found["queue"]["reasons"]:
        entry = waiting.setdefault((row["mailbox"], row["id"]), [0, 0, found["at"]])
        entry[0] += row["messages"]
        entry[1] += row["held"]
        entry[2] = min(entry[2], row["oldest"])
    labels = {key: {"mailbox": key[0], "reason": key[1]} for key in waiting}
    oldest = found["at"] - (found["queue"]["oldest"] or found["at"])
    yield "queue_readable", "gauge", "Whether Postfix told its queue.", [({}, not found["queue"]["unreadable"])]
    yield "queue_messages", "gauge", "Messages that wait, by reason.", [(labels[key], entry[0]) for key, entry in waiting.items()]
    yield "queue_held_messages", "gauge", "Messages on hold, by reason.", [(labels[key], entry[1]) for key, entry in waiting.items()]
    yield "queue_bytes", "gauge", "Size of all that waits.", [({}, found["queue"]["bytes"])]
    yield "queue_oldest_age_seconds", "gauge", "Age of the oldest message.", [({}, max(0.0, oldest))]


def _mailboxes(found: dict[str, Any]) -> Iterator[tuple[str, str, str, list[tuple[dict[str, str], float]]]]:
    boxes = [({"mailbox": box["address"]}, box) for box in found["mailboxes"]]
    sent = [(label, box["last_sent"]) for label, box in boxes if box["last_sent"]]
    yield "last_sent_timestamp_seconds", "gauge", "When a mailbox last sent.", sent
    yield "day_recipients", "gauge", "Recipients in the last 24 hours.", [(label, box["used"]) for label, box in boxes]
    yield "day_recipients_limit", "gauge", "Recipients that 24 hours have.", [(label, box["recipients_per_day"]) for label, box in boxes]
    yield "day_full", "gauge", "Whether the day is full.", [(label, bool(box["full_until"])) for label, box in boxes]
    yield "held_back_senders", "gauge", "Senders that are held back.", [(label, len(box["held_back"])) for label, box in boxes]


def _counters(found: dict[str, Any]) -> Iterator[tuple[str, str, str, list[tuple[dict[str, str], float]]]]:
    counts = found["counts"]

    def split(name: str, first: str, second: str) -> list[tuple[dict[str, str], float]]:
        pairs = [(key.rpartition("/"), value) for key, value in sorted(counts.get(name, {}).items())]
        return [({first: key[0], second: key[2]} if second else {first: key[0] or key[2]}, value) for key, value in pairs]

    yield "sent_recipients_total", "counter", "Recipients that the upstream server took.", split("sent", "mailbox", "")
    yield "deferred_recipients_total", "counter", "Attempts that are tried again, by reason.", split("deferred", "mailbox", "reason")
    yield "bounced_recipients_total", "counter", "Recipients that were given up, by reason.", split("bounced", "mailbox", "reason")
    yield "expired_messages_total", "counter", "Messages whose queue lifetime ended.", [({}, counts.get("expired", {}).get("", 0))]
    accepted = [({"listener": key or "smtp"}, value) for key, value in sorted(counts.get("accepted", {}).items())]
    yield "accepted_messages_total", "counter", "Messages that devices handed over.", accepted
    yield "rejected_clients_total", "counter", "Refusals of a listener, by the command refused.", split("rejected", "listener", "stage")
    yield "delivery_seconds_total", "counter", "Time of sent mail in each stage.", split("seconds", "mailbox", "stage")


def _machine(found: dict[str, Any]) -> Iterator[tuple[str, str, str, list[tuple[dict[str, str], float]]]]:
    token = found["token"]
    if token:
        yield "token_expiry_timestamp_seconds", "gauge", "When the access token ends; 0 for none.", [({}, token["expires"] or 0)]
        yield "token_failing", "gauge", "Whether the last request for a token was refused.", [({}, bool(token["failure"]))]
    ends = [({"use": entry["use"], "path": entry["path"]}, entry["expires"]) for entry in found["certificates"]]
    yield "certificate_expiry_timestamp_seconds", "gauge", "When a certificate ends.", ends
    up = [({"unit": entry["unit"]}, float(entry["state"] in ("active", "reloading"))) for entry in found["services"]]
    yield "service_up", "gauge", "Whether a service runs.", up
    yield (
        "problems",
        "gauge",
        "What mailops-relay status calls wrong.",
        [
            ({"grave": "true"}, sum(problem["grave"] for problem in found["problems"])),
            ({"grave": "false"}, sum(not problem["grave"] for problem in found["problems"])),
        ],
    )
    yield "watched_timestamp_seconds", "gauge", "The last line of the journal that the watcher read.", [({}, found["watched_at"] or 0)]
