# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the unit tests share: a clock that never sleeps, tokens without a sign-in, certificates, and a played task."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailops.m365.plugins.module_utils._clients.authorized import AuthorizedTransport
from ansible_collections.mailops.m365.plugins.module_utils._core.spec import Spec
from ansible_collections.mailops.m365.plugins.module_utils._engine import host_engine, tenant_engine
from ansible_collections.mailops.m365.plugins.module_utils._engine.remote_host import RemoteHost
from ansible_collections.mailops.m365.plugins.module_utils._engine.run import params_of
from ansible_collections.mailops.m365.plugins.module_utils._engine.tenant import Tenant
from ansible_collections.mailops.m365.plugins.module_utils._entry_points.arguments import argument_spec, plain
from ansible_collections.mailops.m365.plugins.module_utils._http import clouds
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Transport
from ansible_collections.mailops.m365.plugins.module_utils._identity.token_permissions import TokenPermissions
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from hypothesis import settings

from .mailserver import MailServer
from .script import Script

settings.register_profile("mailops", deadline=None, database=None, max_examples=100, derandomize=True)
settings.load_profile("mailops")

TENANT = "11111111-2222-4333-8444-555555555555"
CLIENT = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
SECRET = 'cl13nt~Secret"Value/+=ü'


class FakeClock:
    """Time that passes only by waiting; `slept` is how long each wait was."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


class StubTokens:
    """A TokenSource without a sign-in: token-1, and after each renewal the next number."""

    def __init__(self, cloud: clouds.Cloud, *, cached: bool = True) -> None:
        self.cloud, self.cached = cloud, cached
        self.number = 1
        self.claims: list[str | None] = []
        self.forgotten = 0
        self.granted: list[tuple[str, str, list[str]]] = []
        self.allowed: TokenPermissions | None = None
        self.awaits = 0  # how often a granted role is awaited
        self.role_awaits = 0  # how often a role is awaited that another run granted
        self._lock = threading.Lock()

    def token(self, scope: str) -> str:
        return f"token-{self.number}"

    def renewed(self, scope: str, used: str, claims: str | None = None) -> str | None:
        with self._lock:
            if used != f"token-{self.number}" and not claims:
                return f"token-{self.number}"
            if not self.cached and not claims:
                return None
            self.number, self.cached = self.number + 1, False
            self.claims.append(claims)
            return f"token-{self.number}"

    def forget(self) -> None:
        self.forgotten += 1

    def permissions(self, scope: str) -> TokenPermissions | None:
        return self.allowed

    def add_grants(self, app_id: str, service: str, names: Iterable[str] = ()) -> None:
        self.granted.append((app_id, service, sorted(names)))

    def await_grant(self, service: str) -> bool:
        self.awaits -= 1
        self.number += self.awaits >= 0
        return self.awaits >= 0

    def await_role(self, service: str) -> bool:
        self.role_awaits -= 1
        self.number += self.role_awaits >= 0
        return self.role_awaits >= 0


@pytest.fixture(autouse=True)
def _no_credentials_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TENANT_ID", "TENANT", "CLIENT_ID", "CLIENT_SECRET", "SECRET", "CLIENT_CERTIFICATE_PATH", "X509_CERTIFICATE_PATH",
                 "CLIENT_CERTIFICATE_PASSWORD"):  # fmt: skip
        monkeypatch.delenv(f"AZURE_{name}", raising=False)
    for name in ("MAILOPS_JOURNAL_DIR", "AZURE_FEDERATED_TOKEN_FILE", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
                 "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IMDS_ENDPOINT", "MSI_ENDPOINT", "MSI_SECRET"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def host_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of a host's journal, which is below /var/log on a relay."""
    directory = tmp_path / "host-journal"
    monkeypatch.setattr(host_engine, "JOURNAL_DIRECTORY", str(directory))
    return directory


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def script() -> Iterator[Script]:
    """A script that must be played to its end."""
    playing = Script()
    yield playing
    playing.check()


@pytest.fixture
def tokens() -> StubTokens:
    return StubTokens(clouds.CLOUDS["global"])


@pytest.fixture
def transport(script: Script, clock: FakeClock) -> Transport:
    return Transport(script, clock)


@pytest.fixture
def authorize(transport: Transport, tokens: StubTokens) -> Callable[[str], AuthorizedTransport]:
    return lambda service: AuthorizedTransport(transport, tokens, service)  # type: ignore[arg-type]


def parameters(spec: Spec, **options: Any) -> dict[str, Any]:
    """Options as the entry points hand them in: checked and filled by Ansible's own validator."""
    expected = argument_spec(spec)
    validator = ArgumentSpecValidator(
        expected["argument_spec"],
        expected["mutually_exclusive"],
        expected["required_together"],
        expected["required_one_of"],
        expected["required_if"],
    )
    defaults = {"tenant": TENANT, "client_id": CLIENT, "client_secret": SECRET}
    result = validator.validate({**defaults, **options})
    assert not result.error_messages, result.error_messages
    validated: dict[str, Any] = plain(result.validated_parameters)
    return validated


def problems_of(resource: Any, **options: Any) -> list[str]:
    """What the resource's validate says about these options."""
    return validate(resource, parameters(resource.spec, **options))


def validate(resource: Any, options: dict[str, Any]) -> list[str]:
    """What the resource's validate says about options that are filled already."""
    problems: list[str] = resource.validate(params_of(resource, options))
    return problems


Play = Callable[..., dict[str, Any]]


@pytest.fixture
def journal_dir(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, journal_dir: Path, clock: FakeClock) -> Play:
    """Runs a task's core against a sender: play(resource, sender, check_mode=True, option=...). `play.tenant` is its tenant."""

    def run(
        resource: Any,
        sender: Any,
        *,
        check_mode: bool = False,
        sign_in: bool = False,
        token_directory: str | None = None,
        prompt: Callable[[str], None] | None = None,
        remote_host: RemoteHost | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        def make(params: dict[str, Any], directory: str | None, **more: Any) -> Tenant:
            tenant = Tenant(params, directory, sender, clock, **more)
            if not sign_in:
                vars(tenant)["tokens"] = StubTokens(tenant.cloud)
            run.tenant = tenant  # type: ignore[attr-defined]
            return tenant

        monkeypatch.setattr(tenant_engine, "Tenant", make)
        if resource.spec.writes:
            options.setdefault("journal_dir", str(journal_dir))
        params = parameters(resource.spec, **options)
        result = tenant_engine.run(
            resource, params, check_mode=check_mode, token_directory=token_directory, prompt=prompt, remote_host=remote_host
        )
        assert not getattr(sender, "complaints", []), sender.complaints
        return result

    return run


# -- certificates -----------------------------------------------------------------------------------------------------

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@pytest.fixture(scope="session")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def other_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(key: Key, name: str = "sender", days: int = 30, *, dns: str = "") -> x509.Certificate:
    """A self-signed certificate that ends in so many days."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - datetime.timedelta(days=400))
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    if dns:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(dns)]), critical=False)
    return builder.sign(key, hashes.SHA256())


def pem(item: x509.Certificate | Key, password: str = "") -> bytes:
    if isinstance(item, x509.Certificate):
        return item.public_bytes(serialization.Encoding.PEM)
    lock = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    return item.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)


def thumbprint(leaf: x509.Certificate) -> str:
    return leaf.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303


@pytest.fixture(scope="session")
def server_certificate(tmp_path_factory: pytest.TempPathFactory, rsa_key: rsa.RSAPrivateKey) -> Path:
    """A PEM file with the key and the certificate of localhost; as a CA file it trusts itself."""
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(pem(rsa_key) + pem(certificate(rsa_key, "localhost", dns="localhost")))
    return path


@pytest.fixture
def mail_server(server_certificate: Path) -> Iterator[MailServer]:
    server = MailServer(server_certificate)
    yield server
    server.close()
