# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Libraries and frameworks: the names of their settings, and what they can do with OAuth.

As of 2026-11-28.
"""

from __future__ import annotations

from .model import Encryption, Label, OAuth, Product

PRODUCTS = (
    Product(
        name="phpmailer",
        label="PHPMailer",
        kind="library",
        fields={
            "server": Label("Host"),
            "port": Label("Port"),
            "encryption": Label("SMTPSecure"),
            "authentication": Label("SMTPAuth"),
            "username": Label("Username"),
            "password": Label("Password"),
            "sender": Label("setFrom(), Sender (envelope)"),
        },
        further={
            "automatic STARTTLS": Label("SMTPAutoTLS"),
            "OAuth mechanism": Label("AuthType = 'XOAUTH2'"),
            "EHLO name": Label("Helo, Hostname"),
        },
        encryption=Encryption("''", "PHPMailer::ENCRYPTION_STARTTLS", "PHPMailer::ENCRYPTION_SMTPS"),
        oauth=OAuth(
            smtp="code",
            note=(
                "setOAuth(class implementing OAuthTokenProvider::getOauth64()): return base64 of "
                "user=..^Aauth=Bearer <client-credentials token>^A^A; the shipped OAuth class does refresh tokens "
                "only"
            ),
        ),
        confidence="source",
        sources=("PHPMailer 7.1.1, 2026-07-21, src/, examples/azure_xoauth2.phps",),
        notes=("CharSet defaults to iso-8859-1: set UTF-8",),
    ),
    Product(
        name="nodemailer",
        label="Nodemailer",
        kind="library",
        fields={
            "server": Label("host"),
            "port": Label("port"),
            "encryption": Label("secure"),
            "username": Label("auth.user"),
            "password": Label("auth.pass"),
            "sender": Label("from"),
        },
        further={
            "require TLS": Label("requireTLS"),
            "OAuth": Label("auth.type 'OAuth2', auth.user, auth.accessToken, auth.expires, auth.provisionCallback"),
        },
        encryption=Encryption("false", "false, with requireTLS: true", "true"),
        oauth=OAuth(
            smtp="code",
            note=(
                "accessToken, or provisionCallback(user, renew, callback) that asks MSAL; its own renewal knows "
                "Google's service account and refresh tokens, accessUrl defaults to Google"
            ),
        ),
        confidence="source",
        sources=("nodemailer 9.0.5, 2026-08-07, lib/xoauth2, lib/well-known/services.json",),
        notes=("service: 'Outlook365' is a preset for smtp.office365.com:587",),
    ),
    Product(
        name="python_smtplib",
        label="Python smtplib (+ msal)",
        kind="library",
        fields={
            "server": Label("SMTP(host, port)"),
            "encryption": Label("starttls(), SMTP_SSL"),
            "username": Label("login(user, password)"),
        },
        further={"OAuth": Label("auth('XOAUTH2', callable)")},
        encryption=Encryption("neither", "starttls(context=ssl.create_default_context())", "SMTP_SSL(host, port)"),
        oauth=OAuth(
            smtp="code",
            note="msal requests the token of the application, and smtplib authenticates with XOAUTH2; the sample does both",
        ),
        confidence="source",
        sources=("Python standard library documentation",),
        notes=("login() tries CRAM-MD5, PLAIN, LOGIN in that order: Microsoft offers LOGIN only, which works",),
        aliases=(
            "smtplib",
            "Python",
        ),
    ),
    Product(
        name="mailkit",
        label=".NET MailKit",
        kind="library",
        fields={
            "server": Label("ConnectAsync(host, port, SecureSocketOptions.StartTls)"),
            "username": Label("AuthenticateAsync(user, password)"),
            "encryption": Label("SecureSocketOptions"),
        },
        further={"OAuth": Label("AuthenticateAsync(new SaslMechanismOAuth2(mailbox, token))")},
        encryption=Encryption("", "SecureSocketOptions.StartTls", ""),
        oauth=OAuth(
            smtp="code",
            note=(
                "ConfidentialClientApplicationBuilder.WithCertificate(..).AcquireTokenForClient(['https://outlook.office365.com/.default'])"
            ),
        ),
        confidence="source",
        sources=("jstedfast/MailKit ExchangeOAuth2.md, 2026-08-19",),
        notes=("System.Net.Mail.SmtpClient (Host, Port, EnableSsl, Credentials) cannot do XOAUTH2",),
        aliases=("MailKit",),
    ),
    Product(
        name="jakarta_mail",
        label="Jakarta Mail / Angus",
        kind="library",
        fields={
            "server": Label("mail.smtp.host"),
            "port": Label("mail.smtp.port"),
            "encryption": Label("mail.smtp.starttls.required, mail.smtp.ssl.enable"),
            "authentication": Label("mail.smtp.auth"),
            "username": Label("connect(host, user, password)"),
            "sender": Label("mail.smtp.from"),
        },
        further={"OAuth mechanism": Label("mail.smtp.auth.mechanisms = XOAUTH2")},
        encryption=Encryption("neither", "mail.smtp.starttls.enable and mail.smtp.starttls.required = true", "mail.smtp.ssl.enable = true"),
        oauth=OAuth(smtp="code", note="the token is passed as the password, not base64-coded; msal4j fetches it"),
        confidence="source",
        sources=("eclipse-ee4j/angus-mail www/OAuth2.md, 2025-09-19",),
        notes=("set mail.smtp.connectiontimeout/timeout: the default waits for ever",),
        aliases=(
            "Jakarta Mail",
            "Angus Mail",
            "JavaMail",
        ),
    ),
    Product(
        name="spring_boot",
        label="Spring Boot",
        kind="framework",
        where="application.properties",
        fields={
            "server": Label("spring.mail.host", verified=False),
            "port": Label("spring.mail.port", verified=False),
            "username": Label("spring.mail.username", verified=False),
            "password": Label("spring.mail.password", verified=False),
            "encryption": Label("spring.mail.properties.mail.smtp.starttls.required", verified=False),
            "authentication": Label("spring.mail.properties.mail.smtp.auth", verified=False),
        },
        further={
            "environment variables": Label("SPRING_MAIL_HOST, SPRING_MAIL_PORT, SPRING_MAIL_USERNAME, SPRING_MAIL_PASSWORD", verified=False)
        },
        encryption=Encryption("false", "true", "", verified=False),
        oauth=OAuth(smtp="code", note="own JavaMailSenderImpl that sets a fresh token as password before each send"),
        confidence="memory",
        sources=("recalled",),
        aliases=("Spring",),
    ),
    Product(
        name="django",
        label="Django",
        kind="framework",
        where="settings.py",
        fields={
            "server": Label("EMAIL_HOST", verified=False),
            "port": Label("EMAIL_PORT", verified=False),
            "username": Label("EMAIL_HOST_USER", verified=False),
            "password": Label("EMAIL_HOST_PASSWORD", verified=False),
            "encryption": Label("EMAIL_USE_TLS, EMAIL_USE_SSL", verified=False),
            "sender": Label("DEFAULT_FROM_EMAIL, SERVER_EMAIL", verified=False),
        },
        further={"timeout": Label("EMAIL_TIMEOUT", verified=False)},
        encryption=Encryption("both False", "EMAIL_USE_TLS = True", "EMAIL_USE_SSL = True", verified=False),
        oauth=OAuth(smtp="code", note="subclass of smtp.EmailBackend whose open() calls connection.auth('XOAUTH2', ..)"),
        confidence="memory",
        sources=("recalled",),
        notes=("EMAIL_TIMEOUT defaults to none; newer Django replaces these by a MAILERS dictionary (unverified)",),
    ),
    Product(
        name="rails",
        label="Rails Action Mailer",
        kind="framework",
        where="config/environments/production.rb",
        fields={
            "server": Label("smtp_settings[:address]", verified=False),
            "port": Label("[:port]", verified=False),
            "username": Label("[:user_name]", verified=False),
            "password": Label("[:password]", verified=False),
            "authentication": Label("[:authentication] :plain | :login | :xoauth2", verified=False),
            "encryption": Label(":enable_starttls, :tls", verified=False),
        },
        further={"EHLO name": Label("[:domain]", verified=False), "certificate check": Label("[:openssl_verify_mode]", verified=False)},
        encryption=Encryption("enable_starttls: false", "enable_starttls: true", "tls: true", verified=False),
        oauth=OAuth(
            smtp="token_given",
            note=(
                "net-smtp has an XOAUTH2 authenticator (authentication: :xoauth2, password = token): set it per delivery with a fresh token"
            ),
        ),
        confidence="source",
        sources=("ruby/net-smtp 2025-02-05, lib/net/smtp/auth_xoauth2.rb; setting names: recalled",),
        notes=("use :login towards Microsoft: PLAIN is not offered",),
        aliases=(
            "Rails",
            "Ruby on Rails",
        ),
    ),
    Product(
        name="laravel",
        label="Laravel",
        kind="framework",
        where=".env",
        fields={
            "server": Label("MAIL_HOST"),
            "port": Label("MAIL_PORT"),
            "username": Label("MAIL_USERNAME"),
            "password": Label("MAIL_PASSWORD"),
            "sender": Label("MAIL_FROM_ADDRESS, MAIL_FROM_NAME"),
            "encryption": Label("MAIL_SCHEME"),
        },
        further={
            "mailer": Label("MAIL_MAILER=smtp"),
            "scheme": Label("MAIL_SCHEME (smtp | smtps)"),
            "URL": Label("MAIL_URL"),
            "EHLO name": Label("MAIL_EHLO_DOMAIN"),
        },
        encryption=Encryption("smtp", "smtp", "smtps"),
        oauth=OAuth(smtp="code", graph="by a package", note="Symfony's XOAuth2Authenticator takes a token as password (unverified)"),
        confidence="source",
        sources=("laravel/laravel config/mail.php, 2026-01-29",),
        notes=("MAIL_ENCRYPTION is gone: MAIL_SCHEME replaced it",),
    ),
)
