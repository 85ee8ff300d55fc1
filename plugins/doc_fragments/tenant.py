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
      - If omitted, the value of the host variable C(m365_tenant) is used, then the environment variable E(AZURE_TENANT_ID)
        or E(AZURE_TENANT).
    type: str
  cloud:
    description:
      - The cloud that the tenant is in, V(global), V(gcc-high), V(dod) or V(china),
        or a mapping with C(authority), C(graph) and C(exchange) (https URLs without a path), C(smtp_host), and optionally C(smtp_port),
        C(mx_host), C(mx_port), C(graph_audience), C(exchange_audience), C(federated_audience), C(spf_include) and C(ca_file).
      - If omitted, the value of the host variable C(m365_cloud) is used.
    type: raw
    default: global
  auth_method:
    description:
      - How Ansible signs in.
      - V(auto) selects the method from the options that are set (client secret, certificate or federated token), then from the
        platform (a GitHub Actions job with permission to request an identity token, a step of Azure Pipelines that has
        C(SYSTEM_ACCESSTOKEN), or an Azure service with a managed identity).
      - V(federated) presents a token of another issuer, for which the application has a federated credential
        (M(mailops.m365.federated_credential)). It comes from O(federated_token_file), O(federated_token_variable),
        O(federated_request_url) or, if none of them is set, from O(managed_identity_client_id) or Azure Pipelines.
      - V(managed_identity) uses the managed identity of the Azure resource that runs Ansible. O(client_id) is not used.
      - V(device_code) shows a code with which a user signs in in a browser.
      - If omitted, the value of the host variable C(m365_auth_method) is used.
    type: str
    choices: [auto, client_secret, certificate, federated, managed_identity, device_code]
    default: auto
  client_id:
    description:
      - The client id of the automation app, which Ansible signs in as. docs/setup.md lists the required permissions.
      - If omitted, the value of the host variable C(m365_client_id) is used, then the environment variable E(AZURE_CLIENT_ID).
    type: str
  client_secret:
    description:
      - The client secret of the automation app. Set this or O(certificate_path).
      - If omitted, the value of the host variable C(m365_client_secret) is used, then the environment variable
        E(AZURE_CLIENT_SECRET) or E(AZURE_SECRET).
    type: str
  certificate_path:
    description:
      - A PEM or PFX (PKCS#12) file with the private key and certificate of the automation app.
      - If omitted, the value of the host variable C(m365_certificate_path) is used, then the environment variable
        E(AZURE_CLIENT_CERTIFICATE_PATH) or E(AZURE_X509_CERTIFICATE_PATH).
    type: path
  certificate_password:
    description:
      - The password of the file in O(certificate_path).
      - If omitted, the value of the host variable C(m365_certificate_password) is used, then the environment variable
        E(AZURE_CLIENT_CERTIFICATE_PASSWORD).
    type: str
  federated_token_file:
    description:
      - A file with a token of another issuer, such as a projected service account token of Kubernetes. It is read at each sign-in.
      - If omitted, the value of the host variable C(m365_federated_token_file) is used, then the environment variable
        E(AZURE_FEDERATED_TOKEN_FILE).
    type: path
  federated_token_variable:
    description:
      - The name of an environment variable that holds a token of another issuer, such as the ID token of a
        GitLab job or of Ansible Automation Platform.
      - If omitted, the value of the host variable C(m365_federated_token_variable) is used.
    type: str
  federated_request_url:
    description:
      - An https URL that issues a token of another issuer, such as the ID token endpoint of a GitHub Actions job.
      - If omitted, the value of the host variable C(m365_federated_request_url) is used, then the environment variable
        E(ACTIONS_ID_TOKEN_REQUEST_URL).
    type: str
  federated_request_token:
    description:
      - The bearer token for requests to O(federated_request_url).
      - If omitted, the value of the host variable C(m365_federated_request_token) is used, then the environment variable
        E(ACTIONS_ID_TOKEN_REQUEST_TOKEN).
    type: str
  managed_identity_client_id:
    description:
      - The client id of a user-assigned managed identity, or V(system) for the system-assigned one.
      - If omitted, the value of the host variable C(m365_managed_identity_client_id) is used.
    type: str
  wait_timeout:
    description:
      - The maximum time to wait for the replication of new objects and permissions in Microsoft 365, in seconds.
      - If omitted, the value of the host variable C(m365_wait_timeout) is used.
    type: int
    default: 300
requirements:
  - msal
  - requests
  - cryptography
"""
