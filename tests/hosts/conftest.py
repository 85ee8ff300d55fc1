"""One lab per test group: the emulator at Microsoft's names, devices, and the hosts that the tests boot in it.

A group is a file, or the files of one xdist_group: its tests run on one worker, in their order, in a lab of their own. A failed test
shows the end of its hosts' journals. Where the requirements of test hosts are missing, every test here is skipped with the reason.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from testbed import image, needs
from testbed.host import HostError
from testbed.lab import TENANTS, Lab
from testbed.network import Network, NetworkError

from .device_relay import DeviceRelay, deploy

_LINES = "60"
# These tests count messages; the limit of 30 messages a minute is tested with the emulator.
_UNPACED = "\nsettings:\n  options:\n    smtp: {pace: false}\n"
# The longest first, so that no worker runs one alone at the end: `outages` waits ten minutes. Groups of few, long tests come after those of
# many: a worker takes its next group when two tests of the current one are left. A group that is not listed comes last.
_ORDER = (
    "outages",
    "test_health",
    "devices",
    "test_large_queue",
    "test_operations",
    "key-rotation",
    "test_two_relays",
    "upstreams",
    "test_removal",
    "test_testbed",
)
_labs: list[Lab] = []


# Before xdist's own, which reads the groups.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = needs.missing()
    for item in (item for item in items if "tests/hosts/" in item.nodeid):
        item.add_marker(pytest.mark.xdist_group(_group(item)))
        if missing:
            item.add_marker(pytest.mark.skip(reason=missing))
    ranks = {group: rank for rank, group in enumerate(_ORDER)}
    items.sort(key=lambda item: (ranks.get(_group(item), len(ranks)), _group(item)))  # stable: the order within a group is kept


def _group(node: pytest.Item | pytest.Module) -> str:
    marker = node.get_closest_marker("xdist_group")
    return str(marker.args[0]) if marker else node.path.stem


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and call.when != "teardown":
        for host in [host for lab in _labs for host in lab.hosts.values()]:
            with contextlib.suppress(HostError, NetworkError, subprocess.TimeoutExpired):
                journal = host.run(["journalctl", "--boot", "--no-pager", "--output=short-precise", f"--lines={_LINES}"], timeout=20)
                report.sections.append((f"journal of {host.name}", journal))
    return report


class Environment:
    """The lab of a worker's current test group; the worker itself is in its network."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._current = directory, ""
        self._relays: dict[str, DeviceRelay] = {}
        self._open = contextlib.ExitStack()

    def lab(self, group: str) -> Lab:
        """The lab of a group, without hosts at first; the previous group's lab is removed."""
        if group != self._current:
            self.clear()
            directory = self._directory / group
            network = Network(directory / "network")
            self._open.callback(network.stop)
            network.start()
            lab = Lab(directory, network)
            tenants = directory / "unpaced.yml"
            tenants.write_text(TENANTS.read_text(encoding="utf-8") + _UNPACED, encoding="utf-8")
            lab.up({}, tenants=tenants)
            self._open.enter_context(network.entered())
            self._current = group
            _labs.append(lab)
        return _labs[0]

    def relays(self, lab: Lab) -> dict[str, DeviceRelay]:
        """Release -> a relay with devices; shared by all tests of the group."""
        if not self._relays:
            self._relays = deploy(lab)
        return self._relays

    def clear(self) -> None:
        self._current, self._relays = "", {}
        _labs.clear()
        self._open.close()


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    image.make_all()  # before a network is entered, which has no route to a mirror
    result = Environment(tmp_path_factory.mktemp("environment"))
    yield result
    result.clear()


@pytest.fixture(scope="module")
def lab(request: pytest.FixtureRequest, environment: Environment) -> Lab:
    return environment.lab(_group(request.node))


@pytest.fixture(scope="module")
def relays(environment: Environment, lab: Lab) -> dict[str, DeviceRelay]:
    return environment.relays(lab)


@pytest.fixture(scope="module", params=image.tested())
def relay(request: pytest.FixtureRequest, relays: dict[str, DeviceRelay]) -> DeviceRelay:
    return relays[request.param]
