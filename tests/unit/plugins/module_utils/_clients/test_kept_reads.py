# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._clients.exchange import Command, ExchangeClient, is_missing
from ansible_collections.mailops.m365.plugins.module_utils._clients.graph import Call, GraphClient
from ansible_collections.mailops.m365.plugins.module_utils._clients.kept_reads import UNKNOWN, KeptReads, exchange_family, graph_family

from ....conftest import TENANT
from ....script import Script, exchange_error

INVOKE = f"/adminapi/beta/{TENANT}/InvokeCommand"
READ = Command("Get-CASMailbox", {"Identity": "a@contoso.com"})
WRITE = Command("Set-CASMailbox", {"Identity": "a@contoso.com"})
OTHER = Command("Set-InboundConnector", {"Identity": "x"})
CONNECTORS = Command("Get-InboundConnector")
UNRELATED = Command("Set-Something", {"Identity": "x"})
APPLICATION = Call("GET", "/applications(uniqueName='a')")
EXCHANGE_ONLINE = Call("GET", "/servicePrincipals(appId='00000002-0000-0ff1-ce00-000000000000')?$select=id")


@pytest.fixture
def kept() -> KeptReads:
    return KeptReads()


@pytest.fixture
def exchange(authorize: Any, kept: KeptReads) -> ExchangeClient:
    return ExchangeClient(authorize("exchange"), TENANT, kept=kept)


@pytest.fixture
def graph(authorize: Any, kept: KeptReads) -> GraphClient:
    return GraphClient(authorize("graph"), kept)


def test_a_read_is_sent_once_while_a_plan_is_made(exchange: ExchangeClient, kept: KeptReads, script: Script) -> None:
    script.expect("POST", INVOKE).answers(200, {"value": [{"Name": "a"}]})
    with kept.planning():
        first = exchange.run(READ)
        first.values[0]["Name"] = "changed by who reads it"
        assert exchange.run(READ).values == [{"Name": "a"}]
        assert exchange.batch([READ])[0].values == [{"Name": "a"}]
    script.expect("POST", INVOKE).answers(200, {"value": [{"Name": "b"}]})
    assert exchange.run(READ).values == [{"Name": "b"}], "what is verified is read anew"


@pytest.mark.parametrize(("write", "again"), [(WRITE, True), (UNRELATED, True), (OTHER, False)])
def test_a_write_makes_a_plan_read_again_what_it_changes(
    exchange: ExchangeClient, kept: KeptReads, script: Script, write: Command, again: bool
) -> None:
    script.expect("POST", INVOKE).answers(200, {"value": [{"Name": "a"}]})
    with kept.planning():
        exchange.run(READ)
    script.expect("POST", INVOKE).answers(200, {"value": []})
    exchange.run(write)
    if again:
        script.expect("POST", INVOKE).answers(200, {"value": [{"Name": "b"}]})
    with kept.planning():
        assert exchange.run(READ).values == [{"Name": "b" if again else "a"}]


def test_that_an_object_is_missing_is_kept_and_other_errors_are_not(exchange: ExchangeClient, kept: KeptReads, script: Script) -> None:
    with kept.planning():
        script.expect("POST", INVOKE).answers(404, exchange_error("ManagementObjectNotFoundException", "Couldn't find 'a'."))
        assert [is_missing(exchange.batch([READ])[0].error) for _ in range(2)] == [True, True]
        script.expect("POST", INVOKE).times(2).answers(400, exchange_error("RefusedException", "No."))
        assert [bool(exchange.batch([CONNECTORS])[0].error) for _ in range(2)] == [True, True]


def test_answers_of_graph_are_kept_until_their_kind_is_written(graph: GraphClient, kept: KeptReads, script: Script) -> None:
    script.expect("GET", f"/v1.0{APPLICATION.path}").answers(404, {})
    script.expect("GET", f"/v1.0{EXCHANGE_ONLINE.path}").answers(200, {"id": "exchange"})
    with kept.planning():
        assert [graph.read(APPLICATION), graph.read(EXCHANGE_ONLINE)] == [None, {"id": "exchange"}]
        assert graph.outcomes([APPLICATION, EXCHANGE_ONLINE]) == [None, {"id": "exchange"}]
    script.expect("POST", "/v1.0/applications").answers(201, {"id": "a"})
    graph.write(Call("POST", "/applications", {}))
    script.expect("GET", f"/v1.0{APPLICATION.path}").answers(200, {"id": "a"})
    with kept.planning():
        assert [graph.read(APPLICATION), graph.read(EXCHANGE_ONLINE)] == [{"id": "a"}, {"id": "exchange"}]


def test_planning_may_be_nested(kept: KeptReads) -> None:
    with kept.planning():
        with kept.planning():
            kept.keep("a", exchange_family("Get-User"), 1)
        assert kept.get("a") == 1
    assert kept.get("a") is UNKNOWN


@pytest.mark.parametrize(
    ("path", "family"),
    [
        ("/applications(uniqueName='a')?$select=id", "applications"),
        ("/servicePrincipals/1/appRoleAssignedTo", "applications"),
        ("/directory/deletedItems/microsoft.graph.application", "applications"),
        ("/servicePrincipals(appId='00000002-0000-0ff1-ce00-000000000000')/appRoleAssignments", "applications"),
        (EXCHANGE_ONLINE.path, "Microsoft's own applications"),
        ("/domains/contoso.com/serviceConfigurationRecords", "domains"),
        ("/subscribedSkus?$select=id", "subscribedSkus"),
    ],
)
def test_objects_of_graph_that_change_together(path: str, family: str) -> None:
    assert graph_family(path) == family
