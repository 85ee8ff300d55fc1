# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy's password is never in an error, whatever its characters; a URL that cannot be parsed is refused before any request."""

from __future__ import annotations

import socket
from urllib.parse import quote

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._http import proxies
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Request, Session
from hypothesis import given, settings
from hypothesis import strategies as st

READ = Request("GET", "https://graph.microsoft.com/v1.0/x")
VARIABLES = ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    "userinfo",
    ["geh#eim", "geh?eim", "geh/eim", "geh@eim", "geh%eim", "12#eim", "geh[eim", "geh]eim", "geh eim", "geh\\eim", "geh\teim", "geh%2"],
)
def test_password_with_a_character_that_splits_urls_is_refused_without_being_printed(
    monkeypatch: pytest.MonkeyPatch, variable: str, userinfo: str
) -> None:
    monkeypatch.setenv(variable, f"http://erp:{userinfo}@127.0.0.1:3128")
    with pytest.raises(InvalidInput) as refused:
        Session()(READ)
    text = str(refused.value)
    assert text.startswith(f"The proxy {variable} is no URL such as http://user:password@")
    assert "percent-encoded" in text
    assert not any(part in text for part in ("geh", "eim", "12#", "erp"))


@pytest.mark.parametrize(
    "value",
    ["ftp://erp:geheim@127.0.0.1:21", "http://erp:geheim@", "http:/erp:geheim@h", "http://erp:geheim@h:99999", "http://erp:geheim@h:0",
     "http://erp:geheim@h:port", "http://erp:geheim@h/path", "://erp:geheim@h", "erp:geheim@h:3128", "http://[::1"],
)  # fmt: skip
def test_invalid_proxy_is_refused_without_its_password(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    with pytest.raises(InvalidInput) as refused:
        Session()(READ)
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize(
    "value", ["http://erp:geh%23eim@127.0.0.1:{}", "http://erp:geheim@127.0.0.1:{}", "http://127.0.0.1:{}/", "127.0.0.1:{}"]
)
def test_valid_proxy_is_used(monkeypatch: pytest.MonkeyPatch, value: str, closed_port: int) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value.format(closed_port))
    with pytest.raises(ConnectionError, match="the connection was refused"):
        Session()(READ)


def test_invalid_proxy_that_a_request_does_not_use_is_no_problem(monkeypatch: pytest.MonkeyPatch, closed_port: int) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://erp:geh#eim@127.0.0.1:3128")
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    with pytest.raises(ConnectionError, match="the connection was refused"):
        Session()(Request("GET", f"https://127.0.0.1:{closed_port}/"))


@settings(max_examples=50)
@given(password=st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=30))
def test_password_is_accepted_percent_encoded_and_never_printed(password: str) -> None:
    proxies.check(f"http://erp:{quote(password, safe='')}@proxy:3128", "https", {})
    raw = f"http://erp:{password}@proxy#"
    assert refusal(raw) == refusal("#")


def refusal(proxy: str) -> str:
    with pytest.raises(InvalidInput) as refused:
        proxies.check(proxy, "https", {"HTTPS_PROXY": proxy})
    return str(refused.value)


def test_secrets_of_a_proxy_are_its_password_in_both_forms() -> None:
    assert proxies.secrets("http://erp:geh%23eim@proxy:3128") == ["erp:geh%23eim", "geh%23eim", "geh#eim"]
    assert proxies.secrets("http://proxy:3128") == proxies.secrets("http://erp@proxy:3128") == []
