"""Start an emulator of one's own: for tests, benchmarks and the demo.

with Emulator({"tenants": [{"initial_domain": "contoso.onmicrosoft.com"}]}) as emulator:
    emulator.cloud["graph"], emulator.admin.messages(), ...
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from emulator import clock

ROOT = Path(__file__).resolve().parent.parent
Document = dict[str, Any]


class LaunchError(Exception):
    """The emulator did not come up; the text is what it wrote to stderr."""


class AdminClient:
    """The admin API as methods."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON (or bytes, where it is none) of an answer; an error answer raises ValueError with its text."""
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, content, {"content-type": "application/json"}, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 (the admin port on loopback)
                result = answer.read()
                is_json = answer.headers.get("content-type", "").startswith("application/json")
        except urllib.error.HTTPError as error:
            raise ValueError(f"{method} {path}: {error.status} {error.read().decode()}") from None
        return json.loads(result) if is_json else result

    def tenant(self, name: str) -> Document:
        """A tenant's whole state document."""
        return dict(self.call("GET", f"/tenants/{_quoted(name)}"))

    def change(self, tenant: str, collection: str = "", key: str = "", /, **changes: Any) -> Document:
        """Change a tenant by hand, or one mailbox, inbound connector, application, ... of it."""
        path = f"/tenants/{_quoted(tenant)}" + (f"/{collection}/{_quoted(key)}" if collection else "")
        return dict(self.call("PATCH", path, changes))

    def put(self, tenant: str, collection: str, key: str, /, **document: Any) -> Document:
        return dict(self.call("PUT", f"/tenants/{_quoted(tenant)}/{collection}/{_quoted(key)}", document))

    def delete(self, tenant: str, collection: str, key: str, /) -> None:
        self.call("DELETE", f"/tenants/{_quoted(tenant)}/{collection}/{_quoted(key)}")

    def windows_hosts(self) -> list[Document]:
        """The Windows hosts, each with `name`, `address`, `http_port` and `https_port`."""
        return list(self.call("GET", "/windows"))

    def windows_host(self, name: str) -> Document:
        """A Windows host's whole state document."""
        return dict(self.call("GET", f"/windows/{_quoted(name)}"))

    def change_windows_host(self, name: str, /, **changes: Any) -> Document:
        return dict(self.call("PATCH", f"/windows/{_quoted(name)}", changes))

    def device_codes(self) -> list[Document]:
        """The device codes that wait for a user, each with the text that a client shows."""
        return list(self.call("GET", "/device_codes"))

    def enter_code(self, user_code: str, user: str = "", password: str = "", /, **more: bool) -> Document:
        """Enter a code and sign in as a user; `mfa`, `consent` and `decline` as options."""
        return dict(self.call("POST", f"/device_codes/{_quoted(user_code)}", {"user": user, "password": password} | more))

    def id_token(self, provider: str, /, **claims: Any) -> str:
        """A token of an emulated identity provider (github, gitlab, or any name); `lifetime` in seconds may be negative."""
        return str(self.call("POST", f"/oidc/{_quoted(provider)}/token", claims)["token"])

    def start_job(self, provider: str, /, **claims: Any) -> Document:
        """A job of a pipeline: the `url` where it may ask for tokens of these claims, and the `token` that it asks with."""
        return dict(self.call("POST", f"/oidc/{_quoted(provider)}/job", claims))

    def revoke(self, tenant: str, user: str) -> None:
        """Revoke a user's refresh tokens."""
        self.call("POST", f"/tenants/{_quoted(tenant)}/revoke", {"user": user})

    def messages(self, **requested: str) -> list[Document]:
        """The received messages; `tenant`, `recipient` and `message_id` narrow them."""
        return list(self.call("GET", f"/messages?{urllib.parse.urlencode(requested)}"))

    def raw_message(self, number: int) -> bytes:
        return bytes(self.call("GET", f"/messages/{number}/raw"))

    def smtp_clients(self, tenant: str, dialect: str = "commas") -> bytes:
        """The export of the report SMTP AUTH clients: `commas`, `tabs` or `semicolons`."""
        return bytes(self.call("GET", f"/smtp_clients/{_quoted(tenant)}/{dialect}"))

    def delete_messages(self) -> None:
        self.call("DELETE", "/messages")

    def fault(self, service: str, fault: str | None = None, /, **order: Any) -> Document:
        """Add a fault: a named one, or `status`, `headers` and `body`; with `match`, `count` and `options`."""
        named = {"fault": fault} if fault else {}
        return dict(self.call("POST", "/faults", {"service": service} | named | order))

    def faults(self) -> list[Document]:
        return list(self.call("GET", "/faults"))

    def clear_faults(self) -> None:
        self.call("DELETE", "/faults")

    def latency(self, **seconds: float) -> Document:
        return dict(self.call("PUT", "/latency", seconds))

    def lag(self, **seconds: float) -> Document:
        return dict(self.call("PUT", "/lag", seconds))

    def token_lifetime(self, seconds: int) -> Document:
        """How long tokens live that are issued from now on."""
        return dict(self.call("PUT", "/token_lifetime", {"seconds": seconds}))

    def advance(self, seconds: float) -> None:
        """Advance the emulator's clock."""
        self.call("POST", "/clock", {"advance": seconds})

    def stop_clock(self) -> None:
        """Stop the emulator's clock: only `advance` moves it, whatever time the test takes."""
        self.call("POST", "/clock", {"stopped": True})

    def in_flight(self) -> dict[str, int]:
        """Requests to the Exchange admin API that have arrived and are not answered, by tenant as in their path."""
        return dict(self.call("GET", "/in_flight"))

    def now(self) -> float:
        """The emulator's time, in Unix seconds."""
        return float(self.call("GET", "/clock")["now"])

    def reset(self, state: Document | None = None) -> None:
        """Return to the state file as it was read at the start, with no faults, counters, record or clock offset.

        `state`: a document to take over instead; its `settings.cloud` has to be that of the start.
        """
        self.call("POST", "/reset", {} if state is None else {"state": state})

    def requests(self) -> dict[str, dict[str, int]]:
        """Requests per tenant and service since the last reset."""
        return dict(self.call("GET", "/requests"))

    def reset_requests(self) -> None:
        self.call("DELETE", "/requests")

    def accounts(self, provider: str) -> list[Document]:
        """The accounts of a hosted relay."""
        return list(self.call("GET", f"/accounts/{provider}"))

    def replace_accounts(self, provider: str, accounts: list[Document]) -> None:
        """Replace the accounts of a hosted relay."""
        self.call("PUT", f"/accounts/{provider}", {"accounts": accounts})

    def save(self) -> None:
        self.call("POST", "/save")


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")


class Emulator:
    """A running emulator: m365_cloud and m365_dns_servers of an inventory, and the client of its admin API.

    `state` is a document or the path of a state file; what it needs (its certificate authority, the state it was
    given as a document) goes to `directory`, a temporary one by default.
    """

    def __init__(
        self,
        state: Document | Path,
        *,
        record: Path | None = None,
        directory: Path | None = None,
        save: bool = False,
        patience: float = 180.0,
    ) -> None:
        self._temporary = None if directory else tempfile.TemporaryDirectory(prefix="emulator-")
        self.directory = directory or Path(self._temporary.name if self._temporary else "")
        self.directory.mkdir(parents=True, exist_ok=True)
        if isinstance(state, dict):
            self.state_file = self.directory / "state.json"
            self.state_file.write_text(json.dumps(state), encoding="utf-8")
        else:
            self.state_file = Path(state)
        self._record = record
        self._save = save
        self._process = self._start()
        ready = self._wait(patience)
        self.cloud: Document = ready["m365_cloud"]
        self.dns_servers: list[str] = ready["m365_dns_servers"]
        self.hosted_smtp_ports: dict[str, dict[str, int]] = ready["hosted_smtp_ports"]  # provider -> region -> port
        self.clock_file = Path(ready["clock"])
        self.admin = AdminClient(ready["admin"])

    def clock_environment(self, step: float = 1.0) -> dict[str, str]:
        """Environment variables with which a Python process follows the emulator's clock: its sleeps advance it by `step` at a time."""
        return clock.environment(self.clock_file, step)

    def _start(self) -> subprocess.Popen[bytes]:
        self._ready_file = self.directory / "ready.json"
        self._ready_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "emulator", "serve", "--state", str(self.state_file.resolve())]
        command += ["--directory", str(self.directory.resolve()), "--ready-file", str(self._ready_file.resolve())]
        command += ["--save"] if self._save else []
        command += ["--record", str(self._record.resolve())] if self._record else []
        self._stderr = (self.directory / "stderr.log").open("wb")
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=self._stderr)  # noqa: S603

    def _wait(self, patience: float) -> Document:
        limit = time.monotonic() + patience
        while not self._ready_file.exists():
            if self._process.poll() is not None or time.monotonic() > limit:
                text = self.stderr()
                self.stop()
                raise LaunchError(text or "the emulator did not become ready in time")
            time.sleep(0.02)
        return dict(json.loads(self._ready_file.read_text(encoding="utf-8")))

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def stderr(self) -> str:
        """What the emulator wrote to stderr so far: empty when all is well."""
        return (self.directory / "stderr.log").read_text(encoding="utf-8", errors="replace").strip()

    def stop(self) -> int:
        """End it as SIGTERM does (with `save` the state is written); its exit status."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._stderr.close()
        if self._temporary:
            self._temporary.cleanup()
        return self._process.returncode

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
