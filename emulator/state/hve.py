"""High Volume Email of a tenant: accounts that only send, and the billing policies that pay for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.state.exchange import address_of_tenant, local_part
from emulator.state.ids import new_guid
from emulator.state.keys import At, Lower, Moment, UnfitError, derived, key

VALID = "BillingPolicyValid"
STATUSES = (VALID, "NoConnectedBillingPolicyFound", "SubscriptionIsNotActive", "NoSPOLicenseFound", "BillingPolicyMismatched")


def _application(name: str, at: At) -> str:
    principal = at.tenant.enterprise_applications.get(name.lower()) or at.tenant.enterprise_application(name.lower())
    if principal is None:
        raise UnfitError(f"{name.lower()!r} is no enterprise application of this tenant")
    return str(principal.id)


def _policy(name: str | None, at: At) -> str | None:
    """The id of a billing policy. A removed policy keeps its id here, as in the service."""
    policy = next((p for p in at.tenant.billing_policies.values() if name in (p.id, p.name)), None)
    return policy.id if policy else name


@dataclass
class BillingPolicy:
    """A pay-as-you-go billing policy of the Microsoft 365 admin center."""

    id: str = field(metadata=key("the id", **derived("billing policy", "name")))
    name: str = field(metadata=key("the name"))
    status: str = field(default=VALID, metadata=key("the status that Get-HVEAccountBillingPolicy returns", choices=STATUSES))


@dataclass
class HveAccount:
    """A High Volume Email account (New-MailUser -HVEAccount)."""

    address: Lower = field(metadata=key("primary SMTP address", convert=address_of_tenant))
    guid: str = field(metadata=key("the GUID", **derived("hve", "address")))
    name: str = field(metadata=key("the name", derive=local_part, default="the local part"))
    display_name: str = field(metadata=key("the display name", derive=local_part, default="the local part"))
    user_id: str = field(default_factory=new_guid, metadata=key("object id in Entra", **derived("user", "address")))
    password: str = field(default="", metadata=key("password for AUTH LOGIN"))
    reply_to: str | None = field(default=None, metadata=key("where replies go"))
    apps: dict[str, float] = field(
        default_factory=dict, metadata=key("allowed applications, by object id or client id", entry="app", convert=_application)
    )  # object id of the enterprise application -> when it takes effect
    aliases: list[Lower] = field(default_factory=list, metadata=key("further addresses"))
    billing_policy: str | None = field(default=None, metadata=key("name or id of a billing policy", convert=_policy))
    created: Moment = field(default=0.0, metadata=key("when it was created"))

    @property
    def kind(self) -> str:
        """RecipientTypeDetails."""
        return "MailUser"

    @property
    def recipient_type(self) -> str:
        return "MailUser"
