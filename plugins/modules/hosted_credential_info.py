#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: hosted_credential_info
short_description: Gather information about SMTP credentials at a hosted relay
description:
  - Reads which stored credentials the hosted relay has, and whether its SMTP endpoint accepts them. No password is in the result.
options:
  names:
    description: The names of the credentials, by default all in the store. One that is not in the store is not in the result.
    type: list
    elements: str
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
- name: Read whether SendGrid accepts the stored credentials
  mailops.m365.hosted_credential_info:
    provider: sendgrid
    api_key: "{{ vault_sendgrid_api_key }}"
  register: read
"""

RETURN = r"""
---
credentials:
  description: The stored credentials.
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
    run_module(hosted_credential.INFO)


if __name__ == "__main__":
    main()
