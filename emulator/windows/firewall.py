"""Rules of Windows Defender Firewall, by the cmdlets of module NetSecurity.

Sources: the cmdlets' pages; "MSFT_NetFirewallRule class", "MSFT_NetProtocolPortFilter class" and "MSFT_NetAddressFilter class" for
properties and enumerations. An address with a prefix length reads back with its mask, as published outputs show.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from emulator.state import FirewallRule, WindowsHost
from emulator.state.windows_services import PROFILES
from emulator.windows.machine import Machine
from emulator.windows.powershell.binding import Call, Cmdlet, Parameter
from emulator.windows.powershell.errors import OutsideSubsetError
from emulator.windows.powershell.operators import wildcard
from emulator.windows.powershell.values import EnumValue, NetObject, Value, collected

TYPES = "Microsoft.PowerShell.Cmdletization.GeneratedTypes.NetSecurity"
NUMBERS = {
    "Enabled": {"True": 1, "False": 2}, "Direction": {"Inbound": 1, "Outbound": 2}, "Action": {"NotConfigured": 0, "Allow": 2, "Block": 4},
    "Profile": {"Any": 0, "Domain": 1, "Private": 2, "Public": 4},
}  # fmt: skip
PROTOCOLS = ("Any", "TCP", "UDP", "ICMPv4")


def _enum(kind: str, name: str) -> EnumValue:
    return EnumValue(f"{TYPES}.{kind}", name, NUMBERS[kind][name])


class _Instance(NetObject):
    """A CIM instance that belongs to a rule."""

    def __init__(self, class_name: str, rule: FirewallRule, members: dict[str, Value]) -> None:
        self.type_name = f"Microsoft.Management.Infrastructure.CimInstance#root/standardcimv2/{class_name}"
        self.class_name, self.rule = class_name, rule
        self._members = {name.lower(): value for name, value in members.items()}

    def get(self, name: str) -> Value:
        if name.lower() not in self._members:
            raise OutsideSubsetError(f"{self.class_name} has no property {name!r}")
        return self._members[name.lower()]

    def text(self) -> str:
        return self.class_name


def rule_object(rule: FirewallRule) -> _Instance:
    profile = ", ".join(rule.profiles)
    number = sum(NUMBERS["Profile"][one] for one in rule.profiles)
    return _Instance("MSFT_NetFirewallRule", rule, {
        "Name": rule.name, "InstanceID": rule.name, "ID": rule.name, "DisplayName": rule.display_name,
        "Description": rule.description or None, "Group": rule.group or None, "DisplayGroup": rule.group or None,
        "Enabled": _enum("Enabled", str(rule.enabled)), "Profile": EnumValue(f"{TYPES}.Profile", profile, number),
        "Direction": _enum("Direction", rule.direction), "Action": _enum("Action", rule.action),
    })  # fmt: skip


def port_filter(rule: FirewallRule) -> _Instance:
    return _Instance("MSFT_NetProtocolPortFilter", rule, {
        "InstanceID": rule.name, "Protocol": rule.protocol, "LocalPort": _one_or_list(rule.local_ports), "RemotePort": "Any",
    })  # fmt: skip


def address_filter(rule: FirewallRule) -> _Instance:
    return _Instance("MSFT_NetAddressFilter", rule, {
        "InstanceID": rule.name, "LocalAddress": "Any", "RemoteAddress": _one_or_list(rule.remote_addresses),
    })  # fmt: skip


def _one_or_list(values: list[str]) -> Value:
    return collected(list(values))


class FirewallCmdlets:
    def __init__(self, host: WindowsHost) -> None:
        self._host = host

    def _matching(self, call: Call) -> list[FirewallRule]:
        """The rules that -Name, -DisplayName, -Group, -Direction or the pipeline select; all without a selection."""
        if call.piped is not None or call.has("InputObject"):
            return [self._rule_of(one) for one in [*(call.piped or []), *call.get("InputObject", [])]]
        fields = {"Name": "name", "DisplayName": "display_name", "Group": "group"}
        properties = {"Name": "InstanceID", "DisplayName": "DisplayName", "Group": "RuleGroup"}
        chosen = [name for name in fields if call.has(name)]
        if len(chosen) > 1:
            raise call.failure("Parameter set cannot be resolved using the specified named parameters.", "AmbiguousParameterSet")
        if not chosen:
            return [one for one in self._host.firewall if one.direction == call.get("Direction", one.direction)]
        matches: list[FirewallRule] = []
        for written in call.get(chosen[0]):
            found = [one for one in self._host.firewall if wildcard(written).fullmatch(getattr(one, fields[chosen[0]]))]
            if not found and not any(one in written for one in "*?["):
                self._not_found(call, properties[chosen[0]], written)
            matches += found
        return matches

    @staticmethod
    def _not_found(call: Call, name: str, value: str) -> None:
        message = (
            f"No MSFT_NetFirewallRule objects found with property '{name}' equal to '{value}'.  Verify the value of the property and retry."
        )
        more = {"category": "ObjectNotFound", "target": value, "exception": "CimJobException"}
        call.report(message, f"CmdletizationQuery_NotFound_{name}", **more)

    def _rule_of(self, item: Value) -> FirewallRule:
        if not isinstance(item, _Instance) or not any(one is item.rule for one in self._host.firewall):
            raise OutsideSubsetError("an object of the pipeline that is no rule of this host")
        return item.rule

    def get(self, call: Call) -> Iterable[Value]:
        return [rule_object(one) for one in self._matching(call)]

    def new(self, call: Call) -> Iterable[Value]:
        name = call.get("Name")
        if any(one.name.lower() == name.lower() for one in self._host.firewall):
            message = "Cannot create a file when that file already exists."
            raise call.failure(message, "Windows System Error 183", category="ResourceExists", exception="CimException")
        rule = FirewallRule(name, call.get("DisplayName"))
        self._apply(call, rule)
        rule.group = call.get("Group", "")
        self._host.firewall.append(rule)
        return [rule_object(rule)]

    def set(self, call: Call) -> Iterable[Value]:
        for rule in self._matching(call):
            if call.has("NewDisplayName"):
                rule.display_name = call.get("NewDisplayName")
            self._apply(call, rule)
        return []

    def remove(self, call: Call) -> Iterable[Value]:
        gone = self._matching(call)
        self._host.firewall = [one for one in self._host.firewall if not any(one is rule for rule in gone)]
        return []

    def _apply(self, call: Call, rule: FirewallRule) -> None:
        """Take the parameters over, all or none."""
        ports = [_port(call, one) for one in call.get("LocalPort", rule.local_ports)]
        addresses = [_address(call, one) for one in call.get("RemoteAddress", rule.remote_addresses)]
        protocol = call.get("Protocol", rule.protocol)
        if ports != ["Any"] and protocol not in ("TCP", "UDP"):
            raise call.failure(
                "The port is invalid. Ports need the protocol TCP or UDP. ", "Windows System Error 87", category="InvalidArgument"
            )
        rule.local_ports, rule.remote_addresses, rule.protocol = ports, addresses, protocol
        rule.description = call.get("Description", rule.description)
        rule.enabled = call.get("Enabled", str(rule.enabled)) == "True"
        rule.direction, rule.action = call.get("Direction", rule.direction), call.get("Action", rule.action)
        rule.profiles = list(call.get("Profile", rule.profiles))

    def ports(self, call: Call) -> Iterable[Value]:
        return [port_filter(one) for one in self._associated(call)]

    def addresses(self, call: Call) -> Iterable[Value]:
        return [address_filter(one) for one in self._associated(call)]

    def _associated(self, call: Call) -> list[FirewallRule]:
        """The rules whose filters are asked for; all without one (-All is the default parameter set)."""
        if call.piped is None and not call.has("AssociatedNetFirewallRule"):
            return list(self._host.firewall)
        return [self._rule_of(one) for one in [*(call.piped or []), *call.get("AssociatedNetFirewallRule", [])]]


def _port(call: Call, written: str) -> str:
    """A port, a range of ports, or Any."""
    if written.lower() == "any":
        return "Any"
    numbers = [int(one) for one in written.split("-")] if re.fullmatch(r"\d{1,5}(-\d{1,5})?", written) else []
    if not numbers or not all(0 < one < 65536 for one in numbers) or numbers != sorted(numbers):
        raise call.failure("The port is invalid. ", "Windows System Error 87", category="InvalidArgument", target=written)
    return written


def _address(call: Call, written: str) -> str:
    """An address, a network (its mask is written out), a range, LocalSubnet or Any."""
    for word in ("Any", "LocalSubnet"):
        if written.lower() == word.lower():
            return word
    try:
        if "-" in written:
            first, last = (ipaddress.ip_address(one) for one in written.split("-"))
            return f"{first}-{last}"
        network = ipaddress.ip_network(written)
    except ValueError:
        message = "The address is invalid. Addresses may be specified as IP addresses, ranges, or subnets. "
        raise call.failure(message, "Windows System Error 87", category="InvalidArgument", target=written) from None
    if network.prefixlen == network.max_prefixlen:
        return str(network.network_address)
    return str(network) if network.version == 6 else network.with_netmask


def cmdlets(machine: Machine) -> list[Cmdlet]:
    made = FirewallCmdlets(machine.host)
    names = (Parameter("Name", "string[]", 0), Parameter("DisplayName", "string[]"), Parameter("Group", "string[]"))
    rules = Parameter("InputObject", "net[]", pipeline=True)
    direction = Parameter("Direction", choices=("Inbound", "Outbound"))
    settings = (
        Parameter("Description"), Parameter("Enabled", choices=("True", "False")), Parameter("Profile", "string[]", choices=PROFILES),
        direction, Parameter("Action", choices=("Allow", "Block")),
        Parameter("Protocol", choices=PROTOCOLS), Parameter("LocalPort", "string[]"), Parameter("RemoteAddress", "string[]"),
    )  # fmt: skip
    filtered = (Parameter("AssociatedNetFirewallRule", "net[]", pipeline=True),)
    new = (Parameter("Name", mandatory=True), Parameter("DisplayName", mandatory=True), Parameter("Group"), *settings)
    changed = (*names, Parameter("NewDisplayName"), *settings, rules)
    return [
        Cmdlet("Get-NetFirewallRule", made.get, (*names, direction, rules), error_source="Get-NetFirewallRule"),
        Cmdlet("New-NetFirewallRule", made.new, new, confirms=True, error_source="New-NetFirewallRule"),
        Cmdlet("Set-NetFirewallRule", made.set, changed, confirms=True, error_source="Set-NetFirewallRule"),
        Cmdlet("Remove-NetFirewallRule", made.remove, (*names, rules), confirms=True, error_source="Remove-NetFirewallRule"),
        Cmdlet("Get-NetFirewallPortFilter", made.ports, filtered, error_source="Get-NetFirewallPortFilter"),
        Cmdlet("Get-NetFirewallAddressFilter", made.addresses, filtered, error_source="Get-NetFirewallAddressFilter"),
    ]
