"""The admin API: read and change the state, add faults, read received messages and counters.

It listens on a port of its own and has no authentication: loopback only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import asdict
from email import message_from_bytes, policy
from typing import Any
from urllib.parse import parse_qs, unquote

from emulator import changes, smtp_clients
from emulator.entra import device_code, users
from emulator.entra.errors import EntraError
from emulator.faults import SERVICES, Fault
from emulator.graph.validate import merge
from emulator.http import MalformedJsonError, Request, Response
from emulator.platform import Platform
from emulator.settings import LAG_KINDS
from emulator.state import Message, Tenant, WindowsHost
from emulator.statefile import StateError
from emulator.statefile.codec import Record

Document = dict[str, Any]
FAULT_KEYS = {"service", "match", "fault", "status", "headers", "body", "count", "options"}


class AdminError(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Admin:
    def __init__(self, platform: Platform, save: Callable[[], None], reset: Callable[[Any], None], windows: Callable[[], Any]) -> None:
        self._platform = platform
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Any]]] = [
            ("GET", re.compile("/health"), lambda request: {"status": "ok"}),
            ("GET", re.compile("/tenants"), self._tenants),
            ("GET", re.compile("/tenants/([^/]+)"), self._tenant),
            ("PATCH", re.compile("/tenants/([^/]+)"), self._patch_tenant),
            ("GET", re.compile("/tenants/([^/]+)/([^/]+)/(.+)"), self._part),
            ("PATCH", re.compile("/tenants/([^/]+)/([^/]+)/(.+)"), self._patch_part),
            ("PUT", re.compile("/tenants/([^/]+)/([^/]+)/(.+)"), self._put_part),
            ("DELETE", re.compile("/tenants/([^/]+)/([^/]+)/(.+)"), self._delete_part),
            ("POST", re.compile("/tenants/([^/]+)/revoke"), self._revoke),
            ("GET", re.compile("/windows"), lambda request: windows()),
            ("GET", re.compile("/windows/([^/]+)"), self._windows_host),
            ("PATCH", re.compile("/windows/([^/]+)"), self._patch_windows_host),
            ("GET", re.compile("/smtp_clients/([^/]+)/([^/]+)"), self._smtp_clients),
            ("GET", re.compile("/device_codes"), lambda request: device_code.waiting(platform)),
            ("POST", re.compile("/device_codes/([^/]+)"), self._device_code),
            ("POST", re.compile("/oidc/([^/]+)/token"), self._id_token),
            ("POST", re.compile("/oidc/([^/]+)/job"), lambda request, name: platform.providers.start_job(name, request.json_object())),
            ("GET", re.compile("/messages"), self._messages),
            ("DELETE", re.compile("/messages"), self._delete_messages),
            ("GET", re.compile("/messages/([0-9]+)/raw"), self._raw_message),
            ("POST", re.compile("/faults"), self._add_fault),
            ("GET", re.compile("/faults"), lambda request: [f.public() for f in platform.faults.all()]),
            ("DELETE", re.compile("/faults"), lambda request: platform.faults.clear()),
            ("PUT", re.compile("/latency"), self._latency),
            ("PUT", re.compile("/lag"), self._lag),
            ("PUT", re.compile("/token_lifetime"), self._token_lifetime),
            ("GET", re.compile("/clock"), lambda request: self._time()),
            ("POST", re.compile("/clock"), self._advance),
            ("GET", re.compile("/requests"), lambda request: platform.counters.all()),
            ("GET", re.compile("/in_flight"), lambda request: dict(platform.in_flight)),
            ("DELETE", re.compile("/requests"), lambda request: platform.counters.clear()),
            ("GET", re.compile("/accounts/([^/]+)"), lambda request, provider: changes.accounts(platform.state, provider)),
            ("PUT", re.compile("/accounts/([^/]+)"), self._accounts),
            ("POST", re.compile("/save"), lambda request: save()),
            ("POST", re.compile("/reset"), lambda request: reset(request.json_object().get("state") if request.body else None)),
        ]

    def handle(self, request: Request) -> Response:
        for method, pattern, operation in self._routes:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                try:
                    answer = operation(request, *(unquote(group) for group in match.groups()))
                except AdminError as error:
                    return Response(error.status, {"error": str(error)})
                except EntraError as error:
                    return Response(400, {"error": error.text, "code": error.code})
                except (StateError, MalformedJsonError) as error:
                    return Response(400, {"error": str(error)})
                if isinstance(answer, Response):
                    return answer
                return Response(204) if answer is None else Response(200, answer)
        return Response(404, {"error": f"no {request.method} {request.path}"})

    def _find(self, name: str) -> Tenant:
        result: Tenant | None = self._platform.state.tenant(name)
        if result is None:
            raise AdminError(404, f"no tenant {name!r}")
        return result

    def _tenants(self, request: Request) -> list[Document]:
        return [{"id": t.id, "initial_domain": t.initial_domain} for t in self._platform.state.tenants.values()]

    def _tenant(self, request: Request, name: str) -> Document:
        return tenant_document(self._find(name))

    def _patch_tenant(self, request: Request, name: str) -> Document:
        tenant = self._find(name)
        changes.patch_tenant(tenant, request.json_object())
        return tenant_document(tenant)

    def _collection(self, name: str) -> changes.Collection:
        try:
            return changes.COLLECTIONS[name]
        except KeyError:
            raise AdminError(404, f"no {name!r}; known: {', '.join(changes.COLLECTIONS)}") from None

    def _part(self, request: Request, tenant: str, kind: str, key: str) -> Document:
        result = self._collection(kind).document(self._find(tenant), key)
        if result is None:
            raise AdminError(404, f"no {key!r} in {kind}")
        return result

    def _patch_part(self, request: Request, tenant: str, kind: str, key: str) -> Document:
        old = self._part(request, tenant, kind, key)
        return self._collection(kind).put(self._find(tenant), key, merge(old, request.json_object()))

    def _put_part(self, request: Request, tenant: str, kind: str, key: str) -> Document:
        return self._collection(kind).put(self._find(tenant), key, request.json_object())

    def _delete_part(self, request: Request, tenant: str, kind: str, key: str) -> None:
        self._part(request, tenant, kind, key)
        self._collection(kind).delete(self._find(tenant), key)

    def _find_windows_host(self, name: str) -> WindowsHost:
        host = next((one for one in self._platform.state.windows if one.name.lower() == name.lower()), None)
        if host is None:
            raise AdminError(404, f"no Windows host {name!r}")
        return host

    def _windows_host(self, request: Request, name: str) -> Document:
        return Record(WindowsHost).write(self._find_windows_host(name))

    def _patch_windows_host(self, request: Request, name: str) -> Document:
        host = self._find_windows_host(name)
        changes.patch_windows_host(host, request.json_object())
        return Record(WindowsHost).write(host)

    def _revoke(self, request: Request, name: str) -> None:
        """What revokeSignInSessions, and a password reset, does to a user's refresh tokens."""
        user = users.find_user(self._find(name), str(request.json_object().get("user", "")))
        user.user.tokens_valid_from = self._platform.now

    def _id_token(self, request: Request, name: str) -> Document:
        """A token of an emulated identity provider, as a workload has it in a file or a variable."""
        requested = request.json_object()
        lifetime = float(requested.pop("lifetime", 300.0))
        return {"issuer": self._platform.providers.issuer(name), "token": self._platform.providers.issue(name, requested, lifetime)}

    def _device_code(self, request: Request, user_code: str) -> Document:
        return device_code.answer(self._platform, user_code, request.json_object())

    def _accounts(self, request: Request, provider: str) -> list[Document]:
        changes.replace_accounts(self._platform.state, provider, request.json_object().get("accounts"))
        return changes.accounts(self._platform.state, provider)

    def _smtp_clients(self, request: Request, name: str, dialect: str) -> Response:
        if dialect not in smtp_clients.DIALECTS:
            raise AdminError(404, f"no dialect {dialect!r}; known: {', '.join(smtp_clients.DIALECTS)}")
        return Response(200, smtp_clients.export(self._platform, self._find(name), dialect), {"content-type": "text/csv"})

    def _messages(self, request: Request) -> list[Document]:
        requested = {name: values[0] for name, values in parse_qs(request.query).items()}
        if "tenant" in requested:
            requested["tenant"] = self._find(requested["tenant"]).id
        fitting = [one for one in self._platform.state.messages if _is_for(one, requested)]
        return [listed for listed in map(message_document, fitting) if _matches(listed, requested)]

    def _delete_messages(self, request: Request) -> None:
        self._platform.state.messages.clear()

    def _raw_message(self, request: Request, number: str) -> Response:
        match = next((m for m in self._platform.state.messages if m.number == int(number)), None)
        if match is None:
            raise AdminError(404, f"no message {number}")
        return Response(200, match.raw, {"content-type": "message/rfc822"})

    def _add_fault(self, request: Request) -> Document:
        order = request.json_object()
        unknown = order.keys() - FAULT_KEYS
        if unknown or order.get("service") not in SERVICES:
            raise AdminError(400, f"a fault has {', '.join(sorted(FAULT_KEYS))}; its service is one of {', '.join(SERVICES)}")
        fault = Fault(
            service=order["service"],
            name=order.get("fault"),
            match={name: str(value) for name, value in order.get("match", {}).items()},
            status=order.get("status"),
            headers={name: str(value) for name, value in order.get("headers", {}).items()},
            body=order.get("body"),
            count=order.get("count", 1),
            options=order.get("options", {}),
        )
        if fault.name is not None and not changes.fault_exists(fault):
            raise AdminError(400, f"{fault.service} has no fault {fault.name!r}")
        return self._platform.faults.add(fault).public()

    def _latency(self, request: Request) -> Document:
        return dict(self._platform.faults.set_latency(_seconds(request, SERVICES)))

    def _lag(self, request: Request) -> Document:
        self._platform.settings.lag |= _seconds(request, LAG_KINDS)
        return dict(self._platform.settings.lag)

    def _token_lifetime(self, request: Request) -> Document:
        seconds = request.json_object().get("seconds")
        if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 1:
            raise AdminError(400, "seconds: give a whole number, at least 1")
        self._platform.settings.token_lifetime = seconds
        return {"seconds": seconds}

    def _advance(self, request: Request) -> Document:
        change = request.json_object()
        if "stopped" in change:
            self._platform.clock.stopped = change["stopped"] is True
        self._platform.clock.offset += float(change.get("advance", 0))
        return self._time()

    def _time(self) -> Document:
        return {"now": self._platform.now, "offset": self._platform.clock.offset, "stopped": self._platform.clock.stopped}


def tenant_document(tenant: Tenant) -> Document:
    return Record(Tenant).write(tenant)


def _seconds(request: Request, known: Collection[str]) -> dict[str, float]:
    values = request.json_object()
    for name, value in values.items():
        if name not in known or isinstance(value, bool) or not isinstance(value, (int, float)):
            raise AdminError(400, f"{name}: give seconds for one of {', '.join(known)}")
    return {name: float(value) for name, value in values.items()}


def message_document(message: Message) -> Document:
    """A message with the headers that tests look for; its body is not read."""
    parsed = message_from_bytes(message.raw.partition(b"\r\n\r\n")[0], policy=policy.compat32)
    result = asdict(message)
    del result["raw"]
    result["tenant"] = result.pop("tenant_id")
    header = {name: str(parsed[name]) if parsed[name] is not None else None for name in ("From", "Subject", "Message-ID")}
    own = {"header_from": header["From"], "subject": header["Subject"], "message_id": header["Message-ID"]}
    return result | own | {"size": len(message.raw)}


def _is_for(message: Message, requested: dict[str, str]) -> bool:
    """Whether tenant and recipient fit, which needs no reading of the message."""
    if requested.get("tenant", message.tenant_id) != message.tenant_id:
        return False
    recipient = requested.get("recipient", "").lower()
    return not recipient or recipient in (one.lower() for one in message.recipients)


def _matches(message: Document, requested: dict[str, str]) -> bool:
    for name, value in requested.items():
        if name == "recipient":
            continue
        if name == "message_id":
            if (message["message_id"] or "").strip("<>") != value.strip("<>"):
                return False
        elif str(message.get(name)) != value:
            return False
    return True
