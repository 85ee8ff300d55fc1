"""The log of IIS SMTP in the W3C extended format: one line for each reply of a server that messages go to.

Sources: "W3C Extended Log File Format"; IIS 6.0 metabase reference (LogExtFileFlags, LogType, LogPluginClsid); published excerpts of such
logs for OutboundConnectionResponse in cs-username and the reply in cs-uri-query.
"""

from __future__ import annotations

import time

from emulator.state import SmtpVirtualServer
from emulator.windows import iis_smtp
from emulator.windows.machine import Machine

W3C = "{FF160663-DE82-11CF-BC0A-00AA006111E0}"
FIELDS = {
    "date": 1, "time": 2, "c-ip": 4, "cs-username": 8, "s-sitename": 16, "s-computername": 32, "s-ip": 64, "s-port": 32768,
    "cs-method": 128, "cs-uri-stem": 256, "cs-uri-query": 512, "sc-status": 1024, "sc-win32-status": 2048, "sc-bytes": 4096,
    "cs-bytes": 8192, "time-taken": 16384,
}  # fmt: skip
FOLDER = r"C:\Windows\System32\LogFiles"


def folder(machine: Machine, server: SmtpVirtualServer) -> str:
    return f"{iis_smtp.value_of(machine.host, server, 'LogFileDirectory') or FOLDER}\\SMTPSVC1"


def path(machine: Machine, server: SmtpVirtualServer) -> str:
    """The file of today."""
    return f"{folder(machine, server)}\\ex{time.strftime('%y%m%d', time.gmtime(machine.now))}.log"


def content(server: SmtpVirtualServer) -> str:
    return "".join(f"{line}\r\n" for line in server.log)


def response(machine: Machine, server: SmtpVirtualServer, address: str, reply: str) -> None:
    """Log a server's reply, with the fields that are chosen now."""

    def setting(name: str) -> object:
        return iis_smtp.value_of(machine.host, server, name)

    flags = setting("LogExtFileFlags")
    if setting("LogType") != 1 or setting("LogPluginClsid") != W3C or not isinstance(flags, int):
        return
    names = [name for name, bit in FIELDS.items() if flags & bit]
    header = f"#Fields: {' '.join(names)}"
    if header not in server.log:
        server.log += ["#Software: Microsoft Internet Information Services 10.0", "#Version: 1.0", header]
    now = time.gmtime(machine.now)
    values = dict.fromkeys(FIELDS, "-") | {
        "date": time.strftime("%Y-%m-%d", now), "time": time.strftime("%H:%M:%S", now), "c-ip": address, "sc-status": "0",
        "cs-username": "OutboundConnectionResponse", "s-sitename": "SMTPSVC1", "s-computername": machine.host.name.upper(),
        "s-port": "25", "cs-uri-query": "+".join(reply.split()), "sc-win32-status": "0", "time-taken": "94",
    }  # fmt: skip
    server.log.append(" ".join(values[name] for name in names))
