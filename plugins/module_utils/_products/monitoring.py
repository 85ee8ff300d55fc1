# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs for monitoring and development: the names of their settings, and what they can do with OAuth.

As of 2026-11-28.
"""

from __future__ import annotations

from .model import Encryption, Label, OAuth, Product

PRODUCTS = (
    Product(
        name="grafana",
        label="Grafana",
        kind="monitoring",
        where="[smtp] in grafana.ini",
        fields={
            "server": Label("host", value="{host}:{port}"),
            "port": Label("host", value="{host}:{port}"),
            "username": Label("user"),
            "password": Label("password (triple quotes if it has # or ;)"),
            "encryption": Label("startTLS_policy"),
            "sender": Label("from_address, from_name"),
        },
        further={
            "switch": Label("enabled"),
            "certificate check": Label("skip_verify"),
            "EHLO name": Label("ehlo_identity"),
            "environment variables": Label(
                "GF_SMTP_ENABLED, GF_SMTP_HOST, GF_SMTP_USER, GF_SMTP_PASSWORD, GF_SMTP_FROM_ADDRESS, GF_SMTP_STARTTLS_POLICY"
            ),
        },
        encryption=Encryption("NoStartTLS", "MandatoryStartTLS", ""),
        oauth=OAuth(smtp="none", note="asked in grafana/alerting#365 (open, 2025-08)"),
        confidence="source",
        sources=("Grafana sample configuration as published in several repositories; grafana/alerting#365",),
    ),
    Product(
        name="gitlab",
        label="GitLab (Omnibus)",
        kind="devops",
        where="/etc/gitlab/gitlab.rb",
        fields={
            "server": Label("['smtp_address']"),
            "port": Label("['smtp_port']"),
            "username": Label("['smtp_user_name']"),
            "password": Label("['smtp_password']"),
            "authentication": Label("['smtp_authentication'] = 'login'"),
            "encryption": Label("['smtp_enable_starttls_auto'], ['smtp_tls']"),
            "sender": Label("['gitlab_email_from'], ['gitlab_email_reply_to']"),
        },
        further={
            "switch": Label("gitlab_rails['smtp_enable']"),
            "EHLO name": Label("['smtp_domain']"),
            "certificate check": Label("['smtp_openssl_verify_mode']"),
        },
        encryption=Encryption("both false", "['smtp_enable_starttls_auto'] = true", "['smtp_tls'] = true"),
        oauth=OAuth(
            smtp="none",
            graph="client_credentials",
            note="microsoft_graph_mailer_enabled, _user_id, _tenant, _client_id, _client_secret (secret only)",
        ),
        confidence="source",
        sources=("GitLab documentation 'Microsoft Graph Mailer settings'; omnibus-gitlab defaults",),
        notes=("Graph Mail.Send for the whole tenant unless scoped by RBAC for Applications",),
        aliases=("GitLab",),
    ),
    Product(
        name="jenkins_mailer",
        label="Jenkins Mailer",
        kind="devops",
        where="configuration as code: unclassified.mailer",
        fields={
            "server": Label("smtpHost"),
            "port": Label("smtpPort"),
            "username": Label("authentication.username"),
            "password": Label("authentication.password"),
            "encryption": Label("useTls, useSsl"),
            "sender": Label("System Admin e-mail address (location.adminAddress)"),
        },
        further={"reply address": Label("replyToAddress"), "character set": Label("charset")},
        encryption=Encryption("neither", "useTls: true", "useSsl: true"),
        oauth=OAuth(smtp="none"),
        confidence="source",
        sources=("jenkinsci/mailer-plugin 2026-04-27",),
        aliases=("Jenkins",),
    ),
    Product(
        name="jenkins_email_ext",
        label="Jenkins Email Extension",
        kind="devops",
        where="configuration as code: unclassified.email-ext.mailAccount",
        fields={"server": Label("smtpHost"), "port": Label("smtpPort"), "encryption": Label("useTls, useSsl"), "sender": Label("address")},
        further={"credentials": Label("credentialsId"), "OAuth": Label("useOAuth2"), "further properties": Label("advProperties")},
        encryption=Encryption("neither", "useTls: true", "useSsl: true"),
        oauth=OAuth(
            smtp="token_given",
            note=(
                "useOAuth2 only sets mail.smtp.auth.mechanisms=XOAUTH2; the credential's password must be a valid "
                "token, renewed by somebody else every hour"
            ),
        ),
        confidence="source",
        sources=("jenkinsci/email-ext-plugin 2026-06-29",),
    ),
    Product(
        name="zabbix",
        label="Zabbix 7.4 and later",
        kind="monitoring",
        where="a media type of type 'Email'",
        fields={
            "server": Label("SMTP server"),
            "port": Label("SMTP server port"),
            "sender": Label("Email"),
            "encryption": Label("Connection security"),
            "authentication": Label("Authentication: None | Username and password | OAuth token"),
        },
        further={
            "provider": Label("Email provider: Generic SMTP | Gmail | Gmail relay | Office365 | Office365 relay"),
            "EHLO name": Label("SMTP helo"),
            "OAuth": Label("Redirection endpoint, Client ID, Client secret, Authorization endpoint, Token endpoint"),
        },
        encryption=Encryption("None", "STARTTLS", "SSL/TLS"),
        oauth=OAuth(
            smtp="delegated",
            note=("authorization code, scope 'https://outlook.office.com/SMTP.Send offline_access' at login.microsoftonline.com/common"),
        ),
        confidence="source",
        sources=("Zabbix documentation 7.4/8.0 'Automated Gmail/Office365 media types', 'Media type object'",),
        notes=(("'Office365 relay' builds example-com.mail.protection.outlook.com from the address: wrong for domains on mx.microsoft"),),
        aliases=("Zabbix",),
    ),
    Product(
        name="nagios",
        label="Nagios / Icinga",
        kind="monitoring",
        where="the notification commands, which call mail or sendmail of the host",
        oauth=OAuth(smtp="none", note="what the host's MTA can"),
        confidence="memory",
        sources=("recalled",),
        aliases=(
            "Nagios",
            "Icinga",
        ),
    ),
    Product(
        name="octopus",
        label="Octopus Deploy 2025.2",
        kind="devops",
        where="Configuration > SMTP",
        oauth=OAuth(smtp="client_credentials", note="workload identity federation, no secret"),
        confidence="source",
        sources=("OctopusDeploy/Issues#9274",),
        aliases=("Octopus Deploy",),
    ),
    Product(
        name="opmanager",
        label="ManageEngine OpManager",
        kind="monitoring",
        where="Settings > Mail server",
        oauth=OAuth(smtp="delegated", graph="unknown", note="OAuth from build 126306"),
        confidence="secondary",
        sources=("ZeroSMTP data/devices.json",),
        aliases=("OpManager",),
    ),
)
