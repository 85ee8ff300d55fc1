#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: tenant
short_description: Configure a tenant from one list of senders
description:
  - Selects the sending method of every sender, derives what the tenant needs for them (mailboxes, the sender app and its permissions,
    SMTP AUTH, authentication policies, connectors, Direct Send, SPF records), and configures it.
  - Plans the whole tenant before the first write. Every problem of any component is reported at once, and nothing is changed then.
  - Applies the changes in order, each with an entry in the journal, and stops at the first failure. RV(ignore:components) says what was
    applied and what was not. The next run applies what is missing.
  - In check mode it also reports which Conditional Access policies block which sender.
  - Sends no test messages. M(mailops.m365.smtp_probe) verifies the senders.
seealso:
  - module: mailops.m365.sender_plan
  - module: mailops.m365.smtp_probe
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
options:
  state:
    description:
      - V(present) configures the tenant for its senders.
      - V(absent) takes back everything that is recorded or marked for O(owner), as without any sender, and removes the applications that
        were created, too. Mailboxes and High Volume Email accounts hold data and are removed only with O(remove_orphans). O(senders) and
        the variables of the inventory are ignored. The tenant is read again afterwards; the task fails if something is left.
      - Settings of the organization that refuse access, SPF records and the automation app stay; RV(ignore:attention) lists them.
    type: str
    choices: [present, absent]
    default: present
  components:
    description:
      - The components to configure, or to remove. The others stay as they are; the senders are validated for all of them.
      - V(identity) is mailboxes, applications and their permissions, delegated sign-ins, High Volume Email accounts and SMTP usernames of
        Azure Communication Services; V(smtp_auth) is SMTP AUTH and authentication policies; V(connectors) is inbound connectors and Direct
        Send; V(dns) is the SPF records.
    type: list
    elements: str
    choices: [identity, smtp_auth, connectors, dns]
    default: [identity, smtp_auth, connectors, dns]
  plan_expected:
    description:
      - The path of a reviewed plan, which the callback P(mailops.m365.summary#callback) writes in a check run.
      - If the changes of this task are not those of the plan, the task fails before its first write and lists the differences. A tenant
        without changes passes, also where it is not in the plan.
      - If omitted, the value of the host variable C(m365_plan_expected) is used.
    type: path
  inventory_hostname:
    description:
      - The name of the tenant in the plan. By default, the tenant's name in the inventory.
      - If omitted, the value of the host variable C(inventory_hostname) is used.
    type: str
    default: ""
extends_documentation_fragment:
  - mailops.m365.senders
  - mailops.m365.tenant
  - mailops.m365.dns
  - mailops.m365.journal
  - mailops.m365.attributes
"""

EXAMPLES = r"""
---
- name: Configure a tenant for its senders
  mailops.m365.tenant:
    senders:
      - name: ERP invoices
        kind: erp
        address: erp@contoso.com
      - name: Scanner, third floor
        kind: scanner
        address: scanner@contoso.com
        recipients: internal
        public_addresses: [203.0.113.10]
    inventory_values:
      entra_app_certificates: [/etc/mailops/erp.crt]

- name: Show what would be removed from a tenant
  mailops.m365.tenant:
    state: absent
  check_mode: true
  diff: true

- name: Apply exactly what was reviewed
  mailops.m365.tenant:
    senders: "{{ m365_senders }}"
    plan_expected: plan.json

- name: Disable what no sender uses, and show every change first
  mailops.m365.tenant:
    senders: "{{ m365_senders }}"
    unused_access: disable
  check_mode: true
  diff: true
"""

RETURN = r"""
---
changes:
  description:
    - The changes, in the order in which they are applied.
    - The C(action) is add, change, remove or restore. V(restore) gives an object the setting that it had before this collection changed
      it for senders which are no longer listed, and restores a deleted application; the header of the diff names these objects, too.
    - The C(key) names the object in every run. C(before) and C(after) hold only what differs.
    - The C(reason) is the senders that need the change, or the variables of the inventory. The C(risk) is opens, closes, grants,
      exposes (an application gets FullAccess on a user mailbox), removes, key, or empty.
  returned: success, and failure after a change
  type: list
  elements: dict
  sample:
    - action: change
      kind: smtp_auth
      object: scanner@contoso.com
      key: smtp_auth:scanner@contoso.com
      before: disabled
      after: enabled
      reason: sender Scanner, third floor
      risk: opens
attention:
  description:
    - What needs somebody's attention, such as objects that stay because they hold data.
    - Each has a C(kind), C(subject), C(problem) and C(remedy).
  returned: success
  type: list
  elements: dict
  sample:
    - kind: orphan
      subject: erp@contoso.com
      problem: This mailbox was created for senders that are no longer listed.
      remedy: "Remove it with m365_remove_orphans: true, or set shared_mailbox_mailboxes to keep it."
components:
  description:
    - The steps of the plan, in their order, each with its C(module), C(status), C(diff) and C(result), which is that of the module.
    - The C(status) is unchanged, planned, applied, failed or not applied.
  returned: success, and failure after a change
  type: list
  elements: dict
  sample:
    - {component: smtp_auth, module: smtp_auth, subject: "", status: applied, changed: true, diff: {}, result: {}}
plan:
  description:
    - Every sender as M(mailops.m365.sender_plan) returns it, with the client id of the sender app in C(settings.oauth), and C(new), whether
      this task grants the sender its access.
  returned: success
  type: list
  elements: dict
  sample: [{name: ERP invoices, address: erp@contoso.com, method: oauth, reason: it signs in with OAuth}]
mx_host:
  description: The MX host of the first sender's domain, which relay hosts deliver to. Empty without senders.
  returned: success
  type: str
  sample: contoso-com.mail.protection.outlook.com
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
app:
  description: The sender app, as the module M(mailops.m365.entra_app) returns it. Empty without one.
  returned: success, and failure after a change
  type: dict
records:
  description: The SPF records, as the module M(mailops.m365.spf) returns them.
  returned: success, and failure after a change
  type: list
  elements: dict
conditional_access:
  description: What M(mailops.m365.conditional_access_info) returns for the senders that sign in.
  returned: success in check mode, with senders that sign in
  type: dict
roles:
  description: The components that were configured, and verify if there are test messages to send.
  returned: success
  type: list
  elements: str
  sample: [shared_mailbox, entra_app, smtp_auth, verify]
variables:
  description: The role variables that the senders need, without those that the inventory sets.
  returned: success
  type: dict
settings_page:
  description: The device settings of all senders in Markdown, with a section for each sender with OAuth.
  returned: success
  type: str
relays:
  description: Mailboxes and senders of each relay host that the inventory deploys.
  returned: success
  type: dict
cost:
  description: The number of HTTP requests and of retries among them, and the seconds spent waiting.
  returned: always
  type: dict
  sample: {requests: 9, retries: 0, waited: 0.0}
failure:
  description:
    - The parts of the error message as values. C(cause), C(remedy) and C(transient) come from the error catalog (docs/errors.md).
    - C(problems) lists all problems of the input. C(applied) and C(not_applied) list the modules of the steps.
  returned: failure
  type: dict
  sample: {problems: ["m365_senders: UPS: direct_send is impossible: ..."], transient: false}
"""

from ..module_utils._entry_points.module import run_module
from ..module_utils.resources import tenant


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(tenant.RESOURCE)


if __name__ == "__main__":
    main()
