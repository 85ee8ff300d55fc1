"""A device that sends messages: `python sending_device.py '{"server": …, "prefix": …, "count": …}'`, without the collection's code.

Every message is tried once. It prints a JSON object, Message-ID -> outcome: `accepted` after a 250 to the final dot, `unknown` where the
connection ended between the dot and the reply, else `refused` with the reply or the error.
"""

from __future__ import annotations

import json
import smtplib
import sys
import time
from pathlib import Path
from typing import Any

DEFAULTS = {
    "port": 25,
    "sender": "scanner@contoso.com",
    "recipient": "ada@contoso.com",
    "count": 1,
    "until": "",  # a file; the device stops once it exists
    "size": 500,
    "pause": 0.0,
    "timeout": 20,
}


def message(number: str, sender: str, recipient: str, size: int) -> bytes:
    """A message as it is transferred, without the final dot; its last line begins with a dot, which is doubled (RFC 5321, 4.5.2)."""
    lines = [f"From: <{sender}>", f"To: <{recipient}>", f"Subject: Scan {number}", f"Message-ID: <{number}>"]
    lines += ["Date: Wed, 25 Nov 2026 12:00:00 +0000", "", *("x" * 70 for _ in range(size // 72)), ".. begins a line"]
    return "\r\n".join(lines).encode() + b"\r\n"


def send_one(parameters: dict[str, Any], number: str) -> str:
    try:
        with smtplib.SMTP(parameters["server"], parameters["port"], "device.contoso.com", timeout=parameters["timeout"]) as client:
            client.ehlo()
            for code, text in (client.mail(parameters["sender"]), client.rcpt(parameters["recipient"]), client.docmd("DATA")):
                if code not in (250, 354):
                    return f"refused: {code} {text.decode()}"
            client.send(message(number, parameters["sender"], parameters["recipient"], parameters["size"]))
            try:
                client.send(b".\r\n")
                code, text = client.getreply()
            except (OSError, smtplib.SMTPException) as error:
                return f"unknown: {error}"
            return "accepted" if code == 250 else f"refused: {code} {text.decode()}"
    except (OSError, smtplib.SMTPException) as error:
        return f"refused: {error}"


def main() -> None:
    parameters = DEFAULTS | json.loads(sys.argv[1])
    outcomes = {}
    for index in range(parameters["count"]):
        if parameters["until"] and Path(parameters["until"]).exists():
            break
        number = f"{parameters['prefix']}-{index}@device.contoso.com"
        outcomes[number] = send_one(parameters, number)
        time.sleep(parameters["pause"])
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main()
