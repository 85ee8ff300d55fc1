# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known errors of the token endpoint.

Private to the collection. See the package for what a row says.
"""

from __future__ import annotations

from .known import Known

_ENTRA = "Microsoft Entra authentication and authorization error codes"

# fmt: off
ROWS: tuple[Known, ...] = (
    Known("wrong-secret", "entra", "7000215", "the client secret is wrong",
          "Give the secret's value (not its id) in m365_client_secret; a secret made seconds ago needs up to two minutes.",
          source=_ENTRA),
    Known("expired-secret", "entra", "7000222", "the client secret has expired",
          "Make a new secret or, better, a certificate for this application and give it in m365_client_secret "
          "or m365_certificate_path.", source=_ENTRA),
    Known("unknown-application", "entra", "700016", "this tenant does not know the application",
          "Check m365_client_id and m365_tenant: the id must be the application's client id, and the application must be "
          "registered in, or consented to by, this tenant.", source=_ENTRA),
    Known("unknown-tenant", "entra", "90002", "there is no such tenant in this cloud",
          "Check m365_tenant (a tenant id or one of its domains) and m365_cloud.", source=_ENTRA),
    Known("malformed-tenant", "entra", "900023", "the tenant's name is neither an id nor a domain",
          "Set m365_tenant to the tenant's id or to one of its domains.", source=_ENTRA),
    Known("no-consent", "entra", "65001", "nobody consented to this application's permissions",
          "Grant admin consent (module entra_app does).", source=_ENTRA),
    Known("wrong-certificate", "entra", "700027", "the certificate is not registered on the application, or has expired there",
          "Upload this certificate to the application (module entra_app, certificates) or point m365_certificate_path at "
          "the one that is; one uploaded seconds ago needs up to five minutes.", source=_ENTRA),
    Known("clock-skew", "entra", "700024", "this machine's clock disagrees with Microsoft's",
          "Set the clock of the machine that runs Ansible (NTP).", source=_ENTRA),
    Known("no-credential", "entra", "7000218", "the application is confidential and no credential was sent",
          "Give m365_client_secret or m365_certificate_path.", source=_ENTRA),
    Known("no-federation", "entra", "700213", "no federated credential of the application fits the presented token",
          "Compare the credential's subject with the token's, letter by letter.", source=_ENTRA),
    Known("conditional-access", "entra", "53003", "a Conditional Access policy blocks this sign-in",
          "Exclude the application or the account from the policy, or sign in from where it allows.", source=_ENTRA),
    Known("wrong-password", "entra", "50126", "the user name or password is wrong", "Correct it; do not retry, the account locks.",
          source=_ENTRA),
    Known("mfa-needed", "entra", "50076", "multi-factor authentication is needed", "Use an application's own sign-in instead of a user's.",
          source=_ENTRA),
    Known("no-exchange", "entra", "500011", "this tenant does not have the service that the token was asked for",
          "Check m365_cloud; a tenant without Exchange Online needs a licence first.", source=_ENTRA),
    Known("application-disabled", "entra", "7000112", "the application is disabled in this tenant",
          "Enable it in Entra (enterprise application, enabled for sign-in).", source=_ENTRA),
    Known("malformed-sign-in", "entra", "9002313", "the request was malformed", "Check m365_client_id and the credential.", source=_ENTRA),
    Known("entra-busy", "entra", "90033", "the service is busy", "Try again later.", wait=True, source=_ENTRA),
    Known("entra-busy", "entra", "50196", "the service saw a loop of sign-ins and paused", "Try again later.", wait=True, source=_ENTRA),
    Known("invalid-client", "entra", "invalid_client", "the application's credential was refused",
          "Check m365_client_id with m365_client_secret or m365_certificate_path.", source=_ENTRA),
)
# fmt: on
