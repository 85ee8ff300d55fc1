# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ERP systems and other business programs: the names of their settings, and what they can do with OAuth.

As of 2026-11-28.
"""

from __future__ import annotations

from .model import Encryption, Label, OAuth, Product

PRODUCTS = (
    Product(
        name="odoo",
        label="Odoo",
        kind="erp",
        where="Settings > Technical > Outgoing Mail Servers",
        fields={
            "server": Label("smtp_host"),
            "port": Label("smtp_port"),
            "encryption": Label("smtp_encryption"),
            "authentication": Label("smtp_authentication: login | outlook | ..."),
            "username": Label("smtp_user"),
            "password": Label("smtp_pass"),
            "sender": Label("from_filter, mail.default.from"),
        },
        encryption=Encryption("none", "starttls", "ssl"),
        oauth=OAuth(
            smtp="delegated",
            note=(
                "'Outlook OAuth Authentication', scope SMTP.Send, refresh token per server; password field must stay "
                "empty, STARTTLS is forced"
            ),
        ),
        confidence="source",
        sources=("odoo/odoo addons/microsoft_outlook/models/ir_mail_server.py",),
        notes=(("its preset host is smtp.outlook.com (set smtp.office365.com); personal servers send 10 messages a minute"),),
    ),
    Product(
        name="nextcloud",
        label="Nextcloud",
        kind="collaboration",
        where="config/config.php",
        fields={
            "server": Label("mail_smtphost", verified=False),
            "port": Label("mail_smtpport", verified=False),
            "encryption": Label("mail_smtpsecure", verified=False),
            "authentication": Label("mail_smtpauth", verified=False),
            "username": Label("mail_smtpname", verified=False),
            "password": Label("mail_smtppassword", verified=False),
            "sender": Label("mail_from_address + mail_domain", verified=False),
        },
        further={"mode": Label("mail_smtpmode = smtp", verified=False)},
        encryption=Encryption("''", "''", "ssl", verified=False),
        oauth=OAuth(smtp="none", note="system mail: nextcloud/server#21595 open since 2020; only the users' Mail app has XOAUTH2"),
        confidence="source",
        sources=("nextcloud/server#21595, nextcloud/mail#13674; names: recalled",),
        notes=("the sender is split into local part and domain",),
    ),
    Product(
        name="keycloak",
        label="Keycloak",
        kind="identity",
        where="Realm settings > Email",
        fields={
            "server": Label("smtpServer.host", verified=False),
            "port": Label("smtpServer.port", verified=False),
            "encryption": Label("starttls, ssl", verified=False),
            "authentication": Label("auth, authType basic | token", verified=False),
            "username": Label("user", verified=False),
            "password": Label("password", verified=False),
            "sender": Label("from, fromDisplayName, replyTo", verified=False),
        },
        further={"OAuth": Label("authTokenUrl, authTokenScope, authTokenClientId, authTokenClientSecret", verified=False)},
        encryption=Encryption("neither", "starttls", "ssl", verified=False),
        oauth=OAuth(smtp="client_credentials", note="token type 'Token' with a client secret (names unverified)"),
        confidence="secondary",
        sources=("keycloak/keycloak#17432 (closed); names: recalled",),
    ),
    Product(
        name="servicenow",
        label="ServiceNow",
        kind="itsm",
        where="System Mailboxes > Administration > Email Accounts",
        fields={
            "authentication": Label("Authentication: OAUTH 2.0"),
            "server": Label("Server"),
            "username": Label("User name (full address, also From)"),
            "sender": Label("From"),
        },
        further={"type": Label("Type SMTP"), "label": Label("Email user label")},
        oauth=OAuth(smtp="client_credentials", note="'Send email using client credential flow'"),
        confidence="source",
        sources=("ServiceNow documentation, Australia release, 2026-03-12",),
    ),
    Product(
        name="visma_erp",
        label="Visma.net ERP 10.48",
        kind="erp",
        fields={
            "server": Label("Outgoing mail server"),
            "authentication": Label("My outgoing server requires authentication"),
            "encryption": Label("Outgoing server encrypted connection"),
            "port": Label("Outgoing server port(SMTP)"),
        },
        further={
            "login type": Label("Login type: Microsoft OAuth2"),
            "client ID": Label("Client ID"),
            "client secret": Label("Client secret"),
            "tenant ID": Label("Tenantid"),
        },
        encryption=Encryption("", "TLS", ""),
        oauth=OAuth(smtp="client_credentials", note="client id, secret and tenant, no person (flow inferred)"),
        confidence="source",
        sources=("Visma.net ERP release note 2025-05-13",),
        aliases=("Visma.net",),
    ),
    Product(
        name="infor_mongoose",
        label="Infor Mongoose 2026",
        kind="erp",
        fields={
            "authentication": Label("SMTP Authentication: OAuth 2.0"),
            "username": Label("SMTP User"),
            "password": Label("SMTP Password (<= 250 characters)"),
        },
        further={"OAuth fields": Label("Service, Tenant, Client ID, Client Secret")},
        oauth=OAuth(smtp="client_credentials", note="tenant, client id, secret (flow inferred)"),
        confidence="source",
        sources=("Infor Mongoose 2026.x help 'SMTP Authentication'",),
        aliases=("Infor Mongoose",),
    ),
    Product(
        name="airlock_iam",
        label="Airlock IAM",
        kind="identity",
        fields={"username": Label("username")},
        further={"type": Label("SmtpAuthenticationXOAuth2"), "token": Label("accessTokenProvider")},
        oauth=OAuth(smtp="client_credentials", note="OAuth 2.0 client credentials grant plugin"),
        confidence="source",
        sources=("Airlock IAM plugin reference",),
    ),
    Product(
        name="jira",
        label="Jira Data Center",
        kind="collaboration",
        where="System > Outgoing Mail",
        fields={
            "server": Label("Host Name", verified=False),
            "port": Label("SMTP Port", verified=False),
            "encryption": Label("TLS", verified=False),
            "username": Label("Username", verified=False),
            "password": Label("Password", verified=False),
            "sender": Label("From address", verified=False),
        },
        further={"timeout": Label("Timeout", verified=False)},
        encryption=Encryption("off", "on", "", verified=False),
        oauth=OAuth(
            smtp="unknown", graph="unknown", note="OAuth 2.0 integrations exist for incoming mail; outgoing by version (unverified)"
        ),
        confidence="memory",
        sources=("recalled",),
        aliases=("Jira",),
    ),
    Product(
        name="sap",
        label="SAP NetWeaver / S/4HANA",
        kind="erp",
        where="transaction SCOT, node SMTP",
        fields={"server": Label("Mail Host", verified=False), "port": Label("Mail Port", verified=False)},
        further={"profile parameter": Label("icm/server_port_n = PROT=SMTP", verified=False)},
        oauth=OAuth(smtp="unknown", graph="unknown", note="by release and note (unverified)"),
        confidence="memory",
        sources=("recalled",),
        notes=("relay by network is the usual way",),
        aliases=(
            "SAP",
            "SAP NetWeaver",
            "S/4HANA",
        ),
    ),
)
