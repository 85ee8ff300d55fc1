#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: hosted_credential
short_description: Manage SMTP credentials at a hosted relay
description:
  - Creates credentials for SMTP AUTH at a hosted relay. They are SMTP users of SMTP2GO, API keys of SendGrid with the permission
    C(mail.send) only, and SMTP credentials of a domain of Mailgun.
  - The user name and the password are stored on the controller, and are in no result, diff or journal.
  - A credential is created once. It is replaced at an age, on request, or where the provider has removed it or does not accept it any more.
  - A new credential is stored before it is used, and verified by SMTP AUTH before it replaces the current one. A following run removes the
    replaced one, so that both are accepted in the meantime.
  - An interrupted run is continued by the next one.
  - Only names that begin with C(mailops-) are touched.
options:
  credentials:
    description: The credentials.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name, at most 40 lower-case letters, digits and hyphens. A sender or relay host uses the credential by this name.
        type: str
        required: true
      domain:
        description: The domain that it belongs to. Required for Mailgun, and for no other provider.
        type: str
      state:
        description: Whether the credential exists. With V(absent), all of this name are removed, and the stored password.
        type: str
        choices: [present, absent]
        default: present
  renew:
    description:
      - When a credential is replaced, V(never), V(now), or its age in days. V(now) replaces it in every run.
      - If omitted, the value of the host variable C(m365_hosted_credential_renew) is used.
    type: str
    default: never
  overlap:
    description:
      - The days for which the provider keeps a replaced credential. With V(0), the following run removes it.
      - If omitted, the value of the host variable C(m365_hosted_credential_overlap) is used.
    type: int
    default: 0
  exclusive:
    description: Whether credentials that this collection has created, and that O(credentials) does not list, are removed.
    type: bool
    default: false
  store:
    description:
      - The directory on the controller that keeps the credentials, by default C(~/.local/state/mailops/credentials).
      - It has the file C(<tenant>/<provider>/<name>.json) for each, with mode 0600 in directories with mode 0700.
      - If omitted, the value of the host variable C(m365_hosted_credential_store) is used, then that of the environment variable
        E(MAILOPS_HOSTED_CREDENTIAL_STORE).
    type: path
  vault_password_file:
    description:
      - A file with the password of Ansible Vault that encrypts the files of O(store), or a program that prints it. Command
        C(ansible-vault view) shows them. By default they are not encrypted.
      - If omitted, the value of the host variable C(m365_hosted_credential_vault_password_file) is used.
    type: path
  smtp_host:
    description:
      - The SMTP host that verifies credentials, by default that of the provider in its region (docs/hosted-relays.md).
      - If omitted, the value of the host variable C(m365_hosted_relay_smtp_host) is used.
    type: str
  smtp_port:
    description:
      - The port, with STARTTLS, by default 587.
      - If omitted, the value of the host variable C(m365_hosted_relay_smtp_port) is used.
    type: int
  verify:
    description:
      - Whether credentials are verified by SMTP AUTH, without a message. Set it to false where the controller cannot reach the SMTP host.
    type: bool
    default: true
seealso:
  - module: mailops.m365.hosted_credential_info
  - module: mailops.m365.hosted_domain
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.hosted_relay
  - mailops.m365.journal
  - mailops.m365.attributes
"""

EXAMPLES = r"""
---
- name: Create an SMTP credential for the ERP system, and replace it twice a year
  mailops.m365.hosted_credential:
    provider: sendgrid
    api_key: "{{ vault_sendgrid_api_key }}"
    credentials:
      - name: erp
    renew: "180"
    overlap: 14

- name: Replace a credential now
  mailops.m365.hosted_credential:
    provider: mailgun
    api_key: "{{ vault_mailgun_api_key }}"
    credentials:
      - name: erp
        domain: mg.contoso.com
    renew: now
"""

RETURN = r"""
---
credentials:
  description: The credentials that should exist, in the order of the option.
  returned: success
  type: list
  elements: dict
  contains:
      name:
        description: The name in the list.
        type: str
      credential:
        description:
          - Its name at the provider, C(mailops-<name>-<date>), where the date is that of its creation. SMTP2GO shows it as an SMTP user,
            SendGrid as the name of an API key, Mailgun as the part of the login before the domain.
          - Null where there is none.
        type: str
      username:
        description: The user name for SMTP AUTH; null in a check run that would create it.
        type: str
      created:
        description: The day of its creation.
        type: str
      exists:
        description: Whether the provider has it.
        type: bool
      verified:
        description: Whether the SMTP endpoint accepted it in this run; null where this was not tested or the endpoint did not answer.
        type: bool
      previous:
        description: The names at the provider of replaced credentials, which the provider still has.
        type: list
        elements: str
      reason:
        description: Why this run replaces it; null where it does not.
        type: str
      problem:
        description: Why the provider does not deliver its messages, such as the sandbox of an SMTP user; null where it does.
        type: str
      file:
        description: The file on the controller that has the user name and the password.
        type: str
  sample:
    - name: erp
      credential: mailops-erp-20261129
      username: apikey
      created: "2026-11-29"
      exists: true
      verified: true
      previous: []
      reason: null
      problem: null
      file: /home/ansible/.local/state/mailops/credentials/contoso.onmicrosoft.com/sendgrid/erp.json
cost:
  description: The number of HTTP requests and of retries among them, and the seconds spent waiting.
  returned: always
  type: dict
  sample: {requests: 1, retries: 0, waited: 0.0}
failure:
  description:
    - The parts of the error message as values. C(cause), C(remedy) and C(transient) come from the error catalog (docs/errors.md).
    - C(problems) lists all problems of the input.
  returned: failure
  type: dict
  sample: {code: "401", cause: the provider does not accept the API key in this region, transient: false}
"""

from ..module_utils._entry_points.module import run_module
from ..module_utils.resources import hosted_credential


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(hosted_credential.RESOURCE)


if __name__ == "__main__":
    main()
