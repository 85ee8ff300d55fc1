# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._clients.exchange import Command
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._engine.tenant import Tenant
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Session

from ....conftest import CLIENT, SECRET, TENANT, FakeClock
from ....script import Script
from .._identity.test_tokens import DISCOVERY, DOCUMENT, TOKEN, granted

PARAMS: dict[str, Any] = {"tenant": TENANT, "client_id": CLIENT, "client_secret": SECRET, "certificate_path": None,
                          "certificate_password": None, "cloud": "global", "wait_timeout": 300}  # fmt: skip


@pytest.mark.parametrize("name", [TENANT, "contoso.com", "contoso.onmicrosoft.com", "a-b.co.uk"])
def test_a_tenant_is_an_id_or_a_domain(name: str, script: Script) -> None:
    assert Tenant({**PARAMS, "tenant": name}, sender=script).name == name


@pytest.mark.parametrize(
    "name", ["contoso", "common!", "https://contoso.com", "contoso.com/x", f"{TENANT}0", "a..b", "-a.com", "x" * 254 + ".com"]
)
def test_anything_else_is_refused(name: str, script: Script) -> None:
    with pytest.raises(InvalidInput, match="m365_tenant is"):
        Tenant({**PARAMS, "tenant": name}, sender=script)


def test_nothing_is_asked_before_it_is_needed(script: Script) -> None:
    tenant = Tenant(PARAMS, sender=script)
    tenant.check_credential()
    tenant.close()
    assert script.requests == []


def test_resource_that_makes_no_request_to_microsoft_needs_no_credential(script: Script) -> None:
    options = {**PARAMS, "client_id": None, "client_secret": None}
    Tenant(options, sender=script, signs_in=False).check_credential()
    with pytest.raises(InvalidInput, match="m365_client_id is not set"):
        Tenant(options, sender=script)


def test_both_clients_sign_in_for_their_own_audience(script: Script, clock: FakeClock) -> None:
    tenant = Tenant(PARAMS, sender=script, clock=clock)
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).form(scope="https://graph.microsoft.com/.default").answers(200, granted(1))
    script.expect("GET", "https://graph.microsoft.com/v1.0/x").header("Authorization", "Bearer granted-1").answers(200, {"a": 1})
    script.expect("POST", TOKEN).form(scope="https://outlook.office365.com/.default").answers(200, granted(2))
    script.expect("POST", f"https://outlook.office365.com/adminapi/beta/{TENANT}/InvokeCommand").header(
        "Authorization", "Bearer granted-2"
    ).answers(200, {"value": []})
    assert tenant.graph.get("/x", "read x") == {"a": 1}
    tenant.exchange.run(Command("Get-X"))
    assert tenant.cost.as_result()["requests"] == 5


def test_exchange_gets_the_tenant_id_where_a_domain_was_set(script: Script, clock: FakeClock) -> None:
    tenant = Tenant({**PARAMS, "tenant": "contoso.com"}, sender=script, clock=clock)
    script.expect("GET", DISCOVERY.replace(TENANT, "contoso.com")).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).form(scope="https://outlook.office365.com/.default").answers(200, granted(1))
    page = f"https://europe.outlook.office365.com/adminapi/beta/{TENANT}/InvokeCommand?%24skiptoken=x"
    anchor = f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{TENANT}"
    first = script.expect("POST", f"https://outlook.office365.com/adminapi/beta/{TENANT}/InvokeCommand")
    first.header("X-AnchorMailbox", anchor).answers(200, {"value": [{"a": 1}], "@odata.nextLink": page})
    script.expect("POST", page).answers(200, {"value": [{"a": 2}]})
    assert tenant.exchange.run(Command("Get-X")).values == [{"a": 1}, {"a": 2}]


def test_closing_a_tenant_closes_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Session] = []
    monkeypatch.setattr(Session, "close", lambda self: closed.append(self))
    Tenant(PARAMS).close()
    assert len(closed) == 1


def test_repr_of_a_tenant_has_no_secret(script: Script) -> None:
    tenant = Tenant(PARAMS, sender=script)
    tenant.check_credential()
    for thing in (tenant, tenant.tokens, tenant.token_cache, tenant.transport, tenant.cloud):
        assert SECRET not in repr(thing)
