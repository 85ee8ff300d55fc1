"""Envelopes of WS-Management (DSP0226, MS-WSMV): what a request says, and the text of an answer."""

from __future__ import annotations

import base64
import re
import uuid
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from emulator.windows.faults import WsmanFault

Element = ElementTree.Element
SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
ANONYMOUS = f"{ADDRESSING}/role/anonymous"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
IDENTITY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
WMI_ERROR = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError"
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
DEFAULT_TIMEOUT, DEFAULT_ENVELOPE = 60.0, 512_000


class MalformedError(Exception):
    """A body that is no SOAP envelope."""


@dataclass
class Operation:
    """A request. `timeout`: OperationTimeout in seconds; `size`: the largest answer in bytes that the client takes."""

    action: str
    uri: str
    message: str
    selectors: Mapping[str, str]
    options: Mapping[str, str]
    timeout: float
    size: int
    body: Element

    @property
    def name(self) -> str:
        """The last part of the action: Create, Command, ..."""
        return self.action.rpartition("/")[2]

    @property
    def target(self) -> str:
        """What it is about: a command or pipeline ("command"), or the shell or runspace pool itself ("shell"); empty for Identify."""
        if self.name == "Identify":
            return ""
        return "command" if self.name == "Command" or any(one.get("CommandId") for one in self.body.iter()) else "shell"

    def part(self, name: str) -> Element:
        """An element of the body in the namespace of shells."""
        found = self.body.find(f"{{{SHELL}}}{name}")
        if found is None:
            raise WsmanFault("schema")
        return found


def read(data: bytes) -> Operation:
    """The request of an envelope; Identify has no header (DSP0226, section 11)."""
    if b"<!DOCTYPE" in data:
        raise MalformedError("a document type")
    try:
        root = ElementTree.fromstring(data)  # noqa: S314 (no document type, hence no entities)
    except ElementTree.ParseError as error:
        raise MalformedError(str(error)) from None
    body = root.find(f"{{{SOAP}}}Body")
    if body is None:
        raise MalformedError("no Body")
    if body.find(f"{{{IDENTITY}}}Identify") is not None:
        return Operation("Identify", "", "", {}, {}, DEFAULT_TIMEOUT, DEFAULT_ENVELOPE, body)
    header = root.find(f"{{{SOAP}}}Header")
    if header is None:
        raise MalformedError("no Header")
    return Operation(
        header.findtext(f"{{{ADDRESSING}}}Action") or "",
        header.findtext(f"{{{WSMAN}}}ResourceURI") or "",
        header.findtext(f"{{{ADDRESSING}}}MessageID") or "",
        _named(header, "SelectorSet", "Selector"),
        _named(header, "OptionSet", "Option"),
        seconds(header.findtext(f"{{{WSMAN}}}OperationTimeout"), DEFAULT_TIMEOUT),
        int(header.findtext(f"{{{WSMAN}}}MaxEnvelopeSize") or DEFAULT_ENVELOPE),
        body,
    )


def _named(header: Element, group: str, item: str) -> dict[str, str]:
    return {one.get("Name", ""): one.text or "" for one in header.iterfind(f"{{{WSMAN}}}{group}/{{{WSMAN}}}{item}")}


def seconds(duration: str | None, default: float) -> float:
    """The seconds of an XML duration such as PT20S or P0DT0H1M0.5S."""
    match = _DURATION.fullmatch(duration or "")
    if not match or not duration:
        return default
    days, hours, minutes, rest = (float(part or 0) for part in match.groups())
    return days * 86400 + hours * 3600 + minutes * 60 + rest


def answer(operation: Operation, xml: str, action: str = "") -> bytes:
    """The envelope of a successful answer."""
    return _envelope(action or f"{operation.action}Response", operation.message, xml)


def identify(build: int) -> bytes:
    """The answer to Identify."""
    xml = f'<wsmid:IdentifyResponse xmlns:wsmid="{IDENTITY}"><wsmid:ProtocolVersion>{WSMAN}</wsmid:ProtocolVersion>'
    xml += f"<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor><wsmid:ProductVersion>OS: 10.0.{build} SP: 0.0 Stack: 3.0"
    xml += "</wsmid:ProductVersion></wsmid:IdentifyResponse>"
    return f'<s:Envelope xmlns:s="{SOAP}"><s:Header/><s:Body>{xml}</s:Body></s:Envelope>'.encode()


def fault(operation: Operation, error: WsmanFault, machine: str) -> bytes:
    """The envelope of a fault (MS-WSMV, WSManFault)."""
    definition = error.definition
    reason = escape(definition.reason)
    detail = f'<f:WSManFault xmlns:f="{FAULT}" Code="{definition.number}" Machine={quoteattr(machine)}><f:Message>{reason}</f:Message>'
    detail += "</f:WSManFault>"
    if definition.wmi:
        detail += f'<p:MSFT_WmiError xmlns:p="{WMI_ERROR}"><p:error_Code>{definition.number}</p:error_Code></p:MSFT_WmiError>'
    xml = f"<s:Fault><s:Code><s:Value>{definition.code}</s:Value><s:Subcode><s:Value>{definition.subcode}</s:Value></s:Subcode></s:Code>"
    xml += f'<s:Reason><s:Text xml:lang="en-US">{reason}</s:Text></s:Reason><s:Detail>{detail}</s:Detail></s:Fault>'
    return _envelope("http://schemas.dmtf.org/wbem/wsman/1/wsman/fault", operation.message, xml)


def _envelope(action: str, relates_to: str, xml: str) -> bytes:
    names = {"s": SOAP, "a": ADDRESSING, "x": TRANSFER, "w": WSMAN, "rsp": SHELL}
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in names.items())
    header = f"<a:Action>{escape(action)}</a:Action><a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID><a:To>{ANONYMOUS}</a:To>"
    header += f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo>"
    return f'<s:Envelope xml:lang="en-US" {spaces}><s:Header>{header}</s:Header><s:Body>{xml}</s:Body></s:Envelope>'.encode()


def stream(name: str, command_id: str, data: bytes, *, end: bool = False) -> str:
    """A stream of an answer to Receive; `command_id` is empty for the pool of PSRP."""
    attributes = f' CommandId="{command_id}"' if command_id else ""
    attributes += ' End="true"' if end else ""
    return f'<rsp:Stream Name="{name}"{attributes}>{base64.b64encode(data).decode("ascii")}</rsp:Stream>'
