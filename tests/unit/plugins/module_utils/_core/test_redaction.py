# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import html
import json
import secrets as generator
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.mailops.m365.plugins.module_utils import error_catalog
from ansible_collections.mailops.m365.plugins.module_utils._core.redaction import HIDDEN, hide, hide_in_own, is_ordinary
from hypothesis import given, settings
from hypothesis import strategies as st

# Not the characters that mark the edges in the tests.
_CHARACTERS = st.characters(codec="utf-8", exclude_characters="*<>")
SECRETS = st.one_of(
    st.text(alphabet=_CHARACTERS, min_size=1, max_size=60),
    st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=20),
    st.text(alphabet="0123456789", min_size=1, max_size=20),
    st.text(alphabet="aZ9#?/@%:+=&\"'\\ ", min_size=1, max_size=20),
)


def dot_net(text: str) -> str:
    """JSON as System.Text.Json writes it."""
    return "".join(f"\\u{ord(c):04X}" if c in "\"'&+`" else c for c in json.dumps(text)[1:-1].replace('\\"', '"'))


PLAIN_FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON of UTF-8": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "JSON of .NET": dot_net,
    "URL": lambda secret: quote(secret, safe=""),
    "URL in lower case": lambda secret: "".join(c if c.isalnum() and c.isascii() else quote(c, safe="").lower() for c in secret),
    "form": quote_plus,
    "HTML": html.escape,
}
BASE64_FORMS: dict[str, Callable[[str], bytes]] = {
    "the secret": str.encode,
    "HTTP Basic": lambda secret: f"user:{secret}".encode(),
    "AUTH PLAIN": lambda secret: f"\0scanner@contoso.com\0{secret}".encode(),
    "AUTH PLAIN with authorization identity": lambda secret: f"ab\0user\0{secret}".encode(),
    "XOAUTH2": lambda secret: f"user=erp@contoso.com\x01auth=Bearer {secret}\x01\x01".encode(),
}


@pytest.mark.parametrize("form", PLAIN_FORMS)
@settings(max_examples=30)
@given(secret=SECRETS)
def test_secret_of_any_length_is_hidden_in_every_form(form: str, secret: str) -> None:
    written = PLAIN_FORMS[form](secret)
    assert hide(f"<{written}>", [secret]) == f"<{HIDDEN}>"


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("form", BASE64_FORMS)
@settings(max_examples=30)
@given(secret=SECRETS)
def test_secret_is_hidden_in_base64_with_what_surrounds_it(form: str, encode: Callable[[bytes], bytes], secret: str) -> None:
    encoded = encode(BASE64_FORMS[form](secret)).decode()
    for written in (encoded, encoded.rstrip("="), quote(encoded, safe="")):
        assert written not in hide(f"AUTH PLAIN {written} refused", [secret])
        assert written[4:-4] not in hide(f"x<{written}>", [secret]) or len(written) < 12


@given(
    secret=st.text(alphabet=st.characters(categories=["L", "N"]), min_size=1, max_size=20).filter(lambda text: text not in "userhttps3A2C")
)
def test_secret_is_hidden_after_an_escape_sequence(secret: str) -> None:
    """An escape sequence ends with a letter or a digit, which is not part of the word that follows."""
    escaped = quote(secret, safe="")
    assert hide(f"https://user:{escaped}@-", [secret]) == f"https://user:{HIDDEN}@-"
    assert hide(f"<%3A{escaped}%2C>", [secret]) == f"<%3A{HIDDEN}%2C>"
    assert hide(f"<\\n{secret}\\u0001{secret}>", [secret]) == f"<\\n{HIDDEN}\\u0001{HIDDEN}>"


@settings(max_examples=30)
@given(secret=SECRETS.filter(lambda secret: not is_ordinary(secret)))
def test_secret_that_is_no_word_is_hidden_inside_words(secret: str) -> None:
    assert hide(f"x{secret}x", [secret]) == hide_in_own(f"x{secret}x", [secret]) == f"x{HIDDEN}x"


@pytest.mark.parametrize("word", ["mail", "send", "the", "is", "s", "password", "permission", "587", "2026", "accepted"])
def test_own_texts_keep_the_words_that_a_secret_consists_of(word: str) -> None:
    for entry in error_catalog.ENTRIES:
        assert hide_in_own([entry.cause, entry.remedy], [word]) == [entry.cause, entry.remedy]
    assert hide_in_own(f"could not read x{word}x", [word]) == hide(f"could not read x{word}x", [word]) == f"could not read x{word}x"


@pytest.mark.parametrize(
    "text",
    ["password is '{}'", 'password is "{}".', "client_secret={}&x", "https://user:{}@proxy:3128", "{}", "password={}", 'key: \\n"{}"'],
)
@pytest.mark.parametrize("word", ["mail", "permission", "1234"])
def test_own_texts_hide_the_value_that_an_ordinary_word_is(text: str, word: str) -> None:
    assert hide_in_own(text.format(word), [word]) == text.format(HIDDEN)


def test_texts_of_services_hide_an_ordinary_word_at_its_boundaries() -> None:
    assert hide("535 bad password mail, mailbox mail_box", ["mail"]) == f"535 bad password {HIDDEN}, mailbox mail_box"
    assert hide_in_own({"service_message": "no mail here", "reason": "no mail here"}, ["mail"]) == {
        "service_message": f"no {HIDDEN} here",
        "reason": "no mail here",
    }


def test_the_longest_secret_is_hidden_first() -> None:
    assert hide("<p4ss phrase more>", ["p4ss", "p4ss phrase more"]) == f"<{HIDDEN}>"


def test_nothing_else_is_touched() -> None:
    assert hide("words", []) == hide("words", [""]) == hide("words", ["other"]) == "words"
    content = {"a": ["x s3cret-s3cret", 1, None, True], "b": {"c": "s3cret-s3cret"}}
    assert hide_in_own(content, ["s3cret-s3cret"]) == {"a": ["x ********", 1, None, True], "b": {"c": "********"}}


def test_a_long_answer_is_searched_quickly() -> None:
    answer = json.dumps([{"mail": f"user{n}@contoso.com", "id": generator.token_hex(16)} for n in range(40_000)])
    started = time.process_time()
    assert hide(answer, [generator.token_urlsafe(40), generator.token_urlsafe(1200)]) == answer
    assert time.process_time() - started < 0.5
