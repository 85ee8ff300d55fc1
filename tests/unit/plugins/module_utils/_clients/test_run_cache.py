# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import stat
from pathlib import Path

from ansible_collections.mailops.m365.plugins.module_utils._clients.exchange import ExchangeClient
from ansible_collections.mailops.m365.plugins.module_utils._clients.run_cache import RunCache
from ansible_collections.mailops.m365.plugins.module_utils._engine.tenant import Tenant
from ansible_collections.mailops.m365.plugins.module_utils._entra import application_lookup
from ansible_collections.mailops.m365.plugins.module_utils._entra.application_lookup import Application, application_id, find_application
from ansible_collections.mailops.m365.plugins.module_utils._exchange import addresses, mx_hosts
from ansible_collections.mailops.m365.plugins.module_utils._identity.token_cache import TokenCache
from ansible_collections.mailops.m365.plugins.module_utils._verification.reading import mx_host

from ....conftest import TENANT, FakeClock, parameters
from ....script import Script
from ....services import Exchange
from ..resources.test_exchange_service_principal import RESOURCE


def test_cached_fact_belongs_to_its_tenant_and_run(tmp_path: Path) -> None:
    first, later = RunCache(TokenCache(str(tmp_path)), "contoso"), RunCache(TokenCache(str(tmp_path)), "contoso")
    assert first.get("domains") is None
    first.put("domains", ["contoso.com"])
    assert later.get("domains") == ["contoso.com"]
    assert RunCache(TokenCache(str(tmp_path)), "fabrikam").get("domains") is None
    assert RunCache(TokenCache(), "contoso").get("domains") is None  # another run
    later.forget("domains")
    assert first.get("domains") is None


def test_cache_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    RunCache(TokenCache(str(tmp_path / "run")), "contoso").put("domains", ["contoso.com"])
    (file,) = (tmp_path / "run").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "contoso" not in file.name


def test_accepted_domains_are_asked_once_a_run(authorize: object, tmp_path: Path) -> None:
    service = Exchange(Get_AcceptedDomain=lambda p: [{"DomainName": "Contoso.com"}, {"DomainName": "contoso.onmicrosoft.com"}])
    client = authorize("exchange")  # type: ignore[operator]
    client.transport.sender = service
    for _task in range(3):
        facts = RunCache(TokenCache(str(tmp_path)), TENANT)
        assert addresses.accepted_domains(ExchangeClient(client, TENANT, facts)) == {"contoso.com", "contoso.onmicrosoft.com"}
    assert service.requests == 1


def test_an_mx_host_that_the_plan_has_read_is_not_asked_for_again(script: Script, clock: FakeClock, tmp_path: Path) -> None:
    """The script expects no request, so one would fail."""
    params = parameters(RESOURCE.spec, unique_name="sender", full_access=[], send_as=[])
    earlier, later = (Tenant(params, str(tmp_path), script, clock) for _task in range(2))
    records = {"value": [{"recordType": "Txt"}, {"recordType": "Mx", "mailExchange": "contoso-com.mail.protection.outlook.com"}]}
    assert mx_hosts.learn(earlier, "contoso.com", records) == "contoso-com.mail.protection.outlook.com"
    assert mx_host(later, ["contoso.com"], "erp@contoso.com") == "contoso-com.mail.protection.outlook.com"
    assert mx_hosts.learn(earlier, "fabrikam.com", None) == mx_hosts.known(later, "fabrikam.com") == ""


def test_an_application_that_was_just_looked_at_is_not_looked_for_again(script: Script, clock: FakeClock, tmp_path: Path) -> None:
    """The script expects no request, so one would fail."""
    params = parameters(RESOURCE.spec, unique_name="sender", full_access=[], send_as=[])
    earlier, later = (Tenant(params, str(tmp_path), script, clock) for _task in range(2))
    known = Application("app-client", "enterprise-object", "Sender")
    application_lookup.cache_application(earlier, "sender", known)
    assert find_application(later, None, "sender") == known
    assert application_id(later, None, "sender") == "app-client"
    assert application_lookup.cached_application(later, "another") is None
    application_lookup.uncache_application(later, "sender")
    assert application_lookup.cached_application(earlier, "sender") is None
