"""What Mailgun's own library for Python does with an account, as published.

Run in an environment of its own. Reads {url, key, domain, address} from stdin and writes what it found as JSON. The certificate
authority comes by REQUESTS_CA_BUNDLE, which requests knows.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from mailgun.client import Client


def answer(response: Any) -> list[Any]:
    return [response.status_code, response.json().get("message")]


def main() -> None:
    options = json.load(sys.stdin)
    domain, results = options["domain"], dict[str, Any]()
    with Client(auth=("api", options["key"]), api_url=options["url"]) as api:
        results["listed"] = [[one["name"], one["state"]] for one in api.domainlist.get().json()["items"]]
        login = f"mailops-erp-20261129@{domain}"
        data = {"login": login, "password": "PasswordOfTheErp0123456789abcdef"}
        results["credential"] = answer(api.domains_credentials.create(domain=domain, data=data))
        results["credentials"] = [one["login"] for one in api.domains_credentials.get(domain=domain).json()["items"]]
        results["removed"] = answer(api.domains_credentials.delete(domain=domain, login=login))
        results["bounce"] = answer(api.bounces.get(domain=domain, bounce_address=options["address"]))
        results["deleted"] = answer(api.domains.delete(domain=domain))
    with Client(auth=("api", "key-wrong"), api_url=options["url"]) as api:
        results["wrong_key"] = api.domainlist.get().status_code
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
