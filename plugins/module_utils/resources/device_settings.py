# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings sheets of a tenant's senders, as files on the host that the module runs on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._core import atomic_files
from .._core.errors import InvalidInput
from .._core.spec import Spec
from .._engine.local_host import LocalHost
from .._engine.resource import Plan
from .._sheets.files import MARKERS, files

# The files can be written again at any time, so that the journal has no entry for them.
SPEC = Spec(
    {
        "directory": {"type": "path", "required": True},
        "tenant_name": {"type": "str", "required": True},
        "plan": {"type": "list", "elements": "dict", "required": True},
        "sender_app_client_id": {"type": "str", "default": ""},
    },
    log_options=False,  # they are a whole plan
    journal=False,
)


@dataclass(frozen=True)
class Params:
    """`plan`: items of the result `plan` of modules sender_plan and tenant; `sender_app_client_id`, for those that lack it."""

    directory: str
    tenant_name: str
    plan: tuple[Mapping[str, Any], ...]
    sender_app_client_id: str


@dataclass(frozen=True)
class FileChanges:
    """Path below the directory -> content of the files to write; and the sheets to remove."""

    write: Mapping[str, str]
    remove: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.write or self.remove)


class DeviceSettings:
    """Module device_settings."""

    name = "device_settings"
    spec = SPEC
    params_type = Params

    def validate(self, params: Params, /) -> list[str]:
        problems = []
        name = params.tenant_name
        if not name or name.startswith(".") or {"/", "\\", "\0"} & {*name}:
            problems.append(f"tenant_name is {name!r}, which can be no name of a file: give the tenant's name in the inventory.")
        lacking = [item for item in params.plan if not {"name", "method", "settings"} <= item.keys()]
        if lacking:
            problems.append("plan has an item without name, method and settings: give the result plan of module tenant or sender_plan.")
        return problems

    def plan(self, host: LocalHost, params: Params, check_mode: bool, /) -> Plan[FileChanges]:
        directory = Path(params.directory)
        if not directory.is_dir():
            raise InvalidInput(f"directory is {directory}, which is no directory: create it or correct the path.")
        desired = files(params.tenant_name, [_completed(item, params.sender_app_client_id) for item in params.plan])
        current = {path: _read(directory / path) for path in desired}
        remove = sorted(set(_sheets(directory, params.tenant_name)) - {*desired})
        changes = FileChanges({path: text for path, text in desired.items() if current[path] != text}, tuple(remove))
        before = "".join(f"==> {path}\n{current.get(path) or ''}" for path in (*changes.write, *remove) if current.get(path) is not None)
        before += "".join(f"==> {path}\n" for path in remove)
        after = "".join(f"==> {path}\n{text}" for path, text in changes.write.items())
        outcome = {"files": sorted(desired), "paths": sorted([*changes.write, *remove])}
        return Plan(before=before, after=after, changes=changes, outcome=outcome)

    def apply(self, host: LocalHost, params: Params, plan: Plan[FileChanges], /) -> dict[str, object]:
        directory = Path(params.directory)
        path = ""
        try:
            for path, text in plan.pending.write.items():
                _replace(directory / path, text)
            for path in plan.pending.remove:
                (directory / path).unlink(missing_ok=True)
        except OSError as error:
            raise InvalidInput(f"Could not write {directory / path}: {error.strerror or error}.") from error
        return plan.outcome


def _completed(item: Mapping[str, Any], client_id: str) -> Mapping[str, Any]:
    """The item with the client ID; with the values, too, that Ansible leaves out of options because they are None."""
    settings, oauth = item["settings"], item["settings"].get("oauth")
    oauth = {**oauth, "client_id": oauth["client_id"] or client_id} if oauth else None
    return {"product": "", **item, "settings": {**settings, "oauth": oauth}}


def _read(path: Path) -> str | None:
    """The file's text; None where there is no file. Raises InvalidInput where it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InvalidInput(f"Could not read {path}: {error.strerror or error}.") from error


def _sheets(directory: Path, tenant: str) -> Iterator[str]:
    """The sheets that an earlier run wrote, by their marker."""
    for suffix, marker in MARKERS.items():
        for path in sorted((directory / tenant).glob(f"*.{suffix}")):
            if path.is_file() and (_read(path) or "").endswith(marker):
                yield f"{tenant}/{path.name}"


def _replace(path: Path, text: str) -> None:
    """Write the file. Raises OSError."""
    path.parent.mkdir(mode=0o755, exist_ok=True)
    atomic_files.replace(path, text, mode=0o644, durable=False)


RESOURCE = DeviceSettings()
