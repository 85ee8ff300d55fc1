# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hMailServer on a Windows host: a relay for devices with one upstream server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .._core.errors import InvalidInput, MailopsError
from .._core.spec import JOURNAL
from .._engine.journal import default_directory
from .._engine.resource import Assumption, Plan
from .._engine.windows_engine import OnWindowsHost
from .._planning import client_submission
from .._windows import facts
from .._windows.digests import Digests
from .._windows.hmail import desired, options, problems, product, ranges, removal, server, write
from .._windows.hmail.desired import Differences
from .._windows.hmail.options import OPTIONS, Params, Upstream
from .._windows.hmail.product import Memory, Product
from .._windows.hmail.server import Server
from .._windows.host import WindowsHost
from .._windows.relay_options import ALWAYS, WHEN_CHANGED
from .._windows.services import AUTOMATIC

PASSWORD = "windows_hmailserver upstream"  # noqa: S105 - the name of a digest
_NEW = Server("", {}, {}, (), (), (), (), ())
_SERVICE_SECONDS, _POLL_SECONDS = 60, 2


@dataclass(frozen=True)
class Changes:
    """`password`: the administrator password that counts now, empty for none. `removal`: restore what was there before."""

    read: Product
    password: str
    removal: bool = False


class WindowsHMailServer(OnWindowsHost):
    """Module windows_hmailserver."""

    name = "windows_hmailserver"
    spec = JOURNAL | OPTIONS | client_submission.END_DATE
    params_type = Params

    def validate(self, params: Params) -> list[str]:
        upstream = params.upstream
        sentences = problems.of(params) + client_submission.date_problems(params.basic_auth_end_date)
        without_user = params.state == "present" and upstream and not upstream.username
        return sentences + (client_submission.without_user_problems(upstream.host) if without_user and upstream else [])

    def plan(self, host: WindowsHost, params: Params, check_mode: bool) -> Plan[Changes]:
        if params.state == "absent" or params.upstream is None:
            return _plan_removal(host, params)
        warnings = client_submission.warnings(params.upstream.host, params.basic_auth_end_date, host.clock.now())
        host_facts = facts.read(host)
        _refuse(host_facts.obstacles()["hmailserver"])
        read = product.read(host)
        _refuse(product.conflicts(read, [one.port for one in params.listeners]) or _installation_problems(host, params, host_facts, read))
        password, current = _current(host, params, read)
        wanted = desired.of_params(params, params.upstream, removal.foreign_domains(read.memory, current))
        if current:
            _refuse(_range_problems(current, params.purge_ranges))
        differing = desired.differences(current or _NEW, wanted)
        outside = _outside(host, params, params.upstream, read, password, current, differing)
        return Plan(
            before=desired.before(current or _NEW, differing) | outside[0],
            after=desired.after(differing) | outside[1],
            changes=Changes(read, password) if differing or outside[1] else None,
            outcome={"hmailserver": _outcome(params, params.upstream, current.version if current else "")},
            warnings=warnings + (_unmanaged(current, params.purge_ranges) if current else []),
            assumptions=_assumptions(host, read) if check_mode and current is None else [],
        )

    def apply(self, host: WindowsHost, params: Params, plan: Plan[Changes]) -> dict[str, object]:
        changes = plan.pending
        digests = Digests(params.journal_dir or default_directory(), host.name)
        if changes.removal:
            _remove(host, params, changes)
            digests.remove(PASSWORD)
            return plan.outcome
        if params.upstream is None:
            raise ValueError("a plan without an upstream")
        version = _converge(host, params, params.upstream, changes.read)
        if params.upstream.password:
            digests.write(PASSWORD, *_parts(params.upstream))
        else:
            digests.remove(PASSWORD)
        return {"hmailserver": _outcome(params, params.upstream, version)}


def _refuse(sentences: Sequence[str]) -> None:
    if sentences:
        raise InvalidInput(*sentences)


def _installation_problems(host: WindowsHost, params: Params, host_facts: facts.HostFacts, read: Product) -> list[str]:
    """Why the product cannot be installed where it is missing."""
    if read.is_installed:
        return []
    sentences = product.obstacles(read, host_facts.restart_pending, host_facts.name)
    if params.installer is None:
        return [
            *sentences,
            f"hMailServer is not installed on {host_facts.name}: set installer.path or installer.url, and installer.sha256.",
        ]
    return sentences + product.installer_problems(host, params.installer)


def _passwords(params: Params, read: Product) -> list[str]:
    """The administrator passwords to try: none where none is set."""
    if not read.protected:
        return [""]
    return [one for one in (params.admin_password, params.previous_admin_password) if one]


def _current(host: WindowsHost, params: Params, read: Product) -> tuple[str, Server | None]:
    """The administrator password and the settings; no settings where the product is missing or its service is stopped."""
    if not read.is_installed or not read.runs:
        return "", None
    return server.password_of(host, _passwords(params, read), params.accounts)


def _range_problems(current: Server, purge: bool) -> list[str]:
    """IP ranges of others by which strangers could relay."""
    rows = [] if purge else [row for row in ranges.unmanaged(current.ranges) if ranges.is_open(row)]
    return [
        f"hMailServer's IP range {row.text('Name')} ({row.text('LowerIP')} to {row.text('UpperIP')}) lets addresses that are not private "
        "relay without authentication: change or remove it, or set purge_ranges: true."
        for row in rows
    ]


def _unmanaged(current: Server, purge: bool) -> list[str]:
    """What of others stays and has an effect on the relay."""
    sentences = []
    rows = [] if purge else [one for one in ranges.unmanaged(current.ranges) if one.has("AllowSMTPConnections")]
    if rows:
        names = ", ".join(row.text("Name") for row in rows)
        sentences.append(
            f"IP ranges of hMailServer that are unmanaged let clients connect, too: {names}. Remove them, or set purge_ranges."
        )
    domains = [one.name for one in current.domains if one.active and not one.name.lower().endswith(options.PRIVATE_DOMAIN)]
    if domains:
        sentences.append(
            f"hMailServer keeps mail to its domains {', '.join(domains)} on the host: deactivate those that are Microsoft 365's."
        )
    if current.routes:
        names = ", ".join(row.text("DomainName") for row in current.routes)
        sentences.append(f"Routes of hMailServer send mail to {names} past the upstream: remove those that are not needed.")
    return sentences


def _outside(
    host: WindowsHost,
    params: Params,
    upstream: Upstream,
    read: Product,
    password: str,
    current: Server | None,
    differing: Differences,
) -> tuple[dict[str, object], dict[str, object]]:
    """Before and after of what is none of the settings: the installation, the service, the passwords."""
    before: dict[str, object] = {}
    after: dict[str, object] = {}
    if not read.is_installed:
        before["installed"], after["installed"] = False, True
    elif not read.runs or read.start_mode != AUTOMATIC:
        before["service"] = {"state": read.state.lower(), "start_mode": read.start_mode.lower()}
        after["service"] = {"state": "running", "start_mode": "auto"}
    if password != params.admin_password and (current or not read.is_installed):
        after["admin_password"] = "written"  # noqa: S105 - what happens to it
    if _password_needed(host, params, upstream, differing):
        after["upstream_password"] = "written"  # noqa: S105
    return before, after


def _password_needed(host: WindowsHost, params: Params, upstream: Upstream, differing: Differences) -> bool:
    """Whether the upstream's password is a reason to write."""
    if not upstream.password:
        return False
    if params.update_password == ALWAYS or {"SMTPRelayer", "SMTPRelayerPort", "SMTPRelayerUsername"} & differing.settings.keys():
        return True
    digests = Digests(params.journal_dir or default_directory(), host.name)
    return params.update_password == WHEN_CHANGED and not digests.matches(PASSWORD, *_parts(upstream))


def _parts(upstream: Upstream) -> tuple[str, str, str]:
    return upstream.host, upstream.username or "", upstream.password or ""


def _assumptions(host: WindowsHost, read: Product) -> list[Assumption]:
    if not read.is_installed:
        return [Assumption(f"hMailServer is not installed on {host.name}: the plan assumes that none of its settings is right.")]
    reason = f"The service hMailServer is stopped on {host.name}, so that its settings cannot be read"
    return [Assumption(f"{reason}: the plan assumes that none is right.")]


def _outcome(params: Params, upstream: Upstream, version: str) -> dict[str, object]:
    """The result of a task, as the host is afterwards. `version` None: it is not known yet."""
    return {
        "version": version or None,
        "hostname": params.hostname,
        "listeners": [{"address": one.address, "port": one.port, "tls": one.tls} for one in params.listeners],
        "ranges": [{"name": one.name, "networks": list(one.networks), "authenticate": one.authenticate} for one in params.ranges],
        "accounts": [one.address for one in params.accounts],
        "upstream": {"host": upstream.host, "port": upstream.port, "tls": upstream.tls, "username": upstream.username or ""},
    }


def _converge(host: WindowsHost, params: Params, upstream: Upstream, read: Product) -> str:
    """Install, start, and write; hMailServer's version."""
    if not read.is_installed and params.installer:
        product.install(host, params.installer)
        product.remember(host, Memory(True, {}))
        read = product.read(host)
    if not read.runs or read.start_mode != AUTOMATIC:
        product.start_service(host)
        read = _running(host)
    password, current = server.password_of(host, _passwords(params, read), params.accounts)
    _refuse(_range_problems(current, params.purge_ranges))
    if read.memory is None:
        product.remember(host, Memory(False, removal.snapshot(current, read)))
    if password != params.admin_password:
        write.administrator_password(host, password, params.admin_password)
    wanted = desired.of_params(params, upstream, removal.foreign_domains(read.memory, current))
    write.converge(host, params.admin_password, current, wanted, upstream.password)
    write.verify(host, params.admin_password, wanted, params.accounts)
    return current.version


def _running(host: WindowsHost) -> Product:
    """Wait for the service, and read again."""
    end = host.clock.now() + _SERVICE_SECONDS
    while True:
        read = product.read(host)
        if read.runs:
            return read
        if host.clock.now() >= end:
            raise MailopsError(
                f"The service hMailServer of {host.name} does not run {_SERVICE_SECONDS} seconds after its start: see its log."
            )
        host.clock.sleep(_POLL_SECONDS)
        host.cost.count(waited=_POLL_SECONDS)


def _plan_removal(host: WindowsHost, params: Params) -> Plan[Changes]:
    """Only a host that this module has changed is restored."""
    read = product.read(host)
    if not read.is_installed or read.memory is None:
        return Plan(outcome={"hmailserver": None})
    if not read.runs:
        raise InvalidInput(f"The service hMailServer of {host.name} is stopped, so that its queue cannot be read: start it first.")
    password, current = server.password_of(host, _passwords(params, read))
    if read.memory.installed:
        before: dict[str, object] = {"installed": True}
        after: dict[str, object] = {"installed": False}
    else:
        differing = removal.differences(current, read.memory)
        before, after = desired.before(current, differing), desired.after(differing)
    return Plan(
        before=before | {"managed": True},
        after=after | {"managed": False},
        changes=Changes(read, password, removal=True),
        outcome={"hmailserver": None},
        warnings=removal.warnings(read.memory),
    )


def _remove(host: WindowsHost, params: Params, changes: Changes) -> None:
    if changes.read.memory is None:
        raise ValueError("a removal without a memory")
    removal.drain(host, changes.password, params.drain_timeout)
    removal.remove(host, changes.password, changes.read, changes.read.memory)


RESOURCE = WindowsHMailServer()
