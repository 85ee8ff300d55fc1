"""Random lists of senders with the settings of their inventory, tenants with random settings of their own, and what is compared."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.emulator.conftest import TENANT, Start, app_id
from tests.emulator.test_acs import SUBSCRIPTION

from .tenant_play import Document, Play

NAMES = ("Plant", "Gate", "Lab", "Fax", "Mill")
NETWORKS = ("203.0.113.10", "203.0.113.11", "203.0.113.0/28", "198.51.100.20", "198.51.100.0/24")
CERTIFICATES = ("a.contoso.com", "b.contoso.com")
SHARED = ("noreply@contoso.com", "no-reply@contoso.com", "erp@contoso.com", "shop@contoso.com")
ALIAS = "no-reply@contoso.com"
USERS = ("ops@contoso.com", "user001@contoso.com", "user002@contoso.com")
ACCOUNTS = ("bulk@contoso.com", "mass@contoso.com")
RELAYS = ("relay1", "relay2")
AZURE_PLACE = {"subscription": SUBSCRIPTION.rpartition("/")[2], "resource_group": "mail"}
AZURE: Document = {
    "email_domains": [{**AZURE_PLACE, "service": "contoso-email", "name": "contoso.com", "senders": ["noreply", "erp", "shop"]}],
    "communication_services": [{**AZURE_PLACE, "name": "contoso-mail", "linked_domains": ["contoso.com"]}],
    "role_assignments": [{"role": "Owner", "scope": SUBSCRIPTION, "principal": app_id("manager")}],
}
INVENTORY: Document = {
    "entra_app_settle_time": 0,
    "hve_account_password": "a-long-password",
    "acs_smtp_username_subscription_id": AZURE_PLACE["subscription"],
    "acs_smtp_username_resource_group": "mail",
    "acs_smtp_username_communication_service": "contoso-mail",
    "acs_smtp_username_app": "mailops-smtp-sender",
}
RBAC: Document = {"entra_app_authorization": "rbac"}


@dataclass(frozen=True)
class List:
    """A list of senders, with the settings of the inventory."""

    senders: list[Document]
    options: Document = field(default_factory=dict)

    @property
    def disables_unused_access(self) -> bool:
        return self.options["unused_access"] == "disable"


@dataclass
class Generator:
    """Makes random lists. `rbac`: the sender app uses RBAC for Applications, whose mailboxes have no alias."""

    randomly: random.Random
    rbac: bool = False

    def list(self, *, renames: bool = False, disables: bool | None = None, rbac: bool | None = None) -> List:
        """Some of five senders, each with a random method, source or mailbox. `renames`: some get a new address (was).

        `disables`: whether unused access is disabled; `rbac`: whether the sender app uses RBAC for Applications. Both random by default.
        """
        self.rbac = self.randomly.random() < 0.25 if rbac is None else rbac
        chosen = [name for name in NAMES if self.randomly.random() < 0.6]
        self.randomly.shuffle(chosen)
        relays = {name: self._relay(name) for name in RELAYS}
        listed = [self.randomly.choice(_METHODS)(self, name, relays) for name in chosen]
        for number, sender in enumerate(listed if renames else ()):
            listed[number] = self._renamed(sender, listed)
        disabled = self.randomly.random() < 0.25 if disables is None else disables
        inventory = {**INVENTORY, **(RBAC if self.rbac else {})}
        if any(sender["method"] == "acs" for sender in listed):
            inventory["entra_app_unique_name"] = "mailops-smtp-sender"
        options: Document = {"inventory": inventory, "relays": list(relays.values())}
        return List(_without_contradictions(listed), options | {"unused_access": "disable" if disabled else "keep"})

    def _relay(self, name: str) -> Document:
        upstream = self.randomly.choice(("connector", "oauth"))
        return {"name": name, "host": f"{name}.example.com", "upstream": upstream, "managed": False, **self._source()}

    def _source(self) -> Document:
        if self.randomly.random() < 0.3:
            return {"certificate_name": self.randomly.choice(CERTIFICATES)}
        return {"public_addresses": self.randomly.sample(NETWORKS, self.randomly.randint(1, 2))}

    def _address(self, addresses: tuple[str, ...] = (*SHARED, *USERS)) -> str:
        return self.randomly.choice([one for one in addresses if not (self.rbac and one == ALIAS)])

    def oauth(self, name: str, _relays: Document) -> Document:
        sender = {"name": name, "method": "oauth", "address": self._address()}
        return sender | ({"mailbox": self._address()} if self.randomly.random() < 0.4 else {})

    def connector(self, name: str, _relays: Document) -> Document:
        return {"name": name, "method": "connector", "address": self._address(), **self._source()}

    def relay_host(self, name: str, _relays: Document) -> Document:
        return {"name": name, "method": "relay_host", "address": self._address(), "relay_host": self.randomly.choice(RELAYS)}

    def basic(self, name: str, _relays: Document) -> Document:
        return {"name": name, "method": "basic", "address": self.randomly.choice(USERS)}

    def hve(self, name: str, _relays: Document) -> Document:
        sender = {"name": name, "method": "hve", "recipients": "internal", "address": self.randomly.choice(ACCOUNTS)}
        return sender | {"oauth": self.randomly.random() < 0.5}

    def direct_send(self, name: str, _relays: Document) -> Document:
        return {"name": name, "method": "direct_send", "recipients": "internal", "address": self.randomly.choice(SHARED)}

    def acs(self, name: str, _relays: Document) -> Document:
        return {"name": name, "method": "acs", "address": self._address(SHARED)}

    def _renamed(self, sender: Document, listed: list[Document]) -> Document:
        """The sender with a new address that no other list has, and the former one, where no sender uses that."""
        former = {"oauth": SHARED, "hve": ACCOUNTS}.get(sender["method"], ())
        used = {_primary(other.get(key)) for other in listed for key in ("address", "mailbox", "was")}
        available = [address for address in former if _primary(address) not in used]
        if not available or self.randomly.random() < 0.5:
            return sender
        return sender | {"address": f"{sender['name'].lower()}-new@contoso.com", "was": self.randomly.choice(available)}


def _primary(address: str | None) -> str | None:
    return "noreply@contoso.com" if address == ALIAS else address


_METHODS: list[Callable[[Generator, str, Document], Document]] = [
    Generator.oauth,
    Generator.oauth,
    Generator.connector,
    Generator.relay_host,
    Generator.basic,
    Generator.hve,
    Generator.direct_send,
    Generator.acs,
]


def _without_contradictions(listed: list[Document]) -> list[Document]:
    """Without senders that have the account or the former address of an earlier one."""
    result: list[Document] = []
    for sender in listed:
        taken = {other.get("was") or other["address"] for other in result if other["method"] == "hve" or "was" in other}
        if (sender.get("was") or sender["address"]) not in taken or (sender["method"] != "hve" and "was" not in sender):
            result.append(sender)
    return result


def started(start: Start, directory: Path, randomly: random.Random) -> Play:
    """A tenant with random settings of its own."""
    tenant: Document = {
        "security_defaults": False,
        "policies": {"authentication": [{"name": "Corporate"}]},
        "reject_direct_send": randomly.random() < 0.5,
        "smtp_client_authentication_disabled": randomly.random() < 0.5,
        "azure": AZURE,
    }
    play = Play(start(tenant=tenant), directory)
    for address in ("noreply@contoso.com", *USERS):
        settings: Document = {"smtp_client_authentication_disabled": randomly.choice([None, True, False])}
        if address in USERS and randomly.random() < 0.3:
            settings["authentication_policy"] = "corporate"
        play.api.admin.change(TENANT, "mailboxes", address, **settings)
    return play


# -- what is compared -------------------------------------------------------------------------------------------------


def state(play: Play) -> Document:
    """What the senders depend on, without ids."""
    every: Document = play.api.admin.tenant(TENANT)
    return {
        "connectors": sorted((_without(one, "guid", "effective") for one in every["inbound_connectors"]), key=str),
        "mailboxes": {one["address"]: _mailbox(one) for one in every["mailboxes"]},
        "accounts": {one["address"]: len(one["apps"]) for one in every["hve_accounts"]},
        "applications": {name: _application(one) for one in every["applications"] if (name := _name(one))},
        "policies": sorted(one["name"] for one in every["policies"]["authentication"]),
        "default_policy": every["organization_config"].get("DefaultAuthenticationPolicy"),
        "direct_send": every["reject_direct_send"],
        "smtp_auth": every["smtp_client_authentication_disabled"],
        "scopes": sorted(one["recipient_filter"] for one in every["management_scopes"]),
        "assignments": sorted((one["role"], bool(one["scope"])) for one in every["management_role_assignments"] if one.get("ends") is None),
        "smtp_usernames": _smtp_usernames(every),
    }


def _mailbox(one: Document) -> tuple[Any, ...]:
    rights = sorted(grant["right"] for grant in one["grants"])
    return rights, one["smtp_client_authentication_disabled"], one["authentication_policy"]


def _name(application: Document) -> str:
    name = str(application["unique_name"] or "")
    return "" if name == "mailops-record" else name


def _application(one: Document) -> tuple[list[str], list[str]]:
    roles = sorted(role["role"] for role in one.get("service_principal", {}).get("app_roles", ()))
    listed = one["properties"].get("requiredResourceAccess", ())
    return roles, sorted(access["id"] for api in listed for access in api["resourceAccess"])


def _smtp_usernames(every: Document) -> dict[str, Any]:
    names = {one["app_id"]: one["unique_name"] for one in every["applications"]}
    services = every["azure"]["communication_services"]
    listed = {one["name"]: (one["username"], names.get(one["app"])) for service in services for one in service["smtp_usernames"]}
    return listed | {"roles": len(every["azure"]["role_assignments"])}


def _without(document: Document, *names: str) -> Document:
    return {name: value for name, value in document.items() if name not in names}
