# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PowerShell scripts: one file each, for Windows PowerShell 5.1, without decisions; JSON is their input and their output.

A command line of cmd.exe has at most 8,191 characters (Microsoft: "Command prompt line string limitation"), of which -EncodedCommand uses
8 for 3 of the script. A script of at most 3,000 characters fits.

What a script needs are lines of its input, which it reads by `$lines = @($input)`: line 0 is the request in JSON, each further line a
secret, as base64 of UTF-8. A script decodes a secret by .NET methods and hands it to members of objects only. Windows logs command lines
(event 4688), the text of scripts (4104) and the arguments of cmdlets (4103), but not the input.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

DIRECTORY = Path(__file__).parent / "scripts"


@cache
def script(name: str) -> str:
    """The text of a script, such as host_facts."""
    return (DIRECTORY / f"{name}.ps1").read_text(encoding="ascii")


def input_lines(request: Mapping[str, object] | None, secrets: Sequence[str] = ()) -> str:
    """The input of a script, in ASCII; "" without a request. ValueError for a secret that is empty or has no request before it.

    An empty line would depend on how the connection splits its input: state in the request that there is no secret.
    """
    if request is None:
        if secrets:
            raise ValueError("a secret without a request")
        return ""
    if not all(secrets):
        raise ValueError("an empty secret")
    lines = [json.dumps(request, separators=(",", ":")), *(base64.b64encode(secret.encode()).decode("ascii") for secret in secrets)]
    return "".join(f"{line}\n" for line in lines)
