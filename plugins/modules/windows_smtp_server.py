#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: windows_smtp_server
short_description: Configure IIS SMTP Server as a mail relay for devices
description:
  - Installs the features C(SMTP-Server) and C(Web-WMI) of Windows Server, and configures the virtual server C(SmtpSvc/1) as a relay
    with one upstream server.
  - Only the devices' networks, the host itself, and with O(relay_authenticated) clients that authenticate may relay. The relay list is
    written before anything else and read back at the end.
  - The service starts automatically, so that it survives a restart. It is restarted after a change.
  - Supported are Windows Server 2016, 2019 and 2022 with Desktop Experience. Microsoft has removed the feature from Windows Server 2025.
  - A virtual server that an upgrade of Windows has lost is created again.
options:
  state:
    description:
      - With V(present) the relay is configured.
      - With V(absent) devices are refused, the queue is awaited, and the settings from before the first run are restored. Features that
        this module has installed are removed. A host that this module has not configured stays as it is.
    type: str
    choices: [present, absent]
    default: present
  fqdn:
    description: The fully qualified name of the relay, for the greeting and EHLO. Required with O(state=present).
    type: str
  listeners:
    description: The addresses and ports that devices connect to.
    type: list
    elements: dict
    default: [{address: "", port: 25}]
    suboptions:
      address:
        description: An IPv4 address of the host. Empty means all.
        type: str
        default: ""
      port:
        description: The port.
        type: int
        default: 25
  relay_networks:
    description:
      - The networks whose devices may relay without authentication, as addresses or networks. Only private IPv4 networks are accepted.
      - Required unless O(relay_authenticated=true). The host itself may always relay.
    type: list
    elements: str
    default: []
  relay_authenticated:
    description: Whether a client that has authenticated with an account of the host may relay.
    type: bool
    default: false
  connection_networks:
    description: The networks that may connect. Defaults to O(relay_networks). The host itself may always connect.
    type: list
    elements: str
    default: []
  authentication:
    description: How clients may authenticate. V(basic) needs O(require_tls), V(windows) is NTLM and Kerberos.
    type: list
    elements: str
    choices: [anonymous, basic, windows]
    default: [anonymous]
  require_tls:
    description: Whether clients have to use STARTTLS. The host needs a certificate for O(fqdn) in its store LocalMachine\My.
    type: bool
    default: false
  upstream:
    description: The server that every message is sent to. Required with O(state=present).
    type: dict
    suboptions:
      host:
        description:
          - The name or IPv4 address. For an inbound connector of Microsoft 365 the tenant's MX host,
            such as V(contoso-com.mail.protection.outlook.com).
        type: str
        required: true
      port:
        description: The port. 465 is not possible.
        type: int
        default: 25
      tls:
        description: Whether STARTTLS is required or not used. IIS SMTP does not verify the server's certificate by default.
        type: str
        choices: [required, none]
        default: required
      username:
        description: The user name for AUTH LOGIN.
        type: str
      password:
        description: The password. Windows receives it as input of a script, never in a command line or script text.
        type: str
  masquerade_domain:
    description: The domain that replaces local domains in MAIL FROM, an accepted domain of the tenant.
    type: str
    default: ""
  max_message_size:
    description: The maximum size of a message in bytes, encoded.
    type: int
    default: 36700160
  max_session_size:
    description: The maximum size of all messages of a connection in bytes. A client that exceeds it is disconnected.
    type: int
    default: 367001600
  max_recipients:
    description: The maximum number of recipients in one delivery. Further recipients get a delivery of their own.
    type: int
    default: 100
  retry_minutes:
    description: The minutes before the first, second and third retry, and before every further one.
    type: list
    elements: int
    default: [15, 30, 60, 240]
  delay_notice_minutes:
    description: The minutes after which a sender is notified of a delay.
    type: int
    default: 720
  give_up_minutes:
    description: The minutes after which a message is returned to its sender.
    type: int
    default: 2880
  postmaster:
    description: The address that gets copies of non-delivery reports, and of messages that can be neither delivered nor returned.
    type: str
    default: Postmaster
  log:
    description: Whether the service logs in the W3C extended format. M(mailops.m365.windows_relay_info) reads upstream errors there.
    type: bool
    default: true
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.windows
  - mailops.m365.windows.relay
  - mailops.m365.journal
  - mailops.m365.attributes
seealso:
  - module: mailops.m365.windows_relay_firewall
  - module: mailops.m365.windows_relay_info
"""

EXAMPLES = r"""
---
- name: Relay by an inbound connector that matches the public IP address
  mailops.m365.windows_smtp_server:
    fqdn: relay.contoso.com
    relay_networks: [10.1.2.0/24]
    upstream:
      host: contoso-com.mail.protection.outlook.com

- name: Relay by a smart host with user name and password
  mailops.m365.windows_smtp_server:
    fqdn: relay.contoso.com
    relay_networks: [10.1.2.0/24, 10.1.3.7]
    upstream:
      host: relay1.contoso.com
      port: 587
      username: branch1
      password: "{{ vault_relay_password }}"

- name: Restore what was there before
  mailops.m365.windows_smtp_server:
    state: absent
"""

RETURN = r"""
---
smtp_server:
  description: The relay as it is after the task; null with O(state=absent).
  returned: success
  type: dict
  sample:
    fqdn: relay.contoso.com
    listeners: [{address: "", port: 25}]
    relay_networks: [10.1.2.0/24, 127.0.0.1]
    connection_networks: [10.1.2.0/24, 127.0.0.1]
    upstream: {host: contoso-com.mail.protection.outlook.com, port: 25, tls: required, username: ""}
    service: {state: running, start_mode: auto}
cost:
  description: The number of scripts that were run on the host (C(requests)), and the seconds that were waited.
  returned: always
  type: dict
  sample: {requests: 3, retries: 0, waited: 0.0}
failure:
  description: The parts of the error message as values. C(code) is PowerShell's C(FullyQualifiedErrorId).
  returned: failure
  type: dict
"""

from ..module_utils._entry_points.windows_module import run_windows_module
from ..module_utils.resources import windows_smtp_server


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_windows_module(windows_smtp_server.RESOURCE)


if __name__ == "__main__":
    main()
