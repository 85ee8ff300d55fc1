# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of module smtp_probe for senders of a hosted relay."""

    DOCUMENTATION = r"""
options:
  hosted_relay:
    description:
      - The provider of V(hosted) senders.
      - If omitted, the value of the host variable C(m365_hosted_relay) is used.
    type: str
    choices: [mailgun, sendgrid, smtp2go]
  hosted_relay_region:
    description:
      - Its region.
      - If omitted, the value of the host variable C(m365_hosted_relay_region) is used.
    type: str
    choices: [global, us, eu, au]
  hosted_relay_api_key:
    description:
      - An API key that reads suppressed addresses and the quota. Without it, they are not read.
      - If omitted, the value of the host variable C(m365_hosted_relay_api_key) is used.
    type: str
  hosted_relay_api_url:
    description:
      - The https URL of the API, by default that of the provider in its region.
      - If omitted, the value of the host variable C(m365_hosted_relay_api_url) is used.
    type: str
  hosted_relay_smtp_host:
    description:
      - The SMTP host, by default that of the provider in its region.
      - If omitted, the value of the host variable C(m365_hosted_relay_smtp_host) is used.
    type: str
  hosted_relay_smtp_port:
    description:
      - The port, with STARTTLS, by default 587.
      - If omitted, the value of the host variable C(m365_hosted_relay_smtp_port) is used.
    type: int
  hosted_credential_store:
    description:
      - The directory of module M(mailops.m365.hosted_credential).
      - If omitted, the value of the host variable C(m365_hosted_credential_store) is used, then that of the environment variable
        E(MAILOPS_HOSTED_CREDENTIAL_STORE).
    type: path
  hosted_credential_vault_password_file:
    description:
      - A file with the password of Ansible Vault that encrypts that directory's files, or a program that prints it.
      - If omitted, the value of the host variable C(m365_hosted_credential_vault_password_file) is used.
    type: path
"""
