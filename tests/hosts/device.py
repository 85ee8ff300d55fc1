"""A client for test devices, run in a device's own network namespace: one JSON document in, one out.

{host, port, tls: "", "start" or "wrapped", old: only TLS 1.0, user, password, sender, recipients, message: text in Latin-1}, or
{host, port, raw: pieces in Latin-1, sent one by one, after each of which replies are read until it is quiet}.
"""

from __future__ import annotations

import json
import smtplib
import socket
import ssl
import sys
import warnings
from typing import Any


def context(old: bool) -> ssl.SSLContext:
    """Devices verify nothing."""
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    found.check_hostname, found.verify_mode = False, ssl.CERT_NONE
    if old:
        warnings.simplefilter("ignore")
        found.set_ciphers("DEFAULT:@SECLEVEL=0")
        found.minimum_version = found.maximum_version = ssl.TLSVersion.TLSv1
    return found


def connected(order: dict[str, Any]) -> smtplib.SMTP:
    where, tls = (order["host"], order["port"]), context(order.get("old", False))
    if order.get("tls") == "wrapped":
        return smtplib.SMTP_SSL(*where, context=tls, timeout=20)
    smtp = smtplib.SMTP(*where, timeout=20)
    if order.get("tls"):
        smtp.starttls(context=tls)
    return smtp


def send(order: dict[str, Any]) -> dict[str, Any]:
    """{code, said} of the first refusal or of the end; {tls} as negotiated; {features} offered. Code 0: nobody spoke SMTP."""
    found: dict[str, Any] = {}
    try:
        with connected(order) as smtp:
            smtp.ehlo_or_helo_if_needed()
            found = {"features": sorted(smtp.esmtp_features), "tls": getattr(smtp.sock, "version", lambda: "")()}
            if order.get("user"):
                smtp.login(order["user"], order["password"])
            replies = [smtp.mail(order["sender"]), *(smtp.rcpt(one) for one in order["recipients"])]
            refused = [reply for reply in replies if reply[0] >= 400]
            code, said = refused[0] if refused else smtp.data(order["message"].replace("\n", "\r\n").encode("latin-1"))
    except smtplib.SMTPResponseException as error:
        code, said = error.smtp_code, error.smtp_error
    except (smtplib.SMTPException, OSError) as error:
        code, said = 0, f"{type(error).__name__}: {error}"
    return {**found, "code": code, "said": said.decode("latin-1") if isinstance(said, bytes) else said}


def talk(order: dict[str, Any]) -> dict[str, Any]:
    """What was answered to each piece."""
    answers = []
    with socket.create_connection((order["host"], order["port"]), timeout=20) as plain:
        for piece in ["", *order["raw"]]:
            plain.sendall(piece.encode("latin-1"))
            plain.settimeout(5)
            said = b""
            try:
                while chunk := plain.recv(65536):
                    said += chunk
                    plain.settimeout(0.3)
            except TimeoutError:
                pass
            except OSError as error:
                said += str(error).encode()
            answers.append(said.decode("latin-1"))
    return {"answers": answers}


if __name__ == "__main__":
    wanted = json.load(sys.stdin)
    print(json.dumps(talk(wanted) if "raw" in wanted else send(wanted)))
