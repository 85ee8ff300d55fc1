"""Each of Microsoft's clouds is played with its own names, and refuses those of another."""

from __future__ import annotations

import pytest

from emulator.clouds import CLOUDS
from tests.emulator.conftest import TENANT, Api, Start, app_id
from tests.emulator.test_token import claims_of, form, refused

NAMES = list(CLOUDS)


@pytest.fixture(params=NAMES)
def cloud(request: pytest.FixtureRequest, start: Start) -> tuple[str, Api]:
    return request.param, start(settings={"cloud": request.param})


def test_a_cloud_has_its_own_names_and_takes_no_others(cloud: tuple[str, Api]) -> None:
    name, api = cloud
    played = CLOUDS[name]
    announced = api.emulator.cloud
    assert announced["graph_audience"] == f"https://{played.graph[0]}"
    assert announced["exchange_audience"] == f"https://{played.exchange[0]}"
    assert announced["federated_audience"] == played.federated_audience
    token = api.new_token("manager", f"{announced['graph_audience']}/.default")
    claims = claims_of(token)
    assert (claims["aud"], claims["iss"]) == (announced["graph_audience"], f"{played.issuer}{TENANT}/")
    headers = {"Authorization": f"Bearer {token}"}
    records = api.session.get(f"{announced['graph']}/v1.0/domains/contoso.com/serviceConfigurationRecords", headers=headers)
    assert records.json()["value"][0]["mailExchange"] == f"contoso-com.{played.mx_suffix}"
    document = api.session.get(f"{announced['authority']}/{TENANT}/v2.0/.well-known/openid-configuration").json()
    assert (document["cloud_instance_name"], document["msgraph_host"]) == (played.instance_name, played.graph[0])
    # A scope of another cloud, the emulator's own origin and a tenant that lives elsewhere.
    others = {other.graph[0] for other in CLOUDS.values()} - {played.graph[0]}
    for host in (*sorted(others), announced["graph"].removeprefix("https://")):
        assert refused(api, **form(scope=f"https://{host}/.default"))[1:3] == ("invalid_resource", 500011)
    assert refused(api, "elsewhere.onmicrosoft.us", **form())[2] == 90002
    # A token for Exchange is none for Graph.
    wrong = api.new_token("manager", f"{announced['exchange_audience']}/.default")
    answer = api.session.get(f"{announced['graph']}/v1.0/organization", headers={"Authorization": f"Bearer {wrong}"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
    assert claims["appid"] == app_id("manager")
