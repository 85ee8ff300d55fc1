# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of plugins/module_utils/_hosted/account.py, ACCOUNT."""

    DOCUMENTATION = r"""
options:
  provider:
    description:
      - The hosted relay.
      - If omitted, the value of the host variable C(m365_hosted_relay) is used.
    type: str
    choices: [mailgun, sendgrid, smtp2go]
  region:
    description:
      - The region of the account, by default V(us) for Mailgun, else V(global).
      - SendGrid has V(global) and V(eu). An account of V(eu) is a subuser with an address in the European Union; its keys and domains exist
        there only. SMTP2GO has all four; its accounts are the same in all of them. Mailgun has V(us) and V(eu); keys are the same in both,
        and a domain exists in one.
      - If omitted, the value of the host variable C(m365_hosted_relay_region) is used.
    type: str
    choices: [global, us, eu, au]
  api_key:
    description:
      - An API key of the account. It is in no result, diff or journal.
      - For domains, SendGrid requires the permissions C(whitelabel.create), C(whitelabel.read), C(whitelabel.update) and
        C(whitelabel.delete), SMTP2GO C(/domain/add), C(/domain/view), C(/domain/verify) and C(/domain/remove).
      - For credentials, SendGrid requires C(mail.send), C(api_keys.create), C(api_keys.read) and C(api_keys.delete), SMTP2GO
        C(/users/smtp/add), C(/users/smtp/view) and C(/users/smtp/remove).
      - For allow lists, SendGrid requires C(access_settings.whitelist.create), C(access_settings.whitelist.read) and
        C(access_settings.whitelist.delete), SMTP2GO C(/ip_allow_list) and the paths below it.
      - For quota and suppressions, SendGrid requires C(user.account.read), C(user.credits.read) and C(suppression.read), SMTP2GO
        C(/stats/email_cycle), C(/suppression/view) and C(/users/smtp/view).
      - Mailgun requires the role C(admin).
      - If omitted, the value of the host variable C(m365_hosted_relay_api_key) is used.
    type: str
  api_url:
    description:
      - The https URL of the API, for a proxy or an emulator. By default that of the provider in its region (docs/hosted-relays.md).
      - C({region}) in it is replaced by the region. Without it, domains in other regions of Mailgun are not looked for.
      - If omitted, the value of the host variable C(m365_hosted_relay_api_url) is used.
    type: str
"""
