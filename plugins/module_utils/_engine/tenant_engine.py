# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the resources of a tenant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from .._core.json_types import JsonObject
from .._identity.device_code import Prompt
from .remote_host import RemoteHost
from .required_permissions import cmdlets_of, of_plan, refuse_missing
from .resource import C, P, Plan, Resource
from .run import run as run_resource
from .tenant import Tenant


class TenantResource(Resource[Tenant, P, C], Protocol[P, C]):
    """One kind of object of a tenant. Its spec has the options of TENANT."""


def run(
    resource: TenantResource[P, C],
    options: Mapping[str, object],
    *,
    check_mode: bool,
    token_directory: str | None = None,
    prompt: Prompt | None = None,
    remote_host: RemoteHost | None = None,
) -> JsonObject:
    """A task's result. `prompt` shows a text to the person who runs it, where there is one; `remote_host`: see Tenant.

    A plan whose changes require permissions that the tokens lack is refused. The transport of a resource that writes nothing, and that
    of every resource in check mode, refuses every request that may write.
    """
    reads_only = check_mode or not resource.spec.writes

    def connect() -> Tenant:
        signs_in = getattr(resource, "signs_in", True)
        return Tenant(options, token_directory, prompt=prompt, remote_host=remote_host, reads_only=reads_only, signs_in=signs_in)

    def refuse(tenant: Tenant, plan: Plan[C]) -> None:
        refuse_missing(tenant, of_plan(resource, plan), cmdlets=cmdlets_of(resource, plan))

    return run_resource(resource, connect, options, check_mode, refuse=refuse)
