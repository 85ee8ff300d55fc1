#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: inbound_connector
short_description: Manage inbound connectors in Exchange Online
description:
  - Creates, updates and removes inbound connectors, which match the hosts that may relay by public IP address or by TLS certificate.
  - Options that are omitted are not changed. Connectors that are not listed are unmanaged.
  - Two enabled connectors of one type must not match the same hosts. A list that would make a connector match the networks or the
    certificate name of another one, listed or not, is refused before any write; where two connectors do so already, it is a warning.
  - Some subscriptions create connectors disabled and report success. The module fails then, with the warning from Exchange.
options:
  connectors:
    description: The connectors.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The connector's name, by which later runs look it up.
        type: str
        required: true
      state:
        description: Whether the connector exists.
        type: str
        choices: [present, absent]
        default: present
      type:
        description: V(OnPremises) for an organization's own relay, the default of a new connector; V(Partner) for another organization.
        type: str
        choices: [OnPremises, Partner]
      enabled:
        description: Whether the connector is in use. A new one is enabled.
        type: bool
      comment:
        description: A comment.
        type: str
      sender_ip_addresses:
        description:
          - Public IPv4 addresses, or networks of /24 to /32, that mail comes from, as Microsoft sees them.
          - Private, IPv6 and wider addresses are refused before any request.
        type: list
        elements: str
      tls_sender_certificate_name:
        description: The name in the TLS certificate that the relay presents, such as V(relay.contoso.com) or V(*.contoso.com).
        type: str
      sender_domains:
        description: Sender domains to which the connector applies. A new connector applies to all (V(*)).
        type: list
        elements: str
      associated_accepted_domains:
        description: Accepted domains of the tenant to which the connector is limited.
        type: list
        elements: str
      require_tls:
        description: Whether TLS is required.
        type: bool
      restrict_domains_to_ip_addresses:
        description: Whether mail of the sender domains is refused from all other addresses. With O(connectors[].type=Partner) only.
        type: bool
      restrict_domains_to_certificate:
        description: Whether mail of the sender domains is refused without the certificate. With O(connectors[].type=Partner) only.
        type: bool
      treat_messages_as_internal:
        description: Whether relayed mail counts as internal. With O(connectors[].type=OnPremises) only.
        type: bool

  owner:
    description:
      - The owner in the mark with which a comment begins, as in C(mailops.m365 [mailops]). A marked connector that is not listed is
        removed; one that matches the hosts of a listed connector is renamed instead. A listed name that begins with the owner's and is
        taken by a connector without the mark is refused, and so is the name of a connector with the mark of another owner.
      - By default no connector is removed.
    type: str
seealso:
  - module: mailops.m365.inbound_connector_info
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.journal
  - mailops.m365.attributes
"""

EXAMPLES = r"""
---
- name: Configure connectors matched by IP address and by certificate
  mailops.m365.inbound_connector:
    connectors:
      - name: Office relay
        sender_ip_addresses: [203.0.113.10]
        require_tls: true
      - name: Data centre relay
        tls_sender_certificate_name: relay.contoso.com
      - name: Old relay
        state: absent
"""

RETURN = r"""
---
connectors:
  description: The named connectors as they are now (in check mode, as they will be), by name. Null when absent.
  returned: success
  type: dict
  sample:
    Office relay: {type: OnPremises, enabled: true, sender_ip_addresses: [203.0.113.10], sender_domains: ["*"]}
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
from ..module_utils.resources import inbound_connector


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(inbound_connector.RESOURCE)


if __name__ == "__main__":
    main()
