# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A record read term by term (RFC 7208, sections 4.6, 5, 6 and 12)."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._spf import chunks, is_spf, parse
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("v=spf1", True),
        ("v=spf1 -all", True),
        ("V=SPF1 -ALL", True),
        ("v=spf10 -all", False),
        ("v=spf2.0/pra -all", False),
        (" v=spf1 -all", False),
        ("MS=ms12345678", False),
    ],
)
def test_which_text_is_a_record(text: str, is_one: bool) -> None:
    assert is_spf(text) is is_one


@pytest.mark.parametrize(
    ("word", "kind", "qualifier", "value"),
    [
        ("all", "all", "+", ""),
        ("-ALL", "all", "-", ""),
        ("~all", "all", "~", ""),
        ("ip4:203.0.113.10", "ip4", "+", "203.0.113.10"),
        ("?ip4:203.0.113.0/24", "ip4", "?", "203.0.113.0/24"),
        ("ip6:2001:db8::/32", "ip6", "+", "2001:db8::/32"),
        ("include:Spf.Example.COM", "include", "+", "Spf.Example.COM"),
        ("include:_spf.%{d}", "include", "+", "_spf.%{d}"),
        ("a", "a", "+", ""),
        ("a/24", "a", "+", ""),
        ("a:mail.example.com/24//64", "a", "+", "mail.example.com"),
        ("mx//64", "mx", "+", ""),
        ("-ptr", "ptr", "-", ""),
        ("exists:%{ir}.%{l1r+-}._spf.%{d}", "exists", "+", "%{ir}.%{l1r+-}._spf.%{d}"),
        ("redirect=_spf.example.com", "redirect", "+", "_spf.example.com"),
        ("exp=explain._spf.%{d}", "exp", "+", "explain._spf.%{d}"),
        ("moo.cow-far_out=man:dog/cat", "modifier", "+", ""),
    ],
)
def test_a_term_is_read(word: str, kind: str, qualifier: str, value: str) -> None:
    [term] = parse(f"v=spf1 {word}").terms
    assert (term.kind, term.qualifier, term.value, term.problem, term.text) == (kind, qualifier, value, "", word)


@pytest.mark.parametrize(
    "word",
    ["ip4:300.1.1.1", "ip4:2001:db8::1", "ip4", "ip6:1.2.3.4", "ip4:1.2.3.4/33", "include", "include:", "include:com",
     "all:x", "a/33", "mx//129",
     "a:", "foo", "foo:bar", "=x", "redirect=", "exists", "include:a..%{x}", "ipv4:1.2.3.4", "-",
     "exp=localhost"],
)  # fmt: skip
def test_an_invalid_term_is_kept_with_its_problem(word: str) -> None:
    record = parse(f"v=spf1 {word} -all")
    assert len(record.problems) == 1, record.problems
    assert word in record.problems[0]
    assert str(record) == f"v=spf1 {word} -all"


def test_a_repeated_modifier_is_a_problem() -> None:
    assert parse("v=spf1 redirect=a.example redirect=b.example").problems == ["redirect= is there more than once"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("include:EXAMPLE.com", "include:example.com.", True),
        ("ip4:203.0.113.10", "+ip4:203.0.113.10/32", True),
        ("ip4:203.0.113.10/24", "ip4:203.0.113.0/24", True),
        ("ip6:2001:db8:0::1", "ip6:2001:DB8::1", True),
        ("a", "a/32", True),
        ("a", "mx", False),
        ("a:x.example", "a:y.example", False),
        ("a/24", "a", False),
    ],
)
def test_terms_are_compared_by_what_they_match(one: str, other: str, same: bool) -> None:
    first, second = (parse(f"v=spf1 {word}").terms[0] for word in (one, other))
    assert (first.key == second.key) is same


def test_terms_after_all_are_not_effective() -> None:
    record = parse("v=spf1 mx -all include:late.example.com redirect=x.example.com")
    assert [term.text for term in record.effective] == ["mx", "-all"]
    assert record.redirect is None


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=700))
def test_character_strings_are_short_and_join_to_the_value(text: str) -> None:
    parts = chunks("v=spf1 " + text)
    assert b"".join(parts).decode() == "v=spf1 " + text
    assert all(0 < len(part) <= 255 for part in parts)


@given(st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1), max_size=6))
def test_the_text_of_a_record_is_kept(words: list[str]) -> None:
    assert str(parse(" ".join(["v=spf1", *words]))) == " ".join(["v=spf1", *words])
