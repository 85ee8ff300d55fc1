"""The input of the scripts of Windows hosts."""

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._windows.powershell import input_lines
from hypothesis import given
from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


def test_no_request_is_no_input() -> None:
    assert input_lines(None) == ""


@given(st.dictionaries(st.text(), JSON), st.lists(st.text(min_size=1)))
def test_lines_are_ascii_and_one_a_value(request: dict[str, object], secrets: list[str]) -> None:
    text = input_lines(request, secrets)
    assert text.isascii()
    # Connection plugins split at all ends of lines that str.splitlines knows, such as U+2028 and form feed.
    first, *rest = text.splitlines()
    assert json.loads(first) == request
    assert [base64.b64decode(line).decode() for line in rest] == secrets


def test_the_request_has_no_secret() -> None:
    assert input_lines({"name": "a"}, ["pass word"]) == '{"name":"a"}\ncGFzcyB3b3Jk\n'


@pytest.mark.parametrize(("request_", "secrets"), [(None, ["x"]), ({}, [""]), ({}, ["x", ""])])
def test_an_empty_secret_or_one_without_a_request_is_refused(request_: dict[str, object] | None, secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="secret"):
        input_lines(request_, secrets)
