#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: sender_plan
short_description: Plan the sending methods of a tenant's senders
description:
  - Selects the sending method of each sender, with the reason, and derives from it the variables of the roles of this collection
    (mailboxes, permissions, SMTP AUTH, connectors, SPF, test messages) and the settings of each device.
  - Reads the accepted domains, the mailboxes of the senders, Security Defaults and the licences of the tenant, and for more than 1,000
    external recipients a day its tenant external recipient rate limit. Changes nothing.
  - Fails if a sender cannot send. The error lists every problem of the tenant, each with its remedy.
seealso:
  - module: mailops.m365.smtp_probe
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.senders
  - mailops.m365.tenant
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Plan the sending method of each sender
  mailops.m365.sender_plan:
    senders:
      - name: ERP invoices
        kind: erp
        address: erp@contoso.com
        recipients_per_day: 800
      - name: Scanner, third floor
        kind: scanner
        address: scanner@contoso.com
        recipients: internal
        public_addresses: [203.0.113.10]
  register: planned
"""

RETURN = r"""
---
plan:
  description:
    - One entry per sender, in the order of O(senders), with its method, the reason and the settings of its device.
    - A sender with OAuth has C(settings.oauth), what its program needs to request a token. M(mailops.m365.tenant) fills in C(client_id).
  returned: success
  type: list
  elements: dict
  sample:
    - name: ERP invoices
      address: erp@contoso.com
      method: oauth
      reason: it signs in with OAuth
      settings:
        server: smtp.office365.com
        port: 587
        encryption: STARTTLS, TLS 1.2
        user: erp@contoso.com
        oauth:
          tenant_id: 11111111-2222-4333-8444-555555555555
          client_id: ""
          authority: https://login.microsoftonline.com/11111111-2222-4333-8444-555555555555
          token_url: https://login.microsoftonline.com/11111111-2222-4333-8444-555555555555/oauth2/v2.0/token
          grant_type: client_credentials
          scope: https://outlook.office365.com/.default
          delegated_scope: https://outlook.office.com/SMTP.Send
          credential: private key of a certificate that entra_app_certificates lists
          app: mailops-smtp-sender
roles:
  description: The names of the roles that the senders require, in the order in which they run.
  returned: success
  type: list
  elements: str
  sample: [shared_mailbox, entra_app, smtp_auth, verify]
variables:
  description: The variables of these roles, without those that the inventory sets (O(inventory_variables)).
  returned: success
  type: dict
hosted_relay:
  description:
    - The sender domains (C(domains)) and SMTP credentials (C(credentials)) that the senders need of the hosted relay, as role hosted_relay
      takes them. At Mailgun, C(mg) is put before a sender's domain.
  returned: success
  type: dict
  sample: {domains: [{name: contoso.com}], credentials: [{name: newsletter}]}
external_recipients:
  description:
    - The external recipients a day of the senders that send through Exchange Online (C(planned)), the tenant external recipient rate limit
      (C(limit)), and how much of it was used in the last 24 hours (C(used)).
    - Exchange gives C(limit) and C(used), which are read where the senders have more than 1,000 external recipients a day. Otherwise, and
      where Exchange does not give them, C(limit) follows from the licences and C(used) is null.
  returned: success
  type: dict
  sample: {planned: 4000, limit: 12005, used: 1830}
settings_page:
  description: The device settings of all senders in Markdown, with a section for each sender with OAuth.
  returned: success
  type: str
expected_mailboxes:
  description: The addresses of mailboxes that do not exist yet and that the role shared_mailbox creates.
  returned: success
  type: list
  elements: str
relays:
  description: For each relay host, by name, its mailboxes with their senders, the senders to verify, and the accepted domains.
  returned: success
  type: dict
  sample:
    relay1:
      mailboxes: [{address: scanner@contoso.com, senders: [scanner@contoso.com]}]
      senders: [{name: "Scanner, third floor", address: scanner@contoso.com, verify_recipient: ada@contoso.com}]
      domains: [contoso.com]
mx_host:
  description: The MX host of the first sender's domain, which relay hosts deliver to. Empty without senders.
  returned: success
  type: str
  sample: contoso-com.mail.protection.outlook.com
relay_certificates:
  description: The certificates, as PEM text, of the relay hosts that sign in as the sender app. They are registered on it.
  returned: success
  type: list
  elements: str
relay_retired_certificates:
  description: The certificates, as PEM text, that are removed from the sender app at the end of a key rotation.
  returned: success
  type: list
  elements: str
sign_ins:
  description: The senders that sign in, in the form of the option O(mailops.m365.conditional_access_info#module:senders).
  returned: success
  type: list
  elements: dict
cost:
  description: The number of HTTP requests and of retries among them, and the seconds spent waiting.
  returned: always
  type: dict
  sample: {requests: 2, retries: 0, waited: 0.0}
failure:
  description:
    - The parts of the error message as values. C(cause), C(remedy) and C(transient) come from the error catalog (docs/errors.md).
    - C(problems) lists all problems of the input.
  returned: failure
  type: dict
  sample: {problems: ["m365_senders: UPS: direct_send is impossible: ..."], transient: false}
"""

from ..module_utils._entry_points.module import run_module
from ..module_utils.resources import sender_plan


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(sender_plan.RESOURCE)


if __name__ == "__main__":
    main()
