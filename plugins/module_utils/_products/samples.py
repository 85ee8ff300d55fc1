# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All samples by product."""

from __future__ import annotations

from . import samples_libraries, samples_programs
from .sample import Sample

SAMPLES: dict[str, Sample] = {**samples_libraries.SAMPLES, **samples_programs.SAMPLES}
