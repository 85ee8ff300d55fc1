# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of plugins/module_utils/spec.py, TENANT."""

    DOCUMENTATION = r"""
options:
  tenant:
    description:
      - The tenant's id, or one of its domains.
      - Where the option is left out, the host variable C(m365_tenant) is taken, then the environment variable E(AZURE_TENANT_ID)
        or E(AZURE_TENANT).
    type: str
  cloud:
    description:
      - The cloud that the tenant is in, V(global), V(gcc-high), V(dod) or V(china),
        or a mapping with C(authority), C(graph) and C(exchange) (https URLs without a path), C(smtp_host), and optionally C(smtp_port),
        C(mx_host), C(mx_port), C(graph_audience), C(exchange_audience) and C(ca_file).
      - Where the option is left out, the host variable C(m365_cloud) is taken.
    type: raw
    default: global
  client_id:
    description:
      - The client id of the application that Ansible signs in as. docs/setup.md lists the permissions it needs.
      - Where the option is left out, the host variable C(m365_client_id) is taken, then the environment variable E(AZURE_CLIENT_ID).
    type: str
  client_secret:
    description:
      - That application's client secret. Give this or O(certificate_path).
      - Where the option is left out, the host variable C(m365_client_secret) is taken, then the environment variable
        E(AZURE_CLIENT_SECRET) or E(AZURE_SECRET).
    type: str
  certificate_path:
    description:
      - A PEM or PFX (PKCS#12) file with that application's private key and certificate.
      - Where the option is left out, the host variable C(m365_certificate_path) is taken, then the environment variable
        E(AZURE_CLIENT_CERTIFICATE_PATH) or E(AZURE_X509_CERTIFICATE_PATH).
    type: path
  certificate_password:
    description:
      - The password of that file.
      - Where the option is left out, the host variable C(m365_certificate_password) is taken, then the environment variable
        E(AZURE_CLIENT_CERTIFICATE_PASSWORD).
    type: str
  wait_timeout:
    description:
      - For how many seconds to wait, at most, for what was just made to arrive on Microsoft's other servers.
      - Where the option is left out, the host variable C(m365_wait_timeout) is taken.
    type: int
    default: 300
requirements:
  - msal
  - requests
  - cryptography
"""
