"""hMailServer, as its database holds it. Elements have the properties of its COM interfaces."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from emulator.state.iis_smtp import QueuedMail
from emulator.state.keys import Moment, key


@dataclass
class HMailElement:
    """An element of a collection of hMailServer."""

    id: int = field(metadata=key("ID"))
    properties: dict[str, Any] = field(
        default_factory=dict, metadata=key("the properties of its interface; of a range also `options`, bits")
    )
    accounts: list[HMailElement] = field(default_factory=list, metadata=key("the accounts of a domain"))


# DBScripts of hMailServer: what the installation inserts.
INTERNET = {"Name": "Internet", "Priority": 10, "LowerIP": "0.0.0.0", "UpperIP": "255.255.255.255", "options": 96203}  # noqa: S104 (a range)
MY_COMPUTER = {"Name": "My computer", "Priority": 30, "LowerIP": "127.0.0.1", "UpperIP": "127.0.0.1", "options": 71627}
PORTS = ((1, 25), (1, 587), (3, 110), (5, 143))  # protocol (eSessionType) and port


def _ranges() -> list[HMailElement]:
    return [HMailElement(1, dict(INTERNET)), HMailElement(2, dict(MY_COMPUTER))]


def _ports() -> list[HMailElement]:
    return [HMailElement(number, {"Protocol": protocol, "PortNumber": port}) for number, (protocol, port) in enumerate(PORTS, 1)]


@dataclass
class LogonFailure:
    """A failed authentication, which auto-ban counts."""

    address: str = field(metadata=key("the address of the client"))
    time: Moment = field(default=0.0, metadata=key("when it was"))


@dataclass
class HMailServer:
    """An installed hMailServer."""

    version: str = field(default="5.6.9-B2632", metadata=key("Application.Version"))
    administrator_password: str = field(default="", metadata=key("the administrator password; empty: a silent installation left none"))
    properties: dict[str, Any] = field(default_factory=dict, metadata=key("properties of Settings that are not as installed"))
    relayer_password: str = field(default="", metadata=key("what SetSMTPRelayerPassword was given"))
    ranges: list[HMailElement] = field(default_factory=_ranges, metadata=key("IP ranges (SecurityRange)"))
    ports: list[HMailElement] = field(default_factory=_ports, metadata=key("ports (TCPIPPort)"))
    domains: list[HMailElement] = field(default_factory=list, metadata=key("domains (Domain)"))
    routes: list[HMailElement] = field(default_factory=list, metadata=key("routes (Route)"))
    restarts: int = field(default=0, metadata=key("how often Application.Start was called; changed ports count from then on"))
    stopped: bool = field(default=False, metadata=key("whether Application.Stop was called: the service runs, its ports are closed"))
    certificates: list[HMailElement] = field(default_factory=list, metadata=key("certificates (SSLCertificate)"))
    logging: dict[str, Any] = field(default_factory=dict, metadata=key("properties of Logging that are not as installed"))
    log: list[str] = field(default_factory=list, metadata=key("lines of the log about deliveries, where Logging writes them"))
    queue: list[QueuedMail] = field(default_factory=list, metadata=key("messages that wait for delivery"))
    delivered: list[QueuedMail] = field(default_factory=list, metadata=key("messages in mailboxes of its accounts"))
    last_message: int = field(default=0, metadata=key("the ID of the last message"))
    logon_failures: list[LogonFailure] = field(default_factory=list, metadata=key("failed authentications that auto-ban counts"))
