#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: federated_credential
short_description: Manage federated identity credentials of Entra applications
description:
  - Manages the federated credentials of an application in Entra, with which a pipeline, a cluster or a managed identity signs in as
    the application without a secret.
  - Entra compares issuer, subject and audience exactly. The comparison is case-sensitive.
  - A task that signs in with a federated token neither removes nor changes the credential that accepts that token, and warns instead.
options:
  unique_name:
    description: The application's unique name in the tenant. Give this or O(app_id).
    type: str
  app_id:
    description: The application's client id.
    type: str
  credentials:
    description:
      - The credentials, 20 at most.
      - Each identifies the tokens it accepts by O(credentials[].issuer) and O(credentials[].subject) or by one platform.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The credential's name, which can never be changed. Letters, digits, hyphens and underscores.
        type: str
        required: true
      issuer:
        description: The issuer's https URL, exactly as in the claim C(iss) of its tokens.
        type: str
      subject:
        description: The subject, exactly as in the claim C(sub) of the tokens.
        type: str
      audience:
        description:
          - The audience of the tokens. By default C(api://AzureADTokenExchange), or the equivalent value of the tenant's cloud.
        type: str
      description:
        description: A description. If omitted, it is not changed.
        type: str
      github:
        description: A GitHub Actions workflow. One of its last four options selects the context in which it runs.
        type: dict
        suboptions:
          repository:
            description:
              - C(OWNER/REPOSITORY). Repositories created since July 2026 have subjects with ids, which are written
                C(OWNER@ID/REPOSITORY@ID).
            type: str
            required: true
          branch:
            description: On this branch.
            type: str
          tag:
            description: On this tag.
            type: str
          environment:
            description: In jobs of this environment.
            type: str
          pull_request:
            description: In pull requests.
            type: bool
      gitlab:
        description: A GitLab job, on a branch or a tag.
        type: dict
        suboptions:
          host:
            description: The GitLab server's name. By default C(gitlab.com).
            type: str
          project:
            description: The project's path, with its groups.
            type: str
            required: true
          branch:
            description: On this branch.
            type: str
          tag:
            description: On this tag.
            type: str
      azure_devops:
        description:
          - A service connection of Azure DevOps whose issuer is C(https://vstoken.dev.azure.com). Of newer ones give issuer and subject
            as Azure DevOps shows them.
        type: dict
        suboptions:
          organization:
            description: The organization's name.
            type: str
            required: true
          organization_id:
            description: The organization's id, a GUID.
            type: str
            required: true
          project:
            description: The project's name.
            type: str
            required: true
          service_connection:
            description: The service connection's name.
            type: str
            required: true
      kubernetes:
        description: A service account of a Kubernetes cluster.
        type: dict
        suboptions:
          issuer:
            description: The cluster's issuer, an https URL that Entra can reach.
            type: str
            required: true
          namespace:
            description: The service account's namespace.
            type: str
            required: true
          service_account:
            description: The service account's name.
            type: str
            required: true
      automation_platform:
        description: A job template of Ansible Automation Platform.
        type: dict
        suboptions:
          url:
            description: The platform's https URL, which Entra has to reach.
            type: str
            required: true
          organization:
            description: The organization of the job template.
            type: str
            required: true
          job_template:
            description: The job template's name.
            type: str
            required: true
      managed_identity:
        description: A managed identity of the same tenant.
        type: dict
        suboptions:
          object_id:
            description: The identity's object id (principal id), a GUID.
            type: str
            required: true
      state:
        description: Whether the credential exists. V(absent) requires the name only.
        type: str
        choices: [present, absent]
        default: present
  exclusive:
    description: Whether to remove the credentials that are not listed.
    type: bool
    default: false
seealso:
  - module: mailops.m365.federated_credential_info
  - module: mailops.m365.entra_app
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
- name: Configure credentials for a GitHub workflow and a GitLab project
  mailops.m365.federated_credential:
    unique_name: mailops-automation
    credentials:
      - name: github-main
        github: {repository: contoso/infrastructure, branch: main}
      - name: gitlab-main
        gitlab: {host: gitlab.contoso.com, project: it/mail, branch: main}

- name: Configure the credential of a Kubernetes service account and remove all others
  mailops.m365.federated_credential:
    unique_name: mailops-smtp-sender
    credentials:
      - name: erp
        kubernetes: {issuer: https://cluster.contoso.com, namespace: erp, service_account: mailer}
    exclusive: true
"""

RETURN = r"""
---
credentials:
  description: The application's federated credentials, by name, as they are now (in check mode, as they will be).
  returned: success
  type: dict
  sample:
    github-main:
      issuer: https://token.actions.githubusercontent.com
      subject: repo:contoso/infrastructure:ref:refs/heads/main
      audience: api://AzureADTokenExchange
      description: ""
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
from ..module_utils.resources import federated_credential


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(federated_credential.RESOURCE)


if __name__ == "__main__":
    main()
