#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: windows_hmailserver
short_description: Install and configure hMailServer as a mail relay for devices
description:
  - Installs hMailServer 5.6, 5.7 or 6 silently where it is missing, or adopts the one that is there, and configures it as a relay with one
    upstream server.
  - Only the devices' networks may connect, and the host itself as hMailServer's range C(My computer) says. The range C(Internet) is closed.
  - POP3 and IMAP are disabled, and an administrator password is set, which a silent installation leaves empty.
  - What would make the setup program wait for good is checked before it runs, and it is stopped after O(installer.timeout).
  - The settings from before the first run are kept in the registry of the host (C(HKLM:\SOFTWARE\mailops\relay)), without passwords.
options:
  state:
    description:
      - With V(present) the relay is configured.
      - With V(absent) devices are refused, the queue is awaited, and the settings from before the first run are restored. A product that
        this module has installed is removed with its directory. A host that this module has not configured stays as it is.
    type: str
    choices: [present, absent]
    default: present
  installer:
    description: The setup program. Required where hMailServer is not installed; an installed version stays as it is.
    type: dict
    suboptions:
      path:
        description: The file on the host, such as V(C:/Setup/hMailServer-5.6.9-B2632.exe). One of O(installer.path) and O(installer.url).
        type: str
      url:
        description: The URL (https) that the host downloads it from.
        type: str
      sha256:
        description: The SHA-256 of the setup program that you have verified.
        type: str
      timeout:
        description: How many seconds the setup program may take.
        type: int
        default: 600
  admin_password:
    description: The administrator password of hMailServer, at least 8 characters.
    type: str
    required: true
  previous_admin_password:
    description: The administrator password from before, to change it or to adopt a server.
    type: str
  hostname:
    description: The fully qualified name of the relay, for the greeting and EHLO. Required with O(state=present).
    type: str
  listeners:
    description: The ports that devices connect to. Other SMTP ports of hMailServer are removed.
    type: list
    elements: dict
    default: [{address: "", port: 25, tls: none}]
    suboptions:
      address:
        description: An IPv4 address of the host. Empty means all.
        type: str
        default: ""
      port:
        description: The port.
        type: int
        default: 25
      tls:
        description:
          - V(implicit) begins with TLS (port 465), V(starttls) offers STARTTLS, V(required) accepts nothing before STARTTLS.
          - Everything but V(none) needs O(certificate).
        type: str
        choices: [none, implicit, starttls, required]
        default: none
  certificate:
    description: The certificate of listeners with TLS. hMailServer reads the files when it starts.
    type: dict
    suboptions:
      certificate_file:
        description: The PEM file on the host with the certificate and its chain.
        type: str
        required: true
      private_key_file:
        description: The PEM file on the host with the private key, which has no passphrase.
        type: str
        required: true
  ranges:
    description: The networks whose devices may relay. Required with O(state=present). They may not overlap.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name of the range. In hMailServer it begins with C(mailops).
        type: str
        required: true
      networks:
        description: The networks, as addresses or networks (V(10.1.2.3), V(10.1.2.0/24)). Only private IPv4 networks are accepted.
        type: list
        elements: str
        required: true
      authenticate:
        description: Whether these devices have to authenticate, which they can by TLS only.
        type: bool
        default: false
  purge_ranges:
    description: Whether IP ranges of others are removed. Otherwise they stay, and a range by which strangers could relay fails the task.
    type: bool
    default: false
  accounts:
    description:
      - User names and passwords of devices. Accounts of the same domain that are not listed are removed, unless the domain was there
        before the first run.
    type: list
    elements: dict
    default: []
    suboptions:
      address:
        description: The user name, an address below C(.internal), such as V(scanner@relay.internal). It receives no mail.
        type: str
        required: true
      password:
        description: The password, at least 8 characters. It is compared on the host, and written where it differs.
        type: str
        required: true
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
        description: The port.
        type: int
        default: 25
      tls:
        description: V(required) is STARTTLS, V(implicit) begins with TLS.
        type: str
        choices: [none, implicit, required]
        default: required
      verify:
        description: Whether the server's certificate has to be valid for O(upstream.host).
        type: bool
        default: true
      username:
        description: The user name for AUTH LOGIN.
        type: str
      password:
        description: The password. Windows receives it as input of a script, never in a command line or script text.
        type: str
  max_message_size:
    description: The maximum size of a message in bytes, encoded; hMailServer rounds up to 1024.
    type: int
    default: 36700160
  tries:
    description: How often a delivery that failed is tried again.
    type: int
    default: 48
  minutes_between_tries:
    description: The minutes between two attempts.
    type: int
    default: 60
  auto_ban:
    description: Refuses an address after wrong passwords. Its ranges expire; this module leaves them alone.
    type: dict
    default: {}
    suboptions:
      enabled:
        description: Whether addresses are refused.
        type: bool
        default: true
      attempts:
        description: The number of wrong passwords.
        type: int
        default: 3
      within_minutes:
        description: The minutes in which they are counted.
        type: int
        default: 30
      ban_minutes:
        description: The minutes for which the address is refused; 0 only disconnects it.
        type: int
        default: 60
  log:
    description: Whether hMailServer logs SMTP sessions and deliveries. M(mailops.m365.windows_relay_info) reads upstream errors there.
    type: bool
    default: true
notes:
  - hMailServer cannot sign in by OAuth or a client certificate, and has one upstream for all senders. A relay host on Linux can do both.
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
  mailops.m365.windows_hmailserver:
    installer:
      path: C:\Setup\hMailServer-5.6.9-B2632.exe
      sha256: "{{ hmailserver_sha256 }}"
    admin_password: "{{ vault_hmailserver_password }}"
    hostname: relay.contoso.com
    ranges:
      - name: printers
        networks: [10.1.2.0/24]
    upstream:
      host: contoso-com.mail.protection.outlook.com

- name: Relay by a relay host on Linux, with an account for scanners
  mailops.m365.windows_hmailserver:
    admin_password: "{{ vault_hmailserver_password }}"
    hostname: relay.contoso.com
    listeners:
      - port: 25
      - port: 587
        tls: required
    certificate:
      certificate_file: C:\Certificates\relay.pem
      private_key_file: C:\Certificates\relay.key
    ranges:
      - name: printers
        networks: [10.1.2.0/24]
      - name: scanners
        networks: [10.1.3.0/24]
        authenticate: true
    accounts:
      - address: scanner@relay.internal
        password: "{{ vault_scanner_password }}"
    upstream:
      host: relay1.contoso.com
      port: 587
      username: branch1
      password: "{{ vault_relay_password }}"

- name: Restore what was there before
  mailops.m365.windows_hmailserver:
    state: absent
    admin_password: "{{ vault_hmailserver_password }}"
"""

RETURN = r"""
---
hmailserver:
  description: The relay as it is after the task; null with O(state=absent). C(version) is null where it is not known yet.
  returned: success
  type: dict
  sample:
    version: 5.6.9-B2632
    hostname: relay.contoso.com
    listeners: [{address: "", port: 25, tls: none}]
    ranges: [{name: printers, networks: [10.1.2.0/24], authenticate: false}]
    accounts: []
    upstream: {host: contoso-com.mail.protection.outlook.com, port: 25, tls: required, username: ""}
cost:
  description: The number of scripts that were run on the host (C(requests)).
  returned: always
  type: dict
  sample: {requests: 3, retries: 0, waited: 0.0}
failure:
  description: The parts of the error message as values. C(code) is PowerShell's C(FullyQualifiedErrorId).
  returned: failure
  type: dict
"""

from ..module_utils._entry_points.windows_module import run_windows_module
from ..module_utils.resources import windows_hmailserver


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_windows_module(windows_hmailserver.RESOURCE)


if __name__ == "__main__":
    main()
