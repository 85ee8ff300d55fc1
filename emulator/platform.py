"""What every service of one emulator shares: the state, its settings, the faults, the record and the counters."""

from __future__ import annotations

import json
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TextIO

from emulator.clock import Clock
from emulator.clouds import CLOUDS, Cloud
from emulator.faults import Faults
from emulator.oidc import Providers
from emulator.settings import Settings
from emulator.state import Rolling, SignIn, State, Tenant
from emulator.state.sign_in_log import KEPT

SECRET_NAMES = {"secrettext", "password", "client_secret", "client_assertion", "proof", "email_password"}


class Record:
    """Every request to Graph, Exchange and a hosted relay as a line of JSON; secrets are masked."""

    def __init__(self, path: Path | None) -> None:
        self._file: TextIO | None = path.open("a", encoding="utf-8") if path else None

    def write(self, entry: dict[str, Any]) -> None:
        if self._file:
            self._file.write(json.dumps(masked(entry), ensure_ascii=False) + "\n")
            self._file.flush()

    def clear(self) -> None:
        if self._file:
            self._file.truncate(0)

    def close(self) -> None:
        if self._file:
            self._file.close()


def masked(value: Any) -> Any:
    """The same document, with the values of secrets replaced."""
    if isinstance(value, dict):
        return {key: "***" if key.lower() in SECRET_NAMES and isinstance(item, str) else masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item) for item in value]
    return value


class Counters:
    """Requests per tenant and service: token, discovery, graph, exchange; `_batched`: items of batches."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def count(self, tenant: str | None, service: str) -> None:
        self._counts[tenant or "unknown"][service] += 1

    def all(self) -> dict[str, dict[str, int]]:
        return {tenant: dict(counts) for tenant, counts in self._counts.items()}

    def clear(self) -> None:
        self._counts.clear()


@dataclass
class Platform:
    state: State
    settings: Settings
    faults: Faults = field(default_factory=Faults)
    record: Record = field(default_factory=lambda: Record(None))
    counters: Counters = field(default_factory=Counters)
    clock: Clock = field(default_factory=Clock)
    in_flight: Counter[str] = field(default_factory=Counter)  # requests to the Exchange admin API, by tenant
    downloads: dict[str, tuple[float, bytes]] = field(default_factory=dict)  # reports by the token of their link: until when, content
    app_sign_ins: dict[str, deque[SignIn]] = field(default_factory=dict)  # of applications, by tenant, oldest first
    report_requests: dict[tuple[str, str], Rolling] = field(default_factory=dict)  # by tenant and application

    def __post_init__(self) -> None:
        self.state.now = self.clock
        self.state.tokens.cloud = self.cloud if self.settings.cloud else None
        self.providers = Providers(self.clock, self.state.tokens.origins)
        self.faults.reset_latency(self.settings.latency)

    def log_app_sign_in(self, tenant: Tenant, app_id: str, name: str, key_id: str, source: str) -> None:
        """Note that an application got a token with a credential of its own."""
        log = self.app_sign_ins.setdefault(tenant.id, deque(maxlen=KEPT))
        log.append(
            SignIn(
                user="",
                created=self.now,
                display_name=name,
                event_type="servicePrincipal",
                client_app="",
                ip_address=source,
                app_id=app_id,
                key_id=key_id,
            )
        )

    def reset(self, state: State, settings: Settings) -> None:
        """Replace the state and the settings in place; clear the clock's offset, faults, counters, record and tokens of jobs."""
        for setting in fields(Settings):
            setattr(self.settings, setting.name, getattr(settings, setting.name))
        self.clock.offset, self.clock.stopped = 0.0, False
        self.faults.clear()
        self.faults.reset_latency(settings.latency)
        self.counters.clear()
        self.record.clear()
        self.report_requests.clear()
        self.app_sign_ins.clear()
        self.downloads.clear()
        self.providers.jobs.clear()
        self.state.tokens.cloud = self.cloud if self.settings.cloud else None
        self.state.replace(state)

    @property
    def cloud(self) -> Cloud:
        """The emulated cloud; the worldwide one where the settings name none."""
        return CLOUDS[self.settings.cloud or "global"]

    @property
    def now(self) -> float:
        return self.state.now()

    def after(self, kind: str) -> float:
        """When a change made now takes effect elsewhere (0.0: at once)."""
        lag = self.settings.lag_of(kind)
        return self.now + lag if lag else 0.0
