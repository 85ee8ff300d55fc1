#!/usr/bin/env python3
"""send_mail.py PORT SOURCE SENDER RECIPIENT SUBJECT: one message by SMTP from an address of this host; prints accepted, or the refusal."""

from __future__ import annotations

import email.message
import smtplib
import sys


def main(port: str, source: str, sender: str, recipient: str, subject: str) -> str:
    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = sender or "nobody@example.net", recipient, subject
    message.set_content("a scan")
    try:
        with smtplib.SMTP("127.0.0.1", int(port), "device.contoso.com", 60, source_address=(source, 0)) as client:
            client.send_message(message, sender, [recipient])
    except (smtplib.SMTPException, OSError) as error:
        return f"refused: {error}"
    return "accepted"


if __name__ == "__main__":
    sys.stdout.write(main(*sys.argv[1:]) + "\n")
