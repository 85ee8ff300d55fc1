# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What state absent restores, kept in the registry of the host: a text without secrets for each product."""

from __future__ import annotations

from .host import WindowsHost

IIS, HMAILSERVER = "iis", "hmailserver"  # values of HKLM:\\SOFTWARE\\mailops\\relay


def write(host: WindowsHost, product: str, text: str) -> None:
    host.run("memory", "write what is restored by state absent", {"write": [{"name": product, "text": text}], "remove": []})


def remove(host: WindowsHost, product: str) -> None:
    host.run("memory", "remove what was kept for state absent", {"write": [], "remove": [product]})
