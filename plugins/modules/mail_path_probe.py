#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mail_path_probe
short_description: Diagnose the network between a host and the mail servers
description:
  - >-
    Connects from the host that it runs on to the endpoints of Microsoft and of the hosted relays, to the MX hosts of O(domains) and to
    O(endpoints), several times over O(duration), and names the causes of what fails: one sentence each, with the remedy.
  - >-
    Observes name resolution (also whether the DNS servers of the host answer differently than public ones), TCP, the greeting, the reply
    to EHLO, STARTTLS, the issuer of the certificate, TLS 1.0 to 1.3, path MTU, loss, latency, the routers on the path, and the public
    address that Microsoft sees.
  - Sends no message, does not authenticate and needs no privilege.
  - The host needs Python 3.9 and no other library. Loss, path MTU and routers are observed on Linux only.
options:
  domains:
    description: The domains of the tenant whose MX hosts are tested. The list may be empty.
    type: list
    elements: str
    required: true
  cloud:
    description:
      - The cloud whose endpoints are tested, V(global), V(gcc-high), V(dod) or V(china), or a mapping as in the host variable
        C(m365_cloud), which is used if this is not set.
    type: raw
    default: global
  hosted_relays:
    description: The hosted relays whose endpoints are tested.
    type: list
    elements: str
    choices: [smtp2go, sendgrid, mailgun]
    default: [smtp2go, sendgrid, mailgun]
  endpoints:
    description: Other servers to test, such as a relay host.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: The server's name or IP address.
        type: str
        required: true
      ports:
        description: The ports. Port 465 has TLS from the start, port 443 is HTTPS, and other ports have STARTTLS.
        type: list
        elements: int
        default: [25, 587]
  samples:
    description:
      - How many sessions are made with each endpoint. A limit on connections and loss show only with several. An endpoint to which three
        sessions in a row from the first one on make no connection is not tried again.
    type: int
    default: 10
  duration:
    description: Over how many seconds the sessions are distributed.
    type: int
    default: 60
  timeout:
    description: How long each step of a session may take, in seconds.
    type: int
    default: 10
  public_dns_servers:
    description:
      - IP addresses of public DNS servers. Their answers are compared with those of the DNS servers of the host. Where the network does
        not let the queries pass, nothing is compared.
    type: list
    elements: str
    default: [1.1.1.1, 8.8.8.8]
  certificate_issuers:
    description: Organisations of CAs, beside the public ones, whose certificates are no sign of TLS inspection.
    type: list
    elements: str
    default: []
  device_tls:
    description:
      - The newest TLS version of a device in the network of the host. A finding says which endpoints do not accept it. Without it, devices
        are not judged.
    type: str
    choices: ['1.0', '1.1', '1.2', '1.3']
  required:
    description: Whether findings fail the task.
    type: bool
    default: false
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
seealso:
  - module: mailops.m365.smtp_probe
extends_documentation_fragment:
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Diagnose the network of the relay host
  mailops.m365.mail_path_probe:
    domains: [contoso.com]
    samples: 20
    duration: 300
  register: network

- name: Show each hop
  ansible.builtin.debug:
    var: network.table
"""

RETURN = r"""
---
findings:
  description: The causes of what fails. Empty on a network that lets mail pass.
  returned: always
  type: list
  elements: dict
  contains:
    cause:
      description: The name of the cause (docs/diagnose.md).
      type: str
      sample: port_blocked
    subjects:
      description: The endpoints, names or DNS servers that show it.
      type: list
      elements: str
      sample: ['smtp.office365.com:25']
    problem:
      description: What is wrong, in a sentence.
      type: str
    remedy:
      description: What to do.
      type: str
sentences:
  description: The findings as text, problem and remedy.
  returned: always
  type: list
  elements: str
hops:
  description: What was observed, a row for each step of the path.
  returned: always
  type: list
  elements: dict
  contains:
    endpoint:
      description: The endpoint, or the host for a router.
      type: str
    hop:
      description: The step, such as C(name resolution), C(TCP), C(greeting), C(EHLO), C(STARTTLS), C(TLS), C(path MTU) or C(router 1).
      type: str
    result:
      description: The result, for example how many sessions passed.
      type: str
    detail:
      description: More about it, such as the greeting, the keywords of EHLO or the issuer of the certificate.
      type: str
table:
  description: The same rows as lines of text.
  returned: always
  type: list
  elements: str
public_addresses:
  description: The addresses of the host that Microsoft sees.
  returned: always
  type: list
  elements: str
  sample: [203.0.113.10]
attention:
  description: The findings as the summary of the run lists them.
  returned: always
  type: list
  elements: dict
cost:
  description: The number of HTTP requests and of retries, and the seconds spent waiting. This module sends no HTTP request.
  returned: always
  type: dict
  sample: {requests: 0, retries: 0, waited: 0.0}
failure:
  description: The parts of the error message as values. C(problems) lists all problems of the input.
  returned: failure
  type: dict
  sample: {problems: ['diagnose_samples is 0: give a number from 1 to 1000.']}
"""

from ..module_utils._entry_points.host_module import run_host_module
from ..module_utils.resources import mail_path_probe


def main() -> None:
    """The entry point as a module; Ansible sends it to the host."""
    run_host_module(mail_path_probe.RESOURCE)


if __name__ == "__main__":
    main()
