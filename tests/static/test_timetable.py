"""What texts say about the end of Basic authentication for SMTP.

Source: "Updated Exchange Online SMTP AUTH Basic Authentication Deprecation Timeline" (Exchange Team Blog, 2026-01-27): off by default after
December 2026, administrators can turn it on again, the final date is announced in the second half of 2027.
"""

from __future__ import annotations

import re
from pathlib import Path

from .tree import REPO, for_every_file, text, under

TEXTS = [
    path
    for folder in ("plugins", "roles", "playbooks", "docs", "inventories")
    for end in (".py", ".md", ".yml")
    for path in under(folder, end)
]
_ACTION = r"(?:turn|switch|disable|retire|remove|end|stop|block)(?:s|es|d|ed|ped)?(?: off)?"
_BASIC = r"Basic (?:auth\b|authentication)"
# Claims that it is over for everybody on a day: by Microsoft, or by itself.
FINAL = re.compile(
    rf"Microsoft (?:has |will )?(?:{_ACTION}) {_BASIC}"
    rf"|{_BASIC}(?: for SMTP)? (?:works (?:only )?until|stops working|will end|ends|no longer works)"
    r"|last day on which Basic authentication for SMTP works",
    re.IGNORECASE,
)


def claims(source: str) -> list[str]:
    """The claims in a text, whose lines may break anywhere, also inside a string of Python."""
    joined = " ".join(re.sub(r'"?\s*\n\s*(?:f?")?', " ", source).split())
    return FINAL.findall(joined)


@for_every_file([*TEXTS, REPO / "README.md"])
def test_basic_authentication_is_off_by_default_and_not_gone(path: Path) -> None:
    assert claims(text(path)) == []


def test_the_check_recognizes_what_it_refuses() -> None:
    refused = [
        "before Microsoft turns off Basic authentication for SMTP.",
        "Microsoft disables Basic\nauthentication",
        '"Microsoft has retired Basic "\n    f"authentication for this tenant"',
        "The last day on which Basic authentication for SMTP works",
        "Basic authentication for SMTP ends on 2026-12-31",
    ]
    assert [bool(claims(one)) for one in refused] == [True] * len(refused)
    assert not claims("Basic authentication for SMTP is off by default after December 2026; an administrator can turn it on again.")
