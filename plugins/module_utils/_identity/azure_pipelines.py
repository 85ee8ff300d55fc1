# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ID token of an Azure Pipelines job: requested anew for each sign-in, as it is valid for ten minutes.

Sources: Azure SDK for Python, AzurePipelinesCredential (request and answer); microsoft/azure-pipelines-tasks, AzureCLIV2 (the variables
that the task sets, the lifetime); Azure DevOps Services REST API, "Oidctoken - Create" (without a service connection: the subject of the
pipeline).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from urllib.parse import quote

from .._core.errors import InvalidInput
from . import job_token
from .sign_in import SignIn

# The agent sets the first one in every job. The second one is that of a step that maps System.AccessToken to it.
REQUEST_URL, REQUEST_TOKEN = "SYSTEM_OIDCREQUESTURI", "SYSTEM_ACCESSTOKEN"
CONNECTION = "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"
_API_VERSION = "7.1"
_QUESTION = (
    "is the step an AzureCLI task with a service connection of workload identity federation, and is "
    f"{REQUEST_TOKEN} mapped to $(System.AccessToken)?"
)


@dataclass(frozen=True)
class PipelineToken:
    """`connection`: the ID of the service connection whose issuer and subject the token has; "": those of the pipeline."""

    url: str
    bearer: str = field(repr=False)
    connection: str

    @property
    def name(self) -> str:
        return f"request {self.url} {self.connection}"

    def check(self) -> None:
        if not self.url.startswith("https://"):
            raise InvalidInput(f"The environment variable {REQUEST_URL} is {self.url!r}: an https URL is needed, as a token goes there.")

    def read(self, sign_in: SignIn) -> str:
        connection = f"&serviceConnectionId={quote(self.connection, safe='')}" if self.connection else ""
        url = f"{self.url}?api-version={_API_VERSION}{connection}"
        headers = {"Authorization": f"Bearer {self.bearer}", "Content-Type": "application/json"}
        return job_token.ask(sign_in, "POST", url, headers, key="oidcToken", question=_QUESTION)


def of_this_job() -> PipelineToken | None:
    """The token that the environment offers; None outside of such a step."""
    url, bearer = (os.environ.get(name, "").strip() for name in (REQUEST_URL, REQUEST_TOKEN))
    return PipelineToken(url.rstrip("/"), bearer, os.environ.get(CONNECTION, "").strip()) if url and bearer else None
