# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same problem of many hosts is one entry, with all that have it."""

from __future__ import annotations

from ansible_collections.mailops.m365.plugins.module_utils._report.attention import Item
from ansible_collections.mailops.m365.plugins.module_utils._report.attention_text import lines

TITLE = "NEEDS ATTENTION"


def item(host: str, *problems: str, subject: str = "Configure", kind: str = "tenant", remedy: str = "", copy: str = "") -> Item:
    return Item(kind, (host,), subject, problems, remedy, copy)


def texts(*entries: Item, full: bool = False, most: int | None = None, width: int = 100) -> list[str]:
    title, *rest = [text for text, _colour in lines(TITLE, entries, width, full, most)]
    assert title == TITLE
    return rest


def test_a_problem_of_different_senders_lists_them_below_it() -> None:
    remedy = "Enable it."
    entries = [item(host, "It is disabled.", subject=f"Sender {name}", kind="sender", remedy=remedy) for host, name in ("aA", "aB", "bC")]
    assert texts(*entries) == [
        "2 hosts  It is disabled.",
        "           a  Sender A",
        "           a  Sender B",
        "           b  Sender C",
        "           Enable it.",
    ]


def test_senders_of_one_host_are_listed_without_it() -> None:
    entries = [item("contoso", "It is disabled.", subject=f"Sender {name}", kind="sender") for name in "AB"]
    assert texts(*entries) == ["contoso  It is disabled.", "           Sender A", "           Sender B"]


def test_a_long_list_of_senders_ends_with_their_number() -> None:
    entries = [item(f"t{number:02}", "It is disabled.", subject=f"Sender {number}", kind="sender") for number in range(40)]
    assert texts(*entries)[-2:] == ["            t11  Sender 11", "            and 28 more"]
    assert len(texts(*entries)) == 14
    assert len(texts(*entries, full=True)) == 41


def test_problems_that_differ_in_names_only_are_one_entry_from_three_hosts_on() -> None:
    def refused(number: int) -> Item:
        tenant = f"0f2b6d5a-0000-4f7e-8f2e-{number:012d}"
        return item(
            f"t{number}", f"Could not sign in to {tenant} at login.example: the secret of a{number}@t{number}.example is wrong (7)."
        )

    assert texts(refused(1), refused(2), refused(3), width=200) == [
        "3 hosts  Configure: Could not sign in to … at login.example: the secret of … is wrong (7).",
        "           t1, t2, t3",
    ]
    two = texts(refused(1), refused(2), width=200)
    assert len(two) == 2
    assert "000000000001" in two[0]
    assert len(texts(refused(1), refused(2), refused(3), width=200, full=True)) == 3, "-v prints every problem as it is"


def test_ip_addresses_are_names() -> None:
    entries = [item(f"t{number}", f"public_addresses holds '10.0.0.{number}/28', which is private.") for number in range(3)]
    assert texts(*entries)[0] == "3 hosts  Configure: public_addresses holds '…', which is private."


def test_numbers_and_words_are_no_names() -> None:
    entries = [item(f"t{number}", f"m365_licences is {number}: give a number from 0.") for number in range(-5, -1)]
    assert len(texts(*entries)) == 4


def test_a_problem_of_a_list_that_others_have_is_printed_once() -> None:
    entries = [item("a", "One.", "Two.", "Three."), item("b", "Two."), item("c", "Two.", "Four.")]
    assert texts(*entries) == [
        "a        Configure: 2 problems",
        "           - One.",
        "           - Three.",
        "3 hosts  Configure: Two.",
        "           a, b, c",
        "c        Configure: Four.",
    ]
    assert "\n".join(texts(*entries)).count("Two.") == 1


def test_equal_lists_of_problems_stay_lists() -> None:
    entry = Item("tenant", ("a", "b"), "Configure", ("One.", "Two."))
    assert texts(entry) == ["2 hosts  Configure: 2 problems", "           - One.", "           - Two.", "           a, b"]


def test_each_record_to_publish_is_an_entry() -> None:
    entries = [item(f"t{n}", "To be published.", subject=f"SPF record of t{n}.example", kind="dns", copy=f"v=spf1 {n}") for n in range(4)]
    assert len(texts(*entries)) == 8


def test_each_record_with_its_value_is_an_entry() -> None:
    """A hosted relay's records of one domain, as its warnings name them."""
    names = [("em.a.example", "u1.wl.example"), ("s1._domainkey.a.example", "s1.u1.example"), ("s2._domainkey.a.example", "s2.u1.example")]
    sentences = [f"Publish the CNAME record {name} with the value {value}." for name, value in names]
    assert texts(*(item("a", text, subject="a.example") for text in sentences)) == [f"a  a.example: {text}" for text in sentences]


def test_records_of_the_same_content_are_one_entry_with_their_domains() -> None:
    entries = [item(f"t{n}", "To be published.", subject=f"SPF record of t{n}.example", kind="dns", copy="v=spf1 -all") for n in range(2)]
    assert texts(*entries) == [
        "2 hosts  SPF record of …: To be published.",
        "           t0  t0.example",
        "           t1  t1.example",
        "           v=spf1 -all",
    ]


def test_subjects_that_differ_in_names_are_a_line_a_host() -> None:
    addresses = [(f"t{n}", f"{name}@t{n}.example") for n in range(30) for name in ("erp", "shop")]
    entries = [item(host, "It is a user mailbox.", subject=f"FullAccess of app on {address}") for host, address in addresses]
    printed = texts(*entries, width=118)
    assert printed[:2] == ["30 hosts  FullAccess of app on …: It is a user mailbox.", "            t0  erp@t0.example, shop@t0.example"]
    assert (len(printed), printed[-1]) == (14, "            and 18 more")
    one_host = [one for one in entries if one.hosts == ("t7",)]
    assert texts(*one_host) == ["t7  FullAccess of app on …: It is a user mailbox.", "      erp@t7.example, shop@t7.example"]


def test_subjects_that_are_names_alone_are_in_the_list_only() -> None:
    entries = [item(f"t{n}", "No sender needs it.", subject=f"crm@t{n}.example", kind="orphan") for n in range(2)]
    assert texts(*entries) == ["2 hosts  No sender needs it.", "           t0  crm@t0.example", "           t1  crm@t1.example"]


def test_a_limit_of_entries() -> None:
    entries = [item(f"t{number:02}", f"Problem {number}.") for number in range(15)]
    assert texts(*entries, most=10)[-1] == "     5 more: -v lists all."
    assert len(texts(*entries, most=10)) == 11
    assert len(texts(*entries, most=10, full=True)) == 15
    assert len(texts(*entries[:10], most=10)) == 10
