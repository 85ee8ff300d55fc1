#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: spf
short_description: Manage SPF records of the domains of a Microsoft 365 tenant
description:
  - Computes the desired SPF record of each mail domain of the tenant from the options and the current record.
  - Checks the record as receivers do (RFC 7208), including the DNS lookups of all its includes.
  - Without a O(provider) nothing is changed. The result and the summary show the records to publish.
  - With a provider, the SPF record is replaced and every other TXT record of the name is kept. If one record would be a permanent error
    to receivers, no record of any domain is published.
options:
  provider:
    description:
      - The DNS provider that publishes the records. V(rfc2136) sends dynamic updates to the primary server of the zone.
      - An update has the TXT records that were read as its prerequisite, and fails if they have changed in the meantime.
    type: str
    choices: [none, rfc2136]
    default: none
  server:
    description: The address of the primary server, or C(address:port). Required with O(provider=rfc2136).
    type: str
  zone:
    description: The zone of the domains. By default the zone of each domain is determined by DNS queries.
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
    description: The time to live of a new record, in seconds. A record that is replaced keeps its time to live.
    type: int
    default: 3600
seealso:
  - module: mailops.m365.spf_info
  - module: mailops.m365.direct_send
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.dns
  - mailops.m365.spf
  - mailops.m365.journal
  - mailops.m365.attributes
"""

EXAMPLES = r"""
---
- name: Compute the SPF records of all domains
  mailops.m365.spf:
    ip4: [203.0.113.10]
    includes: [spf.news.example]
    policy: hardfail

- name: Publish the SPF record on the primary server of the zone
  mailops.m365.spf:
    domains: [contoso.com]
    ip4: [203.0.113.10]
    provider: rfc2136
    server: 192.0.2.53
    tsig_name: mailops
    tsig_secret: "{{ vault_tsig_secret }}"
"""

RETURN = r"""
---
records:
  description: The current and the desired record of every domain.
  returned: success
  type: list
  elements: dict
  contains:
    domain:
      description: The domain.
      type: str
    current:
      description: Its current SPF records in DNS. More than one is a permanent error to receivers.
      type: list
      elements: str
    desired:
      description: The record that the domain should have. Empty where DNS could not be read.
      type: str
    published:
      description: Whether DNS has the desired record. In check mode, whether it would have it.
      type: bool
    valid:
      description: Whether receivers can evaluate RV(records[].desired) without a permanent error.
      type: bool
    dns_lookups:
      description: The DNS lookups that the desired record requires, at worst. The limit is ten.
      type: int
    void_lookups:
      description: Those DNS lookups that return no record. The limit is two.
      type: int
    terms:
      description: The DNS lookups of each term of the desired record, with the terms of included records.
      type: list
      elements: dict
    problems:
      description: The problems, each with a C(name) and a C(message).
      type: list
      elements: dict
    ttl:
      description: The time to live of the current TXT records, in seconds.
      type: int
    txt:
      description: All TXT values that the name should have, for tools that write them as one record set.
      type: list
      elements: str
  sample:
    - domain: contoso.com
      current: ["v=spf1 include:spf.protection.outlook.com -all"]
      desired: "v=spf1 ip4:203.0.113.10 include:spf.protection.outlook.com -all"
      published: false
      valid: true
      dns_lookups: 1
      problems: []
cost:
  description: The number of HTTP requests and of retries among them, and the seconds spent waiting.
  returned: always
  type: dict
  sample: {requests: 6, retries: 0, waited: 0.0}
failure:
  description:
    - The parts of the error message as values. C(cause), C(remedy) and C(transient) come from the error catalog (docs/errors.md).
    - C(problems) lists all problems of the input.
  returned: failure
  type: dict
  sample: {code: AADSTS7000215, cause: the client secret is wrong, transient: false}
"""

from ..module_utils._entry_points.module import run_module
from ..module_utils.resources import spf


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(spf.RESOURCE)


if __name__ == "__main__":
    main()
