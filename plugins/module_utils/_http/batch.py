# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A $batch of requests: its items as responses, and the loop that sends throttled items again.

Source: "Combine multiple HTTP requests using JSON batching" (OData 4.01, JSON Batch Request).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .._core.bounds import Bounds
from .._core.json_types import JsonObject
from .._core.waiting import Retry
from .transport import Response, Transport


class ItemResponse(Response):
    """An item of a $batch: its body comes decoded. `status` is 0 where the item has none."""

    def __init__(self, item: JsonObject) -> None:
        self._decoded: Any = item.get("body")
        headers = {name.lower(): str(value) for name, value in (item.get("headers") or {}).items()}
        super().__init__(int(item.get("status") or 0), headers, self._decoded.encode() if isinstance(self._decoded, str) else b"")

    def json(self) -> Any:
        return self._decoded


def longest_wait(answers: Iterable[Response]) -> float | None:
    """The largest Retry-After (seconds) among the answers; None where no answer has one."""
    return max((answer.retry_after for answer in answers if answer.retry_after is not None), default=None)


def chunks(count: int, size: int) -> list[range]:
    """The numbers 0 to `count` - 1, `size` at a time."""
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


def send_batch(
    numbers: Sequence[int],
    send: Callable[[Sequence[int]], dict[int, Response]],
    may_repeat: Callable[[int, Response], bool],
    transport: Transport,
    bounds: Bounds,
) -> dict[int, Response]:
    """The answers to the items with these numbers. `send` carries one $batch with some of them.

    Items of which `may_repeat` says so are sent again, alone, after the longest pause that one of them asks for. An item
    that still fails when a bound is reached keeps its last answer.
    """
    answers: dict[int, Response] = {}
    retry = Retry(bounds.throttled, transport)
    pending = numbers
    while True:
        answers.update(send(pending))
        pending = [number for number in pending if may_repeat(number, answers[number])]
        if not pending or not retry.again(longest_wait(answers[number] for number in pending)):
            return answers
        transport.cost.count(retries=1)
