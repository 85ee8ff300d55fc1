"""What Microsoft's own SDKs for Python do with a tenant: msgraph-sdk, signed in by azure-identity; both as published.

Run in an environment of its own. Reads {authority, graph, tenant, client_id, client_secret} from stdin and writes what
it found as JSON. The certificate authority comes by SSL_CERT_FILE and REQUESTS_CA_BUNDLE, the ways that they know.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from azure.identity import ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphServiceClient
from msgraph.generated.applications.applications_request_builder import ApplicationsRequestBuilder
from msgraph.generated.applications.item.add_password.add_password_post_request_body import AddPasswordPostRequestBody
from msgraph.generated.audit_logs.sign_ins.sign_ins_request_builder import SignInsRequestBuilder
from msgraph.generated.models.app_role_assignment import AppRoleAssignment
from msgraph.generated.models.application import Application
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.password_credential import PasswordCredential
from msgraph.generated.models.service_principal import ServicePrincipal
from msgraph.generated.users.users_request_builder import UsersRequestBuilder
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph_core import PageIterator
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem

EXCHANGE_APP = "00000002-0000-0ff1-ce00-000000000000"
NOBODY = "00000000-0000-0000-0000-00000000dead"
Results = dict[str, Any]


def connect(where: dict[str, str]) -> GraphServiceClient:
    credential = ClientSecretCredential(
        where["tenant"], where["client_id"], where["client_secret"], authority=where["authority"], disable_instance_discovery=True
    )
    provider = AzureIdentityAuthenticationProvider(credential, scopes=["https://graph.microsoft.com/.default"])
    adapter = GraphRequestAdapter(provider)
    adapter.base_url = f"{where['graph']}/v1.0"
    return GraphServiceClient(request_adapter=adapter)


async def provision(client: GraphServiceClient) -> Results:
    """An application with a secret, its service principal, and consent to SMTP.SendAsApp."""
    made = await client.applications.post(Application(display_name="By the SDK", sign_in_audience="AzureADMyOrg", tags=["sdk"]))
    body = AddPasswordPostRequestBody(password_credential=PasswordCredential(display_name="first"))
    secret = await client.applications.by_application_id(made.id).add_password.post(body)
    principal = await client.service_principals.post(ServicePrincipal(app_id=made.app_id))
    exchange = await client.service_principals_with_app_id(EXCHANGE_APP).get()
    role = next(one for one in exchange.app_roles if one.value == "SMTP.SendAsApp")
    grant = AppRoleAssignment(principal_id=principal.id, resource_id=exchange.id, app_role_id=role.id)
    await client.service_principals.by_service_principal_id(exchange.id).app_role_assigned_to.post(grant)
    assigned = await client.service_principals.by_service_principal_id(principal.id).app_role_assignments.get()
    await client.applications.by_application_id(made.id).patch(Application(notes="changed"))
    again = await client.applications_with_app_id(made.app_id).get()
    return {
        "hint_fits": secret.secret_text.startswith(secret.hint),
        "roles": [str(one.app_role_id) for one in assigned.value],
        "resource": assigned.value[0].resource_display_name,
        "again": [again.display_name, again.notes, again.tags, len(again.password_credentials)],
        "id": made.id,
    }


async def pages(client: GraphServiceClient) -> Results:
    """All users, seven a page."""
    query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(top=7, select=["id", "mail"])
    first = await client.users.get(RequestConfiguration(query_parameters=query))
    mails: list[str] = []
    await PageIterator(first, client.request_adapter).iterate(lambda user: mails.append(user.mail) or True)
    return {"first": len(first.value), "mails": mails}


async def filtered(client: GraphServiceClient) -> list[str]:
    query = ApplicationsRequestBuilder.ApplicationsRequestBuilderGetQueryParameters(
        filter="displayName eq 'By the SDK'", select=["displayName"]
    )
    result = await client.applications.get(RequestConfiguration(query_parameters=query))
    return [one.display_name for one in result.value]


async def batch(client: GraphServiceClient) -> list[list[int]]:
    """Two reads at once, one of something that is not there: as the SDK makes them, then with relative URLs.

    That it makes absolute ones, which Graph refuses, is its open issue 1116; so is the way round it.
    """
    matches = []
    for begin in ("", client.request_adapter.base_url):
        items = [
            BatchRequestItem(client.domains.to_get_request_information(), id="1"),
            BatchRequestItem(client.applications.by_application_id(NOBODY).to_get_request_information(), id="2"),
        ]
        for item in items:
            item.url = item.url.removeprefix(begin)
        answer = await client.batch.post(BatchRequestContent({item.id: item for item in items}))
        statuses = answer.get_response_status_codes()
        matches.append([statuses["1"], statuses["2"]])
    return matches


async def facts(client: GraphServiceClient) -> Results:
    skus = await client.subscribed_skus.get()
    domains = await client.domains.get()
    organization = await client.organization.get()
    policy = await client.policies.identity_security_defaults_enforcement_policy.get()
    expected = "clientAppUsed eq 'Authenticated SMTP' and createdDateTime ge 2026-01-01T00:00:00Z"
    query = SignInsRequestBuilder.SignInsRequestBuilderGetQueryParameters(filter=expected, top=1000)
    sign_ins = await client.audit_logs.sign_ins.get(RequestConfiguration(query_parameters=query))
    return {
        "skus": [[one.sku_part_number, one.prepaid_units.enabled, one.service_plans[0].service_plan_name] for one in skus.value],
        "domains": [[one.id, one.is_initial, one.supported_services] for one in domains.value],
        "organization": [organization.value[0].display_name, [one.name for one in organization.value[0].verified_domains]],
        "security_defaults": policy.is_enabled,
        "sign_ins": [[one.user_principal_name, one.status.error_code, one.created_date_time.isoformat()] for one in sign_ins.value],
    }


async def refusals(client: GraphServiceClient) -> list[list[object]]:
    """Errors arrive as the SDK's own."""
    matches: list[list[object]] = []
    for attempt in (
        client.applications.by_application_id(NOBODY).get(),
        client.service_principals.post(ServicePrincipal(app_id=EXCHANGE_APP)),
        client.applications.post(Application()),
    ):
        try:
            await attempt
        except ODataError as error:
            matches.append([error.response_status_code, error.error.code])
    return matches


async def run() -> Results:
    client = connect(json.load(sys.stdin))
    result = {
        "provision": await provision(client),
        "pages": await pages(client),
        "filtered": await filtered(client),
        "batch": await batch(client),
        "facts": await facts(client),
        "refusals": await refusals(client),
    }
    await client.applications.by_application_id(result["provision"]["id"]).delete()
    result["deleted"] = await filtered(client)
    return result


print(json.dumps(asyncio.run(run())))
