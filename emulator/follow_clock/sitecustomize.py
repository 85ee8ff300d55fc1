"""Makes a Python process follow the emulator's clock. Loaded from PYTHONPATH; emulator/clock.py sets the variables.

`time.time` includes the clock's offset. `time.sleep` of a second or more advances the clock, a step at a time, and pauses for a
moment of real time after each step, so that concurrent clients act between two steps. Shorter sleeps, `time.monotonic` and
`datetime.now` stay real.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import time
from typing import SupportsIndex

SHORT = 1.0  # seconds; what is shorter is slept
PAUSE = 0.05  # seconds of real time after each step


def follow(path: str, step: float) -> None:
    real_time, real_sleep = time.time, time.sleep
    file = open(path, "r+b")  # noqa: SIM115 (the process's own until it ends)
    offset = memoryview(mmap.mmap(file.fileno(), 8)).cast("d")

    def advance(seconds: float) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            offset[0] += seconds
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)

    def sleep(duration: SupportsIndex | float, /) -> None:
        seconds = float(duration)
        left = seconds if seconds >= SHORT else 0.0
        while left > PAUSE:
            advance(min(step, left) - PAUSE)
            real_sleep(PAUSE)
            left -= step
        if seconds < SHORT:
            real_sleep(seconds)

    time.time = lambda: real_time() + offset[0]
    time.sleep = sleep


if os.environ.get("EMULATOR_CLOCK"):
    follow(os.environ["EMULATOR_CLOCK"], float(os.environ.get("EMULATOR_CLOCK_STEP", "1")))
