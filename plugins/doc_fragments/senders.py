# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The senders of a tenant and the settings of their plan: modules sender_plan and tenant."""

    DOCUMENTATION = r"""
options:
  senders:
    description: Who sends. Falls back to the host variable C(m365_senders).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What it is called.
        type: str
        required: true
      address:
        description: The address that it sends from.
        type: str
        required: true
      was:
        description:
          - The former address of a sender that signs in to a mailbox or uses High Volume Email. Its shared mailbox or account gets
            O(senders[].address) as the primary address and keeps the former one as a secondary address, with all permissions and settings.
          - Where there is no mailbox with the former address, the option has no effect. Two mailboxes are refused, as is a user's mailbox.
        type: str
      kind:
        description: What it is. An application, erp, monitoring or website can usually sign in with OAuth, the others cannot.
        type: str
        choices: [application, erp, monitoring, nas, other, printer, scanner, ups, website]
        default: other
      product:
        description:
          - The maker of the printer or the name of the program, such as V(Kyocera) or V(WP Mail SMTP), for its settings sheet
            (M(mailops.m365.device_settings)). docs/makers-and-programs.md lists them; case, spaces and punctuation do not count.
          - It decides the default of O(senders[].oauth).
        type: str
      method:
        description:
          - V(auto) selects the first method that no rule refuses, in the order of this list.
          - V(oauth) signs in to a mailbox with OAuth and the sender app. V(connector) sends to the tenant's MX host, where an inbound
            connector matches the sender by its public IP address or certificate. V(relay_host) sends through a relay host of the
            organization. V(hve) is High Volume Email, V(direct_send) is Direct Send to the tenant's MX host, V(acs) is Azure
            Communication Services Email, V(hosted) is a hosted relay service, V(basic) is Basic authentication with a mailbox's password.
        type: str
        choices: [auto, oauth, connector, relay_host, hve, direct_send, acs, hosted, basic]
        default: auto
      mailbox:
        description: The mailbox that the sender authenticates as. By default its address.
        type: str
      display_name:
        description: The display name of a mailbox that is created for it.
        type: str
      recipients:
        description: Whether all recipients are internal (in the tenant), or some are external.
        type: str
        choices: [internal, external]
        default: external
      oauth:
        description: Whether it can sign in with OAuth. By default the capability of its product, or of its kind.
        type: bool
      tls12:
        description: Whether it speaks TLS 1.2.
        type: bool
        default: true
      public_addresses:
        description: Its static public IPv4 addresses, or networks of /24 to /32, as Microsoft sees them.
        type: list
        elements: str
        default: []
      certificate_name:
        description: The name in the TLS certificate that it presents.
        type: str
      connector:
        description: The name of its connector, where that shall be another than this collection gives.
        type: str
      relay_host:
        description: The relay host that it sends through, one of O(relays).
        type: str
      messages_per_minute:
        description: How many messages a minute it sends at its peak.
        type: int
        default: 1
      recipients_per_day:
        description: The number of recipients a day; 0 if unknown.
        type: int
        default: 0
      recipients_per_message:
        description: To how many recipients its largest message goes.
        type: int
        default: 1
      sent_items:
        description: Whether a copy is wanted in Sent Items.
        type: bool
        default: false
      third_party_host:
        description: Whether it runs at a third party, whose addresses others share.
        type: bool
        default: false
      keep_in_tenant:
        description: Whether its mail must not pass through services other than Microsoft 365.
        type: bool
        default: false
      verify_recipient:
        description: Recipient of this sender's test message. Defaults to O(verify_recipient).
        type: str
      verify_from:
        description:
          - The host of the inventory that sends the test message, for a sender that can be verified from its own public address only. It
            needs Python 3.9. By default the control node.
        type: str
      verify_connection:
        description: Connection settings of the test message, which is sent from the control node.
        type: dict
        suboptions:
          source_address:
            description: The source address on the control node.
            type: str
          certificate_path:
            description: A PEM file with private key, certificate and intermediates.
            type: path
          host:
            description: Another server.
            type: str
          port:
            description: Another port.
            type: int
          credential:
            description: Another SMTP credential of the hosted relay than that of the sender's name.
            type: str
  relays:
    description: The organization's own relay hosts. Falls back to the host variable C(m365_relays).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What it is called.
        type: str
        required: true
      host:
        description: The name or address that devices connect to.
        type: str
        required: true
      upstream:
        description:
          - How it goes on to Microsoft 365, by V(connector), or signed in with V(oauth) as the sender's mailbox.
          - Otherwise who takes its mail, a hosted relay (V(smtp2go), V(sendgrid), V(mailgun)), V(acs) or another V(smarthost).
        type: str
        choices: [connector, oauth, smtp2go, sendgrid, mailgun, acs, smarthost]
        default: connector
      public_addresses:
        description: Its static public IPv4 addresses.
        type: list
        elements: str
        default: []
      certificate_name:
        description: The name in the TLS certificate that it presents.
        type: str
        default: ""
      legacy_address:
        description: The address of its listener for devices without TLS 1.2 (C(relay_legacy_address)), which their settings then have.
        type: str
        default: ""
      legacy_port:
        description: The port of that listener.
        type: int
        default: 2525
      windows:
        description:
          - Whether it runs on Windows (role relay_windows), where OAuth and client certificates are not possible. Its senders are verified
            from the host that their O(senders[].verify_from) names.
        type: bool
        default: false
      via:
        description: The relay host on Linux that is its smart host, by name, whose upstream and addresses it has then.
        type: str
        default: ""
      listeners:
        description:
          - The ports that devices connect to. By default those of role relay_host, 25, and 587 for devices that authenticate.
        type: list
        elements: dict
        default: []
        suboptions:
          port:
            description: The port.
            type: int
            default: 25
          tls:
            description: V(starttls) offers STARTTLS, V(required) requires it, V(implicit) begins with TLS.
            type: str
            choices: [none, starttls, required, implicit]
            default: none
      managed:
        description: Whether this inventory deploys it (role relay_host). Module M(mailops.m365.relay_probe) then verifies its senders.
        type: bool
        default: false
      certificates:
        description: PEM certificates of the keys that it signs in with. Omitted if the host has not reported them in this run.
        type: list
        elements: str
      retired_certificates:
        description: Those that it does not sign in with any more, after a rotation.
        type: list
        elements: str
        default: []
      users:
        description: The names that devices log in to it with, by the address that they send from.
        type: dict
        default: {}
  unused_access:
    description:
      - Whether what no sender on the list uses stays as it is, or is closed. That is SMTP AUTH of the organization and of all other
        mailboxes, Basic authentication, and Direct Send. Falls back to the host variable C(m365_unused_access).
    type: str
    choices: [keep, disable]
    default: keep
  hosted_relay:
    description: The hosted relay that the organization has an account with. Falls back to the host variable C(m365_hosted_relay).
    type: str
    choices: [mailgun, sendgrid, smtp2go]
  hosted_relay_region:
    description:
      - The region of O(hosted_relay), whose SMTP host devices get. The default is V(us) for Mailgun, else V(global).
      - Falls back to the host variable C(m365_hosted_relay_region).
    type: str
    choices: [global, us, eu, au]
  hve:
    description: Whether V(auto) may choose High Volume Email. Falls back to the host variable C(m365_hve).
    type: bool
    default: false
  basic_auth_end_date:
    description:
      - The last day on which Basic authentication for SMTP is on by default, by Microsoft's timetable (end of December 2026). After it an
        administrator can turn it on again, until the final date, which Microsoft will announce in the second half of 2027.
        Falls back to the host variable C(m365_basic_auth_end_date).
    type: str
    default: "2026-12-31"
  basic_reenabled:
    description: Whether an administrator has turned it on again after that day. Falls back to the host variable C(m365_basic_reenabled).
    type: bool
    default: false
  licences:
    description: The number of mailbox licences of the tenant. By default they are read. Falls back to the host variable C(m365_licences).
    type: int
  trial:
    description: Whether the tenant is a trial. Falls back to the host variable C(m365_trial).
    type: bool
    default: false
  verify_recipient:
    description: Recipient of test messages of senders without their own. Falls back to the host variable C(m365_verify_recipient).
    type: str
    default: ""
  remove_orphans:
    description:
      - Whether mailboxes, High Volume Email accounts and applications are removed that were created for senders which are no longer
        listed. By default they are reported only. Falls back to the host variable C(m365_remove_orphans).
    type: bool
    default: false
  owner:
    description:
      - The owner in the marks of what is created, such as the comments of connectors. What has the owner's mark and is no longer needed is
        removed. Inventories that share a tenant have different owners. Falls back to the host variable C(m365_owner).
    type: str
    default: mailops
  app_unique_name:
    description: The sender app. Falls back to the host variable C(entra_app_unique_name).
    type: str
    default: mailops-smtp-sender
  app_exclusive:
    description:
      - Whether the application loses the certificates that are not listed. Every relay host must have reported its own then. Falls back
        to the host variable C(entra_app_exclusive).
    type: bool
    default: false
  direct_send_rejected:
    description: Whether Direct Send is to be rejected. Falls back to the host variable C(direct_send_rejected).
    type: bool
    default: false
  key_directory:
    description:
      - The directory of the keys that this collection creates, with one file for each tenant and application.
      - A file that is in it and named in O(certificate_path) is renewed.
      - The default directory is C(~/.local/state/mailops/keys).
      - If omitted, the value of the host variable C(m365_key_directory) is used, then the environment variable
        E(MAILOPS_KEY_DIRECTORY).
    type: path
  inventory_hosts:
    description: The hosts that O(senders[].verify_from) may name. By default all hosts of the inventory.
    type: list
    elements: str
    default: []
  inventory_variables:
    description:
      - Names of variables that the inventory sets. Role variables take precedence, and O(senders) does not derive them. A name that is
        misspelt is a problem of the plan. Defaults to the host variables of the tenant that begin with C(m365_) or a role's name.
    type: list
    elements: str
    default: []
  inventory_values:
    description: Role variables of the inventory without their secrets. By default the tenant's host variables.
    type: dict
    default: {}
  inventory_secrets:
    description: The secrets of O(inventory_values), in the same structure. An item of a list has its number as key.
    type: dict
    default: {}
"""
