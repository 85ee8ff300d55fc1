"""Wrong and unusual input of a tenant: what the plan refuses leaves no write on record, and texts and null count as they are meant."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .test_playbooks import Playground, playground, shared_playground  # noqa: F401 (fixtures)

TENANT = "contoso"


def test_booleans_as_text_and_null_configure_the_tenant(playground: Playground) -> None:  # noqa: F811
    unset: dict[str, Any] = dict.fromkeys(
        ("spf_domains", "m365_licences", "m365_hosted_relay", "inbound_connector_connectors", "entra_app_scope")
    )
    options = ["--limit", TENANT, "-e", "entra_app_exclusive=false", "-e", "delegated_sign_in_app_register=no", "-e", json.dumps(unset)]
    run = playground.play("site.yml", *options)
    assert run.code == 0, run.output
    assert playground.writes()


@pytest.mark.parametrize(("variables", "sentence"), [
    ({"m365_sender": []}, "m365_sender is no variable of this collection: did you mean m365_senders?"),
    ({"hosted_relay_domain": []}, "hosted_relay_domain is no variable of this collection: did you mean hosted_relay_domains?"),
    ({"relay_devces": []}, "relay_devces is no variable of this collection: did you mean relay_devices?"),
    ({"entra_app_certificates": ["/nowhere/x.crt"]}, "entra_app_certificates: '/nowhere/x.crt' cannot be read (No such file or directory)"),
    ({"m365_licences": -1}, "m365_licences is -1: give a number from 0 to"),
    ({"tenant_settings_directory": "/nowhere/pages"}, "tenant_settings_directory is /nowhere/pages, which is no directory"),
    ({"m365_senders": [{"name": "Fax", "address": "fax@contoso.com", "kind": "faxx"}]}, "m365_senders: Fax: kind is 'faxx'"),
])  # fmt: skip
def test_what_the_plan_refuses_leaves_no_write(playground: Playground, variables: dict[str, Any], sentence: str) -> None:  # noqa: F811
    for check in (["--check"], []):
        run = playground.play("site.yml", "--limit", TENANT, "-e", json.dumps(variables), *check)
        assert run.code != 0
        assert sentence in " ".join(run.output.split()), run.output
    assert playground.writes() == []
    assert len(run.output) < 6000, "no dump of a spec"
