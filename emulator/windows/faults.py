"""Faults of WS-Management, and the named faults of service `windows`.

Sources: MS-WSMV and MS-WSMAN (codes and texts), the answers that published clients handle. Faults on demand match `host`, `action`
(Create, Command, Send, Receive, Signal, Delete, Identify) and `target` (shell, command: see soap.Operation).
"""

from __future__ import annotations

from dataclasses import dataclass

from emulator.faults import Fault

# `unauthorized`: 401 to a credential that is right; it matches `host` only. `cut`: the connection ends without an answer, before the
# request is carried out, or after it (option `applied`). `stall`: the connection stays open without an answer until the client ends it.
CONNECTION = {"unauthorized", "cut", "stall"}


@dataclass(frozen=True)
class Definition:
    """A fault of WS-Management: SOAP code and subcode, code of f:WSManFault, text."""

    code: str
    subcode: str
    number: int
    reason: str
    wmi: bool = False  # the detail carries MSFT_WmiError, too


DEFINITIONS = {
    "access_denied": Definition("s:Sender", "w:AccessDenied", 5, "Access is denied. "),
    "timeout": Definition(
        "s:Receiver",
        "w:TimedOut",
        2150858793,
        "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.  ",
    ),
    "shell_gone": Definition(
        "s:Sender",
        "w:InvalidSelectors",
        2150858843,
        "The request for the Windows Remote Shell with ShellId failed because the shell was not found on the server. "
        "Possible causes are: the specified ShellId is incorrect or the shell no longer exists on the server. "
        "Provide the correct ShellId or create a new shell and retry the operation. ",
    ),
    "shell_quota": Definition(
        "s:Receiver",
        "w:QuotaLimit",
        2150859173,
        "The WS-Management service cannot process the request. The maximum number of concurrent shells for this user has been exceeded. "
        "Close existing shells or raise the quota for this user. ",
    ),
    "quota": Definition(
        "s:Receiver",
        "w:QuotaLimit",
        2150859174,
        "The WS-Management service cannot process the request. The maximum number of concurrent operations for this user has been "
        "exceeded. Close existing operations for this user, or raise the quota for this user. ",
        wmi=True,
    ),
    "no_resource": Definition(
        "s:Sender",
        "a:DestinationUnreachable",
        2150858752,
        "The WS-Management service cannot process the request. The service cannot find the resource identified by the resource URI and "
        "selectors. ",
    ),
    "action_not_supported": Definition(
        "s:Sender",
        "a:ActionNotSupported",
        2150858767,
        "The WS-Management service cannot process the request. The action is not supported by the service. ",
    ),
    "schema": Definition(
        "s:Sender",
        "w:SchemaValidationError",
        2150858817,
        "The SOAP XML in the message does not match the corresponding XML schema definition. Change the XML and retry. ",
    ),
}
# Of scripts, which match `stage`: script (`noise`: text before the output, as a profile writes it; the option `text`), wmi (with `class`).
NOISE = "noise"
WMI = {
    "wmi_failed": ("Generic failure ", 0x80041001),
    "wmi_access_denied": ("Access denied ", 0x80041003),
    "wmi_not_found": ("Not found ", 0x80041002),
    "wmi_shutting_down": ("Shutting down ", 0x80041033),
}
BANNER = "Welcome. This computer is monitored."
NAMES = CONNECTION | set(DEFINITIONS) | {NOISE} | set(WMI)


class WsmanFault(Exception):  # noqa: N818 (SOAP's word)
    """A SOAP fault; HTTP carries it with status 500."""

    def __init__(self, name: str) -> None:
        self.definition = DEFINITIONS[name]
        super().__init__(self.definition.reason)


def play(fault: Fault | None) -> None:
    """Raise the SOAP fault that was ordered."""
    if fault and fault.name in DEFINITIONS:
        raise WsmanFault(fault.name)
