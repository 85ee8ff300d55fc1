# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of plugins/module_utils/_core/spec.py, TENANT."""

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
        C(mx_host), C(mx_port), C(graph_audience), C(exchange_audience), C(federated_audience), C(spf_include) and C(ca_file).
      - Where the option is left out, the host variable C(m365_cloud) is taken.
    type: raw
    default: global
  auth_method:
    description:
      - How Ansible signs in.
      - V(auto) decides from what is given, which is a secret, a certificate or a federated token, then from the platform that
        it runs on, which is a GitHub Actions job that may ask for an identity token, or a service of Azure with a managed identity.
      - V(federated) presents a token of another issuer, for which the application has a federated credential
        (M(mailops.m365.federated_credential)). It comes from O(federated_token_file), O(federated_token_variable),
        O(federated_request_url) or, where none of them is given, from O(managed_identity_client_id).
      - V(managed_identity) is the identity that Azure gives the machine. O(client_id) is not used.
      - V(device_code) shows a code, with which a person signs in in a browser.
      - Where the option is left out, the host variable C(m365_auth_method) is taken.
    type: str
    choices: [auto, client_secret, certificate, federated, managed_identity, device_code]
    default: auto
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
  federated_token_file:
    description:
      - A file with a token of another issuer, as Kubernetes keeps it. It is read anew for each sign-in.
      - Where the option is left out, the host variable C(m365_federated_token_file) is taken, then the environment variable
        E(AZURE_FEDERATED_TOKEN_FILE).
    type: path
  federated_token_variable:
    description:
      - The name of an environment variable that holds a token of another issuer, as GitLab and Ansible Automation Platform give it to
        a job.
      - Where the option is left out, the host variable C(m365_federated_token_variable) is taken.
    type: str
  federated_request_url:
    description:
      - An https URL that issues a token of another issuer, as GitHub Actions offers it to a job.
      - Where the option is left out, the host variable C(m365_federated_request_url) is taken, then the environment variable
        E(ACTIONS_ID_TOKEN_REQUEST_URL).
    type: str
  federated_request_token:
    description:
      - The token that this URL asks for.
      - Where the option is left out, the host variable C(m365_federated_request_token) is taken, then the environment variable
        E(ACTIONS_ID_TOKEN_REQUEST_TOKEN).
    type: str
  managed_identity_client_id:
    description:
      - The client id of a user-assigned managed identity, or V(system), which is the machine's own.
      - Where the option is left out, the host variable C(m365_managed_identity_client_id) is taken.
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
