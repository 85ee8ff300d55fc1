"""JSON documents and refusals of SendGrid's API, as its OpenAPI document has them."""

from __future__ import annotations

from typing import Any

from emulator.http import Response
from emulator.state.sendgrid import SendGridAccount, SendGridDomain


class SendGridError(Exception):
    """A refusal. `field`: the property that is wrong."""

    def __init__(self, status: int, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.field = status, message, field

    def response(self) -> Response:
        return Response(self.status, {"errors": [{"message": self.message, "field": self.field}]})


def unauthorized() -> SendGridError:
    return SendGridError(401, "authorization required")


def forbidden() -> SendGridError:
    return SendGridError(403, "access forbidden")


def not_found() -> SendGridError:
    return SendGridError(404, "not found")


def records(account: SendGridAccount, domain: SendGridDomain) -> dict[str, tuple[str, str]]:
    """Key of `dns` -> name and value of the CNAME record."""
    region = "eu." if account.region == "eu" else ""
    target = f"u{account.user_id}.{region}wl{account.server}.sendgrid.net"
    keys = {f"dkim{number}": (f"s{number}._domainkey.{domain.domain}", f"s{number}.domainkey.{target}") for number in (1, 2)}
    return {"mail_cname": (f"{domain.subdomain}.{domain.domain}", target), **keys}


def domain_document(account: SendGridAccount, domain: SendGridDomain) -> dict[str, Any]:
    dns = {
        name: {"valid": getattr(domain, name), "type": "cname", "host": host, "data": data}
        for name, (host, data) in records(account, domain).items()
    }
    return {
        "id": domain.id,
        "user_id": account.user_id,
        "subdomain": domain.subdomain,
        "domain": domain.domain,
        "username": account.username,
        "ips": [],
        "custom_spf": False,
        "default": domain.default,
        "legacy": False,
        "automatic_security": True,
        "valid": domain.valid,
        "dns": dns,
    }
