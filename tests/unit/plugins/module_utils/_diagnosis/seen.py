"""Observations of a clean network, and pieces to change in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils._diagnosis.observations import (
    Answer,
    Certificate,
    Endpoint,
    Lookup,
    Observations,
    Observed,
    Sample,
    Transport,
)  # fmt: skip

BANNER = "220 AM0PR02CA0134.outlook.office365.com Microsoft ESMTP MAIL Service ready at Mon, 1 Jun 2026 12:00:00 +0000"
KEYWORDS = ("SIZE 157286400", "PIPELINING", "DSN", "ENHANCEDSTATUSCODES", "STARTTLS", "8BITMIME", "BINARYMIME", "CHUNKING", "SMTPUTF8")
TRUSTED = Certificate("DigiCert Inc", "DigiCert Cloud Services CA-1", "outlook.com")
TLS = {"1.0": "refused", "1.1": "refused", "1.2": "accepted", "1.3": "accepted"}
SUBMISSION = Endpoint("smtp.office365.com", 587, "Microsoft")
PORT_25 = Endpoint("smtp.office365.com", 25, "Microsoft")
MX = Endpoint("contoso-com.mail.protection.outlook.com", 25, "Microsoft")
HTTPS = Endpoint("login.microsoftonline.com", 443, "Microsoft", "https")
HOSTED = Endpoint("smtp.sendgrid.net", 587, "SendGrid")
GATEWAY = Endpoint("mx.contoso.com", 25)
PUBLIC = "52.98.1.2"


def good(**changes: Any) -> Sample:
    """A session without a problem, with changes."""
    values: dict[str, Any] = {
        "stage": "end", "address": PUBLIC, "banner": BANNER, "keywords": KEYWORDS, "tls_version": "1.3", "certificate": TRUSTED,
        "source": "203.0.113.10", "transport": Transport(12, 0, 20.0, 1500),
    }  # fmt: skip
    return Sample(**(values | changes))


def failed(stage: str, error: str, detail: str = "", **changes: Any) -> Sample:
    """A session that ended in a stage: it has what the stages before it gave."""
    connected = stage not in ("resolve", "connect")
    greeted = stage not in ("resolve", "connect", "greeting")
    values: dict[str, Any] = {
        "stage": stage, "error": error, "detail": detail, "banner": BANNER if greeted else "",
        "keywords": KEYWORDS if stage in ("starttls", "tls") else (), "tls_version": "", "certificate": None,
        "source": "", "transport": Transport(6, 0, 20.0, 1500) if connected else None,
    }  # fmt: skip
    return good(**(values | changes))


def observed(endpoint: Endpoint, *samples: Sample, tls: Mapping[str, str] | None = None, **changes: Any) -> Observed:
    return Observed(endpoint, samples or (good(),) * 5, TLS if tls is None else tls, **changes)


def lookup(name: str, own: tuple[str, ...] = (PUBLIC,), public: tuple[str, ...] = (PUBLIC,), **changes: Any) -> Lookup:
    values: dict[str, Any] = {
        "system": own,
        "configured": (Answer("10.0.0.53", own, exists=bool(own)),),
        "public": (Answer("1.1.1.1", public, exists=bool(public)),),
    }
    return Lookup(name, **(values | changes))


def network(*changed: Observed, **changes: Any) -> Observations:
    """A clean network whose endpoints are replaced by the changed ones."""
    endpoints = (SUBMISSION, PORT_25, MX, HTTPS, HOSTED)
    replaced = {one.endpoint.label: one for one in changed}
    every = [replaced.pop(endpoint.label, observed(endpoint)) for endpoint in endpoints] + list(replaced.values())
    values: dict[str, Any] = {"lookups": (lookup("smtp.office365.com"), lookup(MX.host)), "observed": tuple(every)}
    return Observations(**(values | changes))
