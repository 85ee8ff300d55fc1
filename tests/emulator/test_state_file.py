"""The state file against the dataclasses: what is written reads back equal, and what is wrong is named."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator import statefile
from emulator.state import Tenant
from emulator.statefile.codec import slots_of
from tests.emulator.conftest import KeyPair


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    """A document with every key of a tenant."""
    document: dict[str, Any] = json.loads(Path(__file__).with_name("whole_state.json").read_text(encoding="utf-8"))
    document["tenants"][0]["applications"][0]["certificates"] = [{"pem": KeyPair().pem}]
    return document


def test_the_whole_document_has_every_key(whole: dict[str, Any]) -> None:
    """Else the test of the round trip would miss one."""
    written = statefile.state_document(*statefile.parse(whole, Path()))
    with_defaults = {"id", "display_name", "security_defaults", "smtp_client_authentication_disabled", "reject_direct_send"}
    with_defaults |= {"connectors_disabled_by_offer", "reject_spf_hard_fail", "organization_config"}
    assert set(written["tenants"][0]) - with_defaults == set(whole["tenants"][0])
    assert {slot.field.name for slot in slots_of(Tenant)} - {"rbac"} <= set(written["tenants"][0])


def optional_keys(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every key and item of a document."""
    pairs = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    for name, value in pairs:
        yield (*path, name)
        yield from optional_keys(value, (*path, name))


def without(document: dict[str, Any], paths: list[tuple[Any, ...]]) -> dict[str, Any]:
    """The document without these keys and items."""
    result = copy.deepcopy(document)
    for *path, last in sorted(paths, key=lambda one: [str(part).zfill(4) for part in one], reverse=True):
        holder: Any = result
        try:
            for part in path:
                holder = holder[part]
            del holder[last]
        except (KeyError, IndexError, TypeError):
            continue  # gone with something around it
    return result


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_what_is_written_reads_back_equal(whole: dict[str, Any], data: st.DataObject) -> None:
    """For any part of the document that can be read at all; as YAML and as JSON."""
    paths = data.draw(st.lists(st.sampled_from(sorted(optional_keys(whole), key=str)), max_size=6, unique=True))
    try:
        first = statefile.parse(without(whole, paths), Path())
    except statefile.StateError:
        return
    written = statefile.state_document(*first)
    for again in (json.loads(json.dumps(written)), yaml.safe_load(yaml.safe_dump(written))):
        assert statefile.parse(again, Path()) == first
    assert statefile.state_document(*statefile.parse(written, Path())) == written


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_wrong_value_is_named_by_its_path(whole: dict[str, Any], data: st.DataObject) -> None:
    """A value of a type that nothing takes is refused with one sentence that begins with a path to it."""
    place = data.draw(st.sampled_from(sorted(optional_keys(whole), key=str)))
    document = copy.deepcopy(whole)
    holder: Any = document
    for part in place[:-1]:
        holder = holder[part]
    holder[place[-1]] = object()
    free = ("properties", "cas_properties", "transport_config", "organization_config", "options", "offers_app_roles", "replicating")
    if any(part in free for part in place):
        return
    with pytest.raises(statefile.StateError) as caught:
        statefile.parse(document, Path())
    named = str(caught.value).partition(": ")[0]
    assert named.startswith(str(place[0])), (place, str(caught.value))
    assert "\n" not in str(caught.value)


def test_unknown_key_is_refused_with_the_valid_keys(whole: dict[str, Any]) -> None:
    document = copy.deepcopy(whole)
    document["tenants"][0]["mailboxes"][0]["colour"] = "red"
    with pytest.raises(statefile.StateError, match=r"^tenants\[0\]\.mailboxes\[0\]\.colour: is not known here; known: address, aliases, "):
        statefile.parse(document, Path())


@pytest.mark.parametrize(
    ("part", "value", "sentence"),
    [
        ("grants", [{"right": "SendAs"}], r"grants\[0\]: needs exactly one of sid, trustee"),
        ("grants", [{"right": "Own", "sid": "S-1"}], r"grants\[0\]\.right: must be one of FullAccess, "),
        ("grants", [{"right": "SendAs", "trustee": "x"}], r"grants\[0\]\.trustee: 'x' is no mailbox and no Exchange service principal"),
        ("authentication_policy", "Open", "authentication_policy: 'open' is no authentication policy"),
        ("user", {"directory_roles": ["King"]}, r"user\.directory_roles: 'King' is no directory role; known: Exchange Administrator"),
        ("replicating", {"kind": {"until": "soon"}}, r"replicating\.kind\.until: 'soon' is no date"),
        ("aliases", [1], r"aliases\[0\]: must be text, not a whole number"),
    ],
)
def test_invalid_mailbox_names_the_expected_form(whole: dict[str, Any], part: str, value: Any, sentence: str) -> None:
    document = copy.deepcopy(whole)
    document["tenants"][0]["mailboxes"][0][part] = value
    with pytest.raises(statefile.StateError, match=rf"^tenants\[0\]\.mailboxes\[0\]\.{sentence}"):
        statefile.parse(document, Path())
