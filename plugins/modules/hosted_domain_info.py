#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: hosted_domain_info
short_description: Gather information about sender domains at a hosted relay
description:
  - Reads the authentication of domains at a hosted relay, and compares the DNS records that the provider requires with DNS.
options:
  domains:
    description: The domains. One that the provider does not have is not in the result.
    type: list
    elements: str
    required: true
seealso:
  - module: mailops.m365.hosted_domain
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.dns
  - mailops.m365.hosted_relay
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Read whether the sender domain is verified at SendGrid
  mailops.m365.hosted_domain_info:
    provider: sendgrid
    api_key: "{{ vault_sendgrid_api_key }}"
    domains: [contoso.com]
  register: read
"""

RETURN = r"""
---
domains:
  description: The authentication of each domain; of several the valid one, else the oldest.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The domain.
      type: str
    id:
      description: Its ID at the provider (SMTP2GO has none, so that it is the name); null in a check run that would create it.
      type: str
    return_path:
      description: The domain of the envelope sender.
      type: str
    valid:
      description: Whether the provider has verified it, so that it sends for the domain with its own DKIM signature.
      type: bool
    problem:
      description: Why the provider does not send for the domain, or not to everybody; null where it does.
      type: str
    records:
      description: The DNS records that the provider requires.
      type: list
      elements: dict
      contains:
        purpose:
          description: What the record is for, C(return_path), C(dkim) or C(spf).
          type: str
        name:
          description: The name of the record; null for DKIM of SMTP2GO in a check run that would create the domain.
          type: str
        type:
          description: The type of the record.
          type: str
        value:
          description:
            - The value that it should have; null in a check run that would create the domain.
            - An SPF record that has its includes is published.
          type: str
        current:
          description: The values in DNS.
          type: list
          elements: str
        published:
          description: Whether DNS has the value.
          type: bool
        required:
          description: Whether the provider verifies the domain only with this record.
          type: bool
        valid:
          description: Whether the provider accepted the record at its last validation.
          type: bool
        reason:
          description: Why the provider did not accept it, in its own words, where this run had it validate the record.
          type: str
    others:
      description: The return paths of other authentications of the domain, which are kept. Only one can be valid.
      type: list
      elements: str
  sample:
    - name: contoso.com
      id: "302183"
      return_path: em-mailops.contoso.com
      valid: false
      problem: null
      records:
        - {purpose: dkim, name: s1._domainkey.contoso.com, type: CNAME, value: s1.domainkey.u1.wl1.sendgrid.net, published: false}
      others: []
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
from ..module_utils.resources import hosted_domain


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(hosted_domain.INFO)


if __name__ == "__main__":
    main()
