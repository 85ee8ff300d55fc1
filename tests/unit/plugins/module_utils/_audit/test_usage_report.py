# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._audit import usage_report
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput

HEADER = "Report Refresh Date,User Principal Name,Display Name,SMTP App,Report Period\n"


def test_users_are_read_with_whether_they_used_smtp() -> None:
    lines = ("ERP@contoso.com,ERP,Yes", "ada@contoso.com,Ada,", "b@contoso.com,B,No")
    content = (HEADER + "".join(f"2026-11-28,{line},180\n" for line in lines)).encode()
    assert usage_report.parse(b"\xef\xbb\xbf" + content) == {"erp@contoso.com": True, "ada@contoso.com": False, "b@contoso.com": False}
    assert usage_report.parse(HEADER.encode()) == {}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfe", "is no CSV file"),
        (b"a,b\n1,2\n", "has no columns User Principal Name and SMTP App"),
        ((HEADER + "2026-11-28,0123456789ABCDEF0123456789ABCDEF,FEDC,Yes,180\n").encode(), "are concealed"),
    ],
)
def test_what_says_nothing_is_one_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput) as error:
        usage_report.parse(content)
    assert sentence in str(error.value)
