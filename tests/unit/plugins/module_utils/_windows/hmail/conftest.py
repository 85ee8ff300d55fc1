"""The fixture of the tests of windows_hmailserver."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .hmail_lab import HMailHost

Begin = Callable[..., HMailHost]


@pytest.fixture
def begin(tmp_path: Path) -> Begin:
    """Makes a host; its journal is in a directory of the test."""

    def make(**keys: Any) -> HMailHost:
        return HMailHost(tmp_path / "journal", **keys)

    return make
