"""Fixtures of the emulator's tests: a running emulator, and a client that speaks to it without any of our own code."""

from __future__ import annotations

import copy
import datetime
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from emulator.launcher import Emulator
from emulator.well_known import GRAPH_ROLES, derived_id

GRAPH = "https://graph.microsoft.com/.default"
EXCHANGE = "https://outlook.office365.com/.default"
TENANT = derived_id("tenant", "contoso.onmicrosoft.com")
ALL_GRAPH_ROLES = [f"Microsoft Graph/{name}" for name in GRAPH_ROLES]
MANAGE = "Office 365 Exchange Online/Exchange.ManageAsApp"


def _app(name: str, app_roles: list[str], directory_roles: list[str]) -> dict[str, Any]:
    return {
        "display_name": name,
        "secrets": [{"value": f"{name}-secret"}],
        "service_principal": {"app_roles": app_roles, "directory_roles": directory_roles},
    }


STATE: dict[str, Any] = {
    "tenants": [
        {
            "initial_domain": "contoso.onmicrosoft.com",
            "display_name": "Contoso",
            "domains": ["contoso.com"],
            "applications": [
                _app("manager", [*ALL_GRAPH_ROLES, MANAGE], ["Exchange Administrator"]),
                _app("reader", ["Microsoft Graph/Application.Read.All", MANAGE], ["Global Reader"]),
                _app("owner", ["Microsoft Graph/Application.ReadWrite.OwnedBy", MANAGE], []),
                _app("bare", [], ["Exchange Administrator"]),
            ],
            "mailboxes": [
                {
                    "address": "noreply@contoso.com",
                    "display_name": "No Reply",
                    "kind": "SharedMailbox",
                    "aliases": ["no-reply@contoso.com"],
                },
                {"address": "ops@contoso.com"},
                {"generate": 25, "address": "user{n:03d}@contoso.com"},
            ],
        },
        {"initial_domain": "fabrikam.onmicrosoft.com", "applications": [_app("fabrikam-manager", [*ALL_GRAPH_ROLES, MANAGE], [])]},
    ]
}


def app_id(name: str, tenant: str = TENANT) -> str:
    return derived_id(tenant, "app", name)


class Api:
    """Raw requests with tokens of the state's applications."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.admin = emulator.admin
        self.session = requests.Session()
        self.session.trust_env = False  # REQUESTS_CA_BUNDLE would win over verify
        self.session.verify = emulator.cloud["ca_file"]
        self._tokens: dict[tuple[str, str], str] = {}

    def token_answer(self, tenant: str = TENANT, /, **form: str) -> requests.Response:
        return self.session.post(f"{self.emulator.cloud['authority']}/{tenant}/oauth2/v2.0/token", data=form)

    def new_token(self, app: str, scope: str, **form: str) -> str:
        expected = {"grant_type": "client_credentials", "client_id": app_id(app), "client_secret": f"{app}-secret", "scope": scope}
        answer = self.token_answer(**expected | form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def token(self, app: str, scope: str) -> str:
        if (app, scope) not in self._tokens:
            self._tokens[app, scope] = self.new_token(app, scope)
        return self._tokens[app, scope]

    def forget_tokens(self) -> None:
        self._tokens.clear()

    def graph(self, method: str, path: str, json: Any = None, app: str = "manager", **headers: str) -> requests.Response:
        """A Graph call; `path` below v1.0, or absolute."""
        url = path if path.startswith("https://") else f"{self.emulator.cloud['graph']}/v1.0{path}"
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.session.request(method, url, json=json, headers={"Authorization": f"Bearer {self.token(app, GRAPH)}"} | headers)

    def exchange_url(self, query: str = "", version: str = "beta", tenant: str = TENANT, what: str = "InvokeCommand") -> str:
        return f"{self.emulator.cloud['exchange']}/adminapi/{version}/{tenant}/{what}{query}"

    def exchange(self, cmdlet: str, parameters: Any = None, url: str = "", app: str = "manager", **headers: str) -> requests.Response:
        """An InvokeCommand call."""
        body = {"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters or {}}}
        return self.exchange_post(url or self.exchange_url(), body, app, **headers)

    def exchange_post(self, url: str, body: Any, app: str = "manager", **headers: str) -> requests.Response:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.session.post(url, json=body, headers={"Authorization": f"Bearer {self.token(app, EXCHANGE)}"} | headers)

    def rows(self, cmdlet: str, parameters: Any = None, **options: str) -> list[dict[str, Any]]:
        """The objects of a successful command, without annotations."""
        answer = self.exchange(cmdlet, parameters, **options)
        assert answer.status_code == 200, answer.text
        return [{k: v for k, v in row.items() if "@" not in k} for row in answer.json()["value"]]

    def new_application(self, name: str, **properties: Any) -> dict[str, Any]:
        answer = self.graph("POST", "/applications", {"displayName": name, "signInAudience": "AzureADMyOrg"} | properties)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def new_principal(self, name: str) -> dict[str, Any]:
        """A service principal of a new application."""
        application = self.new_application(name)
        answer = self.graph("POST", "/servicePrincipals", {"appId": application["appId"]})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


def until(condition: Callable[[], bool]) -> None:
    """Wait for a state; a minute is the bound on any machine."""
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


@pytest.fixture(scope="session")
def state() -> dict[str, Any]:
    return copy.deepcopy(STATE)


@pytest.fixture(scope="session")
def shared_emulator(tmp_path_factory: pytest.TempPathFactory, state: dict[str, Any]) -> Iterator[Emulator]:
    with Emulator(state, directory=tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator
        assert emulator.stderr() == ""  # no test made it stumble


@pytest.fixture
def api(shared_emulator: Emulator) -> Iterator[Api]:
    """The shared emulator: for tests that make objects of their own names and look at nothing else."""
    result = Api(shared_emulator)
    offset = result.admin.call("GET", "/clock")["offset"]
    yield result
    result.admin.clear_faults()
    moved = result.admin.call("POST", "/clock", {"stopped": False})["offset"] - offset
    result.admin.call("POST", "/clock", {"advance": -moved})


Start = Callable[..., Api]


class Pool:
    """Emulators that tests use one after another. Each test gives one its own state by POST /reset: a new process takes a second."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self._factory = factory
        self._all: list[Emulator] = []
        self._idle: list[Emulator] = []

    def take(self, document: dict[str, Any]) -> Emulator:
        if not self._idle:
            self._all.append(Emulator(document, directory=self._factory.mktemp("emulator")))
            return self._all[-1]
        emulator = self._idle.pop()
        emulator.admin.reset(document)
        return emulator

    def release(self, emulator: Emulator) -> None:
        if emulator.running and emulator.stderr() == "":
            self._idle.append(emulator)
        else:
            emulator.stop()

    def stop(self) -> None:
        """Stop every emulator that was started, also one that a failed test has not given back."""
        for emulator in self._all:
            emulator.stop()


@pytest.fixture(scope="session")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    result = Pool(tmp_path_factory)
    yield result
    result.stop()


@pytest.fixture
def start(tmp_path: Path, state: dict[str, Any], pool: Pool) -> Iterator[Start]:
    """An emulator of the test's own: `start(settings=..., tenant=...)` changes the state it starts from.

    With options of the launcher, or another cloud, it is a process of its own.
    """
    own: list[Emulator] = []
    shared: list[Emulator] = []

    def run(
        settings: dict[str, Any] | None = None,
        tenant: dict[str, Any] | None = None,
        messages: list[dict[str, Any]] | None = None,
        windows: list[dict[str, Any]] | None = None,
        network: dict[str, str] | None = None,
        **options: Any,
    ) -> Api:
        document = copy.deepcopy(state) | {"settings": settings or {}, "messages": messages or [], "windows": windows or []}
        document |= {"network": network} if network else {}
        document["tenants"][0] |= tenant or {}
        if options or "cloud" in document["settings"]:
            own.append(Emulator(document, directory=tmp_path / f"emulator{len(own)}", **options))
            return Api(own[-1])
        shared.append(pool.take(document))
        return Api(shared[-1])

    yield run
    for emulator in own:
        emulator.stop()
    for emulator in shared:
        pool.release(emulator)


class KeyPair:
    """An RSA key and its self-signed certificate."""

    def __init__(self, *, days: int = 30, start_days_ago: int = 1) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay1.contoso.com")])
        begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=start_days_ago)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begin)
        self.certificate = builder.not_valid_after(begin + datetime.timedelta(days=days)).sign(self.key, hashes.SHA256())
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)
        self.private_pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        self.thumbprint = self.certificate.fingerprint(hashes.SHA1()).hex()  # noqa: S303 (as Entra names certificates)
        self.sha256 = self.certificate.fingerprint(hashes.SHA256())


@pytest.fixture(scope="session")
def key_pair() -> KeyPair:
    return KeyPair()
