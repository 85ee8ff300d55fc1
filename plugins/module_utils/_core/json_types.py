# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON documents at the edges: what Ansible hands in and gets back, and what a service's API sends and answers."""

from __future__ import annotations

from typing import Any

# An object of a JSON document whose members this collection does not define. Between the edges a dataclass names the members.
JsonObject = dict[str, Any]
