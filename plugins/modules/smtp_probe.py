#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: smtp_probe
short_description: Verify by a test message that senders can send
description:
  - For every sender, resolves the server, connects, starts TLS, authenticates as the mailbox and sends a message with a unique id.
  - >-
    A sender is C(verified) only if the server accepts the message in the way that the method names. V(connector) has to relay to an
    external recipient, which is tested before the message in a transaction without a message; an internal recipient alone would be
    reached by Direct Send, too. V(direct_send) is not verifiable where a connector matches this host. The result names what accepted the
    message.
  - >-
    A sender is C(not_verifiable) where this host cannot see what the method claims, for example because the connector matches another IP
    address, or because the network of this host blocks the port. Another host may verify it.
  - For a sender that is C(failed), returns the stage, the server's reply, the reason, the remedy and whether the failure is transient.
  - If the task is delegated, the control node reads what the verification needs, and the host sends the test messages. The host needs
    Python 3.9 and no library, and gets no credential of the automation app (M(mailops.m365.smtp_test_message)).
  - Only failed senders fail the task. What is wrong with one sender does not stop the verification of the others.
  - Mailboxes are probed in parallel, senders of one mailbox in sequence.
  - In check mode no connection is opened, unless O(reachability) is true. No sender authenticates and no message is sent.
options:
  senders:
    description: The senders to verify.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name of the sender in the result.
        type: str
      address:
        description: The address that it sends from.
        type: str
        required: true
      method:
        description:
          - V(oauth) signs in with the application's token (XOAUTH2), V(basic) with the mailbox's password (LOGIN).
          - V(delegated) signs in as a user, with the refresh token of the user's own sign-in (module M(mailops.m365.delegated_sign_in)).
          - V(connector) relays through an inbound connector, V(direct_send) sends to internal recipients at the tenant's MX host.
          - V(relay_host) sends through a relay host (O(senders[].host)), without authentication.
          - V(hve) sends through High Volume Email to recipients inside the tenant, with the application's token or, where there is a
            password, with the account's password.
          - V(acs) sends through Azure Communication Services Email, with an SMTP username and a client secret of its application
            (O(app_client_secret) or the sender's password), or with that application's token.
          - V(hosted) sends through a hosted relay, with a credential of module M(mailops.m365.hosted_credential). With
            O(hosted_relay_api_key), the lists of suppressed addresses and the state of the SMTP user are read first, because the provider
            accepts such mail and does not deliver it. The sender is C(not_verifiable) then.
        type: str
        choices: [oauth, connector, relay_host, hve, direct_send, acs, hosted, basic, delegated]
        default: oauth
      verify_recipient:
        description:
          - Recipient of the test message. Use an external recipient where the sender sends to external recipients.
          - A sender without recipient is reported as C(not_verified).
        type: str
      mailbox:
        description: The mailbox to authenticate as. By default the address.
        type: str
      user:
        description:
          - The user who has signed in, for V(delegated). The user sends from the user's own address or from one with SendAs or
            SendOnBehalf permission.
        type: str
      token_store:
        description: The token store of the user's refresh token, for V(delegated). The token is renewed there.
        type: dict
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
            description:
              - For V(command), the program with its arguments that prints the token. If it fails or prints nothing, the store is empty.
            type: list
            elements: str
          store:
            description: For V(command), the program with its arguments that stores the token from its standard input.
            type: list
            elements: str
          remove:
            description: For V(command), the program with its arguments that removes the token.
            type: list
            elements: str
          variable:
            description: The variable's name, for V(environment).
            type: str
      on_behalf:
        description: Whether a V(delegated) sender sends on behalf of the address (GrantSendOnBehalfTo), not as it (SendAs).
        type: bool
        default: false
      username:
        description: The SMTP username to authenticate with, for V(acs), and for V(hosted) without O(senders[].credential).
        type: str
      password:
        description: The mailbox's or account's password, for V(basic), and for V(hve) without an application.
        type: str
      public_addresses:
        description:
          - The public IP addresses that the connector matches, for V(connector). If the server sees this host with another address, the
            sender is not verifiable from here.
        type: list
        elements: str
      certificate_name:
        description:
          - The name in the certificate that the connector matches, for V(connector). Without O(senders[].certificate_path), the sender is
            not verifiable from here.
        type: str
      certificate_path:
        description: A PEM file with private key, certificate and intermediates, for a connector by certificate.
        type: path
      certificate_password:
        description: The password of that private key.
        type: str
      source_address:
        description: The local IP address to send from.
        type: str
      host:
        description: The server. By default the SMTP endpoint of the cloud or the MX host of the tenant.
        type: str
      port:
        description: The server's port.
        type: int
      verify_from:
        description:
          - The host of the inventory that the message is sent from. The task verifies the senders of one host, O(verify_from), and has to
            be delegated to it.
        type: str
      credential:
        description: The name of a credential in O(hosted_credential_store), for V(hosted).
        type: str
  app_unique_name:
    description: The unique name of the application that V(oauth) and V(hve) senders sign in with. Set this or O(app_id).
    type: str
  app_id:
    description: That application's client id.
    type: str
  app_client_secret:
    description: That application's client secret.
    type: str
  app_certificate_path:
    description: A PEM or PFX file with that application's private key and certificate.
    type: path
  app_certificate_password:
    description: The password of that file.
    type: str
  passwords:
    description: Passwords by mailbox or address, for senders without O(senders[].password).
    type: dict
    default: {}
  user_app_unique_name:
    description: The unique name of the application that users of V(delegated) senders sign in to. Set this or O(user_app_id).
    type: str
  user_app_id:
    description: That application's client id.
    type: str
  wait:
    description: The time to retry senders with a transient failure, such as permission propagation, in seconds.
    type: int
    default: 0
  required:
    description: Whether the task fails when a sender has failed.
    type: bool
    default: true
  reachability:
    description: Whether check mode connects to the servers of the senders, up to TLS.
    type: bool
    default: false
  verify_from:
    description:
      - The senders to verify, those with this O(senders[].verify_from). By default those without.
    type: str
  inventory_hosts:
    description: The hosts that O(senders[].verify_from) may name. By default all hosts of the inventory.
    type: list
    elements: str
    default: []
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.hosted_senders
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Verify that the ERP system can send to external recipients
  mailops.m365.smtp_probe:
    app_unique_name: mailops-smtp-sender
    app_certificate_path: /etc/mailops/smtp-sender.pem
    senders:
      - name: ERP invoices
        address: erp@contoso.com
        verify_recipient: test@example.net
    wait: 900

- name: Verify on the gateway that its connector relays
  mailops.m365.smtp_probe:
    senders:
      - name: Office gateway
        address: gateway@contoso.com
        method: connector
        public_addresses: [203.0.113.10]
        verify_recipient: test@example.net
        verify_from: gateway-1
    verify_from: gateway-1
  delegate_to: gateway-1

- name: Verify that the hosted relay delivers the newsletter
  mailops.m365.smtp_probe:
    senders:
      - name: Newsletter
        address: news@contoso.com
        method: hosted
        credential: news
        verify_recipient: it@contoso.com
"""

RETURN = r"""
---
senders:
  description: Every sender's result, in the order of the option.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The name of the sender.
      type: str
    status:
      description:
        - C(verified), C(failed), C(not_verifiable) (this host cannot see what the method claims) or C(not_verified) (no test message was
          to be sent, because of check mode or a missing recipient).
      type: str
      sample: verified
    accepted_by:
      description:
        - What accepted the test message, C(connector), C(direct_send), C(submission), C(relay_host) or C(hosted_relay).
        - Empty if nothing did.
      type: str
      sample: connector
    reason:
      description: Why the sender is not verified. With C(hosted_relay), what the account says besides, such as the quota.
      type: str
    remedy:
      description: What to do.
      type: str
    message_id:
      description: The Message-ID of the test message.
      type: str
    stage:
      description: The stage that was reached.
      type: str
      sample: sign-in
    code:
      description: The server's code.
      type: str
      sample: 535 5.7.139
    transient:
      description: Whether the same attempt may succeed later.
      type: bool
    verify_from:
      description: The host that the message was sent from; empty for the control node.
      type: str
    source:
      description: This host's address as the server sees it.
      type: str
      sample: 203.0.113.10
    seconds:
      description: How long the probe took.
      type: float
verified:
  description: How many senders were verified.
  returned: always
  type: int
total:
  description: How many senders there are.
  returned: always
  type: int
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
from ..module_utils.resources import smtp_probe


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(smtp_probe.RESOURCE)


if __name__ == "__main__":
    main()
