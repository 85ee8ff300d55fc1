#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: spf
short_description: Compute and check the SPF records of the tenant's domains, and publish them where a DNS provider is named
description:
  - Computes the SPF record that each of the tenant's mail domains should have, from what sends for it and from the record it has.
  - Checks it in DNS as receivers do (RFC 7208), with the look-ups of all its includes.
  - Without a O(provider) nothing is changed. The records to publish are in the result and in the summary.
  - With one, the record is replaced and every other TXT record of the name stays. Where a record would be an error to receivers, nothing
    is published for any domain.
options:
  provider:
    description:
      - Who writes DNS. With V(none), nobody. V(rfc2136) sends updates to the zone's primary server.
      - An update carries what was read as its condition, and fails where somebody else has changed the TXT records since.
    type: str
    choices: [none, rfc2136]
    default: none
  server:
    description: With V(rfc2136) for O(provider), the primary server's address, or C(address:port).
    type: str
  zone:
    description: The zone that holds the domains. Left out, the server is asked for each domain.
    type: str
  tsig_name:
    description: The name of the TSIG key that signs updates. Left out, they are not signed.
    type: str
  tsig_secret:
    description: That key's secret, in base64.
    type: str
  tsig_algorithm:
    description: That key's algorithm.
    type: str
    choices: [hmac-sha256, hmac-sha512, hmac-sha384, hmac-sha224, hmac-sha1]
    default: hmac-sha256
  ttl:
    description: The time to live of a new record, in seconds. A record that is replaced keeps its own.
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
- name: See which SPF records the tenant's domains should have
  mailops.m365.spf:
    ip4: [203.0.113.10]
    includes: [sendgrid.net]
    policy: hardfail

- name: Publish them on the zone's primary server
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
  description: Every domain, with what it has and what it should have.
  returned: success
  type: list
  elements: dict
  contains:
    domain:
      description: The domain.
      type: str
    present:
      description: Its SPF records in DNS. One is right, none is a gap, more are an error to receivers.
      type: list
      elements: str
    wanted:
      description: The record to publish. Empty where DNS could not be read.
      type: str
    published:
      description: Whether DNS holds that record now (in check mode, would hold it).
      type: bool
    usable:
      description: Whether receivers could evaluate RV(records[].wanted) without an error.
      type: bool
    lookups:
      description: The DNS look-ups that the wanted record takes, at worst. Ten are allowed.
      type: int
    voids:
      description: Those among them that find nothing. Two are allowed.
      type: int
    terms:
      description: What each term of the wanted record costs, with those inside it.
      type: list
      elements: dict
    problems:
      description: What is wrong, each with a C(name) for machines and a sentence.
      type: list
      elements: dict
    ttl:
      description: The time to live of the TXT records that are there.
      type: int
    txt:
      description: All TXT records that the name should hold, for tools that write them as one set.
      type: list
      elements: str
  sample:
    - domain: contoso.com
      present: ["v=spf1 include:spf.protection.outlook.com -all"]
      wanted: "v=spf1 ip4:203.0.113.10 include:spf.protection.outlook.com -all"
      published: false
      usable: true
      lookups: 1
      problems: []
cost:
  description: What the task cost. One HTTP request each, those among them that were tries again, and seconds spent waiting.
  returned: always
  type: dict
  sample: {requests: 6, retries: 0, waited: 0.0}
failure:
  description:
    - The parts of a failure's sentence, for machines. C(cause), C(remedy) and C(wait_helps) come from the table of known errors.
    - C(problems) lists all that is wrong with the input.
  returned: failure
  type: dict
  sample: {code: AADSTS7000215, cause: the client secret is wrong, wait_helps: false}
"""

from ..module_utils._entry_points.module import run_module
from ..module_utils.resources import spf


def main() -> None:
    """The complete door; meta/runtime.yml routes the name to the fast one."""
    run_module(spf.RESOURCE)


if __name__ == "__main__":
    main()
