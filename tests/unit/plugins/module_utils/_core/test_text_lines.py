# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names are one line of text, without a blank at an end."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.text_lines import line_problems


@pytest.mark.parametrize("name", [None, "", "Scanner, hall 2", "Büro Süd", "Магазин", "店舗", "it's 👩‍💻"])
def test_text_in_any_script_is_accepted(name: str | None) -> None:
    assert line_problems("display_name", name) == []


@pytest.mark.parametrize("character", ["\n", "\r", "\t", "\x00", "\x1b", "\x7f", "\x85", "\u2028", "\u2029"])
def test_a_control_character_is_refused(character: str) -> None:
    [problem] = line_problems("display_name", f"Scanner{character}")
    assert problem.startswith(f"display_name is {f'Scanner{character}'!r}, which holds a line break or another control character")


@pytest.mark.parametrize("name", [" Scanner", "Scanner ", "\u00a0Scanner", "Scanner\u3000", " "])
def test_a_blank_at_an_end_is_refused(name: str) -> None:
    assert line_problems("display_name", name) == [f"display_name is {name!r}, which begins or ends with a blank: remove the blank."]


def test_a_long_name_is_cut_in_the_sentence() -> None:
    [problem] = line_problems("name", "x" * 500 + "\n")
    assert len(problem) < 190
