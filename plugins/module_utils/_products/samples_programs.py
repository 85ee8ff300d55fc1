# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples of programs: the lines of a configuration file, or a command."""

from __future__ import annotations

from .sample import PARSED, RUN, Sample

_ENVIRONMENT = {"password": "the environment variable SMTP_PASSWORD"}
_IN_PLACE = {"password": "the file itself, in place of the word PASSWORD"}

_WP_MAIL_SMTP = """
define('WPMS_ON', true);
define('WPMS_MAILER', 'smtp');
define('WPMS_SMTP_HOST', {host});
define('WPMS_SMTP_PORT', {port});
define('WPMS_SSL', 'tls');
?none define('WPMS_SMTP_AUTH', false);
?password define('WPMS_SMTP_AUTH', true);
?password define('WPMS_SMTP_USER', {user});
?password define('WPMS_SMTP_PASS', getenv('SMTP_PASSWORD'));
define('WPMS_MAIL_FROM', {sender});
define('WPMS_MAIL_FROM_FORCE', true);
"""
_POST_SMTP = """
?password define('POST_SMTP_AUTH_USERNAME', {user});
?password define('POST_SMTP_AUTH_PASSWORD', getenv('SMTP_PASSWORD'));
"""
_FLUENT_SMTP = """
?password define('FLUENTMAIL_SMTP_USERNAME', {user});
?password define('FLUENTMAIL_SMTP_PASSWORD', getenv('SMTP_PASSWORD'));
"""
_SPRING = """
spring.mail.host={host}
spring.mail.port={port}
?password spring.mail.username={user}
?password spring.mail.password=${SMTP_PASSWORD}
?password spring.mail.properties.mail.smtp.auth=true
spring.mail.properties.mail.smtp.starttls.enable=true
spring.mail.properties.mail.smtp.starttls.required=true
"""
_DJANGO = """
?password import os
?password
EMAIL_HOST = {host}
EMAIL_PORT = {port}
EMAIL_USE_TLS = True
EMAIL_TIMEOUT = 60
?password EMAIL_HOST_USER = {user}
?password EMAIL_HOST_PASSWORD = os.environ['SMTP_PASSWORD']
DEFAULT_FROM_EMAIL = {sender}
SERVER_EMAIL = {sender}
"""
_RAILS = """
config.action_mailer.smtp_settings = {
  address: {host},
  port: {port},
?password   user_name: {user},
?password   password: ENV.fetch('SMTP_PASSWORD'),
?password   authentication: :login,
  enable_starttls: true
}
config.action_mailer.default_options = { from: {sender} }
"""
_LARAVEL = """
MAIL_MAILER=smtp
MAIL_SCHEME=smtp
MAIL_HOST={host}
MAIL_PORT={port}
?password MAIL_USERNAME={user}
?password MAIL_PASSWORD="PASSWORD"
MAIL_FROM_ADDRESS={sender}
"""
_GRAFANA = """
[smtp]
enabled = true
host = {host:plain}:{port}
?password user = {user}
?password password = $__env{SMTP_PASSWORD}
from_address = {sender}
startTLS_policy = MandatoryStartTLS
"""
_GITLAB = """
gitlab_rails['smtp_enable'] = true
gitlab_rails['smtp_address'] = {host}
gitlab_rails['smtp_port'] = {port}
?password gitlab_rails['smtp_user_name'] = {user}
?password gitlab_rails['smtp_password'] = ENV.fetch('SMTP_PASSWORD')
?password gitlab_rails['smtp_authentication'] = 'login'
gitlab_rails['smtp_enable_starttls_auto'] = true
gitlab_rails['gitlab_email_from'] = {sender}
"""
_JENKINS = """
unclassified:
  mailer:
    smtpHost: {host}
    smtpPort: "{port}"
    useTls: true
?password     authentication:
?password       username: {user}
?password       password: "${SMTP_PASSWORD}"
  location:
    adminAddress: {sender}
"""
_PROXMOX = """
smtp: mailops
\tserver {host}
\tport {port}
\tmode starttls
?password \tusername {user}
\tfrom-address {sender}
\tmailto-user root@pam
"""
_NEXTCLOUD = """
'mail_smtpmode' => 'smtp',
'mail_smtphost' => {host},
'mail_smtpport' => {port},
?password 'mail_smtpauth' => true,
?password 'mail_smtpname' => {user},
?password 'mail_smtppassword' => 'PASSWORD',
"""
_IDRAC = """
racadm set iDRAC.RemoteHosts.SMTPServerIPAddress {host}
racadm set iDRAC.RemoteHosts.SMTPPort {port}
?password racadm set iDRAC.RemoteHosts.SMTPAuthentication Enabled
?password racadm set iDRAC.RemoteHosts.SMTPUserName {user}
"""
_APC = """
smtp -f {sender} -s {host} -p {port} -e always
"""
_POSTFIX = """
relayhost = [{host}]:{port}
smtp_tls_security_level = encrypt
?password smtp_sasl_auth_enable = yes
?password smtp_sasl_password_maps = texthash:/etc/postfix/sasl_passwd
?password smtp_sasl_security_options = noanonymous
?password # The file has the line [{host}]:{port} {user}:PASSWORD
"""
_MSMTP = """
account default
host {host}
port {port}
tls on
tls_starttls on
?none auth off
?password auth login
?password user {user}
?password passwordeval "cat ~/.msmtp-password"
?oauth auth xoauth2
?oauth user {user}
"""
_MSMTP_REQUEST = (
    '?oauth passwordeval "curl -sS -f -d grant_type=client_credentials -d client_id={client_id:plain} '
    '--data-urlencode client_secret@$HOME/.msmtp-secret -d scope={scope:plain} {token_url:plain} | jq -r .access_token"\n'
)
_MSMTP_FROM = "from {sender}\n"
_EXIM = """
dc_eximconfig_configtype='smarthost'
dc_smarthost='{host}::{port}'
# /etc/exim4/exim4.conf.localmacros has the line REMOTE_SMTP_SMARTHOST_HOSTS_REQUIRE_TLS = *
?password # /etc/exim4/passwd.client has the line *:{user}:PASSWORD
# The command update-exim4.conf and a restart of exim4 put them into effect.
"""
SAMPLES = {
    "wp_mail_smtp": Sample("php", "single", "wp-config.php", _ENVIRONMENT, _WP_MAIL_SMTP, PARSED),
    "post_smtp": Sample("php", "single", "wp-config.php", _ENVIRONMENT, _POST_SMTP, PARSED),
    "fluent_smtp": Sample("php", "single", "wp-config.php", _ENVIRONMENT, _FLUENT_SMTP, PARSED),
    "spring_boot": Sample("properties", "properties", "application.properties", _ENVIRONMENT, _SPRING, PARSED),
    "django": Sample("python", "single", "settings.py", _ENVIRONMENT, _DJANGO, RUN),
    "rails": Sample("ruby", "single", "config/environments/production.rb", _ENVIRONMENT, _RAILS, RUN),
    "laravel": Sample("dotenv", "dotenv", ".env", _IN_PLACE, _LARAVEL),
    "grafana": Sample("ini", "ini", "grafana.ini", _ENVIRONMENT, _GRAFANA, PARSED),
    "gitlab": Sample("ruby", "single", "/etc/gitlab/gitlab.rb", _ENVIRONMENT, _GITLAB, PARSED),
    "jenkins_mailer": Sample("yaml", "json", "jenkins.yaml", _ENVIRONMENT, _JENKINS, PARSED),
    "proxmox": Sample("text", "plain", "/etc/pve/notifications.cfg", {"password": "/etc/pve/priv/notifications.cfg"}, _PROXMOX),
    "nextcloud": Sample("php", "single", "config/config.php", _IN_PLACE, _NEXTCLOUD, PARSED),
    "idrac": Sample("shell", "shell", "", {"password": "iDRAC.RemoteHosts.SMTPPassword"}, _IDRAC),
    "apc_nmc": Sample("shell", "shell", "", {"password": "the web page of the card"}, _APC),
    "postfix": Sample("ini", "plain", "/etc/postfix/main.cf", {"password": "/etc/postfix/sasl_passwd"}, _POSTFIX, RUN),
    "msmtp": Sample(
        "text",
        "double",
        "~/.msmtprc",
        {"password": "~/.msmtp-password", "oauth": "~/.msmtp-secret (the client secret without a line break)"},
        _MSMTP + _MSMTP_REQUEST + _MSMTP_FROM,
        RUN,
    ),
    "exim": Sample("shell", "plain", "/etc/exim4/update-exim4.conf.conf", {"password": "/etc/exim4/passwd.client"}, _EXIM, RUN),
}
