"""Every entry of the error catalog has the service's own text, and names variables of the inventory."""

from __future__ import annotations

import re

from ansible_collections.mailops.m365.plugins.module_utils.error_catalog import ENTRIES, ErrorEntry

from .test_roles import specs
from .tree import for_every, roles

VARIABLES = {variable for role in roles() for options in specs(role).values() for variable in options}
each_entry = for_every("entry", ENTRIES, lambda entry: f"{entry.service}-{entry.id}-{entry.code}")


@each_entry
def test_entry_has_a_sample(entry: ErrorEntry) -> None:
    assert entry.sample
    assert entry.sample == entry.sample.strip()
    assert "\n" not in entry.sample
    assert not entry.text or re.search(entry.text, entry.sample) or entry.id == "connector-disabled"


@each_entry
def test_variables_are_of_the_inventory(entry: ErrorEntry) -> None:
    assert set(entry.variables) <= VARIABLES
    assert len(set(entry.variables)) == len(entry.variables)


@each_entry
def test_variables_of_the_remedy_are_listed(entry: ErrorEntry) -> None:
    named = {word for word in re.findall(r"\b[a-z]\w*_\w+", entry.remedy) if word in VARIABLES}
    assert named <= set(entry.variables)


def test_most_entries_of_settings_name_a_variable() -> None:
    assert sum(bool(entry.variables) for entry in ENTRIES) > len(ENTRIES) / 2
