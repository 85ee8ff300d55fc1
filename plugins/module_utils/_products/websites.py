# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plugins of WordPress: the names of their settings, and what they can do with OAuth.

As of 2026-11-28.
"""

from __future__ import annotations

from .model import Encryption, Label, OAuth, Product

PRODUCTS = (
    Product(
        name="wp_mail_smtp",
        label="WP Mail SMTP",
        kind="wordpress",
        where="wp-config.php, before 'stop editing'",
        fields={
            "server": Label("WPMS_SMTP_HOST"),
            "port": Label("WPMS_SMTP_PORT"),
            "encryption": Label("WPMS_SSL"),
            "authentication": Label("WPMS_SMTP_AUTH"),
            "username": Label("WPMS_SMTP_USER"),
            "password": Label("WPMS_SMTP_PASS"),
            "sender": Label("WPMS_MAIL_FROM"),
        },
        further={
            "switch": Label("WPMS_ON (exactly true)"),
            "mailer": Label("WPMS_MAILER = 'smtp'"),
            "automatic STARTTLS": Label("WPMS_SMTP_AUTOTLS"),
            "force the sender": Label("WPMS_MAIL_FROM_FORCE"),
            "sender name": Label("WPMS_MAIL_FROM_NAME"),
            "return path": Label("WPMS_SET_RETURN_PATH"),
            "do not send": Label("WPMS_DO_NOT_SEND"),
        },
        encryption=Encryption("''", "'tls'", "'ssl'"),
        oauth=OAuth(smtp="none", graph="delegated, paid edition (WPMS_OUTLOOK_CLIENT_ID, WPMS_OUTLOOK_CLIENT_SECRET)"),
        confidence="source",
        sources=("WP Mail SMTP 4.8.0 source; constants also in awesomemotive/wp-mail-smtp 2.9.0",),
    ),
    Product(
        name="post_smtp",
        label="Post SMTP",
        kind="wordpress",
        where="the wizard: Other SMTP",
        fields={
            "username": Label("POST_SMTP_AUTH_USERNAME"),
            "password": Label("POST_SMTP_AUTH_PASSWORD"),
            "server": Label("option hostname (database)"),
            "encryption": Label("Security type (option enc_type in the database)"),
            "authentication": Label("option auth_type (database)"),
        },
        further={
            "fallback": Label("POST_SMTP_FALLBACK_AUTH_USERNAME, POST_SMTP_FALLBACK_AUTH_PASSWORD"),
            "run mode": Label("POST_SMTP_RUN_MODE"),
            "log": Label("POST_SMTP_CORE_MAIL_LOG"),
        },
        encryption=Encryption("", "STARTTLS", ""),
        oauth=OAuth(smtp="none", graph="delegated, paid Office 365 extension"),
        confidence="source",
        sources=("wpexpertsio/Post-SMTP 3.2.0, 2025-07-03, Postman/PostmanOptions.php",),
        notes=("only the secrets can be constants; host and port live in the database",),
    ),
    Product(
        name="fluent_smtp",
        label="FluentSMTP",
        kind="wordpress",
        where="connection 'SMTP server'",
        fields={
            "server": Label("host"),
            "port": Label("port"),
            "encryption": Label("encryption"),
            "authentication": Label("auth: yes | no"),
            "username": Label("username or FLUENTMAIL_SMTP_USERNAME"),
            "password": Label("password or FLUENTMAIL_SMTP_PASSWORD"),
            "sender": Label("sender_email"),
        },
        further={
            "automatic STARTTLS": Label("auto_tls: yes | no"),
            "place of the secrets": Label("key_store: db | wp_config"),
            "force the sender": Label("force_from_email"),
            "return path": Label("return_path"),
            "do not send": Label("FLUENTMAIL_SIMULATE_EMAILS"),
        },
        encryption=Encryption("none", "tls", "ssl"),
        oauth=OAuth(
            smtp="none",
            graph=(
                "delegated (client_id, client_secret, tenant_id, refresh_token; FLUENTMAIL_OUTLOOK_CLIENT_ID, "
                "FLUENTMAIL_OUTLOOK_CLIENT_SECRET), free"
            ),
        ),
        confidence="source",
        sources=("WPManageNinja/fluent-smtp 2.3.1, 2026-08-16, Providers/config.php, Outlook/API.php",),
        notes=("tenant_id is new in 2.3: before it was always 'common'",),
    ),
)
