"""The end-to-end tests start the emulator as its own tests do."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._clients import dns

from tests.emulator.conftest import api, key_pair, pool, shared_emulator, start, state  # noqa: F401 (fixtures)

from .site_runs import site  # noqa: F401 (fixture)

DNS_TIMES = {"timeout": 30.0, "lifetime": 120.0}  # seconds


@pytest.fixture(autouse=True)
def dns_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time for an answer of the emulator's name server on a busy machine, where the six seconds of the product may pass."""
    monkeypatch.setattr(dns.Resolver.__init__, "__kwdefaults__", DNS_TIMES)
