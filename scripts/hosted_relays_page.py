"""docs/hosted-relays.md: the table of providers and regions, and what the modules do with it."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.mailops.m365.plugins.module_utils._hosted.providers import HOSTED_RELAYS

# The first steps with an account.
FIRST_STEPS = [
    "## First steps with a trial account",
    "",
    "You need a tenant in the inventory ([getting started](getting-started.md)), an account at one of the providers, and an API key.",
    "",
    "1. **Create the API key.** It needs these permissions, each for what you use:",
    "",
    "   | Provider | Where | Domains | Credentials | Quota and suppressions | Allow list |",
    "   | --- | --- | --- | --- | --- | --- |",
    "   | SMTP2GO | Settings, API Keys | `/domain/*` | `/users/smtp/*` | `/stats/email_cycle`, `/suppression/view` | `/ip_allow_list/*` |",
    "   | SendGrid | Settings, API Keys, Restricted Access | `whitelabel.*` | `api_keys.*`, `mail.send` | `user.account.read`, "
    "`user.credits.read`, `suppression.read` | `access_settings.whitelist.*` |",
    "   | Mailgun | API Security | role `admin` | role `admin` | role `admin` | role `admin` |",
    "",
    "2. **Put the key into a vault** and name the provider, for the tenant. The command asks for the variable's name,",
    "   `vault_hosted_relay_api_key`, and for the key, and prints what to add to the file:",
    "",
    "   ```console",
    "   $ ansible-vault encrypt_string --prompt",
    "   ```",
    "",
    "   ```yaml",
    "   # inventory/host_vars/contoso.yml",
    "   m365_hosted_relay: smtp2go                    # or sendgrid, mailgun",
    "   m365_hosted_relay_region: eu                  # omit it for the default region",
    '   m365_hosted_relay_api_key: "{{ vault_hosted_relay_api_key }}"',
    "   ```",
    "",
    "3. **Check the key.** The result has its missing permissions by name, the quota, and what keeps mail from being delivered. This needs",
    "   the tenant's `m365_tenant` and the key only:",
    "",
    "   ```console",
    "   $ ansible contoso -i inventory -m mailops.m365.hosted_account_info",
    "   ```",
    "",
    "4. **List a sender with the method** and do a check run, then a run of playbook `site`:",
    "",
    "   ```yaml",
    "   m365_senders:",
    "     - name: Newsletter",
    "       kind: application",
    "       address: news@contoso.com",
    "       method: hosted",
    "       recipients_per_day: 20000",
    "       verify_recipient: it@contoso.com        # gets a test message at the end of each run",
    "   ```",
    "",
    "   ```console",
    "   $ ansible-playbook -i inventory mailops.m365.site --limit contoso --check",
    "   $ ansible-playbook -i inventory mailops.m365.site --limit contoso",
    "   ```",
    "",
    "   Role tenant runs role [hosted_relay](https://github.com/mailops/m365/blob/main/roles/hosted_relay/README.md) for the domains and",
    "   credentials of such senders, at Mailgun for the subdomain `mg` of their domain. Without an API key it only prints the settings.",
    "   These senders are not counted against Exchange Online's limits.",
    "5. **Publish the DNS records** that the run prints, and run it again: the provider verifies the domain once DNS has them. With",
    "   `spf_provider: rfc2136` and its `spf_` variables, the first run publishes them. Until the domain is verified, SMTP2GO and SendGrid",
    "   refuse the test message, and the sender is reported as failed; at Mailgun no test message is sent, and it is not verifiable.",
    "6. **Give the credential to the device or program.** It is in the file that the result of module hosted_credential names, by default",
    "   `~/.local/state/mailops/credentials/contoso.com/smtp2go/newsletter.json`; the table below has host and port. A relay host",
    "   takes it by name: `relay_smarthost: {credential: newsletter}`, from the store of the controller that deploys it, and sends in the",
    "   region of that account. Before its senders are verified, the controller reads the account with the API key of `relay_tenant`. The",
    "   credential of a relay host whose `relay_upstream` is the provider has the name of the relay host, in lower-case letters, digits",
    "   and hyphens.",
    "",
    "| Message | Cause | Remedy |",
    "| --- | --- | --- |",
    "| the provider does not accept the API key in this region | wrong key, or key of another region | `m365_hosted_relay_api_key`, "
    "`m365_hosted_relay_region` |",
    "| m365_hosted_relay_api_key lacks the permissions … | the key may not do what the task needs | add the named permissions to the key |",
    "| m365_hosted_relay_region is 'us', and Mailgun has … in the region eu | a Mailgun domain exists in one region | "
    "`m365_hosted_relay_region` |",
    "| the quota is exhausted | the plan of the account | a larger plan, or wait for the date in the message |",
    "| … accepts mail to … and does not deliver it | the address is suppressed | remove it from the named list |",
    "| The provider has not verified the domain of the sender | DNS lacks records, or the provider has not read them yet | "
    "publish the records that the run prints, and run it again |",
    "| the SMTP credential … does not exist in the store | role hosted_relay has not created it on this controller | "
    "run playbook `site`, or copy the store |",
    "",
]

# About sender domains at hosted relays.
HOSTED_DOMAINS = [
    "## Sender domains",
    "",
    "Module [hosted_domain](modules.md#hosted_domain) authenticates sender domains at all three providers by their API: it creates",
    "the domain, shows the records to publish, and has the provider verify the domain once DNS has them. A check run names them.",
    "",
    "Register a subdomain with Mailgun, `mg.contoso.com` for example: its envelope senders are in the domain itself. It needs an SPF",
    "record, and MX records where nobody receives for it, because receivers refuse a sender domain that does not resolve. A domain",
    "exists in one region; one that exists in another region is refused before anything is created. An active domain is never verified",
    "again, because Mailgun sets it to unverified first.",
    "",
    "```yaml",
    "m365_hosted_relay: sendgrid",
    "m365_hosted_relay_region: eu                 # omit it for an account that is not in the European Union",
    'm365_hosted_relay_api_key: "{{ vault_sendgrid_api_key }}"',
    "```",
    "",
    "```yaml",
    "- name: Authenticate the sender domain at SendGrid",
    "  mailops.m365.hosted_domain:",
    "    domains:",
    "      - name: contoso.com",
    "    dns:                                     # omit it to publish the records by hand",
    "      provider: rfc2136",
    "      server: 192.0.2.53",
    "      tsig_name: mailops",
    '      tsig_secret: "{{ vault_tsig_secret }}"',
    "```",
    "",
    "With a DNS provider, the records are published in one update of the zone, and the provider is asked to verify the domain until it",
    "sees them. Records of others are never changed: a name that has another value, an existing SPF record, and MX records where",
    "Microsoft 365 or anybody else receives are kept, and the notes name what is in the way. With the domain, its records are removed.",
]

# About SMTP credentials at hosted relays.
HOSTED_CREDENTIALS = [
    "",
    "## SMTP credentials",
    "",
    "Module [hosted_credential](modules.md#hosted_credential) creates SMTP users of SMTP2GO, API keys of SendGrid with the permission",
    "`mail.send` only, and SMTP credentials of a Mailgun domain. The provider shows a password once, so it is stored on the controller,",
    "in `m365_hosted_credential_store` (by default `~/.local/state/mailops/credentials`), one file with mode 0600 for each credential:",
    "`<tenant>/<provider>/<name>.json`. Back this directory up. The value `current` of a file has `username` and `password`. With",
    "`m365_hosted_credential_vault_password_file` (the file with the password of Ansible Vault, or a program that prints it), the files",
    "are encrypted, and `ansible-vault view` shows them:",
    "",
    "```yaml",
    "- name: Create an SMTP credential for the ERP system, and replace it twice a year",
    "  mailops.m365.hosted_credential:",
    "    credentials:",
    "      - name: erp",
    '    renew: "180"',
    "    overlap: 14",
    "```",
    "",
    "| Run | What it does with a credential that is due |",
    "| --- | --- |",
    "| 1 | Creates the next one, verifies it by SMTP AUTH, and makes it the current one. Both are accepted. |",
    "| following | Removes the replaced one, after `overlap` days. |",
    "",
    "Playbooks `site` and `verify` verify a sender with its credential by method `hosted` of module [smtp_probe](modules.md#smtp_probe).",
    "It reads first whether the recipient is suppressed or the SMTP user is in the sandbox, because the provider accepts such mail and",
    "does not deliver it. The task alone:",
    "",
    "```yaml",
    "- name: Verify that the hosted relay delivers the newsletter",
    "  mailops.m365.smtp_probe:",
    "    senders:",
    "      - {address: news@contoso.com, method: hosted, credential: news, verify_recipient: it@contoso.com}",
    "```",
    "",
    "A credential that the provider has removed, or that SMTP refuses, is replaced in the same way. Where the provider has a credential",
    "of this name and the store has none, nothing is changed: copy the file from the controller that created it, or set `renew: now`.",
]

# About the account and its allow list.
ACCOUNT = [
    "",
    "## Account and allow list",
    "",
    "Module [hosted_account_info](modules.md#hosted_account_info) reads the quota, with a warning at 80 percent, whether addresses are",
    "suppressed, SMTP users in the sandbox, disabled domains and trial accounts, and the permissions that the key lacks. A provider",
    "accepts mail to a suppressed address and does not deliver it.",
    "",
    "Module [hosted_allow_list](modules.md#hosted_allow_list) manages the IP addresses that may send. The lists of SendGrid and Mailgun,",
    "and the list `api` of SMTP2GO, also decide who may use the API. They are changed only if `m365_controller_address` is set, which is",
    "then the first address that is added and the last one that is removed, because the provider applies each entry at once.",
]


def hosted_relays_page(table: Callable[[list[str], list[list[str]]], list[str]], generated: str) -> str:
    """The providers and their regions."""
    lines = [
        "# Hosted relays",
        "",
        generated.format(source="`plugins/module_utils/_hosted/providers.py`"),
        "SMTP relay services that senders (`m365_hosted_relay`, `m365_hosted_relay_region`) and relay hosts (`relay_upstream`,",
        "`relay_smarthost.region`) can use. The first region is the default. On the TLS ports, TLS starts with the first byte.",
        "",
        *FIRST_STEPS[:-1],
    ]
    for name, relay in HOSTED_RELAYS.items():
        spf = {region: f"`include:{one.spf_include}`" if one.spf_include else "none" for region, one in relay.regions.items()}
        rows = [[f"`{region}`", f"`{one.smtp_host}`", f"`{one.api}`", spf[region]] for region, one in relay.regions.items()]
        facts = [
            f"- Value of the variables: `{name}`",
            f"- STARTTLS ports: {', '.join(map(str, relay.starttls_ports))}; default {relay.port}",
            f"- TLS ports: {', '.join(map(str, relay.tls_ports))}",
            f"- User name: {relay.user}",
            f"- Recipients of one SMTP transaction: at most {relay.recipients:,}",
        ]
        lines += ["", f"## {relay.label}", "", *facts, "", *table(["Region", "SMTP host", "API", "SPF of a registered domain"], rows)]
    lines += [
        "",
        "## SPF",
        "",
        "The envelope sender of a message that a hosted relay sends is in a subdomain of the sender's domain. That subdomain is a CNAME to",
        "the provider, or has an SPF record of its own. Therefore no include is added to the SPF record of the sender's domain. Where a",
        "domain that receives mail in Microsoft 365 is itself registered with Mailgun, add Mailgun's include to `spf_includes`. Role spf",
        "names the includes that a provider has made obsolete, and keeps them.",
        "",
        *HOSTED_DOMAINS,
        *HOSTED_CREDENTIALS,
        *ACCOUNT,
    ]
    return "\n".join(lines) + "\n"
