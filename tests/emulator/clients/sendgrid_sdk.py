"""What SendGrid's own library for Python does with an account, as published.

Run in an environment of its own. Reads {url, key, domain, address} from stdin and writes what it found as JSON. The certificate
authority comes by SSL_CERT_FILE, which Python's ssl knows.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient


def refused(call: Any, *arguments: Any, **more: Any) -> list[Any]:
    """Status and first message of a request that SendGrid refuses."""
    try:
        call(*arguments, **more)
    except HTTPError as error:
        return [error.status_code, json.loads(error.body)["errors"][0]["message"]]
    return [None, ""]


def main() -> None:
    options = json.load(sys.stdin)
    api = SendGridAPIClient(options["key"], host=options["url"]).client
    results: dict[str, Any] = {"scopes": api.scopes.get().to_dict["scopes"]}

    body = {"domain": options["domain"], "subdomain": "em1", "automatic_security": True}
    created = api.whitelabel.domains.post(request_body=body)
    domain = created.to_dict
    results |= {"created": [created.status_code, domain["subdomain"], domain["valid"], sorted(domain["dns"])]}
    results["listed"] = [
        one["id"] == domain["id"] for one in api.whitelabel.domains.get(query_params={"domain": options["domain"]}).to_dict
    ]
    results["again"] = refused(api.whitelabel.domains.post, request_body=body)
    validated = api.whitelabel.domains._(domain["id"]).validate.post().to_dict
    results["validated"] = [validated["valid"], sorted(validated["validation_results"])]

    made = api.api_keys.post(request_body={"name": "mailops-erp-20261129", "scopes": ["mail.send"]})
    key = made.to_dict
    results["key"] = [made.status_code, key["api_key"].startswith(f"SG.{key['api_key_id']}."), key["scopes"]]
    results["keys"] = [
        one["name"] for one in api.api_keys.get(query_params={"limit": 100}).to_dict["result"] if one["name"].startswith("mailops")
    ]
    results["forbidden"] = refused(SendGridAPIClient(key["api_key"], host=options["url"]).client.whitelabel.domains.get)
    results["deleted"] = [
        api.api_keys._(key["api_key_id"]).delete().status_code,
        api.whitelabel.domains._(domain["id"]).delete().status_code,
    ]
    results["gone"] = refused(api.api_keys._(key["api_key_id"]).get)

    results["bounces"] = api.suppression.bounces._(options["address"]).get().to_dict
    results["credits"] = sorted(api.user.credits.get().to_dict)
    results["wrong_key"] = refused(SendGridAPIClient("SG.wrong.key", host=options["url"]).client.scopes.get)
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
