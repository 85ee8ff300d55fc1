# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the resources of a Windows host, always on the control node: Windows has no Python, so that no module is sent there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

from .._core.json_types import JsonObject
from .._windows.host import Execute, WindowsHost
from .resource import C, P, ReadOnlyResource, Resource
from .run import run as run_resource

P_contra = TypeVar("P_contra", contravariant=True)


class OnWindowsHost:
    """The base of resources of a Windows host, by which the action knows them."""


class WindowsResource(Resource[WindowsHost, P, C], Protocol[P, C]):
    """One kind of object on a Windows host."""


class ReadOnlyWindowsResource(ReadOnlyResource[P_contra], OnWindowsHost):
    """A resource of a Windows host that only reads."""


def run(resource: WindowsResource[P, C], options: Mapping[str, object], name: str, execute: Execute, *, check_mode: bool) -> JsonObject:
    """A task's result. `name`: of the host in the inventory; `execute`: see WindowsHost."""
    return run_resource(resource, lambda: WindowsHost(name, execute), options, check_mode)
