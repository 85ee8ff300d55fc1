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
  - Of IIS SMTP Server reads the service, who may connect and relay, the queue, bad mail, and the last errors of the upstream server with
    their cause and remedy.
  - Reads the certificates of the host, with their dates.
  - Reads hMailServer's service, queue, last errors and certificates.
options:
  hmailserver_admin_password:
    description: The administrator password of hMailServer. Without it queue, errors and certificates are not read.
    type: str
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
    iis_smtp:
      description:
        - IIS SMTP Server; null where the feature C(SMTP-Server) is not installed.
        - C(managed) is whether M(mailops.m365.windows_smtp_server) has configured it.
        - C(virtual_server) is null where the virtual server is missing, as after an upgrade of Windows.
        - C(virtual_server.errors) are the last replies of the upstream server, the latest first, from the log of the service.
      type: dict
      sample:
        managed: true
        missing_features: []
        service: {state: running, start_mode: auto}
        virtual_server:
          fqdn: relay.contoso.com
          listeners: [{address: "", port: 25}]
          upstream: {host: relay1.contoso.com, port: 587}
          relay_networks: [10.1.2.0/24, 127.0.0.1]
          connection_networks: [10.1.2.0/24, 127.0.0.1]
          open_relay: false
          queue: {path: 'C:\inetpub\mailroot\Queue', count: 2, size: 40960, oldest: '2026-11-29T10:00:00.0000000Z'}
          bad_mail: {path: 'C:\inetpub\mailroot\Badmail', count: 0, size: 0, oldest: null}
          errors:
            - reply: 535 5.7.8 Error, authentication failed
              count: 3
              last: '2026-11-29T10:00:00Z'
              cause: The user name or password is wrong.
              remedy: Set the password.
    certificates:
      description: The certificates of the store LocalMachine\My with a private key, the first to expire first.
      type: list
      elements: dict
      sample: [{subject: CN=relay.contoso.com, names: [relay.contoso.com], thumbprint: AB12, not_after: '2027-01-01T00:00:00Z', days: 33,
        private_key: true}]
    products:
      description: For C(iis_smtp) and C(hmailserver) whether the product can relay mail on this host (C(supported)), and the C(obstacles).
      type: dict
    hmailserver:
      description: hMailServer on this host.
      type: dict
      contains:
        installed:
          description: Whether it is installed.
          type: bool
        version:
          description: The installed version.
          type: str
          sample: 5.6.9.2632
        managed:
          description: Whether M(mailops.m365.windows_hmailserver) has configured it.
          type: bool
        service:
          description: The service's C(state) and C(start_mode); null where there is none.
          type: dict
          sample: {state: running, start_mode: auto}
        listening:
          description: The ports that it listens on.
          type: list
          elements: int
          sample: [25]
        queue:
          description:
            - C(count) and C(oldest) of the messages that wait, the number of messages that were C(processed) since the service started,
              and the first 50 C(messages).
            - Times are UTC. hMailServer writes them in the host's time zone, and they are converted with its present offset, so that times
              from before a change of daylight saving time are an hour off.
            - Null where the service is stopped, or without O(hmailserver_admin_password).
          type: dict
        open_relay:
          description: Whether addresses that are not private may relay without authentication; null as C(queue).
          type: bool
        errors:
          description:
            - The last replies of the upstream server in today's log, the latest first, with their cause and remedy. C(last) is UTC,
              converted as the times of the C(queue). An empty reply means that the server gave none. Null as C(queue).
          type: list
          elements: dict
          sample: [{reply: 550 5.7.64 TenantAttribution; Relay Access Denied, count: 3, last: '2026-11-29T10:00:00Z', cause: The address
            is unknown., remedy: Add it.}]
        certificates:
          description: The files of the listeners' certificates; C(not_after) and C(days) are null where a file cannot be read.
          type: list
          elements: dict
          sample: [{file: 'C:\Certificates\relay.pem', not_after: '2027-01-01T00:00:00Z', days: 33}]
read_at:
  description: When it was read, in seconds since 1970 (UTC).
  returned: success
  type: float
  sample: 1796031000.0
attention:
  description: What needs attention, such as a stopped service, an open relay or a certificate that expires. The summary lists it.
  returned: when something needs attention
  type: list
  elements: dict
  sample: [{kind: relay, subject: win1, problem: The SMTP service is stopped., remedy: Start the service SMTPSVC.}]
cost:
  description: The number of scripts that were run on the host (C(requests)).
  returned: always
  type: dict
  sample: {requests: 7, retries: 0, waited: 0.0}
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
