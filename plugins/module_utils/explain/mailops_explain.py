# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start of the command mailops-explain: by its path, or with `python -m` where the collection can be imported."""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path


def _package() -> str:
    """The name of the package that this file is in; run by its path, it has none, and gets one of its own."""
    if __package__:
        return __package__
    parent = types.ModuleType("mailops_m365")
    parent.__path__ = [str(Path(__file__).resolve().parents[1])]
    sys.modules[parent.__name__] = parent
    del sys.path[0]  # this folder
    return f"{parent.__name__}.explain"


if __name__ == "__main__":
    raise SystemExit(importlib.import_module(f"{_package()}.command").main(sys.argv[1:]))
