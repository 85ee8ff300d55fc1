#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: hosted_domain
short_description: Manage sender domains at a hosted relay
description:
  - Creates the authentication of sender domains at a hosted relay, so that it sends with a return path and DKIM signature of the domain.
  - Compares the DNS records that the provider requires with DNS. The result and the warnings show the records to publish.
  - With a DNS provider in O(dns), the records are published, and removed with the authentication. Records of others are never changed,
    an existing SPF record neither; the warnings name those that are in the way.
  - Has the provider verify a domain once DNS has all its records. A domain that is valid is not verified again.
  - MX records are required only of Mailgun's domains, and only of those that have neither an MX record nor an address. They are never
    required of an accepted domain.
  - An existing authentication is used as it is, whatever its return path. Other authentications, tracking records and settings of the
    account are kept.
options:
  domains:
    description: The sender domains.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - An accepted domain of the tenant, or a subdomain of one.
          - Register a subdomain with Mailgun, C(mg.contoso.com) for example. The domain needs an SPF record with Mailgun's include, and MX
            records where nobody receives for it.
        type: str
        required: true
      return_path:
        description:
          - The label of the envelope sender's domain, below O(domains[].name), of an authentication that is created. By default
            C(em-mailops).
          - At Mailgun, where the envelope sender is in the domain itself, it is the label of the tracking host, which is not published.
          - With O(domains[].state=absent), only an authentication with this label is removed.
        type: str
      state:
        description: Whether the authentication exists.
        type: str
        choices: [present, absent]
        default: present
  dns:
    description:
      - The DNS provider that publishes the records. They are then read from its server instead of O(dns_servers).
      - All records of a domain in one zone are published by one update, which has the records that were read as its prerequisite. The
        hosted relay then verifies the domain, again until it sees the records, at most for O(wait_timeout).
    type: dict
    suboptions:
      provider:
        description: V(rfc2136) sends dynamic updates to the primary server of the zone. With V(none), nothing is published.
        type: str
        choices: [none, rfc2136]
        default: none
      server:
        description: The address of the primary server, or C(address:port). Required with O(dns.provider=rfc2136).
        type: str
      zone:
        description: The zone of the domains. By default the zone of each record is determined by DNS queries.
        type: str
      tsig_name:
        description: The name of the TSIG key that signs the updates. Without it, updates are not signed.
        type: str
      tsig_secret:
        description: The secret of the TSIG key, in base64.
        type: str
      tsig_algorithm:
        description: The algorithm of the TSIG key.
        type: str
        choices: [hmac-sha256, hmac-sha512, hmac-sha384, hmac-sha224, hmac-sha1]
        default: hmac-sha256
      ttl:
        description: The time to live of a new record, in seconds.
        type: int
        default: 3600
seealso:
  - module: mailops.m365.hosted_domain_info
  - module: mailops.m365.spf
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.dns
  - mailops.m365.hosted_relay
  - mailops.m365.journal
  - mailops.m365.attributes
"""

EXAMPLES = r"""
---
- name: Authenticate the sender domain at SendGrid
  mailops.m365.hosted_domain:
    provider: sendgrid
    api_key: "{{ vault_sendgrid_api_key }}"
    domains:
      - name: contoso.com

- name: Authenticate a subdomain at Mailgun and publish its DNS records
  mailops.m365.hosted_domain:
    provider: mailgun
    region: eu
    api_key: "{{ vault_mailgun_api_key }}"
    domains:
      - name: mg.contoso.com
    dns:
      provider: rfc2136
      server: 192.0.2.53
      tsig_name: mailops
      tsig_secret: "{{ vault_tsig_secret }}"
"""

RETURN = r"""
---
domains:
  description: The domains that should exist, in the order of the option.
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
      description:
        - Whether the provider has verified it, so that it sends for the domain with its own DKIM signature.
        - In check mode, whether it would be.
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
          description: Whether DNS has the value. In check mode, whether it would have it.
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
    run_module(hosted_domain.RESOURCE)


if __name__ == "__main__":
    main()
