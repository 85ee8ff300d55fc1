# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module would refuse of its options, for a filter that makes them of a role's variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .._engine.resource import Resource
from .._engine.run import params_of
from .arguments import argument_spec


def option_problems(resource: Resource[Any, Any, Any], options: Mapping[str, object]) -> list[str]:
    """One sentence each, without a secret; nothing is read."""
    validated = ArgumentSpecValidator(**argument_spec(resource.spec)).validate(dict(options))
    if validated.error_messages:
        return list(validated.error_messages)
    return resource.validate(params_of(resource, validated.validated_parameters))
