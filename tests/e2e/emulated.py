"""Resources run in process against an emulator, as the entry points run them, in one run that shares tokens."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailops.m365.plugins.module_utils._engine import tenant, tenant_engine
from ansible_collections.mailops.m365.plugins.module_utils._entry_points.arguments import argument_spec, plain

from tests.emulator.conftest import TENANT, Api, app_id


class Run:
    """The tasks of one run: `run(resource, option=...)` returns a task's result."""

    def __init__(self, api: Api, directory: Path, app: str = "manager") -> None:
        self.api, self.directory = api, directory
        self.connection = {
            "tenant": TENANT,
            "cloud": api.emulator.cloud,
            "client_id": app_id(app),
            "client_secret": f"{app}-secret",
            "wait_timeout": 20,
        }
        directory.mkdir(mode=0o700, exist_ok=True)

    def __call__(self, resource: Any, *, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        spec = argument_spec(resource.spec)
        validator = ArgumentSpecValidator(
            spec["argument_spec"], spec["mutually_exclusive"], spec["required_together"], spec["required_one_of"], spec["required_if"]
        )
        journal = {"journal_dir": str(self.directory / "journal")} if resource.spec.writes else {}
        validated = validator.validate({**self.connection, **journal, **options})
        assert not validated.error_messages, validated.error_messages
        params: dict[str, Any] = plain(validated.validated_parameters)
        result: dict[str, Any] = tenant_engine.run(resource, params, check_mode=check_mode, token_directory=str(self.directory))
        return result

    def twice(self, resource: Any, **options: Any) -> dict[str, Any]:
        """The first result; the check run before it predicted its changes, and the second run changes nothing."""
        planned = self(resource, check_mode=True, **options)
        done = self(resource, **options)
        assert "msg" not in done, done["msg"]
        assert planned["changed"] == done["changed"]
        again = self(resource, **options)
        assert (again.get("msg"), again["changed"]) == (None, False), again
        return done


class EmulatedClock:
    """The product's clock in step with the emulator's: waiting advances both, and takes no time."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.waited = 0.0

    def now(self) -> float:
        return time.time() + self.waited

    def sleep(self, seconds: float) -> None:
        self.waited += seconds
        self.api.admin.advance(seconds)


def follow_clock(monkeypatch: pytest.MonkeyPatch, api: Api, clock: EmulatedClock | None = None) -> EmulatedClock:
    """Let every tenant of the test use the emulator's clock."""
    clock = clock or EmulatedClock(api)
    monkeypatch.setattr(tenant, "SystemClock", lambda: clock)
    return clock
