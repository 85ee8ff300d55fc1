"""One world a worker: the emulator at Microsoft's names, devices, and the hosts that tests boot in it.

A test that fails shows the end of its hosts' journals. Without what test hosts need, every test here is skipped with the reason.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator

import pytest

from testbed import image, needs
from testbed.host import HostError
from testbed.network import Network, NetworkError
from testbed.world import TENANTS, World

from .door import Door, build

_LINES = "60"
# These tests count messages; what Microsoft does with the thirty-first of a minute is the emulator's own tests' to see.
_UNPACED = "\nsettings:\n  options:\n    smtp: {pace: false}\n"
_worlds: list[World] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = needs.missing()
    for item in items:
        if missing and "tests/hosts/" in item.nodeid:
            item.add_marker(pytest.mark.skip(reason=missing))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and call.when != "teardown":
        for host in [host for world in _worlds for host in world.hosts.values()]:
            with contextlib.suppress(HostError, NetworkError):
                report.sections.append((f"journal of {host.name}", host.journal(f"--lines={_LINES}")))
    return report


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The worker's world, without hosts as yet; the worker itself is in its network from now on."""
    image.make_all()
    directory = tmp_path_factory.mktemp("world")
    network = Network(directory / "network")
    network.start()
    try:
        found = World(directory, network)
        tenants = directory / "unpaced.yml"
        tenants.write_text(TENANTS.read_text(encoding="utf-8") + _UNPACED, encoding="utf-8")
        found.up({}, tenants=tenants)
        _worlds.append(found)
        network.enter()
        yield found
    finally:
        _worlds.clear()
        network.stop()


@pytest.fixture(scope="session")
def doors(world: World) -> Iterator[dict[str, Door]]:
    """Release -> a relay that devices send through; both are shared by all tests of devices and of attacks."""
    found = build(world)
    yield found
    for door in found.values():
        world.remove(door.host.name)


@pytest.fixture(scope="session", params=image.RELEASES)
def door(request: pytest.FixtureRequest, doors: dict[str, Door]) -> Door:
    return doors[request.param]
