"""Subscriptions (SKUs) and the service plans in them, as far as mail and sign-in logs depend on them.

Source: "Product names and service plan identifiers for licensing".
"""

from __future__ import annotations

MAILBOX_PLANS = {
    "EXCHANGE_S_STANDARD": "9aaf7827-d63c-4b61-89c3-182f06f82e5c",  # Exchange Online (Plan 1)
    "EXCHANGE_S_ENTERPRISE": "efb87545-963c-4e0d-99df-69c6916d9eb0",  # Exchange Online (Plan 2)
    "EXCHANGE_S_DESKLESS": "4a82b400-a79f-41a4-b4e2-e94f5787b113",  # Exchange Online Kiosk
}
PREMIUM_PLANS = {
    "AAD_PREMIUM": "41781fb2-bc02-4b7c-bd55-b576c07bb09d",  # Microsoft Entra ID P1
    "AAD_PREMIUM_P2": "eec0eb4f-6444-4f95-aba0-50c24d67f998",
}
PLANS = MAILBOX_PLANS | PREMIUM_PLANS | {"EXCHANGE_S_FOUNDATION": "113feb6c-3fe4-4440-bddc-54d774bf0318"}  # no mailbox

# skuPartNumber: its skuId and its plans.
SKUS: dict[str, tuple[str, tuple[str, ...]]] = {
    "EXCHANGESTANDARD": ("4b9405b0-7788-4568-add1-99614e613b69", ("EXCHANGE_S_STANDARD",)),
    "EXCHANGEENTERPRISE": ("19ec0d23-8335-4cbd-94ac-6050e30712fa", ("EXCHANGE_S_ENTERPRISE",)),
    "EXCHANGEDESKLESS": ("80b2d799-d2ba-4d2a-8842-fb0d0f3a4b82", ("EXCHANGE_S_DESKLESS",)),
    "O365_BUSINESS_ESSENTIALS": ("3b555118-da6a-4418-894f-7df1e2096870", ("EXCHANGE_S_STANDARD",)),
    "O365_BUSINESS_PREMIUM": ("f245ecc8-75af-4f8e-b61f-27d8114de5f3", ("EXCHANGE_S_STANDARD",)),  # Business Standard
    "SPB": ("cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46", ("EXCHANGE_S_STANDARD", "AAD_PREMIUM")),  # Business Premium
    "STANDARDPACK": ("18181a46-0d4e-45cd-891e-60aabd171b4e", ("EXCHANGE_S_STANDARD",)),  # Office 365 E1
    "ENTERPRISEPACK": ("6fd2c87f-b296-42f0-b197-1e91e994b900", ("EXCHANGE_S_ENTERPRISE",)),  # Office 365 E3
    "ENTERPRISEPREMIUM": ("c7df2760-2c81-4ef7-b578-5b5392b571df", ("EXCHANGE_S_ENTERPRISE",)),  # Office 365 E5
    "SPE_E3": ("05e9a617-0261-4cee-bb44-138d3ef5d965", ("EXCHANGE_S_ENTERPRISE", "AAD_PREMIUM")),
    "SPE_E5": ("06ebc4ee-1bb5-47dd-8120-11324bc54e06", ("EXCHANGE_S_ENTERPRISE", "AAD_PREMIUM", "AAD_PREMIUM_P2")),
    "AAD_PREMIUM": ("078d2b04-f1bd-4111-bbd4-b4b1b354cef4", ("EXCHANGE_S_FOUNDATION", "AAD_PREMIUM")),
    "AAD_PREMIUM_P2": ("84a661c4-e949-4bd2-a560-ed7766fcaf2b", ("EXCHANGE_S_FOUNDATION", "AAD_PREMIUM", "AAD_PREMIUM_P2")),
}
CAPABILITY_STATUSES = ("Enabled", "Warning", "Suspended", "Deleted", "LockedOut")
