"""Sender Policy Framework at the MX: whether the client may send in the name of the envelope sender's domain.

Sources: RFC 7208 (check_host, without macros and ptr); "Anti-spam message headers in Microsoft 365" for the headers.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

import dns.rdata
from dns.rdtypes.ANY.TXT import TXT

from emulator.dns.zones import View, holder_of
from emulator.state import State

_RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_TERM = re.compile(r"([-+?~]?)(all|include|a|mx|ip4|ip6|exists|ptr|redirect|exp)(?:[:=]([^/]+))?(?:/(\d+))?(?://(\d+))?", re.I)
_WORDS = {
    "pass": ("Pass", "domain of {domain} designates {source} as permitted sender"),
    "fail": ("Fail", "domain of {domain} does not designate {source} as permitted sender"),
    "softfail": ("SoftFail", "domain of transitioning {domain} discourages use of {source} as permitted sender"),
    "neutral": ("Neutral", "{source} is neither permitted nor denied by domain of {domain}"),
    "none": ("None", "{domain} does not designate permitted sender hosts"),
    "permerror": ("PermError", "domain of {domain} used an invalid SPF mechanism"),
}
_LOOKUPS = 10
NAME = "protection.outlook.com"


@dataclass(frozen=True)
class Verdict:
    result: str
    domain: str
    source: str

    def header(self, helo: str) -> bytes:
        """The two fields that the service puts before a message."""
        word, output = _WORDS[self.result]
        text = output.format(domain=self.domain, source=self.source)
        lines = [
            f"Authentication-Results: spf={self.result} (sender IP is {self.source})",
            f" smtp.mailfrom={self.domain}",
            f"Received-SPF: {word} ({NAME}: {text})",
            f" receiver={NAME}; client-ip={self.source}; helo={helo}",
        ]
        return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace")


class _Broken(Exception):  # noqa: N818 - a result
    """The record is an error."""


def judge(state: State, source: str, sender: str) -> Verdict | None:
    """The verdict; None where the state has no zone for the domain, and for the empty reverse-path."""
    domain = sender.rpartition("@")[2].lower()
    labels = domain.split(".")
    if not domain or all(holder_of(state, ".".join(labels[i:])) is None for i in range(len(labels))):
        return None
    try:
        result = _Check(state, source).host(domain)
    except _Broken:
        result = "permerror"
    return Verdict(result, domain, source)


class _Check:
    def __init__(self, state: State, source: str) -> None:
        self._view, self._source, self._lookups = View(state), ipaddress.ip_address(source), 0

    def host(self, domain: str) -> str:
        records = [text for text in self._texts(domain) if re.match(r"v=spf1(?: |$)", text, re.I)]
        if len(records) > 1:
            raise _Broken
        return self._record(records[0], domain) if records else "none"

    def _record(self, record: str, domain: str) -> str:
        redirect = ""
        for word in record.split()[1:]:
            term = _TERM.fullmatch(word)
            if term is None:
                if re.fullmatch(r"[A-Za-z][\w.-]*=.*", word):
                    continue
                raise _Broken
            name, value = term[2].lower(), (term[3] or "").lower()
            if name == "redirect":
                redirect = value
            elif name != "exp" and self._matches(name, value, term, domain):
                return _RESULTS[term[1] or "+"]
        if not redirect:
            return "neutral"
        self._count()
        return self._nested(redirect)

    def _nested(self, domain: str) -> str:
        result = self.host(domain)
        if result == "none":
            raise _Broken
        return result

    def _matches(self, name: str, value: str, term: re.Match[str], domain: str) -> bool:
        if name == "all":
            return True
        if name in ("ip4", "ip6"):
            return self._in_network(value, term[4])
        self._count()
        if name == "include":
            return self._nested(value) == "pass"
        if name == "exists":
            return bool(self._view.find(value, "A").records)
        if name == "ptr":
            return False
        hosts = [value or domain]
        if name == "mx":
            hosts = [one.data.split()[1].rstrip(".") for one in self._view.find(value or domain, "MX").records]
        four = self._source.version == 4
        prefix = term[4] if four else term[5]
        return any(
            self._in_network(one.data, prefix) for host in hosts for one in self._view.find(host.lower(), "A" if four else "AAAA").records
        )

    def _in_network(self, address: str, prefix: str | None) -> bool:
        try:
            return self._source in ipaddress.ip_network(f"{address}/{prefix}" if prefix else address, strict=False)
        except ValueError:
            raise _Broken from None

    def _count(self) -> None:
        self._lookups += 1
        if self._lookups > _LOOKUPS:
            raise _Broken

    def _texts(self, domain: str) -> list[str]:
        result = self._view.find(domain, "TXT").records
        return [b"".join(_strings(one.data)).decode("ascii", "replace") for one in result]


def _strings(data: str) -> tuple[bytes, ...]:
    rdata = dns.rdata.from_text("IN", "TXT", data)
    return rdata.strings if isinstance(rdata, TXT) else ()
