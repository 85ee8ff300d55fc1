"""Plays module tenant against the emulator, as the action runs it."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from tests.emulator.conftest import TENANT, Api, app_id

Document = dict[str, Any]
CORE = "ansible_collections.mailops.m365.plugins.module_utils"
SPF: Document = {"spf_domains": []}
STATE = (
    "applications",
    "hve_accounts",
    "inbound_connectors",
    "mailboxes",
    "policies",
    "reject_direct_send",
    "smtp_client_authentication_disabled",
)


class Play:
    """Runs module tenant as the action does. `writes` are the write requests on record since the last call."""

    def __init__(self, api: Api, directory: Path, prompt: Callable[[str], None] | None = None) -> None:
        self.api, self.directory, self.prompt = api, directory, prompt
        self.tasks = 0

    def __call__(
        self, *senders: dict[str, Any], check_mode: bool = False, inventory: dict[str, Any] | None = None, **options: Any
    ) -> dict[str, Any]:
        engine = importlib.import_module(f"{CORE}._engine.tenant_engine")
        arguments = importlib.import_module(f"{CORE}._entry_points.arguments")
        resource = importlib.import_module(f"{CORE}.resources.tenant").RESOURCE
        common: dict[str, Any] = {"tenant": TENANT, "cloud": self.api.emulator.cloud, "client_id": app_id("manager"), "wait_timeout": 5}
        common |= {"client_secret": "manager-secret", "journal_dir": str(self.directory / "journal"), "senders": list(senders)}
        public, secrets = importlib.import_module(f"{CORE}._planning.inventory").split_secrets({**SPF, **(inventory or {})})
        common |= {"inventory_values": public, "inventory_secrets": secrets}
        checked = ArgumentSpecValidator(arguments.argument_spec(resource.spec)["argument_spec"]).validate({**common, **options})
        assert not checked.error_messages
        self.tasks += 1
        tokens = str(self.directory / f"tokens{self.tasks}")
        params = arguments.plain(checked.validated_parameters)
        result: dict[str, Any] = engine.run(resource, params, check_mode=check_mode, token_directory=tokens, prompt=self.prompt)
        return result

    def journal(self) -> list[dict[str, Any]]:
        return [json.loads(line) for file in self.directory.rglob("*.jsonl") for line in file.read_text().splitlines()]

    def state(self) -> dict[str, Any]:
        tenant: dict[str, Any] = self.api.admin.tenant(TENANT)
        return {name: value for name, value in tenant.items() if name in STATE}
