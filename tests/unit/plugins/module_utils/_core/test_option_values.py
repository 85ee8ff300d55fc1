# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of values against a spec: Ansible's own validator is the measure of what is accepted."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailops.m365.plugins.module_utils._core.option_values import check, item_label, nearest, without_unset
from ansible_collections.mailops.m365.plugins.module_utils._core.spec import Spec

DEVICE = {
    "name": {"type": "str", "required": True},
    "kind": {"type": "str", "choices": ["printer", "scanner"], "default": "scanner"},
    "fast": {"type": "bool"},
    "rate": {"type": "int", "default": 1},
    "parts": {"type": "list", "elements": "str", "default": []},
    "link": {"type": "dict", "options": {"port": {"type": "int"}, "file": {"type": "path"}}},
}
SPEC = Spec(
    {
        "devices": {"type": "list", "elements": "dict", "options": DEVICE},
        "password": {"type": "str", "no_log": True},
        "exclusive": {"type": "bool", "default": False},
        "mode": {"type": "str", "choices": ["one", "two"], "default": "one"},
        "count": {"type": "int"},
        "anything": {"type": "raw"},
    },
    mutually_exclusive=(("password", "count"),),
    required_one_of=(("devices", "anything"),),
    required_together=(("count", "anything"),),
    required_if=(("mode", "two", ("count",)),),
)
NAMES = {"devices": "site_devices", "count": "site_count", "anything": "site_anything", "mode": "site_mode", "exclusive": "site_exclusive"}


def problems(**values: Any) -> list[str]:
    return check(SPEC, {"devices": [], **values}, NAMES)[1]


@pytest.mark.parametrize("values", [
    {"devices": [{"name": "A"}]},
    {"devices": [{"name": "A", "fast": "yes", "rate": "7", "parts": "a,b", "link": {"port": "25", "file": "~/x"}}]},
    {"devices": [{"name": 7, "rate": None, "kind": None, "link": None}], "exclusive": "false"},
    {"devices": None, "anything": {"a": [1]}, "count": 3.0},
    {"devices": [], "exclusive": 0, "password": "geheim"},
    {"devices": [], "mode": None, "count": None, "exclusive": "T"},
])  # fmt: skip
def test_accepted_values_are_those_of_ansible(values: dict[str, Any]) -> None:
    filled, sentences = check(SPEC, values)
    validator = ArgumentSpecValidator(SPEC.options, SPEC.mutually_exclusive, SPEC.required_together, SPEC.required_one_of, SPEC.required_if)
    result = validator.validate(without_unset(values))
    assert (sentences, result.error_messages) == ([], [])
    assert filled == result.validated_parameters


@pytest.mark.parametrize(("values", "sentence"), [
    ({"devices": [{"name": "Copier", "kind": "printr"}]},
     "site_devices: Copier: kind is 'printr': did you mean printer? The choices are printer, scanner."),
    ({"devices": [{"name": "Copier", "kind": "fax"}]}, "site_devices: Copier: kind is 'fax': use one of printer, scanner."),
    ({"devices": [{"nmae": "Copier"}]}, None),
    ({"devices": [{"name": "Copier", "rte": 3}]}, "site_devices: Copier: rte is no option: did you mean rate?"),
    ({"devices": [{"name": "Copier", "colour": 3}]},
     "site_devices: Copier: colour is no option: the options are fast, kind, link, name, parts, rate."),
    ({"devices": [{"name": "Copier", "fast": "maybe"}]}, "site_devices: Copier: fast is 'maybe': give true or false."),
    ({"devices": [{"name": "Copier", "rate": "many"}]}, "site_devices: Copier: rate is 'many': give a whole number."),
    ({"devices": [{"name": "Copier", "rate": 1.5}]}, "site_devices: Copier: rate is 1.5: give a whole number."),
    ({"devices": [{"name": ["Copier"]}]}, "site_devices: item 1: name is ['Copier']: give a text."),
    ({"devices": [{"name": "Copier", "parts": {"a": 1}}]}, "site_devices: Copier: parts is {'a': 1}: give a list."),
    ({"devices": [{"name": "Copier", "link": {"prt": 1}}]}, "site_devices: Copier: prt is no option: did you mean port?"),
    ({"devices": [{"name": "Copier", "link": {"port": "x"}}]}, "site_devices: Copier: link.port is 'x': give a whole number."),
    ({"devices": [{"name": "Copier", "parts": ["a", None]}]}, "site_devices: Copier: parts holds an empty item: remove it."),
    ({"devices": ["Copier"]}, "site_devices holds 'Copier': give options with their values (a mapping)."),
    ({"devices": 5.5, "exclusive": "perhaps"}, None),
    ({"password": ["geheim"]}, "password has another type: give a text."),
    ({"devices": None}, "site_devices or site_anything is missing: set one of them."),
    ({"password": "p", "count": 1, "anything": 1}, "password and site_count are both set: set one of them."),
    ({"count": 1}, "site_anything is missing: site_count and site_anything are set together."),
    ({"mode": "two"}, "site_count is missing: site_mode is two."),
])  # fmt: skip
def test_a_problem_names_variable_item_and_option(values: dict[str, Any], sentence: str | None) -> None:
    assert not sentence or problems(**values) == [sentence]
    assert problems(**values)


def test_all_problems_at_once() -> None:
    sentences = problems(devices=[{"nmae": "A", "kind": "x"}, {"name": "B", "fast": 9}], exclusive="so", unknwon=1)
    assert [text.split(": ")[:2] for text in sentences] == [
        ["unknwon is no option", "the options are anything, count, devices, exclusive, mode, password."],
        ["site_devices", "item 1"],
        ["site_devices", "item 1"],
        ["site_devices", "item 1"],
        ["site_devices", "B"],
        ["site_exclusive is 'so'", "give true or false."],
    ]


def test_a_long_value_is_shortened_and_a_secret_is_never_in_a_sentence() -> None:
    [sentence] = problems(mode="x" * 500)
    assert len(sentence) < 150
    assert "geheim" not in str(problems(password={"a": "geheim"}))


def test_an_item_is_named_by_its_name_or_address() -> None:
    assert item_label({"name": " Third\nfloor "}, 1) == "Third floor"
    assert item_label({"name": "", "address": "a@contoso.com"}, 1) == "a@contoso.com"
    assert item_label({"state": "absent"}, 3) == item_label(7, 3) == "item 3"


def test_the_nearest_name() -> None:
    assert nearest("m365_sender", ["m365_senders", "m365_relays"]) == "m365_senders"
    assert nearest("colour", ["rate", "name"]) == ""
