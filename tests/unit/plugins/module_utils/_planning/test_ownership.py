# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._planning import ownership


def test_a_mark_names_its_owner() -> None:
    text = ownership.comment("branch", "Scanner")
    assert text == "mailops.m365 [branch] Scanner"
    assert ownership.is_marked(text, "branch")
    assert not ownership.is_marked(text, "bran")
    assert not ownership.is_marked("Scanner", "branch")
    assert (ownership.described(text), ownership.described("Scanner")) == ("Scanner", "Scanner")


def test_a_comment_has_a_limit() -> None:
    assert len(ownership.comment("branch", "x" * 300)) == 255


@pytest.mark.parametrize("owner", ["", "two words", "a]", "-a", "x" * 33])
def test_an_owner_is_a_short_word(owner: str) -> None:
    assert "m365_owner is" in ownership.problems(owner)[0]
    assert ownership.problems("contoso_branch-2") == []
