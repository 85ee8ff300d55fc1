"""A tenant with a bulk sender: role tenant configures the hosted relay where an API key is set, and only advises without one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.sandbox import Sandbox

from .test_playbooks import Playground, Run

PROVIDERS = {"sendgrid": ("sendgrid/global", "global"), "mailgun": ("mailgun/{region}", "us")}
NEWS = {
    "name": "Newsletter",
    "kind": "application",
    "address": "news@fabrikam.com",
    "method": "hosted",
    "recipients_per_day": 90_000,
    "verify_recipient": "it@fabrikam.com",
}


SENDER_ROW = "fabrikam  Newsletter  hosted relay  news@fabrikam.com"


@pytest.fixture
def playground(tmp_path: Path) -> Iterator[Playground]:
    made = Playground(tmp_path)
    yield made
    made.sandbox.stop()


def accounts(sandbox: Sandbox, provider: str) -> dict[str, Any]:
    """The account of a provider in the emulator."""
    [account] = sandbox.admin.accounts(provider)
    return account


def suppress(sandbox: Sandbox, provider: str, address: str) -> None:
    """Put the address into the list of addresses that mail was returned from."""
    account = accounts(sandbox, provider)
    place = account["domains"][0] if provider == "mailgun" else account
    place["suppressions"] = [{"address": address, "list": "bounces", "added": sandbox.admin.now()}]
    sandbox.admin.replace_accounts(provider, [account])


def play(playground: Playground, provider: str, key: bool, *options: str) -> Run:
    """Configure Fabrikam, whose spf_ variables name a DNS provider."""
    path, region = PROVIDERS[provider]
    variables: dict[str, Any] = {
        "m365_senders": [NEWS],
        "m365_hosted_relay": provider,
        "m365_hosted_relay_api_url": f"{{{{ m365_cloud.graph }}}}/{path}",
        "m365_hosted_relay_smtp_host": "127.0.0.1",
        "m365_hosted_relay_smtp_port": f"{{{{ demo_vars.hosted_smtp_ports.{provider}.{region} }}}}",
        "m365_hosted_credential_store": str(playground.directory / "store"),
    }
    variables |= {"m365_hosted_relay_api_key": f"{{{{ demo_secrets.{provider}_api_key }}}}"} if key else {}
    file = playground.directory / "variables.yml"
    file.write_text(yaml.safe_dump(variables))
    result = playground.play("site.yml", "--limit", "fabrikam", "-e", f"@{file}", *options)
    assert playground.secrets[f"{provider}_api_key"] not in result.output
    return result


@pytest.mark.parametrize(("provider", "name"), [("sendgrid", "fabrikam.com"), ("mailgun", "mg.fabrikam.com")])
def test_domain_and_credential_of_a_hosted_sender_are_configured(playground: Playground, provider: str, name: str) -> None:
    advised = play(playground, provider, key=False)
    assert advised.code == 0, advised.output
    assert f"{SENDER_ROW}  not verifiable from here" in advised.output
    assert "m365_hosted_relay_api_key is not set. Register the domain with" in " ".join(advised.output.split())
    assert accounts(playground.sandbox, provider)["domains"] == []
    assert not (playground.directory / "store").exists()

    planned = play(playground, provider, True, "--check")
    assert planned.code == 0, planned.output
    assert "senders: 1 not verified" in planned.output
    assert accounts(playground.sandbox, provider)["domains"] == []
    done = play(playground, provider, key=True)
    assert done.code == 0, done.output
    [domain] = accounts(playground.sandbox, provider)["domains"]
    assert domain.get("domain", domain.get("name")) == name
    assert domain.get("state", "active") == "active"
    files = [path.name for path in (playground.directory / "store").rglob("*.json")]
    assert files == ["newsletter.json"]
    assert "1 of 1 verified" in done.output
    again = play(playground, provider, key=True)
    assert (again.code, again.total("changed")) == (0, 0), again.output
    verified = playground.sandbox.admin.messages()
    assert [message["recipients"] for message in verified] == [[NEWS["verify_recipient"]]] * 2

    suppress(playground.sandbox, provider, str(NEWS["verify_recipient"]))
    blocked = play(playground, provider, True, "--tags", "verify")
    assert blocked.code == 0, blocked.output
    assert f"{SENDER_ROW}  not verifiable from here" in blocked.output
    assert "accepts mail to it@fabrikam.com and does not deliver it" in " ".join(blocked.output.split())
    assert playground.sandbox.admin.messages() == verified
