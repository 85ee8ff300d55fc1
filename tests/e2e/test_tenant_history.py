"""What a tenant has depends on the list alone, not on the lists before it: a property of random lists."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.emulator.conftest import Start

from .random_lists import Generator, started, state
from .tenant_play import Document

MORE = [pytest.mark.tier_all, pytest.mark.one_python_is_enough]
SEEDS = [*range(8), *(pytest.param(seed, marks=MORE) for seed in range(8, 308))]


@pytest.mark.parametrize("seed", SEEDS)
def test_history_does_not_matter(start: Start, tmp_path: Path, seed: int) -> None:
    generator = Generator(random.Random(seed))  # noqa: S311 - no secret
    second = generator.list(renames=True)
    # What m365_unused_access has disabled stays disabled: it does not know what each mailbox had.
    first = generator.list(disables=None if second.disables_unused_access else False)
    options = second.options | {"remove_orphans": bool(seed % 3)}
    alone = started(start, tmp_path / "alone", random.Random(seed))  # noqa: S311
    applied = alone(*second.senders, **options)
    assert "failed" not in applied, (second, applied)
    after = started(start, tmp_path / "after", random.Random(seed))  # noqa: S311
    applied = after(*first.senders, **first.options)
    assert "failed" not in applied, (first, applied)
    planned = after(*second.senders, check_mode=True, **options)
    applied = after(*second.senders, **options)
    assert "failed" not in applied, (first, second, applied)
    assert applied["changes"] == planned["changes"]
    orphans = subjects(applied)
    assert not (orphans and options["remove_orphans"])
    assert without(state(after), orphans) == state(alone), (first, second)
    again = after(*second.senders, **options)
    assert (again["changed"], subjects(again)) == (False, orphans)


def subjects(result: Document) -> list[str]:
    """The orphans that a run lists."""
    return [entry["subject"] for entry in result["attention"] if entry["kind"] == "orphan"]


def without(every: Document, orphans: list[str]) -> Document:
    """The state without orphans, which have no right and no access any more."""
    result = dict(every)
    for kind, empty in (("mailboxes", ([], None, None)), ("accounts", 0), ("applications", ([], []))):
        left = {name: value for name, value in every[kind].items() if name in orphans}
        assert all(value == empty for value in left.values()), left
        result[kind] = {name: value for name, value in every[kind].items() if name not in orphans}
    return result
