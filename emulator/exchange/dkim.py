"""DKIM signing: Get-DkimSigningConfig. The status is that of the CNAME records in the emulator's DNS.

Sources: the cmdlet's reference and "Set up DKIM to sign mail from your cloud domain"; the properties are those of a published answer.
"""

from __future__ import annotations

from emulator.dns.zones import View
from emulator.exchange.command import Command, Document, Result, cmdlet
from emulator.exchange.errors import object_not_found
from emulator.exchange.shapes import directory_object
from emulator.state.dkim import DkimSigning
from emulator.well_known import derived_id

SELECTORS = ("selector1", "selector2")


def _show(command: Command, signing: DkimSigning) -> Document:
    tenant, domain = command.tenant, signing.domain
    selectors: Document = {}
    for number, selector in enumerate(SELECTORS, 1):
        selectors |= {
            f"Selector{number}KeySize": signing.key_size,
            f"Selector{number}CNAME": signing.target(selector, tenant.initial_domain),
            f"Selector{number}PublicKey": "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A;",
        }
    return (
        directory_object(tenant, domain, derived_id(tenant.id, "dkim", domain), "msExchHygieneDkimSigningConfig")
        | selectors
        | {
            "Domain": domain,
            "Enabled": signing.enabled,
            "Status": "Valid" if _published(command, signing) else "CnameMissing",
            "IsDefault": domain == tenant.initial_domain,
            "Algorithm": "RsaSHA256",
            "HeaderCanonicalization": "Relaxed",
            "BodyCanonicalization": "Relaxed",
            "NumberOfBytesToSign": "All",
            "IncludeSignatureCreationTime": True,
            "IncludeKeyExpiration": False,
            "SelectorBeforeRotateOnDate": "selector2",
            "SelectorAfterRotateOnDate": "selector1",
        }
    )


def _published(command: Command, signing: DkimSigning) -> bool:
    """Whether both CNAME records point to their targets; those of the initial domain are Microsoft's."""
    if signing.domain == command.tenant.initial_domain:
        return True
    view = View(command.platform.state, mx_suffix=command.platform.cloud.mx_suffix)
    for selector in SELECTORS:
        aliases = view.find(f"{selector}._domainkey.{signing.domain}", "CNAME").records
        if [one.data.rstrip(".").lower() for one in aliases] != [signing.target(selector, command.tenant.initial_domain)]:
            return False
    return True


@cmdlet("Get-DkimSigningConfig")
def get_dkim_signing_config(command: Command) -> Result:
    """The configurations of all domains: the initial domain always has one."""
    tenant, requested = command.tenant, command.text("Identity")
    every = {tenant.initial_domain: DkimSigning(tenant.initial_domain)} | tenant.dkim
    if requested is not None and requested.lower() not in every:
        raise object_not_found(requested)
    rows = list(every.values()) if requested is None else [every[requested.lower()]]
    return Result(rows, lambda signing: _show(command, signing))
