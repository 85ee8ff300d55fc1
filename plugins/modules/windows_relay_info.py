#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: windows_relay_info
short_description: Gather information about a Windows host as an SMTP relay
description:
  - Reads version, installation type and pending restarts of a Windows host.
  - States whether IIS SMTP Server and hMailServer can relay mail there, and why not where they cannot.
options: {}
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.windows
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Read which products can relay mail on this Windows host
  mailops.m365.windows_relay_info:
  register: windows_host

- name: Stop where IIS SMTP Server cannot be installed
  ansible.builtin.assert:
    that: windows_host.windows_relay.products.iis_smtp.supported
    fail_msg: "{{ windows_host.windows_relay.products.iis_smtp.obstacles | join(' ') }}"
"""

RETURN = r"""
---
windows_relay:
  description: What was read.
  returned: success
  type: dict
  contains:
    host:
      description: The host.
      type: dict
      contains:
        name:
          description: The computer name.
          type: str
        caption:
          description: The name of the version of Windows.
          type: str
          sample: Microsoft Windows Server 2022 Standard
        build:
          description: The build.
          type: int
          sample: 20348
        installation:
          description: One of C(desktop_experience), C(server_core) and C(client).
          type: str
        restart_pending:
          description: Whether an update or a feature waits for a restart.
          type: bool
        exchange:
          description: Whether Exchange Server is installed, which uses port 25.
          type: bool
    products:
      description: For C(iis_smtp) and C(hmailserver) whether the product can relay mail on this host (C(supported)), and the C(obstacles).
      type: dict
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
from ..module_utils.resources import windows_relay


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_windows_module(windows_relay.INFO)


if __name__ == "__main__":
    main()
