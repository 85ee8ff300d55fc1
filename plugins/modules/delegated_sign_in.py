#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: delegated_sign_in
short_description: Manage the delegated sign-in of a user for SMTP
description:
  - Verifies with one token request that the refresh token in the token store still works, and stores the refresh token that replaces it.
  - Otherwise shows a code at once, waits until the user has entered it in a browser, and stores the refresh token in the token store.
  - The token is never in a result, log, journal, diff or command line. It ends after 90 days without use.
  - In check mode no sign-in is requested, and a warning lists the required sign-ins.
options:
  user:
    description: The user's principal name, which usually is the address. Whoever else signs in is refused.
    type: str
    required: true
  app_unique_name:
    description: The unique name of the application, a public client with consent to C(SMTP.Send). Give this or O(app_id).
    type: str
  app_id:
    description: That application's client id.
    type: str
  token_store:
    description: Where the refresh token is kept.
    type: dict
    required: true
    suboptions:
      kind:
        description:
          - V(file) is a file that only its owner can read, replaced in one step.
          - V(command) is any program, which covers password managers, a vault's own client and C(ansible-vault).
          - V(environment) is an environment variable of a pipeline job. It is read-only; a sign-in cannot store a token in it.
        type: str
        choices: [file, command, environment]
        default: file
      path:
        description: The file's absolute path, for V(file).
        type: path
      fetch:
        description: For V(command), the program with its arguments that prints the token. One that fails or prints nothing holds none.
        type: list
        elements: str
      store:
        description: For V(command), the program with its arguments that takes the token on its standard input and keeps it.
        type: list
        elements: str
      remove:
        description: For V(command), the program with its arguments that forgets the token.
        type: list
        elements: str
      variable:
        description: The variable's name, for V(environment).
        type: str
  sign_in_timeout:
    description: For how many seconds to wait for the user, 30 to 900.
    type: int
    default: 900
  state:
    description: V(absent) removes the token from the token store without revoking it; an administrator can revoke the user's sign-ins.
    type: str
    choices: [present, absent]
    default: present
notes:
  - A sign-in needs a task that runs inside Ansible's own process, on a local connection. Anywhere else the task proves what is there, and
    fails where a person is needed.
seealso:
  - module: mailops.m365.entra_app
  - module: mailops.m365.smtp_probe
  - module: mailops.m365.shared_mailbox
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
- name: Sign in a user once
  mailops.m365.delegated_sign_in:
    user: ada@contoso.com
    app_unique_name: mailops-user-sender
    token_store:
      path: /var/lib/mailops/ada.token

- name: Sign in a user and store the token in a vault
  mailops.m365.delegated_sign_in:
    user: ada@contoso.com
    app_unique_name: mailops-user-sender
    token_store:
      kind: command
      fetch: [vault, kv, get, -field=token, secret/mailops/ada]
      store: [vault, kv, put, secret/mailops/ada, "token=-"]
      remove: [vault, kv, delete, secret/mailops/ada]
"""

RETURN = r"""
---
sign_in:
  description: The sign-in as it is now (in check mode, would be).
  returned: success
  type: dict
  contains:
    user:
      description: Who signs in.
      type: str
    app_id:
      description: The application's client id. Null where it is not known.
      type: str
    token_store:
      description: Where the refresh token is kept.
      type: str
      sample: the file /var/lib/mailops/ada.token
    signed_in:
      description: Whether the token store holds a refresh token that works.
      type: bool
    reason:
      description: The reason why the user had to sign in (in check mode, would have to). Empty if no sign-in was required.
      type: str
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
from ..module_utils.resources import delegated_sign_in


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(delegated_sign_in.RESOURCE)


if __name__ == "__main__":
    main()
