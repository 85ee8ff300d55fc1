# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the transport of a task that only reads lets through."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Request, Response, Transport

GRAPH = "https://graph.microsoft.com/v1.0"
EXCHANGE = "https://outlook.office365.com/adminapi/beta/tenant"
TOKEN = "https://login.microsoftonline.com/tenant/oauth2/v2.0/token"


def command(cmdlet: str) -> dict[str, Any]:
    return {"CmdletInput": {"CmdletName": cmdlet, "Parameters": {}}}


def item(method: str, url: str = "/domains", body: Any = None) -> dict[str, Any]:
    return {"id": "1", "method": method, "url": url, "body": body}


def batch(*items: Any) -> dict[str, Any]:
    return {"requests": list(items)}


def send(request: Request, *, reads_only: bool = True) -> int:
    """How many requests go out."""
    sent: list[Request] = []

    def sender(request: Request) -> Response:
        sent.append(request)
        return Response(200, {}, b"{}")

    Transport(sender, reads_only=reads_only).send(request)
    return len(sent)


READS = [
    Request("POST", "https://eu-api.smtp2go.com/v3/domain/view", json={}),
    Request("POST", "https://api.smtp2go.com/v3/api_keys/permissions", json={}),
    Request("GET", f"{GRAPH}/applications"),
    Request("POST", TOKEN, form={"grant_type": "client_credentials"}),
    Request("POST", "https://dev.azure.com/contoso/mail/_apis/distributedtask/hubs/build/plans/1/jobs/2/oidctoken?api-version=7.1"),
    Request("POST", f"{GRAPH}/$batch", json=batch(item("GET"), item("get"))),
    Request("POST", f"{EXCHANGE}/InvokeCommand?$select=Guid", json=command("Get-Mailbox")),
    Request("POST", f"{EXCHANGE}/InvokeCommand", json=command("Test-ServicePrincipalAuthorization")),
    Request("POST", f"{EXCHANGE}/$batch", json=batch(item("POST", f"{EXCHANGE}/InvokeCommand", command("Get-CASMailbox")))),
]
WRITES = [
    Request("POST", "https://api.smtp2go.com/v3/domain/verify", json={"domain": "contoso.com"}),
    Request("PATCH", "https://api.smtp2go.com/v3/domain/view", json={}),
    Request("POST", f"{GRAPH}/applications", json={"displayName": "x"}),
    Request("PATCH", f"{GRAPH}/applications/1", json={}),
    Request("PUT", f"{GRAPH}/applications/1", json={}),
    Request("DELETE", f"{GRAPH}/applications/1"),
    Request("POST", f"{GRAPH}/$batch", json=batch(item("GET"), item("DELETE"))),
    Request("POST", f"{GRAPH}/$batch", json=batch(item("POST", "/applications", {}))),
    Request("POST", f"{GRAPH}/$batch", json=batch()),
    Request("POST", f"{GRAPH}/$batch", json=batch("GET")),
    Request("POST", f"{EXCHANGE}/InvokeCommand", json=command("Set-CASMailbox")),
    Request("POST", f"{EXCHANGE}/InvokeCommand", json=command("Test-MAPIConnectivity")),
    Request("POST", f"{EXCHANGE}/InvokeCommand", json=command("get-mailbox")),
    Request("POST", f"{EXCHANGE}/InvokeCommand", json={}),
    Request("POST", f"{EXCHANGE}/$batch", json=batch(item("POST", f"{EXCHANGE}/InvokeCommand", command("New-Mailbox")))),
    Request("POST", f"{GRAPH}/me/sendMail", form={"a": "b"}),
    Request("POST", f"{GRAPH}/applications", json=command("Get-Mailbox")),
]


@pytest.mark.parametrize("request_", READS, ids=lambda one: f"{one.method} {one.url}")
def test_reads_are_sent(request_: Request) -> None:
    assert send(request_) == 1


@pytest.mark.parametrize("request_", WRITES, ids=lambda one: f"{one.method} {one.url} {one.json}")
def test_writes_are_refused_before_they_are_sent(request_: Request) -> None:
    with pytest.raises(MailopsError, match=r"the task only reads, and .* may write\. Nothing was sent"):
        send(request_)
    assert send(request_, reads_only=False) == 1
