"""Playbook settings writes the sheets of every tenant, changes nothing in it, and writes nothing twice; role tenant writes the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .test_playbooks import Playground, playground, shared_playground  # noqa: F401 (fixtures)

SENDERS = [
    {
        "name": "ERP invoices",
        "kind": "erp",
        "product": "smtplib",
        "address": "erp@contoso.com",
        "verify_recipient": "accounts@customer.example",
    },
    {"name": "Scanner, third floor", "product": "Lexmark", "oauth": True, "address": "scanner@contoso.com", "recipients": "internal"},
    {"name": "Blog", "product": "wp mail smtp", "address": "sales@contoso.com", "public_addresses": ["203.0.113.10"]},
]


def options(directory: Path, *senders: dict[str, Any]) -> list[str]:
    variables = {"tenant_settings_directory": str(directory), "m365_senders": list(senders or SENDERS)}
    return ["--limit", "contoso", "-e", json.dumps(variables)]


def contents(directory: Path) -> dict[str, str]:
    return {str(path.relative_to(directory)): path.read_text() for path in sorted(directory.rglob("*")) if path.is_file()}


def test_playbook_settings_writes_the_sheets_once(playground: Playground, tmp_path: Path) -> None:  # noqa: F811
    check = playground.play("settings.yml", "--check", *options(tmp_path))
    assert check.code == 0, check.output
    assert (check.total("changed"), contents(tmp_path)) == (1, {})

    run = playground.play("settings.yml", *options(tmp_path))
    assert (run.code, run.total("changed")) == (0, 1), run.output
    assert playground.writes() == []
    stems = ("blog", "erp-invoices", "index", "printer-fleet", "scanner-third-floor")
    pages = contents(tmp_path)
    assert sorted(pages) == sorted(["contoso.md", *(f"contoso/{stem}.{suffix}" for stem in stems for suffix in ("html", "md"))])
    assert "define('WPMS_MAIL_FROM', 'sales@contoso.com');" in pages["contoso/blog.md"]
    assert "that of the application mailops-smtp-sender, which the first run creates" in pages["contoso/erp-invoices.md"]
    assert "A person signs in as `scanner@contoso.com`" in pages["contoso/scanner-third-floor.md"]
    for secret in _secrets(playground):
        assert not [path for path, text in pages.items() if secret in text]

    again = playground.play("settings.yml", *options(tmp_path))
    assert (again.code, again.total("changed")) == (0, 0), again.output


def test_site_writes_the_same_with_the_client_id(playground: Playground, tmp_path: Path) -> None:  # noqa: F811
    site, settings = tmp_path / "site", tmp_path / "settings"
    site.mkdir()
    settings.mkdir()
    run = playground.play("site.yml", "--skip-tags", "verify", *options(site))
    assert run.code == 0, run.output
    client_id = playground.admin.tenant("contoso.com")["applications"]
    [app] = [one for one in client_id if one.get("unique_name") == "mailops-smtp-sender"]
    assert f"| Client ID | `{app['app_id']}` |" in contents(site)["contoso/erp-invoices.md"]
    assert playground.play("site.yml", "--skip-tags", "verify", *options(site)).total("changed") == 0
    assert playground.play("settings.yml", *options(settings)).code == 0
    assert contents(settings) == contents(site)


def test_sheet_of_a_former_sender_is_removed(playground: Playground, tmp_path: Path) -> None:  # noqa: F811
    assert playground.play("settings.yml", *options(tmp_path)).code == 0
    run = playground.play("settings.yml", *options(tmp_path, SENDERS[0]))
    assert run.code == 0, run.output
    assert sorted(path.stem for path in (tmp_path / "contoso").glob("*.html")) == ["erp-invoices", "index"]


@pytest.mark.parametrize(("variables", "sentence"), [
    ({"tenant_settings_directory": ""}, "tenant_settings_directory is not set: name a directory on the control node"),
    ({"tenant_settings_directory": "/nowhere/pages"}, "tenant_settings_directory is /nowhere/pages, which is no directory"),
    (
        {"m365_senders": [SENDERS[0] | {"product": "kyocra"}]},
        "m365_senders: ERP invoices: product is 'kyocra', which is no maker or program with device settings: the nearest is kyocera;",
    ),
])  # fmt: skip
def test_bad_input_is_one_sentence(
    playground: Playground, tmp_path: Path, variables: dict[str, Any], sentence: str,  # noqa: F811
) -> None:  # fmt: skip
    run = playground.play("settings.yml", *options(tmp_path), "-e", json.dumps(variables))
    assert run.code != 0
    assert sentence in " ".join(run.output.split()), run.output
    assert contents(tmp_path) == {}


def _secrets(playground: Playground) -> list[str]:  # noqa: F811
    return [value for value in playground.secrets.values() if isinstance(value, str)]
