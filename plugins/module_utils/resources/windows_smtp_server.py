# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual server of IIS SMTP on a Windows host: a relay for devices with one upstream server."""

from __future__ import annotations

from dataclasses import dataclass

from .._core.errors import InvalidInput
from .._core.spec import JOURNAL
from .._engine.journal import default_directory
from .._engine.resource import Assumption, Plan
from .._engine.windows_engine import OnWindowsHost
from .._planning import client_submission
from .._windows import facts
from .._windows.digests import Digests
from .._windows.host import WindowsHost
from .._windows.iis import desired, options, removal, settings, state, write
from .._windows.iis.desired import Differences
from .._windows.iis.options import OPTIONS, Params, Upstream
from .._windows.iis.state import SMTP_SERVER, IisState, Memory
from .._windows.relay_options import ALWAYS, WHEN_CHANGED
from .._windows.services import RUNNING

OWN_PROCESS = "inetinfo"  # of SMTPSVC
PASSWORD = "windows_smtp_server upstream"  # noqa: S105 - the name of a digest


@dataclass(frozen=True)
class Changes:
    """`current`: the state that was read; `removal`: restore what was there before."""

    current: IisState
    differing: Differences
    password: bool
    removal: bool = False


class WindowsSmtpServer(OnWindowsHost):
    """Module windows_smtp_server."""

    name = "windows_smtp_server"
    spec = JOURNAL | OPTIONS | client_submission.END_DATE
    params_type = Params

    def validate(self, params: Params) -> list[str]:
        sentences = options.problems(params) + client_submission.date_problems(params.basic_auth_end_date)
        without_user = params.state == "present" and params.upstream and not params.upstream.username
        return sentences + (client_submission.without_user_problems(params.upstream.host) if without_user and params.upstream else [])

    def plan(self, host: WindowsHost, params: Params, check_mode: bool) -> Plan[Changes]:
        if params.state == "absent" or params.upstream is None:
            return _plan_removal(host)
        read = facts.read(host)
        _refuse(read.obstacles()["iis_smtp"])
        warnings = client_submission.warnings(params.upstream.host, params.basic_auth_end_date, host.clock.now())
        current = state.read(host)
        _refuse(_problems(host, read, current, params))
        wanted = desired.of_params(params, params.upstream)
        differing = desired.differences(current, wanted)
        password = _password_needed(host, params, params.upstream, differing)
        changed = bool(current.missing or differing or password)
        note = f"{', '.join(current.missing)} are not installed on {host.name}: the plan assumes the settings of a new installation."
        return Plan(
            before=desired.before(current, differing),
            after=desired.after(wanted, differing) | ({"upstream_password": "written"} if password else {}),
            changes=Changes(current, differing, password) if changed else None,
            outcome={"smtp_server": desired.outcome(wanted, params.upstream)},
            warnings=warnings + _notes(host, read, current),
            assumptions=[Assumption(note)] if current.missing and check_mode else [],
        )

    def apply(self, host: WindowsHost, params: Params, plan: Plan[Changes]) -> dict[str, object]:
        changes = plan.pending
        digests = _digests(host, params)
        if changes.removal:
            _remove(host, params, plan, changes.current)
            digests.remove(PASSWORD)
        elif params.upstream:
            _converge(host, params, params.upstream, changes.current)
            if params.upstream.password:
                digests.write(PASSWORD, *_parts(params.upstream))
            else:
                digests.remove(PASSWORD)
        return plan.outcome


def _refuse(problems: list[str]) -> None:
    if problems:
        raise InvalidInput(*problems)


def _problems(host: WindowsHost, read: facts.HostFacts, current: IisState, params: Params) -> list[str]:
    """What only the host's state shows to be wrong."""
    found = []
    if current.missing and read.restart_pending:
        found.append(f"{host.name} waits for a restart, so that {', '.join(current.missing)} cannot be installed: restart it first.")
    other = current.services.get("hMailServer")
    if other and other.state == RUNNING:
        found.append(
            f"hMailServer runs on {host.name} and uses port 25: stop it and set its start mode to disabled, or use it as the relay."
        )
        return found
    for port in sorted({one.port for one in params.listeners}):
        process = current.ports.get(port, OWN_PROCESS)
        if process.lower() != OWN_PROCESS:
            found.append(f"listeners has port {port}, which {process} uses on {host.name}: stop that program, or choose another port.")
    return found


def _notes(host: WindowsHost, read: facts.HostFacts, current: IisState) -> list[str]:
    """A restart that Windows waits for, and what an administrator has added that takes mail away from the upstream."""
    notes = [f"{host.name} waits for a restart."] if read.restart_pending and not current.missing else []
    domains = current.server.domains if current.server else {}
    local, remote = (", ".join(sorted(name for name, alias in domains.items() if alias is kind)) for kind in (True, False))
    if local:
        notes.append(f"The virtual SMTP server keeps mail to its domains {local} on the host: remove those that are Microsoft 365's.")
    if remote:
        notes.append(f"Remote domains of the virtual SMTP server have settings of their own: {remote}. Remove those that are not needed.")
    return notes


def _digests(host: WindowsHost, params: Params) -> Digests:
    return Digests(params.journal_dir or default_directory(), host.name)


def _parts(upstream: Upstream) -> tuple[str, str, str]:
    return upstream.host, upstream.username or "", upstream.password or ""


def _password_needed(host: WindowsHost, params: Params, upstream: Upstream, differing: Differences) -> bool:
    """Whether the password is a reason to write. It is part of every write."""
    if not upstream.password:
        return False
    if params.update_password == ALWAYS or set(settings.OF_CREDENTIAL) & set(differing.values):
        return True
    return params.update_password == WHEN_CHANGED and not _digests(host, params).matches(PASSWORD, *_parts(upstream))


def _converge(host: WindowsHost, params: Params, upstream: Upstream, current: IisState) -> None:
    wanted = desired.of_params(params, upstream)
    first_run, missing, service = current.memory is None, current.missing, current.service
    if first_run:
        write.remember(host, Memory(missing, service, current.server))
    if missing:
        write.install(host, missing)
        current = state.read(host)
        if first_run and SMTP_SERVER not in missing:  # its settings could not be read before the feature Web-WMI was there
            write.remember(host, Memory(missing, service, current.server))
    first: dict[str, settings.Value] = {}
    if current.server is None:
        host.run("iis_create", "create the virtual SMTP server")
        current, first = state.read(host), settings.DIRECTORIES
    write.server(host, current, wanted, upstream.password or "", first)
    write.service(host, current, wanted.service)
    write.verify(host, wanted)


def _plan_removal(host: WindowsHost) -> Plan[Changes]:
    """Only a host that this module has changed is restored."""
    read = facts.read(host)
    if not read.has_server_features():
        return Plan(outcome={"smtp_server": None})
    current = state.read(host)
    memory = current.memory
    if memory is None:
        return Plan(outcome={"smtp_server": None})
    wanted, differing = removal.differing(current, memory)
    before, after = desired.before(current, differing), desired.after(wanted, differing) if wanted else {}
    if memory.features:
        before, after = before | {"installed_features": list(memory.features)}, after | {"installed_features": []}
    return Plan(
        before=before | {"managed": True},
        after=after | {"managed": False},
        changes=Changes(current, differing, False, removal=True),
        outcome={"smtp_server": None},
        warnings=removal.warnings(memory),
    )


def _remove(host: WindowsHost, params: Params, plan: Plan[Changes], current: IisState) -> None:
    if current.memory is None:
        raise ValueError("a removal without a memory")
    removal.drain(host, current, params.drain_timeout)
    plan.warnings += removal.remove(host, current, current.memory)


RESOURCE = WindowsSmtpServer()
