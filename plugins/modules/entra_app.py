#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: entra_app
short_description: Manage Entra applications for SMTP senders
description:
  - Registers an application with its certificates, makes its enterprise application and grants admin consent.
  - The application is found by its unique name, so that a second run never makes a second one.
    An application of the same display name without a unique name is adopted; two of them are an error.
  - Permissions, consents and certificates that others added are left alone unless O(exclusive=true).
options:
  unique_name:
    description: The application's unique name in the tenant, of 64 characters at most. It is set once and can never be changed.
    type: str
    required: true
  display_name:
    description: The display name. A new application gets its unique name if this is omitted.
    type: str
  permissions:
    description: The API permissions that the application requests, by name. If omitted, permissions are not changed.
    type: list
    elements: dict
    suboptions:
      name:
        description: The permission's name, such as V(SMTP.SendAsApp).
        type: str
        required: true
      api:
        description: V(exchange) (Office 365 Exchange Online), V(graph) (Microsoft Graph) or an API's application id.
        type: str
        default: exchange
      type:
        description: Whether the application has the permission itself, or a signed-in user gives it.
        type: str
        choices: [application, delegated]
        default: application
  revoked_permissions:
    description:
      - Permissions that the application no longer requests and whose consent for the whole tenant is withdrawn.
      - Other permissions that are not listed in O(permissions) stay. One that is listed there stays, too.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The permission's name, such as V(Mail.Send).
        type: str
        required: true
      api:
        description: V(exchange) (Office 365 Exchange Online), V(graph) (Microsoft Graph) or an API's application id.
        type: str
        default: exchange
      type:
        description: Whether the application has the permission itself, or a signed-in user gives it.
        type: str
        choices: [application, delegated]
        default: application
  certificate:
    description:
      - With V(managed), the module creates a private key and its certificate in O(key_directory), registers the certificate, and renews
        both. 30 days before the end it creates the next key, registers its certificate, requests a token with it, and puts it into use. The
        previous certificate stays registered until it ends, and is removed by the next run after that.
      - With V(listed), only O(certificates) are registered.
    type: str
    choices: [listed, managed]
    default: listed
  certificates:
    description:
      - Certificates that the application signs in with, as PEM text or as paths of PEM or DER files on the host that runs the module.
      - Only the public part is read and sent. List the old and the new one while you rotate.
    type: list
    elements: str
  retired_certificates:
    description:
      - Certificates that the application shall not have any more, in the same forms, at the end of a rotation. Others stay.
    type: list
    elements: str
  mailboxes:
    description:
      - Addresses of the mailboxes that the application is meant for.
      - Where something is to be written, all of them must exist first; those that do not are named at once. They are not changed.
    type: list
    elements: str
  public_client:
    description:
      - Whether it is a public client, which users sign in to (device code) and which has no credential of its own; also lets it redirect to
        C(http://localhost). A tenant that sends both ways has two applications.
      - If omitted, it is not changed.
    type: bool
  consent:
    description: Whether to grant admin consent to the permissions.
    type: bool
    default: true
  authorization:
    description:
      - How the application is allowed to send.
      - With V(mailbox_permissions), it has the permission V(SMTP.SendAsApp) and FullAccess on its mailboxes.
      - With V(rbac), the permission V(SMTP.SendAsApp) is neither asked for nor consented to here, also where O(permissions) names it.
        Existing consent is kept; M(mailops.m365.rbac_for_applications) withdraws it when it is no longer required.
      - As long as that module has the application marked as moving from one to the other, consent to V(SMTP.SendAsApp) is
        left alone in either case.
    type: str
    choices: [mailbox_permissions, rbac]
    default: mailbox_permissions
  exclusive:
    description: Whether to remove permissions, consents and certificates that are not listed, where the list is given.
    type: bool
    default: false
  key_directory:
    description:
      - The directory of the keys that this collection creates, with one file for each tenant and application.
      - The default directory is C(~/.local/state/mailops/keys).
      - If omitted, the value of the host variable C(m365_key_directory) is used, then the environment variable
        E(MAILOPS_KEY_DIRECTORY).
    type: path
  state:
    description:
      - Whether the application shall exist.
      - A deleted application can be restored for 30 days and reserves its unique name. V(present) restores it, with its client id.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: mailops.m365.entra_app_info
  - module: mailops.m365.exchange_service_principal
  - module: mailops.m365.rbac_for_applications
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.expected
  - mailops.m365.journal
  - mailops.m365.attributes
"""

EXAMPLES = r"""
---
- name: Register the application that printers and the ERP system send with
  mailops.m365.entra_app:
    unique_name: mailops-smtp-sender
    display_name: SMTP sender
    permissions:
      - name: SMTP.SendAsApp
    certificates:
      - files/smtp-sender.pem

- name: Register the application that users sign in to, to send as themselves or as a shared mailbox
  mailops.m365.entra_app:
    unique_name: mailops-user-sender
    public_client: true
    permissions:
      - {name: SMTP.Send, type: delegated}
      - {name: offline_access, api: graph, type: delegated}
"""

RETURN = r"""
---
app:
  description: The application as it is now (in check mode, as it will be; ids that only Entra can give are null). Null when absent.
  returned: success
  type: dict
  contains:
    app_id:
      description: The client id.
      type: str
    object_id:
      description: The object id of the app registration.
      type: str
    service_principal_id:
      description: The object ID of the enterprise application, which Exchange Online requires.
      type: str
    unique_name:
      description: The unique name.
      type: str
    display_name:
      description: The display name.
      type: str
    permissions:
      description: What the application asks for.
      type: list
      elements: str
      sample: ["Office 365 Exchange Online: SMTP.SendAsApp (application)"]
    consented:
      description: What an administrator consented to.
      type: list
      elements: str
    certificates:
      description: SHA-1 thumbprints of the certificates, as Entra shows them.
      type: list
      elements: str
    certificate_in_use:
      description: The thumbprint of the managed certificate that is in use (in check mode, what will be created).
      returned: with O(certificate=managed)
      type: str
    enterprise_application:
      description: Whether the enterprise application exists.
      type: bool
    public_client:
      description: Whether it is a public client.
      returned: when it is
      type: bool
    redirect_uris:
      description: Where a public client may be redirected to.
      returned: when it is a public client
      type: list
      elements: str
    authorization:
      description: V(rbac) where M(mailops.m365.rbac_for_applications) moved the application or is moving it; else V(mailbox_permissions).
      type: str
key_file:
  description: The file with the managed private key and its certificate.
  returned: with O(certificate=managed)
  type: str
attention:
  description: What needs attention, listed in the summary of the run, each with C(kind), C(subject), C(problem) and C(remedy).
  returned: success
  type: list
  elements: dict
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
from ..module_utils.resources import entra_app


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(entra_app.RESOURCE)


if __name__ == "__main__":
    main()
