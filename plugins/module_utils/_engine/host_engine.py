# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the resources of the local host. It imports no client: Ansible sends what a module imports to the host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from .._core.json_types import JsonObject
from .local_host import LocalHost
from .resource import C, P, Resource
from .run import run as run_resource

# Where a host's modules write their journal. The role relay_host removes it with the relay.
JOURNAL_DIRECTORY = "/var/log/mailops-relay"


class HostResource(Resource[LocalHost, P, C], Protocol[P, C]):
    """One kind of object on the host that the module runs on, such as a relay host."""


def run(resource: HostResource[P, C], options: Mapping[str, object], *, check_mode: bool) -> JsonObject:
    """A task's result."""
    return run_resource(resource, LocalHost, options, check_mode, JOURNAL_DIRECTORY)
