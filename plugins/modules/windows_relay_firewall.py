#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: windows_relay_firewall
short_description: Configure the Windows firewall rules of a mail relay
description:
  - Creates one inbound rule of Windows Defender Firewall for each port of a mail relay, for the devices' networks only.
  - The rules are in the group C(mailops relay). Other rules stay unmanaged; a warning names those that open the same ports.
options:
  state:
    description: Whether the rules exist. With V(absent) every rule of the group is removed.
    type: str
    choices: [present, absent]
    default: present
  networks:
    description:
      - The devices' networks, as addresses or networks (V(10.1.2.3), V(10.1.2.0/24)). Only private IPv4 networks are accepted.
      - Required with O(state=present).
    type: list
    elements: str
    default: []
  ports:
    description: The TCP ports that the relay listens on.
    type: list
    elements: int
    default: [25]
  profiles:
    description: The network profiles in which the rules apply. Empty means all.
    type: list
    elements: str
    choices: [domain, private, public]
    default: []
notes:
  - Rules of group policies are not read. A group policy can disable local rules.
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.windows
  - mailops.m365.journal
  - mailops.m365.attributes
seealso:
  - module: mailops.m365.windows_relay_info
"""

EXAMPLES = r"""
---
- name: Open port 25 for the printers
  mailops.m365.windows_relay_firewall:
    networks: [10.1.2.0/24, 10.1.3.7]

- name: Remove the rules
  mailops.m365.windows_relay_firewall:
    state: absent
"""

RETURN = r"""
---
rules:
  description: The rules of the group.
  returned: success
  type: list
  elements: dict
  sample: [{name: mailops-relay-25, ports: ["25"], networks: [10.1.2.0/24], profiles: [any], enabled: true}]
cost:
  description: The number of scripts that were run on the host (C(requests)).
  returned: always
  type: dict
  sample: {requests: 1, retries: 0, waited: 0.0}
failure:
  description: The parts of the error message as values. C(code) is PowerShell's C(FullyQualifiedErrorId).
  returned: failure
  type: dict
"""

from ..module_utils._entry_points.windows_module import run_windows_module
from ..module_utils.resources import windows_relay_firewall


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_windows_module(windows_relay_firewall.RESOURCE)


if __name__ == "__main__":
    main()
