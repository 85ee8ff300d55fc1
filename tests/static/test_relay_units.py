"""The sandboxes of the relay's units: what Postfix's programs need to run, and which files they must not read."""

from __future__ import annotations

import re
from pathlib import Path

from .tree import for_every

# The others read what these write down. connection-limits configures the packet filter of the host's network, which metrics reads: neither
# has IP.
NETWORK = {"proxy", "sasl", "token", "upstream-check", "connection-limits", "metrics"}
UNITS = Path(__file__).resolve().parent.parent.parent / "roles" / "relay_host" / "templates"


@for_every("unit", ["monitor", "queue-actions", "metrics"])
def test_postfixs_programs_run_in_the_sandbox(unit: str) -> None:
    """Measured on 3.7 and 3.10: with IP but no netlink postqueue and postfix give up (getifaddrs), without IP they warn every time."""
    text = next(UNITS.rglob(f"mailops-relay-{unit}.service.j2")).read_text(encoding="utf-8")
    settings = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    assert set(settings["RestrictAddressFamilies"].split()) == {"AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK"}
    assert settings.get("PrivateNetwork") == "yes" or settings["IPAddressDeny"] == "any"
    assert "proxy.secret" in settings["InaccessiblePaths"]


def test_only_units_that_contact_the_upstream_server_have_a_network() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in UNITS.rglob("mailops-relay-*.service.j2")}
    isolated = {name for name, text in texts.items() if re.search("^PrivateNetwork=(yes|true)$", text, re.MULTILINE)}
    assert {name.removeprefix("mailops-relay-").removesuffix(".service.j2") for name in set(texts) - isolated} == NETWORK


def test_every_service_may_be_started_again_without_end() -> None:
    """systemd's default is to refuse after five starts in ten seconds: by Restart=, a unit that wants it, a timer, a reload or by hand."""
    for path in [*UNITS.rglob("*.service.j2"), *UNITS.rglob("*.path.j2"), *UNITS.rglob("restart.conf.j2")]:
        assert "\nStartLimitIntervalSec=0\n" in path.read_text(encoding="utf-8").partition("[Service]")[0], path.name


def test_program_that_hangs_fails() -> None:
    """By default systemd waits for ever for one of type oneshot, and status takes it for a running one."""
    oneshot = [text for path in UNITS.rglob("*.service.j2") if "\nType=oneshot\n" in (text := path.read_text(encoding="utf-8"))]
    assert len(oneshot) == 6
    assert all("\nTimeoutStartSec=" in text for text in oneshot)


@for_every("unit", ["token", "monitor", "backup", "sasl", "proxy", "upstream-check", "connection-limits", "metrics", "queue-actions"])
def test_units_are_restricted(unit: str) -> None:
    """Each has an exposure level of systemd-analyze security of at most 3.0."""
    text = next(UNITS.rglob(f"mailops-relay-{unit}.service.j2")).read_text(encoding="utf-8")
    names = {line.partition("=")[0] for line in text.splitlines() if "=" in line and not line.startswith("#")}
    required = {
        "CapabilityBoundingSet", "LockPersonality", "NoNewPrivileges", "PrivateDevices", "PrivateTmp", "ProtectClock", "ProtectHome",
        "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "ProtectSystem", "RestrictAddressFamilies", "RestrictNamespaces",
        "RestrictRealtime", "RestrictSUIDSGID", "SystemCallArchitectures", "SystemCallFilter",
    }  # fmt: skip
    assert required - names == set()
