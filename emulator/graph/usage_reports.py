"""/reports/getEmailAppUsageUserDetail: a redirect to a CSV file on another host, which takes no token.

Sources: "reportRoot: getEmailAppUsageUserDetail" (Microsoft Graph v1.0); "Microsoft 365 admin center activity reports" (concealed names).
Rows come from the messages that client submission accepted. The link works once here, within five minutes.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import secrets
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from emulator.graph.call import Call, key_of, route
from emulator.graph.errors import bad_request
from emulator.http import Request, Response
from emulator.platform import Platform
from emulator.state import DAY, Mailbox, Tenant

DOWNLOADS = "/reports-data/download"
LIFETIME = 300.0
HEADER = (
    *("Report Refresh Date", "User Principal Name", "Display Name", "Is Deleted", "Deleted Date", "Last Activity Date", "Mail For Mac"),
    *("Outlook For Mac", "Outlook For Windows", "Outlook For Mobile", "Other For Mobile", "Outlook For Web", "POP3 App", "IMAP4 App"),
    *("SMTP App", "Report Period"),
)
PERIODS = {"D7": 7, "D30": 30, "D90": 90, "D180": 180}
SUBMITTED = ("submission", "submission-login")


@route("GET", "/reports/getEmailAppUsageUserDetail/{key}", "Reports.Read.All")
def get_detail(call: Call, key: str) -> Response:
    name, period = key_of(key)
    if name != "period" or period not in PERIODS:
        raise bad_request(f"The period must be one of {', '.join(PERIODS)}.", "InvalidRequest")
    token = secrets.token_urlsafe(16)
    call.platform.downloads[token] = (call.now + LIFETIME, _csv(call.platform, call.tenant, period))
    port = urlsplit(call.origin).port
    return Response(302, None, {"location": f"https://localhost:{port}{DOWNLOADS}?token={token}"})


def handles(path: str) -> bool:
    return path == DOWNLOADS


def download(platform: Platform, request: Request) -> Response:
    """The file of a link, once. A request that has a token of Graph is refused."""
    token = parse_qs(request.query).get("token", [""])[0]
    expires, content = platform.downloads.pop(token, (0.0, b""))
    if "authorization" in request.headers:
        return Response(400, {"error": {"code": "InvalidRequest", "message": "The link is preauthenticated."}})
    if expires < platform.now:
        return Response(404)
    return Response(200, content, {"content-type": "application/octet-stream"})


def _csv(platform: Platform, tenant: Tenant, period: str) -> bytes:
    oldest = platform.now - PERIODS[period] * DAY
    today = datetime.fromtimestamp(platform.now, UTC).date().isoformat()
    sent = {
        message.authenticated_as or ""
        for message in platform.state.messages
        if message.tenant_id == tenant.id and message.via in SUBMITTED and message.received > oldest
    }
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for mailbox in tenant.mailboxes.values():
        used = "Yes" if mailbox.address in sent or mailbox.smtp_app_used else "No"
        names = _names(tenant, mailbox)
        writer.writerow([today, *names, "False", "", today if used == "Yes" else "", *["No"] * 8, used, re.sub(r"\D", "", period)])
    return text.getvalue().encode("utf-8-sig")


def _names(tenant: Tenant, mailbox: Mailbox) -> list[str]:
    names = [mailbox.principal_name, mailbox.display_name]
    return [hashlib.md5(one.encode(), usedforsecurity=False).hexdigest().upper() for one in names] if tenant.concealed_names else names
