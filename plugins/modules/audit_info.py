#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: audit_info
short_description: Gather information about who sends with Basic authentication, who breaks and when
description:
  - Reads the sign-in log, the message trace, SMTP AUTH, authentication policies, Security Defaults, inbound connectors, Direct Send, the
    applications that may send with SMTP and the ends of their keys, DKIM signing, and the DNS records of the accepted domains (SPF, MX,
    DKIM, DMARC, MTA-STS, TLS-RPT).
    Returns a verdict on each sender and the findings.
  - Each source may be unreadable, for example for lack of a licence or a permission. RV(audit.sources) has the reason, and a verdict that
    depends on it is V(unknown), never V(safe).
  - Changes nothing. Requests that may write are refused before they are sent.
  - Subjects of messages are not requested, recipients are only counted. Single sign-ins and messages are not kept.
options:
  days:
    description:
      - How many days of the sign-in log to read, at most 30.
      - Falls back to the host variable C(audit_days).
    type: int
    default: 30
  date:
    description:
      - The date of the audit, such as V(2026-12-31), to which days are counted. By default today (UTC).
      - Falls back to the host variable C(audit_date).
    type: str
  trace_days:
    description:
      - How many days of the message trace to read, at most 90. The trace is read in queries of ten days and 5,000 rows; 0 does not read it.
      - Falls back to the host variable C(audit_trace_days).
    type: int
    default: 10
  csv_directory:
    description:
      - A directory on the controller with exports of the report SMTP AUTH clients of the Exchange admin center, named by the tenant as in
        O(tenant), such as C(contoso.com.csv). Without it, this source is not used.
      - Falls back to the host variable C(audit_csv_directory).
    type: path
  csv_headers:
    description:
      - The names of the export's columns in a localized portal, by C(sender), C(protocol), C(tls10), C(tls11) and C(messages).
      - Falls back to the host variable C(audit_csv_headers).
    type: dict
    default: {}
  verify_report:
    description:
      - The JSON report of a run of playbook C(mailops.m365.verify) (C(MAILOPS_REPORT)) on the controller. Senders that were verified then
        are not V(unverified).
      - Falls back to the host variable C(audit_verify_report).
    type: path
seealso:
  - module: mailops.m365.sender_plan
  - module: mailops.m365.smtp_auth_info
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.senders
  - mailops.m365.tenant
  - mailops.m365.dns
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Read who sends with Basic authentication
  mailops.m365.audit_info:
    days: 14
  register: tenant_audit

- name: Report who breaks
  ansible.builtin.debug:
    msg: "{{ tenant_audit.audit.senders | selectattr('verdict', 'equalto', 'breaks') | map(attribute='address') }}"
"""

RETURN = r"""
---
audit:
  description: The audit.
  returned: success
  type: dict
  contains:
    date:
      description: The date of the audit.
      type: str
    days:
      description: The days of the sign-in log that were read.
      type: int
    trace_days:
      description: The days of the message trace that were read.
      type: int
    timetable:
      description: What Microsoft has announced, with its source, its precision, and the days until its first possible day.
      type: list
      elements: dict
    sources:
      description: The sources by C(name), whether each is C(readable), and the C(reason) where it is not.
      type: list
      elements: dict
      sample: [{name: sign_ins, label: sign-in log (Basic authentication), readable: true, reason: ""}]
    senders:
      description:
        - The senders of the inventory, and mailboxes outside of it that were seen with Basic authentication or have SMTP AUTH enabled.
        - C(verdict) is breaks, refused, expires, unknown, unlisted, outdated, unverified, unused or safe.
        - C(severity) is critical, high, medium, low or info. A value that
          could not be read is null; C(mailbox) is whether the address has a mailbox, without which C(smtp_auth) is null, too;
          C(basic) counts the sign-ins with Basic authentication, and zero is not null. C(clients) has
          C(basic), C(oauth), C(messages) and C(old_tls) of the export; C(smtp_app) is whether the usage report has SMTP in 180 days;
          C(mail) has C(messages), C(recipients), C(external_recipients),
          C(recipients_per_day), C(last) and C(sources) of the message trace, and C(connector) the inbound connector that matches a
          source, empty where none does.
        - C(relay_host) is the relay host that a sender sends through, with the SASL C(users) of its devices; C(verified) is the date in
          O(verify_report).
      type: list
      elements: dict
    findings:
      description: What is open, ends or is wrong in the configuration, with C(severity), C(subject), C(problem) and C(remedy).
      type: list
      elements: dict
    configuration:
      description:
        - What was read of the configuration; null where it was not readable, an empty text or list where there is nothing.
        - C(ews) of C(protocols) is enabled, disabled, or default where the organization has no setting of its own.
        - C(dns) has, for each accepted domain, C(mx), C(dkim), C(dmarc), C(mta_sts) and C(tls_rpt), each with what is
          published (C(current)) and what Microsoft 365 requires (C(expected)).
        - C(applications) may send as every mailbox (SMTP.SendAsApp), each with C(last_sign_in), and each of their C(credentials) with
          whether it was C(used).
        - C(delegated_applications) may send as a user who signed in (SMTP.Send), each with its C(consent), whether it is C(foreign), and
          whether it is a C(printer_maker)'s.
        - C(spoofs) has mail in the name of accepted domains without authentication, by C(address) and C(infrastructure), at most 100.
      type: dict
    totals:
      description: The number of senders by verdict.
      type: dict
      sample: {breaks: 2, refused: 0, expires: 0, unknown: 1, unlisted: 1, outdated: 0, unverified: 0, unused: 1, safe: 7}
    cost:
      description:
        - What the audit cost until the verdicts. HTTP C(requests), by service in C(services), C(retries) among them, seconds that it
          C(waited) for a limit of a service, C(dns_queries), and C(seconds) in total.
      type: dict
      sample:
        requests: 14
        retries: 0
        waited: 0.0
        services: {Exchange Online: 5, Microsoft Entra ID: 2, Microsoft Graph: 7}
        dns_queries: 8
        seconds: 3.2
draft:
  description:
    - A draft of host variables for the senders that were seen and are not in the inventory, as YAML with comments (C(text)), the number of
      its C(senders), and of the addresses that it has as comments only (C(left_out)).
    - It states what was seen, so that converging it changes nothing. Guesses are marked C(guess).
  returned: success
  type: dict
attention:
  description: The sources that were not readable, for the summary of the run.
  returned: success
  type: list
  elements: dict
cost:
  description: The number of HTTP requests and of retries among them, and the seconds spent waiting.
  returned: always
  type: dict
  sample: {requests: 9, retries: 0, waited: 0.0}
failure:
  description:
    - The parts of the error message as values. C(cause), C(remedy) and C(transient) come from the error catalog (docs/errors.md).
    - C(problems) lists all problems of the input.
  returned: failure
  type: dict
  sample: {code: AADSTS7000215, cause: the client secret is wrong, transient: false}
"""

from ..module_utils._entry_points.module import run_module
from ..module_utils.resources import audit


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(audit.INFO)


if __name__ == "__main__":
    main()
