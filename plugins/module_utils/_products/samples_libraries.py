# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples of libraries: whole programs, which the tests run as they are printed (those of Python, PHP, Node.js and Java)."""

from __future__ import annotations

from .sample import RUN, Sample

_ENVIRONMENT = {
    "password": "the environment variable SMTP_PASSWORD",
    "oauth": "the environment variable CLIENT_SECRET",
    "certificate": "the file that the environment variable CLIENT_CERTIFICATE names (PEM: private key and certificate)",
}
_PYTHON = r"""
import os
import smtplib
import ssl
from email.message import EmailMessage

?oauth|certificate import msal

?certificate with open(os.environ['CLIENT_CERTIFICATE']) as file:
?certificate     certificate = file.read()
?oauth|certificate application = msal.ConfidentialClientApplication(
?oauth|certificate     {client_id},
?oauth|certificate     authority={authority},
?oauth     client_credential=os.environ['CLIENT_SECRET'],
?certificate     client_credential={'private_key': certificate, 'public_certificate': certificate},
?oauth|certificate     instance_discovery=False,
?oauth|certificate )
?oauth|certificate # msal keeps the token until it ends, so that this can be called for every message.
?oauth|certificate answer = application.acquire_token_for_client([{scope}])
?oauth|certificate if 'access_token' not in answer:
?oauth|certificate     raise SystemExit(answer['error_description'])
?oauth|certificate token = answer['access_token']
?oauth|certificate
message = EmailMessage()
message['From'] = {sender}
message['To'] = {sender}
message['Subject'] = 'Test message'
message.set_content('Sent with smtplib.')
with smtplib.SMTP({host}, {port}, timeout=60) as smtp:
    smtp.starttls(context=ssl.create_default_context())
?password     smtp.login({user}, os.environ['SMTP_PASSWORD'])
?oauth|certificate     smtp.ehlo()
?oauth|certificate     credentials = 'user=' + {user} + '\x01auth=Bearer ' + token + '\x01\x01'
?oauth|certificate     smtp.auth('XOAUTH2', lambda challenge=None: '' if challenge else credentials)
    smtp.send_message(message)
"""
_PHP = r"""
<?php
use PHPMailer\PHPMailer\PHPMailer;
?oauth use PHPMailer\PHPMailer\OAuthTokenProvider;

require 'vendor/autoload.php';

?oauth class AccessToken implements OAuthTokenProvider
?oauth {
?oauth     public function getOauth64()
?oauth     {
?oauth         $form = http_build_query([
?oauth             'grant_type' => 'client_credentials',
?oauth             'client_id' => {client_id},
?oauth             'client_secret' => getenv('CLIENT_SECRET'),
?oauth             'scope' => {scope},
?oauth         ]);
?oauth         $http = ['method' => 'POST', 'header' => 'Content-Type: application/x-www-form-urlencoded', 'content' => $form];
?oauth         $answer = json_decode(file_get_contents({token_url}, false, stream_context_create(['http' => $http])), true);
?oauth         return base64_encode('user=' . {user} . "\001auth=Bearer " . $answer['access_token'] . "\001\001");
?oauth     }
?oauth }
?oauth
$mail = new PHPMailer(true);
$mail->isSMTP();
$mail->CharSet = PHPMailer::CHARSET_UTF8;
$mail->Host = {host};
$mail->Port = {port};
$mail->SMTPSecure = PHPMailer::ENCRYPTION_STARTTLS;
?password $mail->SMTPAuth = true;
?password $mail->Username = {user};
?password $mail->Password = getenv('SMTP_PASSWORD');
?oauth $mail->SMTPAuth = true;
?oauth $mail->AuthType = 'XOAUTH2';
?oauth $mail->setOAuth(new AccessToken());
$mail->setFrom({sender});
$mail->addAddress({sender});
$mail->Subject = 'Test message';
$mail->Body = 'Sent with PHPMailer.';
$mail->send();
"""
_NODE = r"""
const nodemailer = require('nodemailer');

?oauth async function accessToken() {
?oauth   const form = new URLSearchParams({
?oauth     grant_type: 'client_credentials',
?oauth     client_id: {client_id},
?oauth     client_secret: process.env.CLIENT_SECRET,
?oauth     scope: {scope},
?oauth   });
?oauth   const answer = await fetch({token_url}, { method: 'POST', body: form });
?oauth   const token = await answer.json();
?oauth   if (!answer.ok) throw new Error(token.error_description);
?oauth   return token.access_token;
?oauth }
?oauth
async function main() {
  const transport = nodemailer.createTransport({
    host: {host},
    port: {port},
    secure: false,
    requireTLS: true,
?password     auth: { user: {user}, pass: process.env.SMTP_PASSWORD },
?oauth     auth: { type: 'OAuth2', user: {user}, accessToken: await accessToken() },
  });
  await transport.sendMail({
    from: {sender},
    to: {sender},
    subject: 'Test message',
    text: 'Sent with Nodemailer.',
  });
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
"""
_JAVA = r"""
import jakarta.mail.Message;
import jakarta.mail.Session;
import jakarta.mail.Transport;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
?oauth import java.net.URI;
?oauth import java.net.URLEncoder;
?oauth import java.net.http.HttpClient;
?oauth import java.net.http.HttpRequest;
?oauth import java.net.http.HttpResponse;
?oauth import java.nio.charset.StandardCharsets;
import java.util.Properties;
?oauth import java.util.regex.Matcher;
?oauth import java.util.regex.Pattern;

public class Send {
?oauth     static String accessToken() throws Exception {
?oauth         String form = "grant_type=client_credentials&client_id=" + {client_id}
?oauth             + "&client_secret=" + URLEncoder.encode(System.getenv("CLIENT_SECRET"), StandardCharsets.UTF_8)
?oauth             + "&scope=" + URLEncoder.encode({scope}, StandardCharsets.UTF_8);
?oauth         HttpRequest request = HttpRequest.newBuilder(URI.create({token_url}))
?oauth             .header("Content-Type", "application/x-www-form-urlencoded")
?oauth             .POST(HttpRequest.BodyPublishers.ofString(form)).build();
?oauth         String answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
?oauth         Matcher token = Pattern.compile("\"access_token\"\\s*:\\s*\"([^\"]+)\"").matcher(answer);
?oauth         if (!token.find()) throw new IllegalStateException(answer);
?oauth         return token.group(1);
?oauth     }
?oauth
    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        properties.put("mail.smtp.host", {host});
        properties.put("mail.smtp.port", "{port}");
        properties.put("mail.smtp.starttls.enable", "true");
        properties.put("mail.smtp.starttls.required", "true");
        properties.put("mail.smtp.connectiontimeout", "60000");
        properties.put("mail.smtp.timeout", "60000");
?password|oauth         properties.put("mail.smtp.auth", "true");
?oauth         properties.put("mail.smtp.auth.mechanisms", "XOAUTH2");
        Session session = Session.getInstance(properties);
        MimeMessage message = new MimeMessage(session);
        message.setFrom(new InternetAddress({sender}));
        message.setRecipient(Message.RecipientType.TO, new InternetAddress({sender}));
        message.setSubject("Test message");
        message.setText("Sent with Jakarta Mail.");
?none         Transport.send(message);
?password         Transport.send(message, {user}, System.getenv("SMTP_PASSWORD"));
?oauth         Transport.send(message, {user}, accessToken());
    }
}
"""
_MAILKIT = r"""
using MailKit.Net.Smtp;
using MailKit.Security;
?oauth using Microsoft.Identity.Client;
using MimeKit;

?oauth var application = ConfidentialClientApplicationBuilder.Create({client_id})
?oauth     .WithAuthority({authority})
?oauth     .WithClientSecret(Environment.GetEnvironmentVariable("CLIENT_SECRET"))
?oauth     .Build();
?oauth var token = await application.AcquireTokenForClient(new[] { {scope} }).ExecuteAsync();
?oauth
var message = new MimeMessage();
message.From.Add(MailboxAddress.Parse({sender}));
message.To.Add(MailboxAddress.Parse({sender}));
message.Subject = "Test message";
message.Body = new TextPart("plain") { Text = "Sent with MailKit." };

using var client = new SmtpClient();
await client.ConnectAsync({host}, {port}, SecureSocketOptions.StartTls);
?password await client.AuthenticateAsync({user}, Environment.GetEnvironmentVariable("SMTP_PASSWORD"));
?oauth await client.AuthenticateAsync(new SaslMechanismOAuth2({user}, token.AccessToken));
await client.SendAsync(message);
await client.DisconnectAsync(true);
"""
SAMPLES = {
    "python_smtplib": Sample("python", "single", "send.py", _ENVIRONMENT, _PYTHON, RUN),
    "phpmailer": Sample("php", "single", "send.php", _ENVIRONMENT, _PHP, RUN),
    "nodemailer": Sample("javascript", "single", "send.js", _ENVIRONMENT, _NODE, RUN),
    "jakarta_mail": Sample("java", "json", "Send.java", _ENVIRONMENT, _JAVA, RUN),
    "mailkit": Sample("csharp", "json", "Program.cs", _ENVIRONMENT, _MAILKIT),
}
