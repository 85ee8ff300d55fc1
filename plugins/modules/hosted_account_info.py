#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: hosted_account_info
short_description: Gather information about an account at a hosted relay
description:
  - Reads the quota of the account, whether its provider suppresses addresses, what keeps accepted mail from being delivered, and the
    permissions that the API key lacks.
  - A hosted relay accepts mail to an address that it suppresses, and does not deliver it. Therefore an accepted message does not verify
    delivery to such an address.
  - A warning is shown at 80 percent of the quota, for each suppressed address, and for each problem.
options:
  addresses:
    description: The addresses to look up in the lists of suppressed addresses.
    type: list
    elements: str
    default: []
  domains:
    description:
      - The sender domains. Mailgun suppresses addresses for each domain, so that it is required there with O(addresses).
      - Other providers ignore it.
    type: list
    elements: str
    default: []
  credentials:
    description:
      - The names of credentials in O(store), as module M(mailops.m365.hosted_credential) creates them. RV(credentials) has whether their
        mail is delivered. The domains of Mailgun's credentials are added to O(domains).
    type: list
    elements: str
    default: []
  store:
    description:
      - The directory on the controller that keeps the credentials, by default C(~/.local/state/mailops/credentials).
      - If omitted, the value of the host variable C(m365_hosted_credential_store) is used, then that of the environment variable
        E(MAILOPS_HOSTED_CREDENTIAL_STORE).
    type: path
  vault_password_file:
    description:
      - A file with the password of Ansible Vault that encrypts the files of O(store), or a program that prints it. Command
        C(ansible-vault view) shows them. By default they are not encrypted.
      - If omitted, the value of the host variable C(m365_hosted_credential_vault_password_file) is used.
    type: path
  purposes:
    description:
      - What the API key is used for. RV(missing_rights) has the permissions that it lacks for that.
      - What the key has no permission to read is null or empty in the result.
    type: list
    elements: str
    choices: [domains, credentials, allow_list, quota, suppressions]
    default: [domains, credentials, allow_list, quota, suppressions]
seealso:
  - module: mailops.m365.hosted_domain
  - module: mailops.m365.hosted_credential
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.hosted_relay
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Read whether the account delivers to a customer
  mailops.m365.hosted_account_info:
    provider: mailgun
    region: eu
    api_key: "{{ vault_mailgun_api_key }}"
    domains: [mg.contoso.com]
    addresses: [customer@example.org]
  register: account

- name: Fail if the API key lacks a permission
  ansible.builtin.assert:
    that: not account.missing_rights
"""

RETURN = r"""
---
provider:
  description: The name of the provider.
  returned: success
  type: str
  sample: SendGrid
quota:
  description: What the account may send in the current period; null where it has no limit of its own, or the key may not read it.
  returned: success
  type: dict
  contains:
    used:
      description: What was sent.
      type: int
    limit:
      description: What may be sent.
      type: int
    remaining:
      description: The difference.
      type: int
    percent:
      description: The share that was sent.
      type: int
    unit:
      description: What is counted, C(messages) or C(recipients).
      type: str
    resets:
      description: The date on which the next period begins; null where the provider does not tell it.
      type: str
  sample: {used: 820, limit: 1000, remaining: 180, percent: 82, unit: messages, resets: "2026-12-01"}
credentials:
  description: The items of O(credentials).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      type: str
    exists:
      description: Whether the provider has the credential.
      type: bool
    problem:
      description: Why the provider does not deliver its mail, for example because the SMTP user is in the sandbox; else null.
      type: str
    remedy:
      description: What to do about the problem; else null.
      type: str
    limit:
      description: What it may send where it has a limit of its own, for example C(500 messages in 1 day); else null.
      type: str
  sample: [{name: erp, exists: true, problem: null, remedy: null, limit: null}]
suppressed:
  description: The entries of O(addresses) in the provider's lists.
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: The address.
      type: str
    list:
      description: The provider's name of the list.
      type: str
    reason:
      description: Why the address is in it, in the provider's words; null where it does not tell.
      type: str
    domain:
      description: The domain that the list belongs to, at Mailgun; else null.
      type: str
  sample: [{address: customer@example.org, list: bounces, reason: 550 5.1.1 no such user, domain: null}]
missing_rights:
  description: The permissions that the API key lacks for O(purposes), by name; null at Mailgun, whose API does not return them.
  returned: success
  type: list
  elements: str
  sample: [whitelabel.create]
problems:
  description: Why mail is not delivered, whoever it is for, such as SMTP users in the sandbox, disabled domains and trial accounts.
  returned: success
  type: list
  elements: str
  sample: []
unknown_domains:
  description: Those of O(domains) that Mailgun does not have.
  returned: success
  type: list
  elements: str
  sample: []
cost:
  description: The number of HTTP requests and of retries among them, and the seconds spent waiting.
  returned: always
  type: dict
  sample: {requests: 3, retries: 0, waited: 0.0}
failure:
  description:
    - The parts of the error message as values. C(cause), C(remedy) and C(transient) come from the error catalog (docs/errors.md).
    - C(problems) lists all problems of the input.
  returned: failure
  type: dict
  sample: {code: "401", cause: the provider does not accept the API key in this region, transient: false}
"""

from ..module_utils._entry_points.module import run_module
from ..module_utils.resources import hosted_account


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(hosted_account.INFO)


if __name__ == "__main__":
    main()
