"""The emulator's clock: the time of day plus an offset, which the admin API advances. It can be stopped: then only the offset moves it.

The offset may be kept in a file that other processes map into their memory. Such a process follows the clock, and what it would
sleep advances it (emulator/follow_clock/sitecustomize.py), so that a test of settle times and token lives neither waits nor
depends on the machine's speed.
"""

from __future__ import annotations

import mmap
import time
from pathlib import Path

FOLLOW = Path(__file__).resolve().parent / "follow_clock"
FILE_VARIABLE = "EMULATOR_CLOCK"  # the file's path
STEP_VARIABLE = "EMULATOR_CLOCK_STEP"  # seconds by which a sleeping process advances the clock at a time


class Clock:
    """The current time in Unix seconds. `file`: holds the offset as one double in the machine's byte order."""

    def __init__(self, file: Path | None = None) -> None:
        self._stopped_at: float | None = None
        if file is None:
            self._offset = memoryview(bytearray(8)).cast("d")
            return
        file.write_bytes(bytes(8))
        with file.open("r+b") as opened:
            self._offset = memoryview(mmap.mmap(opened.fileno(), 8)).cast("d")

    @property
    def offset(self) -> float:
        return float(self._offset[0])

    @offset.setter
    def offset(self, seconds: float) -> None:
        self._offset[0] = seconds

    @property
    def stopped(self) -> bool:
        return self._stopped_at is not None

    @stopped.setter
    def stopped(self, stopped: bool) -> None:
        self._stopped_at = time.time() if stopped else None

    def __call__(self) -> float:
        return (time.time() if self._stopped_at is None else self._stopped_at) + self.offset


def environment(file: Path, step: float = 1.0) -> dict[str, str]:
    """Environment variables that make a Python process, and every Python that it starts, follow the clock of a file."""
    return {"PYTHONPATH": str(FOLLOW), FILE_VARIABLE: str(file), STEP_VARIABLE: str(step)}
