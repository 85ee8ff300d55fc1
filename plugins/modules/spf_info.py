#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: spf_info
short_description: Read and check the SPF records of the tenant's domains
description:
  - Reads the SPF record of each of the tenant's mail domains from DNS, checks it as receivers do (RFC 7208), and computes the record that
    the domain should have.
options:
  addresses:
    description: IP addresses to judge. RV(checks) says whether each may send for each domain, as receivers see it now.
    type: list
    elements: str
    default: []
seealso:
  - module: mailops.m365.spf
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.dns
  - mailops.m365.spf
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: See whether the relay may send
  mailops.m365.spf_info:
    addresses: [203.0.113.10]
  register: read
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
      description: Whether DNS holds that record.
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
checks:
  description: Every address with every domain.
  returned: success
  type: list
  elements: dict
  contains:
    domain:
      description: The domain.
      type: str
    address:
      description: The address.
      type: str
    result:
      description: RFC 7208's word, C(pass), C(fail), C(softfail), C(neutral), C(none), C(permerror) or C(temperror).
      type: str
    by:
      description: The terms that decided, from the outermost in.
      type: list
      elements: str
    why:
      description: The reason, where no term decided.
      type: str
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
    run_module(spf.INFO)


if __name__ == "__main__":
    main()
