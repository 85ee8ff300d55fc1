# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tenant: what its resources run against. It holds the clients, which sign in at the first request, and the task's cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property

from .._clients.arm import ArmClient
from .._clients.authorized import AuthorizedTransport
from .._clients.exchange import ExchangeClient
from .._clients.graph import GraphClient
from .._clients.kept_reads import KeptReads
from .._clients.run_cache import RunCache
from .._core.errors import InvalidInput
from .._core.mail_addresses import DOMAIN
from .._core.option_values import range_problems
from .._core.progress import Progress
from .._core.spec import TENANT
from .._core.waiting import Clock, SystemClock
from .._http import clouds
from .._http.transport import Sender, Session, Transport
from .._identity import methods
from .._identity.credentials import GUID
from .._identity.device_code import Prompt
from .._identity.methods import CredentialOptions
from .._identity.sign_in import Credential
from .._identity.token_cache import TokenCache
from .._identity.tokens import TokenSource
from .remote_host import RemoteHost

LONGEST_WAIT = 86_400  # seconds


class Tenant:
    """The clients of one tenant, from the options of a module. Call `close` at the end.

    `prompt` shows a text to the person who runs it: a device code, the progress of long work. `remote_host`: the host that the task is
    delegated to, for a resource with a `host_module`. `reads_only`: no request that may write is sent.
    `signs_in`: False for a resource that makes no request to Microsoft 365 and needs no credential of the tenant.
    """

    def __init__(
        self,
        options: Mapping[str, object],
        token_directory: str | None = None,
        sender: Sender | None = None,
        clock: Clock | None = None,
        prompt: Prompt | None = None,
        remote_host: RemoteHost | None = None,
        *,
        reads_only: bool = False,
        signs_in: bool = True,
    ) -> None:
        self.name = _required(options, "tenant", "AZURE_TENANT_ID")
        if not GUID.fullmatch(self.name) and not DOMAIN.fullmatch(self.name):
            raise InvalidInput(f"m365_tenant is {self.name!r}: give the tenant's id (a GUID) or one of its domains.")
        # The platform decides a managed identity's client id; every other method signs in as the application in client_id.
        self._credential = CredentialOptions.of(options)
        self._signs_in = signs_in
        named = signs_in and methods.chosen(self._credential) != "managed_identity"
        self.client_id = _required(options, "client_id", "AZURE_CLIENT_ID") if named else ""
        if named and not GUID.fullmatch(self.client_id):
            raise InvalidInput(f"m365_client_id is {self.client_id!r}: give the application's client id, a GUID.")
        self.cloud = clouds.resolve(options["cloud"])
        wait_timeout = options.get("wait_timeout")
        self.wait_timeout = float(wait_timeout) if isinstance(wait_timeout, (int, float)) else 0.0
        problems = range_problems("m365_wait_timeout", int(self.wait_timeout), 0, LONGEST_WAIT)
        if problems:
            raise InvalidInput(*problems)
        self.prompt, self.remote_host = prompt, remote_host
        self._session = sender or Session(self.cloud.ca_file)
        self.clock = clock or SystemClock()
        self.transport = Transport(self._session, self.clock, reads_only=reads_only)
        self.transport.progress = Progress(self.clock, prompt, self.name)
        self.cost = self.transport.cost
        self.token_cache = TokenCache(token_directory)
        self.kept = KeptReads()
        self.run_cache = RunCache(self.token_cache, self.cloud.graph, self.name.lower(), self.client_id)

    @property
    def secrets(self) -> list[str]:
        """The values of the credential's options that no text may hold."""
        return TENANT.secrets(asdict(self._credential))

    def check_credential(self) -> None:
        """Read the credential: a wrong path, password or date fails before any request."""
        if self._signs_in:
            bool(self.tokens)  # made at the first access

    @property
    def certificate_path(self) -> str | None:
        """The file of the certificate that this task signs in with, where it has no password."""
        options = self._credential
        return options.certificate_path if methods.chosen(options) == "certificate" and not options.certificate_password else None

    @cached_property
    def credential(self) -> Credential:
        """What this task signs in with."""
        return methods.load(self._credential, self.prompt)

    @cached_property
    def tokens(self) -> TokenSource:
        return TokenSource(self.cloud, self.name, self.client_id, self.credential, self.token_cache, self.transport, self.wait_timeout)

    @cached_property
    def graph(self) -> GraphClient:
        return GraphClient(AuthorizedTransport(self.transport, self.tokens, "graph"), self.kept)

    @cached_property
    def arm(self) -> ArmClient:
        if not self.cloud.management:
            raise InvalidInput("m365_cloud has no Azure Resource Manager: set its key management.")
        return ArmClient(AuthorizedTransport(self.transport, self.tokens, "management"), self.wait_timeout)

    @cached_property
    def exchange(self) -> ExchangeClient:
        """Paths and anchors of Exchange hold the tenant's id, also where m365_tenant is a domain."""
        return ExchangeClient(AuthorizedTransport(self.transport, self.tokens, "exchange"), self.tenant_id, self.run_cache, self.kept)

    @cached_property
    def tenant_id(self) -> str:
        """The tenant's id, a GUID, also where m365_tenant is a domain."""
        return self.name if GUID.fullmatch(self.name) else self.tokens.tenant_id(self.cloud.scope("exchange"))

    def close(self) -> None:
        if isinstance(self._session, Session):
            self._session.close()


def _required(options: Mapping[str, object], name: str, env: str) -> str:
    value = str(options.get(name) or "").strip()
    if not value:
        raise InvalidInput(f"m365_{name} is not set: give the variable m365_{name}, the option {name} or the environment variable {env}.")
    return value
