#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: rbac_for_applications
short_description: Manage RBAC for Applications in Exchange Online
description:
  - Creates the management scope and assigns the role C(Application SMTP.SendAsApp) to the application within it. The application
    then needs neither consent to V(SMTP.SendAsApp) in Entra nor FullAccess on mailboxes.
  - Consent would defeat the scope, since a token with V(SMTP.SendAsApp) is judged by mailbox permissions instead. With
    O(replace=true) the module moves an application that has consent, so that at no moment it is refused.
    Each step is left alone for O(settle_time) before the one that relies on it, over several runs, unless the host variable
    C(m365_wait_timeout) allows the wait. How far it got is noted in a tag of the enterprise application.
  - With O(state=present) the role is assigned; then consent is withdrawn; then FullAccess is removed.
    With O(state=absent) and O(replace=true), for an application that has FullAccess again, consent is given; then the assignment
    is removed.
  - The changes are verified with C(Test-ServicePrincipalAuthorization). Consent is withdrawn only if every mailbox
    passes the test.
options:
  unique_name:
    description: The unique name of the application in Entra. Give this or O(app_id).
    type: str
  app_id:
    description: The client id of the application, instead of its unique name.
    type: str
  scope:
    description:
      - The name of the management scope, at most 45 characters. By default the beginning of O(unique_name) or O(app_id).
      - Where the mailboxes do not fit into one filter, further scopes follow it, with a number.
    type: str
  mailboxes:
    description:
      - The mailboxes that the application sends as, each by any of its addresses. The scope's filter is made of their primary addresses.
      - With O(recipient_filter), these are the mailboxes that must be in the scope.
    type: list
    elements: str
  kept_mailboxes:
    description:
      - Mailboxes that stay in the application's scopes where they are in them, because something else needs them. While there are some,
        O(state=absent) does not remove the role assignment.
    type: list
    elements: str
    default: []
  recipient_filter:
    description:
      - A recipient filter of your own (OPATH) for the scope, such as C(CustomAttribute1 -eq 'smtp').
      - A filter that Exchange reads back in another spacing is the same filter.
    type: str
  replace:
    description: Whether the role replaces consent and FullAccess on O(mailboxes), or, with O(state=absent), they replace the role.
    type: bool
    default: false
  settle_time:
    description:
      - For how many seconds to leave a step of a move alone. A role reaches SMTP within two hours, FullAccess within one, and a token
        lives up to ninety minutes.
      - Give more where the tenant's token lifetime policy is longer.
    type: int
    default: 7200
  state:
    description: Whether the application has the role within the scope.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: mailops.m365.rbac_for_applications_info
  - module: mailops.m365.entra_app
  - module: mailops.m365.exchange_service_principal
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.journal
  - mailops.m365.expected
  - mailops.m365.attributes
"""

EXAMPLES = r"""
---
- name: Allow the sender app to send as two mailboxes only
  mailops.m365.rbac_for_applications:
    unique_name: mailops-smtp-sender
    mailboxes: [erp@contoso.com, scanner@contoso.com]
    replace: true
"""

RETURN = r"""
---
rbac:
  description: The application's authorization as it is now (in check mode, as it will be). Null when absent.
  returned: success
  type: dict
  contains:
    app_id:
      description: The client id.
      type: str
    object_id:
      description: The object id of the enterprise application.
      type: str
    scopes:
      description: The scopes within which the application has the role, with their mailboxes, or the filter where it is one of your own.
      type: dict
      sample: {mailops-smtp-sender: [erp@contoso.com]}
    consent:
      description: Whether the application has consent to V(SMTP.SendAsApp). With O(replace=true).
      type: bool
    full_access:
      description: The mailboxes that it still has FullAccess on. Read only while it is being moved, and with O(replace=true).
      type: list
      elements: str
    phase:
      description:
        - How far it was moved. To RBAC, V(assigned), V(withdrawn), V(alone). Back, V(granted), V(consented), then null.
        - With O(replace=true).
      type: str
    due:
      description: When the next step may follow, or null where none is left.
      type: str
      sample: "2026-11-24T02:10:00Z"
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
from ..module_utils.resources import rbac_for_applications


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(rbac_for_applications.RESOURCE)


if __name__ == "__main__":
    main()
