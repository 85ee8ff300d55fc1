"""Federated credentials: Graph's calls and limits, and what the token endpoint makes of other issuers' tokens."""

from __future__ import annotations

from typing import Any

import jwt
import msal
import pytest

from tests.emulator.conftest import EXCHANGE, GRAPH, TENANT, Api, Start, app_id
from tests.emulator.test_token import ASSERTION_TYPE, claims_of, refused

GITHUB = "https://token.actions.githubusercontent.com"
AUDIENCE = "api://AzureADTokenExchange"
SUBJECT = "repo:contoso/infra:ref:refs/heads/main"
MAIN: dict[str, Any] = {"name": "github-main", "issuer": GITHUB, "subject": SUBJECT, "audiences": [AUDIENCE]}
UPSERT = {"Prefer": "create-if-missing"}


def credentials(api: Api, application: str) -> str:
    return f"/applications(appId='{application}')/federatedIdentityCredentials"


@pytest.fixture
def application(api: Api) -> str:
    return str(api.new_principal("Federated")["appId"])


def make(api: Api, application: str, **changes: Any) -> dict[str, Any]:
    answer = api.graph("POST", credentials(api, application), MAIN | changes)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def error(answer: Any) -> tuple[int, str, str]:
    body = answer.json()["error"]
    return answer.status_code, body["code"], body["message"]


# -- Graph ------------------------------------------------------------------------------------------------------------


def test_a_credential_is_made_read_changed_and_removed(api: Api, application: str) -> None:
    made = make(api, application, description="the main branch")
    document = {name: made[name] for name in (*MAIN, "description")}
    assert document == MAIN | {"description": "the main branch"}
    path = credentials(api, application)
    listed = api.graph("GET", path).json()["value"]
    assert [one["id"] for one in listed] == [made["id"]]
    for key in (made["id"], "github-main"):
        assert api.graph("GET", f"{path}/{key}").json()["subject"] == SUBJECT
    assert api.graph("PATCH", f"{path}/{made['id']}", {"subject": "repo:contoso/infra:environment:prod"}).status_code == 204
    after = api.graph("GET", f"{path}/github-main").json()
    assert (after["subject"], after["description"]) == ("repo:contoso/infra:environment:prod", "the main branch")
    assert error(api.graph("PATCH", f"{path}/{made['id']}", {"name": "other"}))[0] == 400
    assert api.graph("DELETE", f"{path}/{made['id']}").status_code == 204
    assert error(api.graph("GET", f"{path}/{made['id']}"))[:2] == (404, "Request_ResourceNotFound")


def test_an_upsert_creates_then_changes(api: Api, application: str) -> None:
    path = f"{credentials(api, application)}(name='github-main')"
    body = {name: value for name, value in MAIN.items() if name != "name"}
    assert api.graph("PATCH", path, body).status_code == 404
    assert api.graph("PATCH", path, body, **UPSERT).status_code == 201
    assert api.graph("PATCH", path, body | {"subject": "repo:contoso/infra:pull_request"}, **UPSERT).status_code == 204
    [result] = api.graph("GET", credentials(api, application)).json()["value"]
    assert (result["name"], result["subject"]) == ("github-main", "repo:contoso/infra:pull_request")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "with blanks"},
        {"name": "x" * 121},
        {"issuer": ""},
        {"issuer": "https://" + "x" * 600},
        {"subject": "s" * 601},
        {"audiences": []},
        {"audiences": [AUDIENCE, "api://other"]},
    ],
)
def test_limits_of_a_federated_credential(api: Api, application: str, changes: dict[str, Any]) -> None:
    answer = api.graph("POST", credentials(api, application), MAIN | changes)
    assert error(answer)[:2] == (400, "InvalidFederatedIdentityCredentialValue")


def test_an_unknown_property_is_refused(api: Api, application: str) -> None:
    answer = api.graph("POST", credentials(api, application), MAIN | {"audience": AUDIENCE})
    assert error(answer) == (400, "Request_BadRequest", "Invalid property 'audience'.")


def test_names_and_issuer_subject_combinations_are_unique(api: Api, application: str) -> None:
    make(api, application)
    again = api.graph("POST", credentials(api, application), MAIN | {"subject": "other"})
    assert error(again) == (
        409, "Request_MultipleObjectsWithSameKeyValue", "FederatedIdentityCredential with name github-main already exists."
    )  # fmt: skip
    status, code, text = error(api.graph("POST", credentials(api, application), MAIN | {"name": "another"}))
    assert (status, code) == (400, "InvalidFederatedIdentityCredentialValue")
    assert text.startswith(f"The combination of issuer and subject must be unique for the application. Issuer {GITHUB} and Subject: ")


def test_an_application_has_twenty_at_most(api: Api, application: str) -> None:
    for number in range(20):
        make(api, application, name=f"number-{number}", subject=f"subject-{number}")
    answer = api.graph("POST", credentials(api, application), MAIN)
    assert error(answer)[0] == 400


def test_only_the_owner_with_the_smaller_permission(api: Api, application: str) -> None:
    assert error(api.graph("POST", credentials(api, application), MAIN, app="owner"))[:2] == (403, "Authorization_RequestDenied")
    assert error(api.graph("POST", credentials(api, application), MAIN, app="reader"))[:2] == (403, "Authorization_RequestDenied")
    assert api.graph("GET", credentials(api, application), app="reader").status_code == 200


def test_federated_credentials_are_saved_in_the_state_file(start: Start) -> None:
    api = start(save=True)
    application = api.new_principal("Federated")["appId"]
    make(api, application)
    api.admin.save()
    text = api.emulator.state_file.read_text("utf-8")
    assert SUBJECT in text


# -- the token endpoint -----------------------------------------------------------------------------------------------


def presented(api: Api, application: str, token: str) -> dict[str, str]:
    return {"grant_type": "client_credentials", "client_id": application, "scope": GRAPH, "client_assertion": token,
            "client_assertion_type": ASSERTION_TYPE}  # fmt: skip


def client(api: Api, application: str, assertion: Any) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(
        application,
        client_credential={"client_assertion": assertion},
        authority=f"{api.emulator.cloud['authority']}/{TENANT}",
        http_client=api.session,
        instance_discovery=False,
    )


def test_msal_signs_in_with_a_token_of_another_issuer(api: Api, application: str) -> None:
    make(api, application)
    token = api.admin.id_token("github", sub=SUBJECT, aud=AUDIENCE)
    answer = client(api, application, lambda: token).acquire_token_for_client([EXCHANGE])
    claims = claims_of(answer["access_token"])
    assert (claims["appid"], claims["appidacr"], claims["aud"]) == (application, "2", "https://outlook.office365.com")


def test_any_name_is_an_issuer_with_discovery_and_keys(api: Api, application: str) -> None:
    origin = api.emulator.cloud["authority"]
    token = api.admin.id_token("cluster", sub="system:serviceaccount:mail:sender", aud=AUDIENCE)
    document = api.session.get(f"{origin}/oidc/cluster/.well-known/openid-configuration").json()
    [key] = api.session.get(document["jwks_uri"]).json()["keys"]
    claims = jwt.decode(token, jwt.PyJWK(key).key, algorithms=["RS256"], audience=AUDIENCE)
    assert claims["iss"] == document["issuer"]
    make(api, application, issuer=document["issuer"], subject="system:serviceaccount:mail:sender")
    assert "access_token" in client(api, application, lambda: token).acquire_token_for_client([GRAPH])


def test_job_obtains_its_token(api: Api, application: str) -> None:
    make(api, application)
    job = api.admin.start_job("github", sub=SUBJECT)
    url = f"{job['url']}&audience={AUDIENCE}"
    assert api.session.get(url, headers={"Authorization": "Bearer wrong"}).status_code == 401
    answer = api.session.get(url, headers={"Authorization": f"Bearer {job['token']}"}).json()
    assert claims_of(answer["value"])["aud"] == AUDIENCE
    assert "access_token" in client(api, application, lambda: answer["value"]).acquire_token_for_client([GRAPH])


def test_job_of_azure_pipelines_obtains_a_new_token_for_each_request(api: Api, application: str) -> None:
    """A token of it is valid for ten minutes."""
    subject, connection = "sc://contoso/mail/mail", "5f0c6a52-4d0e-4f33-8f5c-1d6a4b6f0e11"
    make(api, application, issuer=f"{api.emulator.cloud['authority']}/oidc/azure-devops", subject=subject)
    job = api.admin.start_job("azure-devops", sub=subject, service_connection=connection)
    url, headers = f"{job['url']}?api-version=7.1&serviceConnectionId={connection}", {"Authorization": f"Bearer {job['token']}"}
    assert api.session.post(url, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert api.session.get(url, headers=headers).status_code == 404
    assert api.session.post(job["url"], headers=headers).status_code == 400

    def token() -> str:
        return str(api.session.post(url, headers=headers).json()["oidcToken"])

    first = token()
    assert "access_token" in client(api, application, lambda: first).acquire_token_for_client([GRAPH])
    api.admin.advance(901)  # with the five minutes that Entra allows clocks to differ
    assert refused(api, **presented(api, application, first))[2] == 700024
    assert "access_token" in client(api, application, token).acquire_token_for_client([EXCHANGE])


@pytest.mark.parametrize(
    ("provider", "claims", "code", "words"),
    [
        ("gitlab", {}, 700211, "presented assertion issuer 'https://gitlab.com'"),
        ("github", {"sub": "repo:contoso/infra:ref:refs/heads/dev"}, 700213, "subject 'repo:contoso/infra:ref:refs/heads/dev'"),
        ("github", {"sub": SUBJECT.replace("contoso", "Contoso")}, 7002138, "matches with case-insensitive comparison"),
        ("github", {"aud": "api://AzureADTokenExchangeUSGov"}, 700212, "audience 'api://AzureADTokenExchangeUSGov'"),
        ("github", {"lifetime": -400}, 700024, "is not within its valid time range"),
    ],
)
def test_mismatched_claim_is_named(api: Api, application: str, provider: str, claims: dict[str, Any], code: int, words: str) -> None:
    make(api, application)
    token = api.admin.id_token(provider, **{"sub": SUBJECT, "aud": AUDIENCE} | claims)
    status, error_name, number, text = refused(api, **presented(api, application, token))
    assert (status, error_name, number) == (401, "invalid_client", code)
    assert words in text


def test_application_without_credentials_matches_none(api: Api, application: str) -> None:
    token = api.admin.id_token("github", sub=SUBJECT, aud=AUDIENCE)
    assert refused(api, **presented(api, application, token))[2] == 70025


def test_a_forged_token_and_an_unreachable_issuer(api: Api, application: str) -> None:
    make(api, application)
    forged = jwt.encode({"iss": GITHUB, "sub": SUBJECT, "aud": AUDIENCE, "exp": 4102444800}, "not the issuer's key" * 4)
    assert refused(api, **presented(api, application, forged))[2] == 50013
    make(api, application, name="elsewhere", issuer="https://issuer.example.net")
    absent = jwt.encode({"iss": "https://issuer.example.net", "sub": SUBJECT, "aud": AUDIENCE}, "whatever" * 8)
    assert refused(api, **presented(api, application, absent))[2] == 50166


def test_new_credential_has_a_replication_delay(start: Start) -> None:
    api = start(settings={"lag": {"credential": 60}})
    api.admin.stop_clock()
    application = api.new_principal("Federated")["appId"]
    make(api, application)
    assert api.graph("GET", credentials(api, application)).json()["value"] == []
    token = api.admin.id_token("github", sub=SUBJECT, aud=AUDIENCE)
    assert refused(api, **presented(api, application, token))[2] == 70025
    api.admin.advance(61)
    assert len(api.graph("GET", credentials(api, application)).json()["value"]) == 1


def test_own_assertion_is_not_a_federated_token(api: Api) -> None:
    """One signed by a certificate is judged as before, whatever federated credentials there are."""
    own = jwt.encode({"iss": app_id("manager"), "sub": app_id("manager"), "aud": "x"}, "secret" * 8)
    assert refused(api, **presented(api, app_id("manager"), own))[2] == 700027
