#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mail_dns_info
short_description: Gather MX, DKIM, DMARC, MTA-STS and TLS-RPT records of the domains of a tenant
description:
  - Reads the DNS records of the accepted domains, and what Microsoft 365 requires of them. Of DMARC, the record of a parent domain
    counts, too.
  - Requires Domain.Read.All for the MX host that Microsoft 365 assigned. Module M(mailops.m365.spf_info) reads SPF.
  - Changes nothing. A source that is not readable is no failure; RV(reason) says why not.
options: {}
seealso:
  - module: mailops.m365.audit_info
  - module: mailops.m365.spf_info
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.dns
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Read the DNS records for mail
  mailops.m365.mail_dns_info:
  register: read
"""

RETURN = r"""
---
readable:
  description: Whether all of it was readable.
  returned: success
  type: bool
reason:
  description: Why it, or a part of it, was not readable; empty otherwise.
  returned: success
  type: str
  sample: "Could not read the sign-in log: the tenant has no licence of Microsoft Entra ID P1."
domains:
  description:
    - The domains, each with C(mx), C(dkim), C(dmarc), C(mta_sts) and C(tls_rpt), with what is published (C(current)) and C(expected).
    - Null where it was not readable.
  returned: success
  type: list
  elements: dict
  sample: [{domain: contoso.com, mta_sts: {current: []}, tls_rpt: {current: []}}]
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
from ..module_utils.resources import mail_dns


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(mail_dns.INFO)


if __name__ == "__main__":
    main()
