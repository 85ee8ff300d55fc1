#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: spf_info
short_description: Gather information about SPF records of the domains of a Microsoft 365 tenant
description:
  - Reads the SPF record of each mail domain of the tenant from DNS, checks it as receivers do (RFC 7208), and computes the desired record.
options:
  addresses:
    description: IP addresses to evaluate. RV(checks) has the SPF result of each address for each domain.
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
- name: Check whether an address may send for the domains
  mailops.m365.spf_info:
    addresses: [203.0.113.10]
  register: read
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
      description: Whether DNS has the desired record.
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
checks:
  description: The SPF result of every address for every domain.
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
      description: The result of RFC 7208, C(pass), C(fail), C(softfail), C(neutral), C(none), C(permerror) or C(temperror).
      type: str
    matched:
      description: The terms that matched, the outermost first.
      type: list
      elements: str
    reason:
      description: The reason, where no term matched.
      type: str
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
    run_module(spf.INFO)


if __name__ == "__main__":
    main()
