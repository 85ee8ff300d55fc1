"""A rule for every file is one test, whose message has every violation."""

from __future__ import annotations

import inspect

import pytest

from .tree import for_every


@for_every("number", [1, 2, 3], lambda number: f"number {number}")
def _is_two(number: int, limit: int) -> None:
    assert number == limit


def test_every_violation_is_in_the_message() -> None:
    assert list(inspect.signature(_is_two).parameters) == ["limit"]
    with pytest.raises(AssertionError, match=r"(?s)number 1.*number 3") as caught:
        _is_two(limit=2)
    assert "number 2:" not in str(caught.value)
