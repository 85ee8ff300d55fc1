# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus, urlencode

from ansible_collections.mailops.m365.plugins.module_utils._core.redaction import HIDDEN, hide, hide_all
from hypothesis import given
from hypothesis import strategies as st

SECRETS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="*"), min_size=6)


@given(SECRETS)
def test_a_secret_is_hidden_however_it_is_written(secret: str) -> None:
    for form in (secret, json.dumps(secret), json.dumps(secret, ensure_ascii=False), quote(secret, safe=""), quote_plus(secret),
                 urlencode({"client_secret": secret}), base64.b64encode(secret.encode()).decode()):  # fmt: skip
        clean = hide(f"before {form} after", [secret])
        assert HIDDEN in clean
        assert secret not in clean
        assert form not in clean
        assert clean.startswith("before ")
        assert clean.endswith(" after")


def test_nothing_else_is_touched() -> None:
    assert hide("words", []) == hide("words", [""]) == hide("words", ["other"]) == "words"
    content = {"a": ["x s3cret", 1, None, True], "b": {"c": "s3cret"}}
    assert hide_all(content, ["s3cret"]) == {"a": ["x ********", 1, None, True], "b": {"c": "********"}}
