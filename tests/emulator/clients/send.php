<?php
// One message by PHPMailer as Debian ships it: what a web site's contact form does.
// Reads a JSON object from stdin: host, port, ca, user, secret, mechanism, from, to, attachment; {"sent": true} or {"error": "..."}.

require '/usr/share/php/libphp-phpmailer/autoload.php';

use PHPMailer\PHPMailer\Exception as MailerException;
use PHPMailer\PHPMailer\OAuthTokenProvider;
use PHPMailer\PHPMailer\PHPMailer;

/** A token that was fetched elsewhere. */
class GivenToken implements OAuthTokenProvider
{
    public function __construct(private string $user, private string $token)
    {
    }

    public function getOauth64()
    {
        return base64_encode("user={$this->user}\001auth=Bearer {$this->token}\001\001");
    }
}

$wanted = json_decode(stream_get_contents(STDIN), true, 512, JSON_THROW_ON_ERROR);
$mail = new PHPMailer(true);
$mail->isSMTP();
$mail->Host = $wanted['host'];
$mail->Port = $wanted['port'];
$mail->Hostname = 'client.example.net';
$mail->SMTPSecure = PHPMailer::ENCRYPTION_STARTTLS;
$mail->SMTPOptions = ['ssl' => ['cafile' => $wanted['ca'], 'verify_peer' => true, 'verify_peer_name' => true]];
$mail->SMTPAuth = true;
$mail->AuthType = $wanted['mechanism']; // empty: PHPMailer chooses among what is offered
$mail->Username = $wanted['user'];
if ($wanted['mechanism'] === 'XOAUTH2') {
    $mail->setOAuth(new GivenToken($wanted['user'], $wanted['secret']));
} else {
    $mail->Password = $wanted['secret'];
}
$mail->CharSet = PHPMailer::CHARSET_UTF8;
$mail->setFrom($wanted['from'], 'Büro');
$mail->addAddress($wanted['to']);
$mail->Subject = 'by PHPMailer: Größe';
$mail->Body = "Hello,\nan attachment.\n.\n";
$mail->addStringAttachment(base64_decode($wanted['attachment']), 'scan.pdf', PHPMailer::ENCODING_BASE64, 'application/pdf');
try {
    $mail->send();
    echo json_encode(['sent' => true]);
} catch (MailerException $error) {
    echo json_encode(['error' => $error->getMessage(), 'detail' => $mail->getSMTPInstance()->getError()]);
}
