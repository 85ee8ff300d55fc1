# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a connector accepts the mail of a relay host: the upstream server relays to an external recipient.

Internal recipients accept mail by Direct Send as well, so that a delivered message alone does not show it. Runs on the relay host.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping

from .._clients.smtp import Conversation, Route
from .._core.errors import InvalidInput, MailopsError, SmtpError
from .methods import EXTERNAL_RECIPIENT
from .result import NotVerifiable

POSTCONF = "/usr/sbin/postconf"
PARAMETERS = ("smtp_bind_address", "smtp_tls_CAfile", "smtp_tls_chain_files")
ANY_IPV4 = "0.0.0.0"  # noqa: S104 - connectors match no IPv6 address
_SERVER = re.compile(r"(?P<host>[^\[\]]+)\[[^\]]+\]:(?P<port>\d+)")
_REMEDY = "Check the network and the CAs of the relay host, or give the sender an external verify_recipient."
Parameters = Callable[[str], Mapping[str, str]]


def read_parameters(transport: str) -> dict[str, str]:
    """Parameters of Postfix's SMTP client, those of a transport in master.cf first ("postconf(1)"); empty where Postfix sets none."""
    values = _postconf("-x", *PARAMETERS)
    own = _postconf("-xP", *(f"{transport}/unix/{name}" for name in PARAMETERS)) if transport else {}
    return values | {name.rpartition("/")[2]: value for name, value in own.items()}


def _postconf(*arguments: str) -> dict[str, str]:
    result = subprocess.run(  # noqa: S603
        (POSTCONF, *arguments), capture_output=True, text=True, timeout=60, check=False
    )
    pairs = (line.partition(" =") for line in result.stdout.splitlines())
    return {name.strip(): value.strip() for name, separator, value in pairs if separator}


def route_to(relay: str, parameters: Mapping[str, str]) -> Route:
    """The route to a server as Postfix logs it, `host[address]:port`, with the certificate that Postfix presents.

    NotVerifiable where the text names no server.
    """
    server = _SERVER.fullmatch(relay)
    if not server:
        raise NotVerifiable(f"Postfix logs {relay or 'no server'} as the upstream server", _REMEDY)
    key, _comma, certificate = (part.strip() for part in parameters.get("smtp_tls_chain_files", "").partition(","))
    return Route(
        host=server["host"],
        port=int(server["port"]),
        ca_file=parameters.get("smtp_tls_CAfile", ""),
        source_address=parameters.get("smtp_bind_address") or ANY_IPV4,
        certificate_path=certificate or key,
        key_path=key if certificate else "",
    )


def check_connector(route: Route, sender: str) -> MailopsError | None:
    """None where a connector accepts mail of this sender; SmtpError where none does, NotVerifiable where that is not to be seen."""
    conversation = Conversation(route)
    try:
        conversation.connect()
        conversation.start_tls()
        conversation.try_recipient(sender, EXTERNAL_RECIPIENT)
    except SmtpError as error:
        if error.stage in ("sender", "recipient") and error.code.startswith("5"):
            return error
        cause = error.entry.cause if error.entry else error.service_message
        return NotVerifiable(f"the message was accepted, but it is not known by what: {route.host}: {cause}".rstrip("."), _REMEDY)
    except InvalidInput as error:
        return NotVerifiable(str(error).rstrip("."), _REMEDY)
    finally:
        conversation.close()
    return None
