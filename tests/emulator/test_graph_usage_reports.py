"""/reports/getEmailAppUsageUserDetail: a link to a CSV file, which takes no token and works once."""

from __future__ import annotations

import csv
import io

import requests

from tests.emulator.conftest import Api, Start

PATH = "/reports/getEmailAppUsageUserDetail(period='D180')"


def link(api: Api) -> str:
    token = api.token("manager", "https://graph.microsoft.com/.default")
    url = f"{api.emulator.cloud['graph']}/v1.0{PATH}"
    answer = api.session.get(url, headers={"Authorization": f"Bearer {token}"}, allow_redirects=False)
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"])


def rows(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 200
    content = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    return {row["User Principal Name"]: row["SMTP App"] for row in content}


def test_the_file_is_on_another_host_and_takes_no_token(start: Start) -> None:
    api = start(tenant={"mailboxes": [{"address": "erp@contoso.com", "smtp_app_used": True}, {"address": "ada@contoso.com"}]})
    url = link(api)
    assert url.startswith("https://localhost:")
    assert rows(api.session.get(url)) == {"erp@contoso.com": "Yes", "ada@contoso.com": "No"}
    assert api.session.get(url).status_code == 404, "the link works once"
    assert api.session.get(link(api), headers={"Authorization": "Bearer x"}).status_code == 400


def test_names_may_be_concealed(start: Start) -> None:
    api = start(tenant={"mailboxes": [{"address": "erp@contoso.com"}], "concealed_names": True})
    [name] = rows(api.session.get(link(api)))
    assert (len(name), "@" in name) == (32, False)


def test_permission_and_period(start: Start) -> None:
    api = start()
    assert api.graph("GET", PATH, app="reader").status_code == 403
    assert api.graph("GET", PATH.replace("D180", "D365")).status_code == 400
