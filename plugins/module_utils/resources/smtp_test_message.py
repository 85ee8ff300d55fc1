# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send the test messages that module smtp_probe has prepared on the control node. Runs on any host with Python and no other library."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass

from .._core.json_types import JsonObject
from .._core.spec import Spec
from .._engine.local_host import LocalHost
from .._engine.resource import Plan, ReadOnlyResource
from .._verification.remote import probe_prepared

# The attempts hold passwords and tokens. With no_log, Ansible would replace every text of the result that equals one of its values.
OPTIONS = Spec({"prepared": {"type": "dict", "required": True}}, writes=False, log_options=False)


@dataclass(frozen=True)
class Params:
    """`prepared`: what _verification/remote.py sends."""

    prepared: JsonObject


class SmtpTestMessage(ReadOnlyResource[Params]):
    """Module smtp_test_message."""

    name = "smtp_test_message"
    spec = OPTIONS
    params_type = Params

    def plan(self, host: LocalHost, params: Params, check_mode: bool, /) -> Plan[None]:
        """In check mode the control node has prepared connections without messages."""
        with tempfile.NamedTemporaryFile("w", suffix=".pem", encoding="utf-8") as file:
            file.write(params.prepared["ca_certificates"])
            file.flush()
            results = probe_prepared(params.prepared, file.name if params.prepared["ca_certificates"] else "")
        return Plan(outcome={"senders": [result.as_result() for result in results]})


RESOURCE = SmtpTestMessage()
