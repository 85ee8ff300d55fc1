"""Forms, JSON documents and refusals of Mailgun's API, as its OpenAPI document has them."""

from __future__ import annotations

import hashlib
from email import message_from_bytes
from email.message import Message
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl

from emulator.http import Request, Response
from emulator.state.mailgun import MailgunDomain

HOSTS = {"us": "mailgun.org", "eu": "eu.mailgun.org"}
# Properties of a domain that are the same for every domain.
_SETTINGS = {
    "require_tls": False,
    "skip_verification": False,
    "spam_action": "disabled",
    "use_automatic_sender_security": True,
    "web_scheme": "http",
    "wildcard": False,
    "encrypt_incoming_message": False,
    "message_ttl": 259200,
}


class MailgunError(Exception):
    """A refusal."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message

    def response(self) -> Response:
        return Response(self.status, {"message": self.message})


def form(request: Request) -> dict[str, str]:
    """The fields of a form, urlencoded or multipart/form-data."""
    kind = request.headers.get("content-type", "")
    if not request.body:
        return {}
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    if not kind.startswith("multipart/form-data"):
        raise MailgunError(400, "the body is not a form")
    parts = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + request.body).get_payload()
    return {_name(part): str(part.get_payload()).strip("\r\n") for part in parts if isinstance(part, Message)}


def _name(part: Message) -> str:
    return str(part.get_param("name", "", "content-disposition"))


def sending_records(domain: MailgunDomain) -> dict[str, tuple[str, str, str]]:
    """Name of the attribute that has the result -> name, type and value of the record."""
    keys = {
        name: (f"{name}._domainkey.{domain.name}", "CNAME", f"{name}._domainkey.{domain.token}.dkim1.mailgun.com")
        for name in ("pdk1", "pdk2")
    }
    return {"spf": (domain.name, "TXT", f"v=spf1 include:{HOSTS[domain.region]} ~all"), **keys}


def domain_document(domain: MailgunDomain) -> dict[str, Any]:
    disabled = domain.state == "disabled"
    own = {
        "id": hashlib.sha256(domain.name.encode()).hexdigest()[:24],
        "name": domain.name,
        "created_at": formatdate(domain.created, usegmt=True),
        "smtp_login": f"postmaster@{domain.name}",
        "state": domain.state,
        "type": domain.type,
        "is_disabled": disabled,
        "web_prefix": domain.web_prefix,
    }
    reason = {"code": "", "note": "", "permanently": True, "reason": domain.disabled_reason}
    return own | _SETTINGS | ({"disabled": reason} if disabled else {})


def whole_document(domain: MailgunDomain) -> dict[str, Any]:
    """A domain with its records; a sandbox domain has none. MX records have no name and are not validated."""
    if domain.type == "sandbox":
        return {"domain": domain_document(domain), "receiving_dns_records": [], "sending_dns_records": []}
    host = HOSTS[domain.region]
    sending = [
        _record(name, kind, value, valid=getattr(domain, attribute)) for attribute, (name, kind, value) in sending_records(domain).items()
    ]
    sending.append(_record(f"{domain.web_prefix}.{domain.name}", "CNAME", host))
    exchanges = [f"mx{letter}.{host}" for letter in "ab"]
    receiving = [_record("", "MX", exchange) | {"priority": "10"} for exchange in exchanges]
    return {"domain": domain_document(domain), "receiving_dns_records": receiving, "sending_dns_records": sending}


def _record(name: str, kind: str, value: str, *, valid: bool = False) -> dict[str, Any]:
    state = {"is_active": valid, "cached": [], "record_type": kind, "valid": "valid" if valid else "unknown", "value": value}
    return state | ({"name": name} if name else {})
