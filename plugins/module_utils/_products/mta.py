# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail transfer agents and their clients: the names of their settings, and what they can do with OAuth.

As of 2026-11-28.
"""

from __future__ import annotations

from .model import Encryption, Label, OAuth, Product

PRODUCTS = (
    Product(
        name="postfix",
        label="Postfix (null client)",
        kind="mta",
        where="/etc/postfix/main.cf",
        fields={
            "server": Label("relayhost", value="[{host}]:{port}"),
            "port": Label("relayhost", value="[{host}]:{port}"),
            "authentication": Label("smtp_sasl_auth_enable, smtp_sasl_password_maps"),
            "encryption": Label("smtp_tls_security_level"),
        },
        further={"rewriting": Label("smtp_generic_maps")},
        encryption=Encryption("", "encrypt", ""),
        oauth=OAuth(smtp="token_given", note="through role relay_host; never directly"),
        confidence="source",
        sources=("postconf(5)",),
        aliases=("Postfix",),
    ),
    Product(
        name="msmtp",
        label="msmtp",
        kind="mta",
        where="/etc/msmtprc",
        fields={
            "server": Label("host"),
            "port": Label("port"),
            "encryption": Label("tls, tls_starttls"),
            "authentication": Label("auth login | plain | xoauth2 | oauthbearer"),
            "username": Label("user"),
            "password": Label("password | passwordeval | eval"),
            "sender": Label("from, set_from_header, allow_from_override"),
        },
        further={"trusted certificates": Label("tls_trust_file"), "EHLO name": Label("domain"), "log": Label("logfile, syslog")},
        encryption=Encryption("tls off", "tls on, tls_starttls on", "tls on, tls_starttls off"),
        oauth=OAuth(
            smtp="token_given",
            renews=True,
            note=("auth xoauth2 (1.8.13+) with passwordeval = a program that prints a client-credentials token; long output is handled"),
        ),
        confidence="source",
        sources=("marlam/msmtp 1.8.33, 2026-07-19, doc/msmtp.1, NEWS",),
    ),
    Product(
        name="exim",
        label="Exim (Debian)",
        kind="mta",
        where="/etc/exim4/update-exim4.conf.conf",
        fields={
            "server": Label("dc_smarthost in update-exim4.conf.conf", value="{host}::{port}"),
            "port": Label("dc_smarthost in update-exim4.conf.conf", value="{host}::{port}"),
            "encryption": Label("REMOTE_SMTP_SMARTHOST_HOSTS_REQUIRE_TLS in exim4.conf.localmacros", value="*"),
            "authentication": Label("by TLS only: PLAIN or LOGIN, where passwd.client has a line for the server"),
        },
        further={"credentials": Label("/etc/exim4/passwd.client: SERVER:USER:PASSWORD, where SERVER may be *")},
        oauth=OAuth(smtp="token_given", note="plaintext driver with client_send can form XOAUTH2 (unverified)"),
        confidence="source",
        sources=("Debian package exim4-config 4.96-15 (transport remote_smtp_smarthost, authenticators plain and login, passwd.client)",),
        aliases=("Exim",),
    ),
    Product(
        name="sendmail",
        label="sendmail",
        kind="mta",
        where="sendmail.mc",
        fields={
            "server": Label("define(`SMART_HOST', ...)", verified=False, value="[{host}]"),
            "authentication": Label("FEATURE(`authinfo')", verified=False),
        },
        oauth=OAuth(smtp="none"),
        confidence="memory",
        sources=("recalled",),
    ),
)
