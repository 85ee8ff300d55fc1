"""Which connections Windows Defender Firewall lets in, by the rules of the host."""

from __future__ import annotations

import ipaddress

from emulator.state import FirewallRule, WindowsHost


def passes_firewall(host: WindowsHost, source: str, port: str) -> bool:
    """Whether a rule lets a connection in. Loopback is exempt; without the firewall's service everything passes."""
    running = any(one.name == "MpsSvc" and one.state == "Running" for one in host.services)
    if not running or ipaddress.ip_address(source).is_loopback:
        return True
    rules = [one for one in host.firewall if one.enabled and one.direction == "Inbound" and _fits(one, source, port)]
    return any(one.action == "Allow" for one in rules) and not any(one.action == "Block" for one in rules)


def _fits(rule: FirewallRule, source: str, port: str) -> bool:
    ports = any(_has_port(one, port) for one in rule.local_ports) and rule.protocol in ("TCP", "Any")
    return ports and any(_has_address(one, source) for one in rule.remote_addresses)


def _has_port(written: str, port: str) -> bool:
    low, _, high = written.partition("-")
    return written == "Any" or int(low) <= int(port) <= int(high or low)


def _has_address(written: str, source: str) -> bool:
    address = ipaddress.ip_address(source)
    if written in ("Any", "LocalSubnet"):
        return written == "Any"
    if "-" in written:
        low, high = (int(ipaddress.ip_address(one)) for one in written.split("-"))
        return low <= int(address) <= high
    return address in ipaddress.ip_network(written, strict=False)
