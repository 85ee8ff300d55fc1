# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._hosted.mailgun import MailgunDomains
from ansible_collections.mailops.m365.plugins.module_utils._hosted.providers import HOSTED_RELAYS
from ansible_collections.mailops.m365.plugins.module_utils._hosted.sendgrid import SendGridDomains
from ansible_collections.mailops.m365.plugins.module_utils._hosted.smtp2go import Smtp2GoDomains
from ansible_collections.mailops.m365.plugins.module_utils._planning import tenant_limits
from ansible_collections.mailops.m365.plugins.module_utils._planning.context import RelayHost
from ansible_collections.mailops.m365.plugins.module_utils._planning.hosted_relay import provisioning, warnings

from .samples import planned, tenant

BULK = {"name": "News Letter", "kind": "other", "address": "news@contoso.com", "method": "hosted", "recipients_per_day": 90_000}
CLIENTS = {"mailgun": MailgunDomains, "sendgrid": SendGridDomains, "smtp2go": Smtp2GoDomains}
ERP = {"name": "ERP", "kind": "erp", "address": "erp@contoso.com", "recipients_per_day": 100}


def test_domain_and_credential_of_each_hosted_sender() -> None:
    known = tenant(hosted_relay="sendgrid", mailboxes={"erp@contoso.com": "SharedMailbox"})
    own = {**BULK, "name": "Überweisungen", "address": "pay@contoso.com"}
    result = provisioning(planned(known, BULK, own, {**BULK, "name": "!"}, ERP), known)
    assert result["domains"] == [{"name": "contoso.com"}]
    assert result["credentials"] == [{"name": "news-letter"}, {"name": "berweisungen"}, {"name": "news"}]


def test_domain_of_mailgun_is_a_subdomain() -> None:
    known = tenant(hosted_relay="mailgun")
    assert provisioning(planned(known, BULK), known) == {
        "domains": [{"name": "mg.contoso.com"}], "credentials": [{"name": "news-letter", "domain": "mg.contoso.com"}],
    }  # fmt: skip


def test_relay_host_with_the_provider_as_upstream_has_one_credential() -> None:
    relays = (RelayHost("gateway", "10.1.2.3", "smtp2go"), RelayHost("plant", "10.1.2.4", "sendgrid"))
    known = tenant(hosted_relay="smtp2go", relay_hosts=relays)
    device = {"kind": "printer", "method": "relay_host", "relay_host": "gateway"}
    plans = planned(
        known, {**device, "address": "a@contoso.com"}, {**device, "address": "b@contoso.com"}, {**device, "relay_host": "plant"}
    )
    assert provisioning(plans, known) == {"domains": [{"name": "contoso.com"}], "credentials": [{"name": "gateway"}]}


def test_senders_whose_credentials_would_have_one_name_are_refused() -> None:
    """At Mailgun, one of them would send with the domain of the other; everywhere, replacing one would replace both."""
    relays = (RelayHost("gateway", "10.1.2.3", "mailgun"),)
    known = tenant(hosted_relay="mailgun", relay_hosts=relays, domains=frozenset({"contoso.com", "fabrikam.com"}))
    same = [{**BULK, "name": "News/Letter", "address": "news@fabrikam.com"}, {**BULK, "name": "!"}, {**BULK, "name": "News"}]
    device = {"kind": "printer", "method": "relay_host", "relay_host": "gateway"}
    devices = [{**device, "address": f"{name}@contoso.com"} for name in "ab"]
    problems = tenant_limits.problems(planned(known, BULK, *same, *devices, {**BULK, "name": "Gateway"}), known)
    assert [text.partition(": their")[0] for text in problems] == [
        "m365_senders: News Letter, News/Letter", "m365_senders: !, News", "m365_senders: relay host gateway, Gateway",
    ]  # fmt: skip
    assert problems[0].endswith("would have the same name news-letter: give them different names.")
    long = [{**BULK, "name": "x" * 40 + end} for end in "ab"]
    assert len(tenant_limits.problems(planned(known, *long), known)) == 1, "a name is cut"
    assert tenant_limits.problems(planned(known, BULK, *devices), known) == []


def test_senders_of_other_methods_may_have_such_names() -> None:
    known = tenant(hosted_relay="smtp2go", mailboxes={"erp@contoso.com": "SharedMailbox"})
    assert tenant_limits.problems(planned(known, {**BULK, "name": "erp!"}, ERP), known) == []


def test_relay_host_with_senders_of_two_domains_is_a_warning_at_mailgun() -> None:
    device = {"kind": "printer", "method": "relay_host", "relay_host": "gateway"}
    texts = {}
    for provider in ("mailgun", "sendgrid"):
        relays = (RelayHost("gateway", "10.1.2.3", provider),)
        known = tenant(hosted_relay=provider, hosted_relay_key=True, relay_hosts=relays, domains=frozenset({"contoso.com", "fabrikam.com"}))
        one, other = ({**device, "address": f"a@{name}"} for name in ("contoso.com", "fabrikam.com"))
        texts[provider] = [list(warnings(planned(known, *those), known)) for those in ((one, other), (one, one))]
    assert texts["sendgrid"] == [[], []]
    [[sentence], none] = texts["mailgun"]
    assert "one credential at Mailgun, of mg.contoso.com" in sentence
    assert "its mail from fabrikam.com" in sentence
    assert none == []


def test_nothing_without_a_hosted_relay_or_its_senders() -> None:
    known = tenant(mailboxes={"erp@contoso.com": "SharedMailbox"})
    assert provisioning(planned(known, ERP), known) == {"domains": [], "credentials": []}


def test_bulk_sender_of_a_hosted_relay_is_not_counted_against_the_limits_of_exchange() -> None:
    """90,000 recipients a day are more than a tenant with one licence may reach through Exchange Online."""
    known = tenant(hosted_relay="smtp2go", licences=1, mailboxes={"erp@contoso.com": "SharedMailbox"})
    plans = planned(known, BULK, ERP)
    assert tenant_limits.external_recipients(plans, known)["planned"] == 100
    assert list(tenant_limits.problems(plans, known)) == []


@pytest.mark.parametrize(("provider", "records"), [
    ("smtp2go", "contoso.com: CNAME em<number>.contoso.com with the value return.smtp2go.net; CNAME s<number>._domainkey.contoso.com with "
                "the value dkim.smtp2go.net."),
    ("sendgrid", "contoso.com: CNAME em<number>.contoso.com with the value u<account>.wl<number>.sendgrid.net; CNAME s1._domainkey."
                 "contoso.com with the value s1.domainkey.u<account>.wl<number>.sendgrid.net; CNAME s2._domainkey.contoso.com with the "
                 "value s2.domainkey.u<account>.wl<number>.sendgrid.net."),
    ("mailgun", "mg.contoso.com: TXT mg.contoso.com with the value v=spf1 include:mailgun.org ~all; CNAME pdk1._domainkey.mg.contoso.com "
                "with the value pdk1._domainkey.<id>.dkim1.mailgun.com; CNAME pdk2._domainkey.mg.contoso.com with the value "
                "pdk2._domainkey.<id>.dkim1.mailgun.com."),
])  # fmt: skip
def test_records_of_each_domain_are_listed_without_an_api_key(provider: str, records: str) -> None:
    known = tenant(hosted_relay=provider)
    name, _colon, listed = records.partition(": ")
    label = HOSTED_RELAYS[provider].label
    assert list(warnings(planned(known, BULK, {**BULK, "name": "Shop", "address": "shop@contoso.com"}), known)) == [
        f"{name}: m365_hosted_relay_api_key is not set. Register the domain with {label}, and publish the DNS records that {label} shows: "
        f"{listed}"
    ]
    with_key = tenant(hosted_relay=provider, hosted_relay_key=True)
    assert list(warnings(planned(with_key, BULK), with_key)) == []
    assert list(warnings(planned(known, ERP), known)) == []


@pytest.mark.parametrize("provider", HOSTED_RELAYS)
def test_listed_records_are_those_that_are_created(provider: str) -> None:
    """As the client of the provider predicts them, but for the names that the account has."""
    kinds = {"spf": "TXT", "return_path": "CNAME", "dkim": "CNAME"}
    predicted = CLIENTS[provider].predicted(None, "contoso.com", "em<number>")  # type: ignore[arg-type]
    names = {(kinds[one.purpose], one.name) for one in predicted.records if one.name}
    assert names <= {(kind, place.format(domain="contoso.com")) for kind, place, _value in HOSTED_RELAYS[provider].records}
    assert len(predicted.records) == len(HOSTED_RELAYS[provider].records)
