"""The end-to-end tests start the emulator as its own tests do."""

from __future__ import annotations

from tests.emulator.conftest import api, key_pair, pool, shared_emulator, start, state  # noqa: F401 (fixtures)

from .site_runs import site  # noqa: F401 (fixture)
