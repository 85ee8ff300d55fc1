"""IIS SMTP's configuration: the properties of a virtual server with their types and defaults, shared by WMI and ADSI."""

from __future__ import annotations

from typing import Any

from emulator.state import AddressList, QueuedMail, SmtpVirtualServer, WindowsHost
from emulator.windows.cim import CimInstance, fits
from emulator.windows.contract import class_types, contract
from emulator.windows.powershell.errors import OutsideSubsetError, ScriptError, script_error
from emulator.windows.powershell.values import Array, Value, kind_of
from emulator.windows.relay_list import LayoutError, decode, encode

_ALIAS = 16  # RouteAction of an alias domain
NAMESPACE = "root/MicrosoftIISv2"
SETTING, SECURITY, BINDING = "IIsSmtpServerSetting", "IIsIPSecuritySetting", "ServerBinding"
EMPTY: dict[str, Value] = {"boolean": False, "sint32": 0, "string": ""}


def wmi_exists(host: WindowsHost) -> bool:
    """Whether the namespace is there (IIS 6 WMI Compatibility)."""
    return "Web-WMI" in host.features


def servers(host: WindowsHost) -> list[SmtpVirtualServer]:
    return host.smtp_servers if "SMTP-Server" in host.features else []


def spec(name: str) -> dict[str, Any]:
    """What the contract says of a property of the virtual server."""
    return dict(contract()["wmi"][NAMESPACE][SETTING]["properties"][name])


def default(host: WindowsHost, name: str) -> Value:
    """The value as installed: the dialogs' where they are known, else the schema's, else that of the type."""
    own = {"FullyQualifiedDomainName": host.name, "DefaultDomain": host.name, "LogFilePeriod": 1}
    if name in own:
        return own[name]
    described = spec(name)
    value = described.get("as_installed", described.get("schema_default", EMPTY.get(described["type"])))
    return value - 2**32 if isinstance(value, int) and not isinstance(value, bool) and value >= 2**31 else value


def value_of(host: WindowsHost, server: SmtpVirtualServer, name: str) -> Value:
    """A property of the virtual server."""
    if name == "Name":
        return server.name
    if name == "RelayIpList":
        return _relay_bytes(server.relay_list)
    if name == "ServerBindings":
        return Array([binding(*one.split(":")) for one in server.bindings], BINDING)
    return server.properties.get(name, default(host, name))


MESSAGE_FOLDERS = {"QueueDirectory": "EML", "BadMailDirectory": "BAD"}


def message_files(host: WindowsHost, server: SmtpVirtualServer) -> list[tuple[str, QueuedMail]]:
    """The files of the queue and of the bad mail, by their paths. Names are those of published listings (NTFS_*.EML, *.BAD)."""
    return [
        (rf"{value_of(host, server, name)}\NTFS_{mail.id}.{MESSAGE_FOLDERS[name]}", mail)
        for name, mails in (("QueueDirectory", server.queue), ("BadMailDirectory", server.bad_mail))
        for mail in list(mails)
        if value_of(host, server, name)
    ]


def binding(address: str, port: str, hostname: str) -> CimInstance:
    values: dict[str, Value] = {"IP": address, "Port": port, "Hostname": hostname}
    return CimInstance(NAMESPACE, BINDING, class_types(NAMESPACE, BINDING), values)


def _relay_bytes(entries: AddressList | None) -> Value:
    """null: only the list below, which is empty. An empty array: all except the list below, an open relay."""
    if entries is None:
        return None
    if entries.grant_by_default and not (entries.ip_deny or entries.domain_deny):
        return Array([], "byte")
    if entries.grant_by_default or entries.ip_deny or entries.domain_deny or entries.domain_grant:
        raise OutsideSubsetError("the bytes of a RelayIpList that denies entries, or has domains; their layout is not published")
    try:
        return Array(encode(entries.ip_grant), "byte")
    except LayoutError as error:
        raise OutsideSubsetError(f"the bytes of RelayIpList: {error}; their layout is not published") from None


def check(name: str, value: Value) -> None:
    """Refuse a value of another type than the property's."""
    described = spec(name)
    if described["type"] == "ServerBinding[]":
        good = isinstance(value, Array) and all(isinstance(one, CimInstance) and one.class_name == BINDING for one in value)
    else:
        good = fits(value, described["type"])
    if not good:
        raise OutsideSubsetError(f"{SETTING}.{name} is a {described['type']}, not a {kind_of(value)}")


def write(host: WindowsHost, server: SmtpVirtualServer, values: dict[str, Value]) -> None:
    """Take over all properties of an instance (Put). They are in effect at once."""
    bindings = values.get("ServerBindings")
    if "RelayIpList" in values:
        server.relay_list = _relay_list(values["RelayIpList"])
    if isinstance(bindings, Array):
        server.bindings = [":".join(str(one.get(part) or "") for part in ("IP", "Port", "Hostname")) for one in bindings]
    plain = {name: value for name, value in values.items() if name not in ("Name", "RelayIpList", "ServerBindings")}
    server.properties = {name: value for name, value in plain.items() if value != default(host, name)}


def _relay_list(value: Value) -> AddressList | None:
    if value is None:
        return None
    if not value:
        return AddressList(grant_by_default=True)
    try:
        return AddressList(ip_grant=decode(bytes(value)))
    except LayoutError:
        raise put_error("Invalid parameter ", -2147217400) from None  # WBEM_E_INVALID_PARAMETER, 0x80041008


def put_error(text: str, hresult: int) -> ScriptError:
    message = f'Exception calling "Put" with "0" argument(s): "{text}"'
    return script_error(message, "DotNetMethodException", exception="MethodInvocationException", hresult=hresult)


def is_alias(server: SmtpVirtualServer, domain: str) -> bool:
    """Whether it is an alias domain, which is local (RouteAction 16). `domain` in lower case."""
    return bool(server.domains.get(domain, 0) & _ALIAS)
