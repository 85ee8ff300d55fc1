"""Open the ports of the SMTP services: client submission, High Volume Email, Azure Communication Services Email, the MX."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

from cryptography import x509

from emulator.settings import Settings
from emulator.smtp.acs import Acs, acs_settings
from emulator.smtp.faults import FaultSource, Script
from emulator.smtp.hosted.endpoint import HostedEndpoint
from emulator.smtp.hosted.mailgun import MailgunEndpoint
from emulator.smtp.hosted.sendgrid import SendGridEndpoint
from emulator.smtp.hosted.smtp2go import Smtp2GoEndpoint
from emulator.smtp.hve import Hve, hve_settings
from emulator.smtp.limits import Limits
from emulator.smtp.mx import Mx
from emulator.smtp.settings import SmtpSettings, smtp_settings
from emulator.smtp.submission import Submission
from emulator.smtp.tls import CertificateAuthority, server_context
from emulator.state import State, mailgun, sendgrid

# Endpoint -> its regions; SMTP2GO's accounts are the same in all.
HOSTED: Mapping[type[HostedEndpoint], tuple[str, ...]] = {
    Smtp2GoEndpoint: ("global",),
    SendGridEndpoint: sendgrid.REGIONS,
    MailgunEndpoint: mailgun.REGIONS,
}


SUBMISSION = 587


class _Endpoint:
    """The settings and the limits of one service. They are made anew when the state is replaced."""

    def __init__(self, state: State, settings: SmtpSettings | Settings, adapt: Callable[[SmtpSettings], SmtpSettings]) -> None:
        self._state, self._settings_of_state, self._adapt = state, settings, adapt
        self.refresh()
        state.on_replace.append(self.refresh)

    def refresh(self) -> None:
        self.settings = self._adapt(smtp_settings(self._state, self._settings_of_state))
        self.limits = Limits(self.settings, lambda: self._state.now())


async def serve_submission(
    state: State, faults: FaultSource, host: str, port: int, authority: CertificateAuthority, settings: SmtpSettings | Settings
) -> asyncio.Server:
    """smtp.office365.com. In settings of the whole emulator, those of SMTP are below `options.smtp`."""
    return await _serve(Submission, _Endpoint(state, settings, lambda own: own), state, faults, host, port, authority)


async def serve_acs(
    state: State, faults: FaultSource, host: str, port: int, authority: CertificateAuthority, settings: SmtpSettings | Settings
) -> asyncio.Server:
    """smtp.azurecomm.net."""
    return await _serve(Acs, _Endpoint(state, settings, acs_settings), state, faults, host, port, authority)


async def serve_hve(
    state: State, faults: FaultSource, host: str, port: int, authority: CertificateAuthority, settings: SmtpSettings | Settings
) -> asyncio.Server:
    """smtp.hve.mx.microsoft."""
    return await _serve(Hve, _Endpoint(state, settings, hve_settings), state, faults, host, port, authority)


async def _serve(
    service: type[Submission], endpoint: _Endpoint, state: State, faults: FaultSource, host: str, port: int, authority: CertificateAuthority
) -> asyncio.Server:
    """A service that clients sign in to."""
    context = server_context(authority)
    script = Script(faults, service.service)
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: service(state, script, endpoint.settings, context, endpoint.limits), host, port)


async def serve_hosted(
    state: State,
    faults: FaultSource,
    host: str,
    authority: CertificateAuthority,
    settings: SmtpSettings | Settings,
    addresses: Mapping[str, str],
) -> dict[str, dict[str, asyncio.Server]]:
    """The hosted relays: provider -> region -> server, on any free ports.

    `addresses`: provider -> the address on which its first region has the port that the provider recommends.
    """
    context, loop = server_context(authority), asyncio.get_running_loop()

    async def serve(of: type[HostedEndpoint], region: str) -> asyncio.Server:
        endpoint = _Endpoint(state, settings, lambda own: replace(own, size_limit=of.size, recipients_per_message=of.recipients))
        script = Script(faults, of.service)
        own = addresses.get(of.provider) if region == HOSTED[of][0] else None
        place = (own, SUBMISSION) if own else (host, 0)
        return await loop.create_server(lambda: of(state, script, endpoint.settings, context, region), *place)

    return {of.provider: {region: await serve(of, region) for region in regions} for of, regions in HOSTED.items()}


async def serve_mx(
    state: State, faults: FaultSource, host: str, port: int, authority: CertificateAuthority, settings: SmtpSettings | Settings
) -> asyncio.Server:
    """<tenant>.mail.protection.outlook.com."""
    endpoint = _Endpoint(state, settings, lambda own: own)
    context = server_context(authority, client_certificates=True)
    root = x509.load_pem_x509_certificate(authority.ca_file.read_bytes())
    script = Script(faults, Mx.service)
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Mx(state, script, endpoint.settings, context, root), host, port)
