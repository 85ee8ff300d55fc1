"""One world a story: the emulator at Microsoft's names, devices, and the hosts that tests boot in it.

A story is a file, or files of one xdist_group: its tests run on one worker, in their order, in a world in which nothing else happened.
A test that fails shows the end of its hosts' journals. Without what test hosts need, every test here is skipped with the reason.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from testbed import image, needs
from testbed.host import HostError
from testbed.network import Network, NetworkError
from testbed.world import TENANTS, World

from .door import Door, build

_LINES = "60"
# These tests count messages; what Microsoft does with the thirty-first of a minute is the emulator's own tests' to see.
_UNPACED = "\nsettings:\n  options:\n    smtp: {pace: false}\n"
# The longest first, so that no worker is left with one at the end: `faults` waits ten minutes for real. A story that is new comes last.
_ORDER = ("faults", "doors", "test_day_two", "test_absent", "rotation", "test_pair", "smart-hosts", "test_testbed")
_worlds: list[World] = []


# Before xdist's own, which reads the groups.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = needs.missing()
    for item in (item for item in items if "tests/hosts/" in item.nodeid):
        item.add_marker(pytest.mark.xdist_group(_story(item)))
        if missing:
            item.add_marker(pytest.mark.skip(reason=missing))
    ranks = {story: rank for rank, story in enumerate(_ORDER)}
    items.sort(key=lambda item: (ranks.get(_story(item), len(ranks)), _story(item)))  # stable: within a story nothing moves


def _story(node: pytest.Item | pytest.Module) -> str:
    marker = node.get_closest_marker("xdist_group")
    return str(marker.args[0]) if marker else node.path.stem


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and call.when != "teardown":
        for host in [host for world in _worlds for host in world.hosts.values()]:
            with contextlib.suppress(HostError, NetworkError, subprocess.TimeoutExpired):
                journal = host.run(["journalctl", "--boot", "--no-pager", "--output=short-precise", f"--lines={_LINES}"], timeout=20)
                report.sections.append((f"journal of {host.name}", journal))
    return report


class Stage:
    """Where a worker's stories are played, one after the other; the worker itself is in the network of the present one."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._story = directory, ""
        self._doors: dict[str, Door] = {}
        self._open = contextlib.ExitStack()

    def world(self, story: str) -> World:
        """A story's world, without hosts as yet; the world of the story before is gone."""
        if story != self._story:
            self.clear()
            directory = self._directory / story
            network = Network(directory / "network")
            self._open.callback(network.stop)
            network.start()
            world = World(directory, network)
            tenants = directory / "unpaced.yml"
            tenants.write_text(TENANTS.read_text(encoding="utf-8") + _UNPACED, encoding="utf-8")
            world.up({}, tenants=tenants)
            self._open.enter_context(network.entered())
            self._story = story
            _worlds.append(world)
        return _worlds[0]

    def doors(self, world: World) -> dict[str, Door]:
        """Release -> a relay that devices send through; both are shared by all tests of the story."""
        if not self._doors:
            self._doors = build(world)
        return self._doors

    def clear(self) -> None:
        self._story, self._doors = "", {}
        _worlds.clear()
        self._open.close()


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    image.make_all()  # before a network is entered, from which there is no way to a mirror
    found = Stage(tmp_path_factory.mktemp("stage"))
    yield found
    found.clear()


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, stage: Stage) -> World:
    return stage.world(_story(request.node))


@pytest.fixture(scope="module")
def doors(stage: Stage, world: World) -> dict[str, Door]:
    return stage.doors(world)


@pytest.fixture(scope="module", params=image.tested())
def door(request: pytest.FixtureRequest, doors: dict[str, Door]) -> Door:
    return doors[request.param]
