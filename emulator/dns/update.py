"""Dynamic updates of zones (RFC 2136): prerequisites, then changes, all or none."""

from __future__ import annotations

from collections.abc import Iterable

import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.update

from emulator.dns.zones import View, holder_of
from emulator.state import DnsRecord
from emulator.statefile.dns import KINDS, plain

ANY, NONE = dns.rdataclass.ANY, dns.rdataclass.NONE


class _Refused(Exception):  # noqa: N818 - a reply, not a fault of ours
    def __init__(self, code: dns.rcode.Rcode) -> None:
        super().__init__(dns.rcode.to_text(code))
        self.code = code


def apply(view: View, message: dns.update.UpdateMessage, *, signed: bool) -> dns.rcode.Rcode:
    """The response code of an update, after it is done; only who signs may change something."""
    if len(message.zone) != 1 or message.zone[0].rdtype != dns.rdatatype.SOA:
        return dns.rcode.FORMERR
    state = view.state
    origin = plain(message.zone[0].name)
    if holder_of(state, origin) is None and not _adopt(view, origin):
        return dns.rcode.NOTAUTH
    if not signed:
        return dns.rcode.REFUSED
    records = holder_of(state, origin) or []
    try:
        _check(records, origin, message.prerequisite)
        changed = _changed(records, origin, message.update)
    except _Refused as refused:
        return refused.code
    if changed != records:
        records[:] = changed
        state.dns.serial += 1
    return dns.rcode.NOERROR


def _adopt(view: View, origin: str) -> bool:
    """A tenant's domain without a zone of its own gets one, with what was implied."""
    tenant = view.state.tenant(origin)
    if tenant is None:
        return False
    tenant.dns[origin] = view.implied(origin)
    return True


def _check(records: list[DnsRecord], origin: str, section: Iterable[dns.rrset.RRset]) -> None:
    """RFC 2136, section 3.2."""
    requested: dict[tuple[str, str], set[str]] = {}
    for rrset in section:
        name, kind = _key(rrset, origin)
        here = [one for one in records if one.name == name and (kind == "ANY" or one.kind == kind)]
        if rrset.deleting == ANY and not here:
            raise _Refused(dns.rcode.NXDOMAIN if kind == "ANY" else dns.rcode.NXRRSET)
        if rrset.deleting == NONE and here:
            raise _Refused(dns.rcode.YXDOMAIN if kind == "ANY" else dns.rcode.YXRRSET)
        if rrset.deleting is None:
            requested.setdefault((name, kind), set()).update(item.to_text() for item in rrset)
    for (name, kind), values in requested.items():
        if values != {one.data for one in records if (one.name, one.kind) == (name, kind)}:
            raise _Refused(dns.rcode.NXRRSET)


def _changed(records: list[DnsRecord], origin: str, section: Iterable[dns.rrset.RRset]) -> list[DnsRecord]:
    """RFC 2136, section 3.4, on a copy."""
    matches = [DnsRecord(**vars(one)) for one in records]
    for rrset in section:
        name, kind = _key(rrset, origin)
        values = [item.to_text() for item in rrset]
        if rrset.deleting == ANY:
            matches = [one for one in matches if not (one.name == name and kind in ("ANY", one.kind))]
        elif rrset.deleting == NONE:
            matches = [one for one in matches if not ((one.name, one.kind) == (name, kind) and one.data in values)]
        elif kind not in KINDS:
            raise _Refused(dns.rcode.REFUSED)
        elif any(one.name == name and (one.kind == "CNAME") != (kind == "CNAME") for one in matches):
            continue  # a name with a CNAME record has no other (section 3.4.2.2)
        else:
            matches = [one for one in matches if not ((one.name, one.kind) == (name, kind) and one.data in values)]
            matches += [DnsRecord(name, kind, value, rrset.ttl) for value in values]
            for one in matches:  # the records of one set have one time to live (RFC 2181, section 5.2)
                if (one.name, one.kind) == (name, kind):
                    one.ttl = rrset.ttl
    return matches


def _key(rrset: dns.rrset.RRset, origin: str) -> tuple[str, str]:
    name = plain(rrset.name)
    if name != origin and not name.endswith(f".{origin}"):
        raise _Refused(dns.rcode.NOTZONE)
    return name, dns.rdatatype.to_text(rrset.rdtype)
