"""Further COM objects of hMailServer: its log, its queue, and a message that a script sends."""

from __future__ import annotations

import email.message
import email.policy
import time

from emulator.state import HMailServer, QueuedMail
from emulator.windows import installer
from emulator.windows.hmail_com import ComObject, empty
from emulator.windows.machine import Machine
from emulator.windows.powershell.values import NOTHING, Value

MESSAGE_PROGID = "hMailServer.Message"
INSTALLED = {"Device": 2, "LogFormat": 1, "MaskPasswordsInLog": True}  # eLogDevice, eLogOutputFormat


def log_path(machine: Machine, server: HMailServer) -> str:
    """The file of today's log."""
    date = time.strftime("%Y-%m-%d", machine.local_time())
    return f"{installer.directory(server.version)}\\Logs\\hmailserver_{date}.log"


class Logging(ComObject):
    def __init__(self, machine: Machine, server: HMailServer) -> None:
        super().__init__("Logging")
        self._machine, self._server = machine, server

    def read(self, name: str, kind: str) -> Value:
        if name in ("CurrentDefaultLog", "Directory"):
            path = log_path(self._machine, self._server)
            return path if name == "CurrentDefaultLog" else path.rpartition("\\")[0]
        return self._server.logging.get(name, INSTALLED.get(name, empty(kind)))

    def write(self, name: str, value: Value) -> None:
        self._server.logging[name] = value


class Status(ComObject):
    def __init__(self, machine: Machine, server: HMailServer) -> None:
        super().__init__("Status")
        self._machine, self._server = machine, server

    def read(self, name: str, kind: str) -> Value:
        if name == "UndeliveredMessages":
            return "\r\n".join(self._line(one) for one in self._server.queue)
        if name == "ProcessedMessages":
            return self._server.last_message - len(self._server.queue)
        return super().read(name, kind)

    def _line(self, mail: QueuedMail) -> str:
        """ID, creation, sender, recipients, next attempt, file, whether it is locked, attempts (ServerStatus)."""
        times = [
            time.strftime("%Y-%m-%d %H:%M:%S", self._machine.local_time(one)) for one in (mail.arrived, mail.next_attempt or mail.arrived)
        ]
        file = f"{installer.directory(self._server.version)}\\Data\\{{{mail.id}}}.eml"
        return "\t".join([mail.id, times[0], mail.sender, ",".join(mail.recipients), times[1], file, "0", str(mail.attempts)])


class GlobalObjects(ComObject):
    def __init__(self, machine: Machine, server: HMailServer) -> None:
        super().__init__("GlobalObjects")
        self._machine, self._server = machine, server

    def read(self, name: str, kind: str) -> Value:
        return DeliveryQueue(self._machine, self._server) if name == "DeliveryQueue" else super().read(name, kind)


class DeliveryQueue(ComObject):
    def __init__(self, machine: Machine, server: HMailServer) -> None:
        super().__init__("DeliveryQueue")
        self._machine, self._server = machine, server

    def invoke(self, name: str, arguments: list[Value]) -> Value:
        queue = self._server.queue
        if name == "Clear":
            self._server.queue = []
        elif name == "Remove":
            self._server.queue = [one for one in queue if one.id != str(arguments[0])]
        elif name == "ResetDeliveryTime":
            for one in queue:
                one.next_attempt = 0.0 if one.id == str(arguments[0]) else one.next_attempt
        elif name != "StartDelivery":
            return super().invoke(name, arguments)
        return NOTHING


class NewMessage(ComObject):
    """hMailServer.Message, which needs no authentication: Save queues it."""

    def __init__(self, machine: Machine, server: HMailServer) -> None:
        super().__init__("Message")
        self._machine, self._server = machine, server
        self._values: dict[str, Value] = {}
        self._recipients: list[tuple[str, str]] = []

    def read(self, name: str, kind: str) -> Value:
        return self._values.get(name, super().read(name, kind) if kind.startswith("object:") else empty(kind))

    def write(self, name: str, value: Value) -> None:
        self._values[name] = value

    def invoke(self, name: str, arguments: list[Value]) -> Value:
        if name == "AddRecipient":
            self._recipients.append((arguments[0], arguments[1]))
            return NOTHING
        if name != "Save" or not self._recipients:
            return super().invoke(name, arguments)
        built = email.message.EmailMessage(email.policy.SMTP)
        built["From"], built["Subject"] = self._values.get("From", ""), self._values.get("Subject", "")
        built["To"] = ", ".join(f"{name} <{address}>" for name, address in self._recipients)
        built.set_content(str(self._values.get("Body", "")))
        self._server.last_message += 1
        self._values["ID"] = self._server.last_message  # PersistentMessage::AddObject
        sender, recipients = str(self._values.get("FromAddress", "")), [address for _, address in self._recipients]
        self._server.queue.append(QueuedMail(str(self._server.last_message), sender, recipients, bytes(built), self._machine.now))
        return NOTHING
