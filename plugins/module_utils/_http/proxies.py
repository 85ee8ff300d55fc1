# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP proxy of a request, from the environment. Its URL may hold a password.

Sources: RFC 3986 (userinfo; which characters must be percent-encoded); "Proxies" in the documentation of requests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from .._core.errors import InvalidInput

SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
# By the scheme of the request's URL; the first one that is set counts.
VARIABLES = {
    "https": ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"),
    "http": ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"),
}
_UNREADABLE = re.compile(r"[#?\\\s\x00-\x1f\x7f]|%(?![0-9A-Fa-f]{2})")


def check(proxy: str, scheme: str, environment: Mapping[str, str]) -> None:
    """InvalidInput where a proxy's URL cannot be parsed without doubt. The sentence has no part of the URL, which may be a secret.

    `scheme`: that of the request's URL.
    """
    if not _is_valid(proxy):
        variable = next((name for name in VARIABLES[scheme] if environment.get(name) == proxy), "of the system")
        raise InvalidInput(
            f"The proxy {variable} is no URL such as http://user:password@proxy.contoso.com:3128 (its value may be a secret and is not "
            f"shown). Use one of the schemes {', '.join(SCHEMES)}, a host and a port, and write the characters # ? / @ % [ ] \\ and space "
            "of user name and password percent-encoded, such as %23 for #."
        )


def secrets(proxy: str) -> list[str]:
    """The password of a valid proxy URL, as it is written and decoded; and user name with password."""
    userinfo = _split(proxy).netloc.rpartition("@")[0]
    password = userinfo.partition(":")[2]
    return [text for text in (userinfo if password else "", password, unquote(password)) if text]


def _is_valid(proxy: str) -> bool:
    try:
        url = _split(proxy)
        host, port = url.hostname, url.port
    except ValueError:
        return False
    if _UNREADABLE.search(proxy) or url.scheme not in SCHEMES or not host or port == 0 or url.path not in ("", "/"):
        return False
    userinfo = url.netloc.rpartition("@")[0]
    return not any(character in userinfo for character in "@[]") and not (userinfo and "://" not in proxy)


def _split(proxy: str) -> SplitResult:
    """The parts of a proxy's URL, whose scheme is http where it has none."""
    return urlsplit(proxy if "://" in proxy else f"http://{proxy}")
