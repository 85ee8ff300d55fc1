# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of role relay_windows as options of modules windows_smtp_server, windows_hmailserver and windows_relay_firewall."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..._core.errors import InvalidInput
from ..._http.clouds import Cloud, resolve
from ..._planning.inventory import misspelt
from ..._planning.relay_hosts import HMAILSERVER, default_windows_listeners
from ..._windows import networks
from . import message_size
from .model import UPSTREAM_TYPES, Device, Upstream
from .parse_devices import parse_devices
from .parse_upstream import parse_upstream
from .reader import Reader, Variables
from .upstreams import IMPLICIT_TLS_PORTS
from .windows_variables import OF_HMAILSERVER, OF_SMTP_SERVER, variable

IIS_SMTP = "iis_smtp"
PRODUCTS = {IIS_SMTP: "IIS SMTP Server", HMAILSERVER: "hMailServer"}
UPSTREAMS = tuple(name for name in UPSTREAM_TYPES if name != "oauth")
ON_LINUX = "use a relay host on Linux (role relay_host), which can also be the smarthost of this one"
Options = dict[str, object]


def parse(variables: Variables) -> Options:
    """The keys `state`, `product`, `smtp_server`, `hmailserver` and `firewall`, the last three options of modules. It holds secrets.

    `variables`: the role's by their names, with `inventory_hostname`; `variable_names`: the names of all variables of the host.

    Raises InvalidInput with all problems. No problem contains a secret.
    """
    reader = Reader(variables)
    state = reader.choice("relay_state", "present", "absent")
    product = _product(reader)
    drain = {"drain_timeout": reader.integer("relay_drain_timeout", 0, 86_400)}
    reader.report(*misspelt(reader.value("variable_names") or ()))
    passwords = _administrator(reader, product)
    server: Options = {"state": state, **drain}
    firewall: Options = {"state": state}
    if state == "present":
        devices = parse_devices(reader, ())
        own, listeners = _of_product(reader, product, devices), _listeners(reader, product, devices)
        server |= {**own, "listeners": listeners}
        firewall |= {
            "networks": _connecting(reader, product, devices),
            "ports": [one["port"] for one in listeners],
            "profiles": reader.value("relay_windows_firewall_profiles") or [],
        }
    if reader.problems:
        raise InvalidInput(*reader.problems)
    options = {"smtp_server": server} if product == IIS_SMTP else {"hmailserver": server | passwords}
    return {"state": state, "product": product, "firewall": firewall, **options}


def _product(reader: Reader) -> str:
    value = reader.text("relay_windows_product")
    if value not in PRODUCTS:
        reader.report(
            f"relay_windows_product is {value!r}: use {IIS_SMTP} (Windows Server 2016, 2019 and 2022 with Desktop Experience) or "
            f"{HMAILSERVER}."
        )
    return value


def _administrator(reader: Reader, product: str) -> Options:
    password = reader.text("relay_windows_admin_password")
    if product == HMAILSERVER and not password:
        reader.report("relay_windows_admin_password is empty: set the administrator password of hMailServer, at least 8 characters.")
    return {"admin_password": password, "previous_admin_password": reader.text("relay_windows_previous_admin_password") or None}


def _of_product(reader: Reader, product: str, devices: Sequence[Device]) -> Options:
    """The options of the product's module beside state, administrator password and listeners."""
    reader.report(*_unsupported(reader, devices, PRODUCTS.get(product, "the product")))
    end_date = reader.text("m365_basic_auth_end_date")
    common = ({"basic_auth_end_date": end_date} if end_date else {}) | {
        "upstream": _upstream(reader, product),
        "max_message_size": message_size.read(reader, reader.text("relay_upstream")),
    }
    if product == IIS_SMTP:
        reader.report(*(_with_user(device) for device in devices if device.username), *_masquerade_problems(reader))
        return (
            common
            | _given(reader, OF_SMTP_SERVER)
            | {
                "fqdn": _hostname(reader),
                "relay_networks": _networks(devices),
                "connection_networks": _connecting(reader, product, devices),
                "postmaster": reader.text("relay_postmaster") or "Postmaster",
            }
        )
    reader.report(*(sentence for device in devices for sentence in _of_user(device)))
    return common | _given(reader, OF_HMAILSERVER) | _of_hmailserver(reader, devices)


def _masquerade_problems(reader: Reader) -> list[str]:
    """The domain has to be one of the tenant, where this run has read those."""
    domain, accepted = reader.text("relay_windows_masquerade_domain").lower(), reader.value("accepted_domains") or []
    if not domain or not accepted or domain in accepted:
        return []
    return [f"relay_windows_masquerade_domain is {domain}, which is no accepted domain of the tenant: use one of {', '.join(accepted)}."]


def _given(reader: Reader, options: Sequence[str]) -> Options:
    """Options that are variables as they are."""
    return {name: reader.value(variable(name)) for name in options}


def _of_hmailserver(reader: Reader, devices: Sequence[Device]) -> Options:
    users = [device for device in devices if device.username]
    ranges = [
        {"name": one.name, "networks": [_plain(text) for text in one.networks], "authenticate": bool(one.username)} for one in devices
    ]
    return {
        "hostname": _hostname(reader),
        "installer": reader.value("relay_windows_installer") or None,
        "certificate": reader.value("relay_windows_certificate") or None,
        "ranges": ranges,
        "accounts": [{"address": one.username, "password": one.password} for one in users],
    }


def _unsupported(reader: Reader, devices: Sequence[Device], product: str) -> Iterator[str]:
    """What neither product can do."""
    if reader.value("relay_mailboxes"):
        yield f"relay_mailboxes is set, and {product} has one upstream server for all senders, not a mailbox for each: {ON_LINUX}."
    if reader.text("relay_connector_certificate"):
        yield (
            f"relay_connector_certificate is set, and {product} has no client certificate: set relay_public_addresses, so that the "
            f"connector matches the public IP address, or {ON_LINUX}."
        )
    for device in devices:
        if device.rewrite:
            yield f"relay_devices, {device.name}: rewrite is true, and {product} does not replace senders: {ON_LINUX}."
    if devices or not reader.flag("relay_windows_relay_authenticated"):
        yield from networks.problems("relay_devices", _networks(devices))


def _plain(text: str) -> str:
    """A network as module windows_hmailserver returns it: an address without its prefix length."""
    return text.removesuffix("/32")


def _networks(devices: Sequence[Device]) -> list[str]:
    """The networks of all devices."""
    return [_plain(text) for device in devices for text in device.networks]


def _connecting(reader: Reader, product: str, devices: Sequence[Device]) -> list[str]:
    """The networks that may connect: those of devices, and with IIS SMTP Server those of clients that authenticate."""
    return _networks(devices) + (list(reader.value("relay_windows_connection_networks") or []) if product == IIS_SMTP else [])


def _with_user(device: Device) -> str:
    return (
        f"relay_devices, {device.name}: has a username, and IIS SMTP Server authenticates accounts of Windows: leave it out, or set "
        f"relay_windows_product: {HMAILSERVER}."
    )


def _of_user(device: Device) -> Iterator[str]:
    where = f"relay_devices, {device.name}"
    if device.username and not device.networks:
        yield f"{where}: has a username and no networks, and the relay would be open to password guessing: name the device's networks."
    if device.password_hash:
        yield f"{where}: has password_hash, and hMailServer makes hashes of its own: set password."
    if device.username and not device.username.rpartition("@")[2].endswith(".internal"):
        yield f"{where}: the username is {device.username}: use one below a domain that nobody sends to, such as scanner@relay.internal."


def _listeners(reader: Reader, product: str, devices: Sequence[Device]) -> list[Options]:
    """relay_windows_listeners; by default port 25, and 587 with STARTTLS where devices authenticate."""
    default = default_windows_listeners(product, users=any(device.username for device in devices))
    configured: list[Variables] = reader.value("relay_windows_listeners") or default
    listeners: list[Options] = []
    for one in configured:
        port = 25 if one.get("port") is None else one["port"]
        if not str(port).isdecimal() or not 0 < int(port) < 65536:
            reader.report(f"relay_windows_listeners has port {port!r}: use a port from 1 to 65535.")
            port = 25
        listener: Options = {"address": one.get("address") or "", "port": int(port)}
        tls = one.get("tls") or "none"
        if product == HMAILSERVER:
            listener["tls"] = tls
        elif tls != "none":
            reader.report(
                f"relay_windows_listeners has tls: {tls}, and a listener of IIS SMTP Server has no setting for TLS: leave it out, or set "
                f"relay_windows_product: {HMAILSERVER}."
            )
        listeners.append(listener)
    if product == HMAILSERVER and any(one["tls"] != "none" for one in listeners) and not reader.value("relay_windows_certificate"):
        reader.report(
            "relay_windows_certificate is not set, and a listener has TLS (relay_windows_listeners, or port 587 for devices with a "
            "username): name its PEM files on the host."
        )
    return listeners


def _hostname(reader: Reader) -> str:
    """relay_hostname, or the inventory's name where that has a domain."""
    configured, inventory = reader.host("relay_hostname"), reader.text("inventory_hostname")
    name = configured or inventory
    if "." not in name.strip(".") or name.replace(".", "").isdigit():
        reader.report(f"relay_hostname is {configured!r}: set the relay's fully qualified name, such as relay1.contoso.com.")
    return name.lower().rstrip(".")


def _upstream(reader: Reader, product: str) -> Options:
    name = reader.text("relay_upstream")
    if name == "oauth":
        reader.report(f"relay_upstream is oauth, and {PRODUCTS.get(product, 'the product')} has no OAuth: use connector, or {ON_LINUX}.")
    elif name not in UPSTREAMS:
        reader.report(f"relay_upstream is {name!r}: use {', '.join(UPSTREAMS)}.")
    if name not in UPSTREAMS:
        return {}
    cloud = _cloud(reader)
    if name == "connector":
        return _connector(reader, product, cloud)
    parsed = parse_upstream(reader, name, cloud)
    return _submission(reader, product, parsed)


def _cloud(reader: Reader) -> Cloud:
    try:
        return resolve(reader.value("m365_cloud") or "global")
    except InvalidInput as error:
        reader.report(*error.problems)
        return resolve("global")


def _connector(reader: Reader, product: str, cloud: Cloud) -> Options:
    """Port 25 of the tenant's MX endpoint, without authentication: the connector matches the public IP address."""
    host = reader.host("relay_connector_host") or cloud.mx_host or ""
    if not host:
        reader.report(_without_connector_host(reader.text("relay_tenant")))
    verify = reader.choice("relay_connector_tls", "verify", "encrypt") == "verify"
    return {"host": host, "port": 25, "tls": "required", **({"verify": verify} if product == HMAILSERVER else {})}


def _without_connector_host(tenant: str) -> str:
    own = "set the tenant's MX endpoint, such as contoso-com.mail.protection.outlook.com"
    if not tenant:
        return f"relay_connector_host is empty: {own}, or set relay_tenant to a tenant of the inventory."
    return (
        f"relay_connector_host is empty, and this run has not planned {tenant} (relay_tenant) with senders: run playbook site for it, "
        f"too, or {own}."
    )


def _submission(reader: Reader, product: str, upstream: Upstream) -> Options:
    """A smart host or hosted relay: STARTTLS, or with hMailServer implicit TLS."""
    implicit = upstream.port in IMPLICIT_TLS_PORTS and upstream.tls != "none"
    if implicit and product == IIS_SMTP:
        reader.report(f"relay_smarthost.port is {upstream.port}, and IIS SMTP Server has no implicit TLS: use port 587.")
    tls = "none" if upstream.tls == "none" else "implicit" if implicit else "required"
    host = upstream.next_hop.partition("]")[0].removeprefix("[")
    options: Options = {"host": host, "port": upstream.port, "tls": tls}
    if upstream.username:
        options |= {"username": upstream.username, "password": upstream.password}
    return options | ({"verify": upstream.tls == "verify"} if product == HMAILSERVER else {})
