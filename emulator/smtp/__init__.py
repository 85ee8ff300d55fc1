"""The SMTP half of the emulator: client submission and the MX endpoint, on the one state."""

from __future__ import annotations

import asyncio

from cryptography import x509

from emulator.settings import Settings
from emulator.smtp.acs import Acs, acs_settings
from emulator.smtp.faults import Orders, Script
from emulator.smtp.hve import Hve, hve_settings
from emulator.smtp.limits import Limits
from emulator.smtp.mx import Mx
from emulator.smtp.settings import SmtpSettings, smtp_settings
from emulator.smtp.submission import Submission
from emulator.smtp.tls import CertificateAuthority, server_context
from emulator.smtp.verdict import TokenVerifier
from emulator.state import State

__all__ = ["SmtpSettings", "TokenVerifier", "serve_acs", "serve_hve", "serve_mx", "serve_submission"]


async def serve_submission(
    state: State, faults: Orders, host: str, port: int, authority: CertificateAuthority, settings: SmtpSettings | Settings
) -> asyncio.Server:
    """smtp.office365.com. Settings of the whole emulator say theirs below `options.smtp`."""
    return await _serve(Submission, state, faults, host, port, authority, smtp_settings(state, settings))


async def serve_acs(
    state: State, faults: Orders, host: str, port: int, authority: CertificateAuthority, settings: SmtpSettings | Settings
) -> asyncio.Server:
    """smtp.azurecomm.net."""
    return await _serve(Acs, state, faults, host, port, authority, acs_settings(smtp_settings(state, settings)))


async def serve_hve(
    state: State, faults: Orders, host: str, port: int, authority: CertificateAuthority, settings: SmtpSettings | Settings
) -> asyncio.Server:
    """smtp.hve.mx.microsoft."""
    return await _serve(Hve, state, faults, host, port, authority, hve_settings(smtp_settings(state, settings)))


async def _serve(
    service: type[Submission], state: State, faults: Orders, host: str, port: int, authority: CertificateAuthority, own: SmtpSettings
) -> asyncio.Server:
    """A service that clients sign in to, with its own limits and its own script of faults."""
    context = server_context(authority)
    limits = Limits(own, lambda: state.now())
    state.on_replace.append(limits.clear)
    script = Script(faults, service.service)
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: service(state, script, own, context, limits), host, port)


async def serve_mx(
    state: State, faults: Orders, host: str, port: int, authority: CertificateAuthority, settings: SmtpSettings | Settings
) -> asyncio.Server:
    """<tenant>.mail.protection.outlook.com."""
    own = smtp_settings(state, settings)
    context = server_context(authority, client_certificates=True)
    root = x509.load_pem_x509_certificate(authority.ca_file.read_bytes())
    script = Script(faults, Mx.service)
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Mx(state, script, own, context, root), host, port)
