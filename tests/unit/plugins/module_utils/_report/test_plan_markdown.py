# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The comment of a pull request, rendered by GitHub's own parser (cmark-gfm)."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import cmarkgfm
import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core import markdown_text
from ansible_collections.mailops.m365.plugins.module_utils._report.plan_document import HostPlan, PlanDocument
from ansible_collections.mailops.m365.plugins.module_utils._report.plan_markdown import BUDGET, MARKER, markdown
from cmarkgfm.cmark import Options
from hypothesis import given, settings
from hypothesis import strategies as st

Document = dict[str, Any]
HOSTILE = (
    "</details></table><script>alert(1)</script>",
    "a | b \\| c \\",
    "``` \n\n# heading\n| x |",
    "`code` ``` ````",
    "[link](https://evil.example) ![image](https://evil.example/x.png)",
    "@octocat/team please merge #1 user@evil.example https://evil.example www.evil.example",
    "*bold* _it_ ~~gone~~ **b** &lt;b&gt; &#124; <!-- comment -->",
    "\u202etxt.exe\u2066\u200b\ufeff\x00\x1b[31m\ud800",
    "- item",
    "10. item",
    "+ added\n- removed\n@@ -1 +1 @@",
    "=cmd|' /C calc'!A0",
    "x" * 5000,
    "",
)  # fmt: skip
texts = st.one_of(st.text(alphabet=st.characters(codec=None), max_size=60), st.sampled_from(HOSTILE))
values = st.one_of(
    st.none(), st.booleans(), texts, st.lists(texts, max_size=3), st.dictionaries(texts, st.one_of(st.none(), texts), max_size=3)
)


DIFFS = st.sampled_from([None, {"before": "a", "after": "```"}, []])


def change(name: str, before: Any = None, after: Any = None, **more: Any) -> Document:
    action = "add" if before is None else "remove" if after is None else "change"
    record = {"action": action, "kind": "mailbox", "object": name, "key": f"mailbox:{name}", "before": before, "after": after}
    return record | {"reason": "sender ERP", "risk": "opens"} | more


hosts = st.builds(
    HostPlan,
    name=texts,
    state=st.sampled_from(["unchanged", "changed", "failed", "unreachable", "not_run"]),
    changes=st.lists(st.builds(change, texts, values, values, reason=texts), max_size=3),
    tasks=st.lists(st.fixed_dictionaries({"task": texts, "module": texts, "diff": DIFFS}), max_size=2),
    problems=st.lists(st.fixed_dictionaries({"task": texts, "problems": st.lists(texts, max_size=3), "remedy": texts}), max_size=2),
)  # fmt: skip
plans = st.builds(PlanDocument, st.just("2026-11-29T10:00:00Z"), st.sampled_from(["ok", "failed"]), st.lists(hosts, max_size=4))


class Elements(HTMLParser):
    """The elements of rendered Markdown, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.comments: list[str] = []
        self.rows: list[int] = []
        self.content = ""
        extensions = ["table", "strikethrough", "autolink"]
        self.feed(cmarkgfm.markdown_to_html_with_extensions(text, options=Options.CMARK_OPT_UNSAFE, extensions=extensions))

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append(0)
        if tag in ("td", "th"):
            self.rows[-1] += 1

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        self.content += data


OWN = {"h2", "h3", "p", "strong", "code", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "pre", "ul", "li"}


def assert_own_elements(text: str, plan: PlanDocument) -> None:
    """The rendered comment has the elements that the plan calls for and no other."""
    page = Elements(text)
    assert set(page.tags) <= OWN, set(page.tags) - OWN
    assert page.comments == [" mailops.plan "]
    assert page.tags.count("details") == page.tags.count("summary") == sum(host.changed for host in plan.hosts)
    assert page.tags.count("h2") == 1
    changed = [host for host in plan.hosts if host.changed]
    rows = sum(len(host.changes) + len(host.tasks) + 1 for host in changed) + (len(changed) + 1 if changed else 0)
    assert len(page.rows) == rows, text
    assert set(page.rows) <= {5, 7}
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069\u200b\ufeff\x00\x1b]", text)


@settings(max_examples=100, deadline=None)
@given(plans)
def test_texts_of_a_tenant_stay_texts(plan: PlanDocument) -> None:
    assert_own_elements(markdown(plan, "plan.json"), plan)


@settings(max_examples=100, deadline=None)
@given(texts)
def test_a_text_is_rendered_as_it_is(text: str) -> None:
    plain = markdown_text.visible(text).strip()
    in_cell = plain.replace("\\|", "\\\\u007c")
    cell = f"| a | b |\n| --- | --- |\n| {markdown_text.code(text, 6000)} | x |"
    for rendered, content in ((cell, in_cell), (f"- {markdown_text.prose(text, 6000)}", plain)):
        page = Elements(rendered)
        assert set(page.tags) <= {"table", "thead", "tbody", "tr", "th", "td", "code", "ul", "li"}, (rendered, page.tags)
        assert " ".join(content.split()) in " ".join(page.content.split()), rendered


@pytest.mark.parametrize(("text", "written"), [
    ("TLS 1.2, or later", "TLS `1.2`, or later"),
    ("Ask it@contoso.com.", "Ask `it@contoso.com`."),
    ("(contoso.com) and \"fabrikam.com\"!", "(`contoso.com`) and \"`fabrikam.com`\"&#33;"),
    ("See https://example.com/a_(b).", "See `https://example.com/a_(b)`."),
    ("1. smtp.office365.com:587:", "1&#46; `smtp.office365.com:587`:"),
    ("://,", "`://`,"),
])  # fmt: skip
def test_punctuation_is_no_part_of_a_code_span(text: str, written: str) -> None:
    assert markdown_text.prose(text, 400) == written


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_display_name_is_escaped_everywhere(text: str) -> None:
    problem = {"task": text, "problems": [text], "remedy": text}
    task = {"task": text, "module": text, "diff": {"before": text, "after": {"x": text}}}
    changes = [change(text, {"display_name": text}, {"display_name": text + "2", text: text})]
    plan = PlanDocument("", "failed", [HostPlan(text, "failed", changes, [task], [problem], [text]), HostPlan("b", "changed", changes)])
    assert_own_elements(markdown(plan, "plan.json"), plan)


def test_the_comment_shows_what_changes() -> None:
    changes = [
        change("erp@contoso.com", None, {"display_name": "ERP"}, risk=""),
        change("scanner@contoso.com", "disabled", "enabled", kind="smtp_auth"),
    ]
    task = {"task": "Deploy", "module": "relay_files", "diff": [{"before": "a\n", "after": "b\n"}]}
    plan = PlanDocument("", "ok", [HostPlan("contoso", "changed", changes, [task]), HostPlan("fabrikam", "unchanged")])
    assert (
        markdown(plan, "plan.json")
        == """\
<!-- mailops.plan -->
## Plan: 1 to add, 1 to change, 1 other task

`-e m365_plan_expected=plan.json` applies exactly this plan.

| Host | Add | Change | Remove | Restore | Other tasks | Risks |
| --- | --- | --- | --- | --- | --- | --- |
| `contoso` | 1 | 1 | 0 | 0 | 1 | opens |

<details><summary><code>contoso</code>: 1 to add, 1 to change, 1 other task</summary>

| Action | Kind | Object | Reason | Risk |
| --- | --- | --- | --- | --- |
| add | `mailbox` | `erp@contoso.com` | `sender ERP` |  |
| change | `smtp_auth` | `scanner@contoso.com` | `sender ERP` | opens |
| task | `relay_files` | `Deploy` |  |  |

```diff
  add mailbox erp@contoso.com
+   display_name: "ERP"
  change smtp_auth scanner@contoso.com
-   "disabled"
+   "enabled"
  task Deploy
-   "a\\n"
+   "b\\n"
```

</details>

1 host: nothing to change.
"""
    )


def test_a_plan_without_changes_is_reported() -> None:
    assert (
        markdown(PlanDocument("", "ok", [HostPlan("a", "unchanged")])) == f"{MARKER}\n## Plan: no changes\n\n1 host: nothing to change.\n"
    )


def test_hosts_that_failed_with_the_same_problem_are_one_entry() -> None:
    problem = {"task": "Plan", "problems": ["the client secret is wrong (AADSTS7000215)."], "remedy": "Correct m365_client_secret."}
    failed = [HostPlan(f"t{number:02}", "failed", problems=[problem]) for number in range(14)]
    text = markdown(PlanDocument("", "failed", [*failed, HostPlan("off", "unreachable")]))
    assert "**15 hosts failed: the plan is not complete.**" in text
    assert text.count("AADSTS7000215") == 1
    assert "`t11` and 2 more\n  - the client secret is wrong (AADSTS7000215).\n  - Correct m365&#95;client&#95;secret." in text
    assert "- `off`\n  - unreachable." in text


def test_a_run_that_has_not_ended_is_no_plan() -> None:
    assert "**The run has not ended: this is no plan.**" in markdown(PlanDocument("", "running"))


def fleet(number: int, changes: int, value: int = 20) -> PlanDocument:
    """`value`: characters of each value."""
    every = [change(f"sender{n}@contoso.com", {"x": "ä" * value}, {"x": "ö" * value}) for n in range(changes)]
    return PlanDocument("", "ok", [HostPlan(f"tenant-{n:03}", "changed", every) for n in range(number)])


@pytest.mark.parametrize(
    ("plan", "beginning", "details"),
    [
        (fleet(10, 10), "## Plan: 100 to change", 10),
        (
            fleet(20, 10, 300),
            "**Too long for a comment: the values before and after are left out. The whole plan is in `out/plan.json`.**",
            20,
        ),
        (fleet(500, 10), "**Too long for a comment: the changes of each host are left out. The whole plan is in `out/plan.json`.**", 0),
        (fleet(2000, 1), "**Too long for a comment: everything but the sums is left out. The whole plan is in `out/plan.json`.**", 0),
    ],
)
def test_a_long_plan_loses_details_in_steps(plan: PlanDocument, beginning: str, details: int) -> None:
    text = markdown(plan, "out/plan.json")
    assert len(text.encode()) <= BUDGET
    lines = text.splitlines()
    assert lines[0] == MARKER
    assert lines[1] == beginning
    assert text.count("<details>") == details
    totals = plan.totals["change"]
    assert f"## Plan: {totals} to change" in text, "the sums are always there"


@settings(max_examples=15, deadline=None)
@given(st.lists(hosts, min_size=1, max_size=5), st.integers(1, 120))
def test_five_hundred_hosts_fit_into_the_budget(samples: list[HostPlan], times: int) -> None:
    """Whatever their names, values and problems are."""
    plan = PlanDocument("", "failed", (samples * times)[:500])
    text = markdown(plan, "plan.json")
    assert len(text.encode()) <= BUDGET
    assert text.startswith(f"{MARKER}\n")
    assert set(Elements(text).tags) <= OWN


def test_the_whole_plan_is_not_named_where_it_is_not_written() -> None:
    assert "Set MAILOPS_PLAN to get the whole plan as a file." in markdown(fleet(500, 10))
    assert "m365_plan_expected" not in markdown(fleet(1, 1))


def test_a_value_cannot_look_like_a_line_of_the_diff() -> None:
    values = {"a": "x\n- forged\n+ forged"}
    [block] = re.findall(
        r"```diff\n(.*?)\n```", markdown(PlanDocument("", "ok", [HostPlan("a", "changed", [change("m", None, values)])])), re.S
    )
    assert block.splitlines() == ["  add mailbox m", f"+   a: {json.dumps(values['a'])}"]
