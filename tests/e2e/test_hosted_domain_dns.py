"""DNS records of sender domains at hosted relays, published by updates of the zone: only where nobody else's record is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.conftest import Start
from tests.emulator.test_mailgun import ACCOUNT as MAILGUN
from tests.emulator.test_sendgrid import ACCOUNTS, OWNER
from tests.emulator.test_smtp2go import ACCOUNT as SMTP2GO

from .emulated import follow_clock
from .hosted_world import TSIG, HostedWorld
from .test_hosted_domain_mailgun import World as MailgunWorld
from .test_hosted_domain_smtp2go import World as Smtp2GoWorld

TXT = 'TXT "MS=ms12345678"'
SPF = 'TXT "v=spf1 include:spf.protection.outlook.com -all"'


class SendGridWorld(HostedWorld):
    """An account at SendGrid, and the domain contoso.com."""

    provider, path, region, key, domain = "sendgrid", "global", "global", OWNER, "contoso.com"

    def __init__(self, start: Start, state: dict[str, Any], directory: Path, account: dict[str, Any] = ACCOUNTS[0], **options: Any) -> None:
        super().__init__(start, state, directory, account, **options)


WORLDS: list[tuple[Callable[..., HostedWorld], dict[str, Any]]] = [
    (SendGridWorld, ACCOUNTS[0]), (Smtp2GoWorld, SMTP2GO), (MailgunWorld, MAILGUN),
]  # fmt: skip


def zone(world: HostedWorld) -> list[str]:
    """The lines of the zone contoso.com."""
    return sorted(world.api.admin.tenant("contoso.com")["dns"].get("contoso.com", []))


def set_zone(world: HostedWorld, *lines: str) -> list[str]:
    world.api.admin.change("contoso.com", dns={"contoso.com": list(lines)})
    return zone(world)


@pytest.mark.parametrize(("make", "account"), WORLDS)
def test_records_are_published_verified_kept_and_removed(
    start: Start, state: dict[str, Any], tmp_path: Path, make: Callable[..., HostedWorld], account: dict[str, Any]
) -> None:
    world = make(start, state, tmp_path, account)
    others = set_zone(world, f"@ 300 {SPF}", f"@ 300 {TXT}", "@ 300 MX 0 contoso-com.mail.protection.outlook.com.", "www 300 A 192.0.2.7")
    planned = world(check_mode=True, dns=world.dns)
    assert zone(world) == others
    done = world(dns=world.dns)
    assert (done.get("msg"), done["changed"], done["diff"]) == (None, True, planned["diff"])
    [row] = done["domains"]
    assert (row["valid"], "notes" in done) == (True, False)
    assert all(one["published"] and one["valid"] for one in row["records"] if one["required"])
    assert set(others) < set(zone(world))
    idle = world(dns=world.dns)
    assert (idle["changed"], idle["domains"], idle["cost"]["requests"]) == (False, done["domains"], 1)
    assert "notes" not in idle
    texts = [path.read_text("utf-8") for path in (tmp_path / "run" / "journal").rglob("*") if path.is_file()]
    assert texts
    assert not [text for text in texts if TSIG["secret"] in text]

    absent = [{"name": world.domain, "state": "absent"}]
    gone = world(check_mode=True, domains=absent, dns=world.dns)
    removed = world(domains=absent, dns=world.dns)
    assert (removed["changed"], removed["diff"], zone(world)) == (True, gone["diff"], others)
    assert removed["diff"]["before"][world.domain]["dns"]


def test_mx_of_the_provider_is_published_where_nobody_receives_only(start: Start, state: dict[str, Any], tmp_path: Path) -> None:
    world = MailgunWorld(start, state, tmp_path)
    assert world(dns=world.dns)["domains"][0]["valid"] is True
    assert [line for line in zone(world) if " MX " in line and line.startswith("mg")] == [
        "mg.contoso.com. 3600 MX 10 mxa.mailgun.org.", "mg.contoso.com. 3600 MX 10 mxb.mailgun.org.",
    ]  # fmt: skip
    world = MailgunWorld(start, state, tmp_path)
    others = set_zone(world, f"@ 300 {SPF}", "@ 300 MX 0 contoso-com.mail.protection.outlook.com.")
    result = world(domains=[{"name": "contoso.com"}], dns=world.dns)
    assert result["notes"] == ["contoso.com: add include:mailgun.org to the SPF record of contoso.com, with spf_includes of role spf."]
    assert set(others) < set(zone(world))
    assert [line for line in zone(world) if " MX " in line or "spf1" in line] == [
        line for line in others if " MX " in line or "spf1" in line
    ]


def test_record_of_another_account_is_kept_and_named(start: Start, state: dict[str, Any], tmp_path: Path) -> None:
    world = SendGridWorld(start, state, tmp_path)
    [other] = set_zone(world, "s1._domainkey 300 CNAME s1.domainkey.u7.wl1.sendgrid.net.")
    result = world(dns=world.dns)
    assert (result["changed"], result["domains"][0]["valid"]) == (True, False)
    [note] = result["notes"]
    assert note.endswith("in place of s1.domainkey.u7.wl1.sendgrid.net, which is kept because it is not of this authentication.")
    assert other in zone(world)
    assert len(zone(world)) == 3, "the other two records are published"
    again = world(dns=world.dns)
    assert (again["changed"], again["notes"]) == (False, [note])
    world(domains=[{"name": "contoso.com", "state": "absent"}], dns=world.dns)
    assert zone(world) == [other]


def test_name_that_is_in_use_is_refused_and_keeps_its_records(start: Start, state: dict[str, Any], tmp_path: Path) -> None:
    world = SendGridWorld(start, state, tmp_path)
    others = set_zone(world, "em-mailops 300 A 192.0.2.7")
    result = world(dns=world.dns)
    assert (result["failed"], zone(world)) == (True, others)
    assert "publish the DNS records of contoso.com: the name has records of another type" in result["msg"]
    assert "(YXDOMAIN). Remove these records, or set another return_path" in result["msg"]


def test_records_shared_with_another_authentication_are_kept(start: Start, state: dict[str, Any], tmp_path: Path) -> None:
    world = SendGridWorld(start, state, tmp_path)
    domains = [{"id": number, "domain": "contoso.com", "subdomain": label} for number, label in ((1, "em1"), (2, "em-mailops"))]
    world.api.admin.reset(state | {"sendgrid": [ACCOUNTS[0] | {"domains": domains}], "dns": {"keys": [TSIG]}})
    assert world(dns=world.dns)["domains"][0]["return_path"] == "em1.contoso.com"
    before = zone(world)
    set_zone(world, *before, "em-mailops 300 CNAME u1446226.wl123.sendgrid.net.")
    world(domains=[{"name": "contoso.com", "state": "absent"}], dns=world.dns)
    assert zone(world) == before


def test_wrong_tsig_secret_is_one_sentence_without_the_secret(start: Start, state: dict[str, Any], tmp_path: Path) -> None:
    world = SendGridWorld(start, state, tmp_path)
    wrong = "d3JvbmctYW5kLXNlY3JldA=="
    result = world(dns=world.dns | {"tsig_secret": wrong})
    assert "the TSIG key's secret is wrong (BADSIG). Correct spf_tsig_secret." in result["msg"]
    assert wrong not in json.dumps(result)
    assert world(dns=world.dns)["domains"][0]["valid"] is True, "the next run continues"


def test_validation_is_asked_for_again_until_the_provider_sees_the_records(
    start: Start, state: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = SendGridWorld(start, state, tmp_path)
    clock = follow_clock(monkeypatch, world.api)
    results = {name: {"valid": False, "reason": "Expected CNAME"} for name in ("mail_cname", "dkim1", "dkim2")}
    body = {"id": 1, "valid": False, "validation_results": results}
    world.api.admin.fault("sendgrid", match={"path": "/validate$"}, status=200, body=body, count=2)
    result = world(dns=world.dns)
    assert (result["domains"][0]["valid"], clock.waited) == (True, 15), "5 and 10 seconds"
