# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of Windows Defender Firewall that let devices reach a relay: one rule a port, for the devices' networks only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .._core.errors import MailopsError
from .._core.spec import JOURNAL, Spec
from .._engine.resource import Plan
from .._engine.windows_engine import OnWindowsHost
from .._windows import firewall, networks
from .._windows.firewall import GROUP, PROFILES, Rule
from .._windows.host import WindowsHost

OPTIONS = Spec(
    {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "networks": {"type": "list", "elements": "str", "default": []},
        "ports": {"type": "list", "elements": "int", "default": [25]},
        "profiles": {"type": "list", "elements": "str", "choices": list(PROFILES), "default": []},
    }
)


@dataclass(frozen=True)
class Params:
    """The options."""

    state: str
    networks: tuple[str, ...]
    ports: tuple[int, ...]
    profiles: tuple[str, ...]


@dataclass(frozen=True)
class Changes:
    """`create` and `update` are whole rules, `remove` names."""

    create: tuple[Rule, ...]
    update: tuple[Rule, ...]
    remove: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.create or self.update or self.remove)


class WindowsRelayFirewall(OnWindowsHost):
    """Module windows_relay_firewall."""

    name = "windows_relay_firewall"
    spec = JOURNAL | OPTIONS
    params_type = Params

    def validate(self, params: Params) -> list[str]:
        if params.state == "absent":
            return []
        found = networks.problems("networks", params.networks)
        if not params.ports:
            found.append("ports is empty: name the ports that the relay listens on, such as 25.")
        return found + [f"ports has {port}: a port is a number from 1 to 65535." for port in params.ports if not 0 < port < 65536]

    def plan(self, host: WindowsHost, params: Params, check_mode: bool) -> Plan[Changes]:
        rules = firewall.read(host)
        before = sorted((one for one in rules if one.group == GROUP), key=lambda rule: rule.name)
        after = [] if params.state == "absent" else firewall.desired(params.ports, params.networks, params.profiles)
        current = {one.name.lower(): one for one in before}
        changes = Changes(
            tuple(one for one in after if one.name not in current),
            tuple(one for one in after if one.name in current and not one.same(current[one.name])),
            tuple(one.name for one in before if one.name.lower() not in {each.name for each in after}),
        )
        _refuse_names_of_others(host, rules, changes.create)
        return Plan(
            before=_texts(before),
            after=_texts(after),
            changes=changes or None,
            outcome={"rules": _texts(after)},
            warnings=_others(rules, params) if params.state == "present" else [],
        )

    def apply(self, host: WindowsHost, params: Params, plan: Plan[Changes]) -> dict[str, object]:
        changes = plan.pending
        request = {
            "create": [firewall.request(one) for one in changes.create],
            "update": [firewall.request(one) for one in changes.update],
            "remove": list(changes.remove),
        }
        host.run("firewall_write", "write the firewall's rules", request)
        remaining = self.plan(host, params, False).changes
        if remaining:
            names = sorted({one.name for one in (*remaining.create, *remaining.update)} | set(remaining.remove))
            raise MailopsError(
                f"The firewall of {host.name} does not have the rules {', '.join(names)} as they were written: check them there."
            )
        return plan.outcome


def _refuse_names_of_others(host: WindowsHost, rules: Sequence[Rule], create: Sequence[Rule]) -> None:
    """A rule of this name outside of the group is not of this collection."""
    taken = {one.name.lower(): one for one in rules if one.group != GROUP}
    for rule in create:
        if rule.name in taken:
            other = taken[rule.name]
            shown = f"{other.name} ({other.display_name})"
            raise MailopsError(f"{host.name} has a firewall rule {shown} that is not in the group {GROUP}: rename or remove it.")


def _others(rules: Sequence[Rule], params: Params) -> list[str]:
    """Rules of others that let more addresses reach the relay's ports."""
    sentences = []
    for port in sorted(set(params.ports)):
        names = sorted(one.display_name or one.name for one in rules if one.group != GROUP and one.opens(port) and "Any" not in one.ports)
        if names:
            sentences.append(
                f"Port {port} is open by other rules of the firewall, too: {', '.join(names)}. They are unmanaged; "
                "disable those that let more than the devices' networks in."
            )
    return sentences


def _texts(rules: Sequence[Rule]) -> list[dict[str, object]]:
    return [one.as_result() for one in rules]


RESOURCE = WindowsRelayFirewall()
