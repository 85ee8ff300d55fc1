# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line of the inventory that an entry of the audit is about."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from .items import SENDER, Item


def locate(one: Item, directories: Mapping[str, str], working_directory: Path) -> tuple[str, int] | None:
    """The file of a tenant's variables, relative to the working directory, and the line with the sender's address, else 1.

    `directories`: that of the inventory, by tenant. None if the tenant has no file of its own.
    """
    directory = directories.get(one.tenant)
    files = _files(Path(directory).absolute(), one.tenant) if directory else ()
    address = re.compile(rf"(?<![\w.+-]){re.escape(one.subject.lower())}(?![\w-])")
    for file in files if one.kind == SENDER else ():
        line = next((number for number, text in enumerate(_lines(file), 1) if address.search(text)), None)
        if line:
            return _uri(file, working_directory), line
    return (_uri(files[0], working_directory), 1) if files else None


@cache
def _files(directory: Path, tenant: str) -> tuple[Path, ...]:
    base = directory / "host_vars" / tenant
    single = [file for suffix in (".yml", ".yaml", ".json", "") if (file := base.with_name(base.name + suffix)).is_file()]
    return (*single, *(sorted(file for file in base.rglob("*") if file.is_file()) if base.is_dir() else ()))


@cache
def _lines(file: Path) -> tuple[str, ...]:
    """The lines in lower case; none of a file that cannot be read."""
    try:
        return tuple(file.read_text(encoding="utf-8", errors="replace").lower().splitlines())
    except OSError:
        return ()


def _uri(file: Path, working_directory: Path) -> str:
    """Relative to the working directory, as code scanning expects it; a file elsewhere as a URI."""
    if file.is_relative_to(working_directory):
        return urllib.parse.quote(file.relative_to(working_directory).as_posix())
    return file.as_uri()
