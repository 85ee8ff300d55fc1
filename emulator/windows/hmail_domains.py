"""Domains and accounts of hMailServer: which addresses are local."""

from __future__ import annotations

from emulator.state import HMailElement, HMailServer


def domain_of(server: HMailServer, address: str) -> HMailElement | None:
    """The active domain of an address."""
    name = address.rpartition("@")[2].lower()
    matching = (one for one in server.domains if str(one.properties.get("Name", "")).lower() == name and one.properties.get("Active"))
    return next(matching, None)


def is_local(server: HMailServer, address: str) -> bool:
    return domain_of(server, address) is not None


def account_of(server: HMailServer, address: str) -> HMailElement | None:
    """The active account of an address."""
    domain = domain_of(server, address)
    accounts = domain.accounts if domain else []
    matching = (
        one for one in accounts if str(one.properties.get("Address", "")).lower() == address.lower() and one.properties.get("Active")
    )
    return next(matching, None)
