"""The folder Pickup of IIS SMTP: a file with a message is sent, one without recipients goes to Badmail.

Sources: "Pickup Directory" in the help of the SMTP service (x-sender and x-receiver precede the message; without them From, To, Cc and Bcc
count); PickupDirectory in the IIS 6.0 metabase reference.
"""

from __future__ import annotations

import email
import email.policy
import email.utils

from emulator.state import QueuedMail, SmtpVirtualServer
from emulator.state.ids import new_guid
from emulator.windows import iis_smtp
from emulator.windows.files import Files
from emulator.windows.machine import Machine


def collect(machine: Machine, server: SmtpVirtualServer) -> None:
    """Move the files of the folder to the queue."""
    folder = iis_smtp.value_of(machine.host, server, "PickupDirectory")
    files = Files(machine)
    for file in files.in_folder(str(folder)) if folder else []:
        files.remove(file.path)
        mail = message(file.content, machine.now)
        (server.queue if mail.recipients else server.bad_mail).append(mail)


def message(content: bytes, now: float) -> QueuedMail:
    """The envelope and the message of a file."""
    sender, recipients, lines = "", list[str](), content.splitlines(keepends=True)
    while lines and lines[0].lower().startswith((b"x-sender:", b"x-receiver:")):
        name, _, value = lines.pop(0).decode("utf-8", "replace").partition(":")
        address = value.strip().strip("<>")
        if name.lower() == "x-sender":
            sender = address
        else:
            recipients.append(address)
    raw = b"".join(lines)
    parsed = email.message_from_bytes(raw, policy=email.policy.compat32)
    if not recipients:
        fields = [str(one) for name in ("to", "cc", "bcc") for one in parsed.get_all(name, [])]
        recipients = [address for _, address in email.utils.getaddresses(fields) if "@" in address]
        sender = sender or email.utils.parseaddr(str(parsed.get("from", "")))[1]
    return QueuedMail(new_guid(), sender, recipients, raw, now)
