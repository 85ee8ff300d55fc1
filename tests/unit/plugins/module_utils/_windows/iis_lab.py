"""A Windows host with IIS SMTP that answers from dictionaries."""

from __future__ import annotations

import copy
import json
from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils._windows.host import Answer, WindowsHost
from ansible_collections.mailops.m365.plugins.module_utils._windows.iis import settings
from ansible_collections.mailops.m365.plugins.module_utils._windows.powershell import DIRECTORY, script

from ....conftest import FakeClock

FACTS: dict[str, Any] = {
    "name": "WIN1", "caption": "Microsoft Windows Server 2022 Standard", "build": "20348", "installation": "Server",
    "restarts": [False, False], "exchange": False,
}  # fmt: skip
EVERYBODY = {"GrantByDefault": True, "IPGrant": [], "IPDeny": [], "DomainGrant": [], "DomainDeny": []}
SERVER: dict[str, Any] = {
    "values": dict.fromkeys(settings.READ) | {"SmartHostType": 0, "RemoteSmtpPort": 25, **settings.DIRECTORIES},
    "bindings": [{"address": "", "port": "25", "hostname": ""}],
    "lists": {"RelayIpList": None, "IPSecurity": EVERYBODY},
}


class IisHost:
    """`ignores`: names of scripts whose write has no effect. `calls`: the names of scripts in their order."""

    def __init__(self, **facts: Any) -> None:
        self.facts = FACTS | facts
        self.installed = {"SMTP-Server": True, "Web-Metabase": True, "Web-WMI": True}
        self.services = [{"name": "SMTPSVC", "state": "Running", "start_mode": "Auto"}]
        self.memory: str | None = None
        self.ports: list[dict[str, Any]] = [{"port": 25, "process": "inetinfo"}, {"port": 445, "process": "System"}]
        self.servers = [copy.deepcopy(SERVER)]
        self.domains: list[dict[str, Any]] = []
        self.queue: list[int] = [0]
        self.ignores: tuple[str, ...] = ()
        self.calls: list[str] = []
        self.written_bindings: list[list[Any]] = []
        self.clock = FakeClock()
        self.host = WindowsHost("win1", self._execute, self.clock)
        self._names = {script(path.stem): path.stem for path in DIRECTORY.glob("*.ps1")}

    def _execute(self, text: str, lines: str) -> Answer:
        name = self._names[text]
        self.calls.append(name)
        request = json.loads(lines.splitlines()[0]) if lines else {}
        answer = getattr(self, f"_{name}")(request) if name not in self.ignores else {"ok": True}
        return Answer(0, json.dumps(answer), "")

    def _host_facts(self, request: Any) -> Any:
        return self.facts

    def _iis_host(self, request: Any) -> Any:
        features = [{"name": name, "installed": value} for name, value in self.installed.items()]
        return {"features": features, "services": self.services, "ports": self.ports, "memory": self.memory}

    def _iis_read(self, request: Any) -> Any:
        return {"servers": self.servers, "domains": self.domains}

    def _memory(self, request: Any) -> Any:
        self.memory = request["write"][0]["text"] if request["write"] else None
        return {"ok": True}

    def _iis_seed(self, request: Any) -> Any:
        self.servers[0]["lists"]["RelayIpList"] = EVERYBODY | {"GrantByDefault": False, "IPGrant": ["127.0.0.1, 255.255.255.255"]}
        return {"ok": True}

    def _iis_create(self, request: Any) -> Any:
        self.servers.append(copy.deepcopy(SERVER))
        return {"ok": True}

    def _iis_lists(self, request: Any) -> Any:
        for one in request["lists"]:
            members = {member["name"]: member["entries"] for member in one["members"]}
            self.servers[0]["lists"][one["property"]] = {"GrantByDefault": one["grant_by_default"], **members}
        return {"ok": True}

    def _iis_write(self, request: Any) -> Any:
        values = [*request["texts"], *request["numbers"], *request["flags"]]
        self.servers[0]["values"] |= {one["name"]: one["value"] for one in values}
        self.written_bindings.append(request["bindings"])
        self.servers[0]["bindings"] = request["bindings"] or self.servers[0]["bindings"]
        return {"ok": True}

    def _service(self, request: Any) -> Any:
        return {"ok": True}

    def _iis_queue(self, request: Any) -> Any:
        count = self.queue.pop(0) if len(self.queue) > 1 else self.queue[0]
        return {"folders": [{"path": path, "count": count, "size": 10 * count, "oldest": None} for path in request["folders"]]}

    def _iis_features(self, request: Any) -> Any:
        self.installed |= dict.fromkeys(request["install"], True) | dict.fromkeys(request["uninstall"], False)
        return {"results": [{"success": True, "restart": "No", "code": "Success"}]}
