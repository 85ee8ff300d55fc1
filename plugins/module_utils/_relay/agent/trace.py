# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A message's way through the relay, hop by hop, out of the journal: device -> Postfix -> bridge -> Microsoft 365.

Private to the collection. A message is known by its queue id. A listener that hands it on to another one on loopback gives it a new
id, which the first id's last line tells ("queued as"). What the bridge hides behind its own 454 stands in its own log and in the
token writer's state. Source: Postfix smtp(8), "delays=a/b/c/d": before the queue manager, in it, connecting, sending.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..._core.errors import MailopsError
from . import reasons
from .console import complain, say
from .files import read_object
from .paths import Places
from .postfix import maillog
from .postfix.maillog import Accepted, BridgeTrouble, Delivery, Ended, Event

SETTINGS, TOKEN_STATE = Places().settings, Places().state
COMMAND = ("/usr/bin/journalctl", *maillog.JOURNAL)

_QUEUED_AS = re.compile(r"\bqueued as (\w+)")
_MESSAGE_ID = re.compile(r"(\w+): (?:resent-)?message-id=(<.*>)", re.DOTALL)
_STAGES = (
    (re.compile(r"SASL authentication failed|Authentication unsuccessful"), "sign-in"),
    (re.compile(r"in reply to MAIL FROM"), "sender"),
    (re.compile(r"in reply to RCPT TO"), "recipient"),
    (re.compile(r"in reply to end of DATA|in reply to DATA"), "message"),
    (re.compile(r"TLS|certificate"), "tls"),
    (re.compile(r"[Nn]ame service|Host not found|name resolution"), "resolve"),
    (re.compile(r"connect to |Connection|timed out"), "connect"),
)


class JournalUnreadable(MailopsError):  # noqa: N818 - reads as what it is
    """journalctl failed, or who asks may not read it."""


class Reader:
    """The journal of Postfix and the bridge from a moment (Unix time) on; each `read` gives what is new."""

    def __init__(self, since: float, command: Iterable[str] = COMMAND) -> None:
        self._command, self._place = list(command), f"--since=@{since:.6f}"

    def read(self) -> list[dict[str, Any]]:
        """Entries in their order. Raises JournalUnreadable."""
        try:
            done = subprocess.run([*self._command, self._place, *maillog.MATCHES], capture_output=True, timeout=60, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as error:
            raise JournalUnreadable(f"Could not read the relay's journal: {error}.") from error
        # Status 1 says that there is no entry.
        if done.returncode not in (0, 1) or (done.returncode and done.stderr.strip()):
            said = " ".join(done.stderr.decode("utf-8", "replace").split())[:300]
            raise JournalUnreadable(f"Could not read the relay's journal: {said}. Run this as root.")
        entries = [entry for line in done.stdout.decode("utf-8", "replace").split("\n") if (entry := _entry(line))]
        if entries:
            self._place = f"--after-cursor={entries[-1]['__CURSOR']}"
        return entries


def _entry(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.get("__CURSOR") else None


def queued_as(text: str) -> str:
    """The queue id in a Postfix's final reply; "" where it names none."""
    found = _QUEUED_AS.search(text)
    return found[1] if found else ""


def queue_id_of(entries: Iterable[dict[str, Any]], message_id: str) -> str:
    """The first queue id that a message with this Message-ID got; "" where none did."""
    for entry in entries:
        told = entry.get("MESSAGE")
        if isinstance(told, str) and entry.get("_SYSTEMD_UNIT") in maillog.POSTFIX_UNITS:
            found = _MESSAGE_ID.match(told)
            if found and found[2] == message_id:
                return found[1]
    return ""


@dataclass
class Story:
    """What the journal tells of one message. `settings` is relay.json, `token` the token writer's state."""

    queue_id: str
    settings: dict[str, Any] = field(default_factory=dict)
    token: dict[str, Any] = field(default_factory=dict)
    accepted: Accepted | None = None
    delivery: Delivery | None = None
    ended: str = ""
    troubles: list[BridgeTrouble] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    rewriting: Delivery | None = None

    def __post_init__(self) -> None:
        self.ids = [self.queue_id]

    def add(self, event: Event | None) -> None:
        """Takes up what is of this message; the last attempt counts."""
        if isinstance(event, BridgeTrouble):
            self.troubles.append(event)
        elif isinstance(event, Accepted) and event.queue_id == self.queue_id:
            self.accepted = event
        elif isinstance(event, Delivery) and event.queue_id == self.ids[-1]:
            onward = queued_as(event.text) if _stays_here(event) else ""
            if event.status == "sent" and onward and not self._to_bridge(event):
                self.rewriting = event
                self.ids.append(onward)
            else:
                self.delivery = event
        elif isinstance(event, Ended) and event.queue_id == self.ids[-1]:
            self.ended = event.how

    def _to_bridge(self, delivery: Delivery) -> bool:
        return self.settings.get("upstream") == "oauth" and delivery.label.startswith("m365")

    @property
    def sent(self) -> bool:
        return self.delivery is not None and self.delivery.status == "sent"

    @property
    def refused(self) -> bool:
        """Postfix has given it up."""
        return self.ended == "expired" or (self.delivery is not None and self.delivery.status in ("bounced", "expired"))

    def reason(self, waits: str = "") -> reasons.Reason:
        """Why it is not sent; `waits` is what postqueue says of it. The bridge's own 454 is opened."""
        found = reasons.of(self.delivery.text if self.delivery else waits)
        if found.id in ("relay-proxy-refused", "relay-no-token"):
            return self._behind_the_bridge() or found
        return found

    def _behind_the_bridge(self) -> reasons.Reason | None:
        """A failed token comes first: whatever the bridge says then follows from it."""
        if self.token.get("failure") and not self.token.get("expires"):
            return reasons.of(str(self.token["failure"]))
        mine = [trouble for trouble in self.troubles if trouble.mailbox in ("", self.mailbox)]
        return reasons.of(mine[-1].text) if mine else None

    @property
    def mailbox(self) -> str:
        """The mailbox whose transport took it."""
        label = self.delivery.label if self.delivery else ""
        return next((str(box["address"]).lower() for box in self.settings.get("mailboxes", []) if box.get("transport") == label), "")

    def stage(self) -> str:
        """How far it came, in smtp_probe's words; `queue` where no attempt has failed."""
        if self.sent:
            return "sent"
        text = self.delivery.text if self.delivery else ""
        return next((stage for pattern, stage in _STAGES if pattern.search(text)), "queue")

    # -- the hops -------------------------------------------------------------------------------------------------

    def hops(self, client: str = "") -> list[dict[str, Any]]:
        """[{from, to, what, seconds, detail}], as far as it came. `client` is who handed it over, where it is known."""
        who = client or (self.accepted.client if self.accepted else "device")
        by = f"listener {self.accepted.label}" if self.accepted and self.accepted.label else "port 25"
        user = f", signed in as {self.accepted.user}" if self.accepted and self.accepted.user else ""
        last = self.delivery
        delays = (*last.delays, 0.0, 0.0, 0.0, 0.0)[:4] if last else (0.0, 0.0, 0.0, 0.0)
        found = [_hop(who, "Postfix", "handed over", delays[0], f"queue id {self.queue_id}, {by}{user}")]
        if self.rewriting:
            found.append(_hop("Postfix", "Postfix", "rewritten", self.rewriting.delay, f"queue id {self.ids[-1]}"))
        if not last:
            return found
        waited = "waited its turn in the mailbox's pace" if last.label.startswith("m365-") else "waited its turn"
        found.append(_hop("Postfix", "Postfix", "queued", delays[1], f"{waited}, transport {last.label or last.service}"))
        return found + self._upstream(last, delays[2], delays[3])

    def _upstream(self, last: Delivery, connecting: float, sending: float) -> list[dict[str, Any]]:
        opened = "a new connection" if connecting >= 0.005 else "a connection that was open already"
        outcome = {"sent": "accepted", "deferred": "deferred", "bounced": "refused"}.get(last.status, last.status)
        server = self._server(last)
        said = " ".join(reasons.reply(last.text).split())
        if not self._to_bridge(last):
            return [_hop("Postfix", server, outcome, connecting + sending, f"{opened}; {said}")]
        signed = f"{opened}, signed in by OAuth as {self.mailbox or 'the mailbox'}"
        if last.status != "sent" and self.stage() in ("sign-in", "connect", "tls", "resolve"):
            return [_hop("Postfix", "bridge", outcome, connecting, said)]
        return [
            _hop("Postfix", "bridge", "handed over", connecting, signed),
            _hop("bridge", "Microsoft 365", outcome, sending, f"{server}: {said}"),
        ]

    def _server(self, last: Delivery) -> str:
        if self._to_bridge(last):
            return str(self.settings.get("smtp_host") or "smtp.office365.com")
        return last.relay.partition("[")[0] or "upstream"


def _hop(start: str, end: str, what: str, seconds: float, detail: str) -> dict[str, Any]:
    return {"from": start, "to": end, "what": what, "seconds": round(seconds, 2), "detail": detail}


def _stays_here(delivery: Delivery) -> bool:
    """Whether it went to a listener of this Postfix: over loopback, or through the program that rewrites senders."""
    return "[127.0.0.1]" in delivery.relay or delivery.relay == "m365-rewrite"


def told(queue_id: str, entries: Iterable[dict[str, Any]]) -> Story:
    """The story of a message as these entries tell it, on this relay."""
    story = Story(queue_id, read_object(SETTINGS), read_object(TOKEN_STATE))
    for entry in entries:
        story.add(maillog.event(entry))
    return story


def lines(story: Story) -> list[str]:
    """For people: a line a hop, and why it ended where it did."""
    found = [f"{hop['from']} -> {hop['to']}: {hop['what']} after {hop['seconds']:.2f} s ({hop['detail']})" for hop in story.hops()]
    if not story.sent:
        why = story.reason()
        found.append(f"{why.cause[:1].upper()}{why.cause[1:]}{f' ({why.code})' if why.code else ''}. {why.remedy}".strip())
    return found


def main(arguments: list[str]) -> int:
    """`trace QUEUE-ID|MESSAGE-ID [--json]`: the way of a message of the last day; 1 where the journal does not know it."""
    words = [word for word in arguments if word != "--json"]
    if len(words) != 1:
        complain("usage: mailops-relay trace QUEUE-ID|MESSAGE-ID [--json]")
        return 2
    try:
        entries = Reader(time.time() - 86400).read()
    except MailopsError as error:
        complain(error)
        return 1
    wanted = words[0] if "@" not in words[0] or words[0].startswith("<") else f"<{words[0]}>"
    queue_id = queue_id_of(entries, wanted) if "@" in wanted else wanted
    story = told(queue_id, entries)
    if not queue_id or not (story.accepted or story.delivery):
        complain(f"The journal of the last day tells nothing of {words[0]}.")
        return 1
    if "--json" in arguments:
        say(json.dumps({"queue_id": queue_id, "sent": story.sent, "stage": story.stage(), "hops": story.hops()}))
    else:
        say("\n".join(lines(story)))
    return 0
